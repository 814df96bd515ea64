// SPDX-License-Identifier: MIT
// The kinds of Error that are made everywhere, in one word each. bytes/guard.hpp has out_of_memory().
#pragma once

#include <brine/error.hpp>

#include <string>
#include <utility>

namespace brine {

BRINE_COLD inline Error corrupt(ErrorCode code, std::string text) { return Error(ErrorKind::corrupt, code, std::move(text)); }
/// Arguments of a tensor or array that PyTorch or numpy refuses.
BRINE_COLD inline Error corrupt(std::string text) { return corrupt(ErrorCode::tensor_arguments, std::move(text)); }
BRINE_COLD inline Error usage(ErrorCode code, std::string text) { return Error(ErrorKind::usage, code, std::move(text)); }

}  // namespace brine
