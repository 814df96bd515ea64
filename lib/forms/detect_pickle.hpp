// SPDX-License-Identifier: MIT
// Does a file start like a pickle? Protocols 2 to 5 say so; 0 and 1 have no signature, so their first few opcodes are looked at.
#pragma once

#include <string_view>

namespace brine {

/// `start` is the file's beginning, `whole` whether that is all of it. Judges form only; the pickle machine has the last word.
bool looks_like_pickle(std::string_view start, bool whole) noexcept;

}  // namespace brine
