// SPDX-License-Identifier: MIT
// Places of a checkpoint, as --at names them, and what is said where there is nothing.
#pragma once

#include <brine/brine.hpp>

#include <string>

namespace tool {

/// The state dict at a place. One that only code could tell, of a module that has nothing itself, is an error (no_state_dict), not an empty one.
brine::Result<brine::StateDict> weights_of(const brine::Checkpoint& ckpt, const std::string& at);

brine::Error no_place(const std::string& file, const std::string& at);

}  // namespace tool
