// SPDX-License-Identifier: MIT
// One pickle as instructions in text, for people.
#pragma once

#include <brine/instruction.hpp>
#include <brine/result.hpp>

#include <functional>
#include <span>

namespace brine {

/// Calls `each` up to and with STOP. False from it ends without error. Fails with: corrupt (what the scanner refuses).
Result<void> disassemble_pickle(std::span<const std::byte> pickle, const std::function<bool(const Instruction&)>& each);

}  // namespace brine
