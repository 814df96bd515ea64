// SPDX-License-Identifier: MIT
// Instruction: what disassemble() (checkpoint.hpp) gives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brine {

/// One opcode of a pickle, for disassembly.
struct Instruction {
  std::uint64_t offset;        ///< of the opcode
  std::string_view opcode;     ///< "BINPUT"
  std::string argument;        ///< as text, escaped; empty where there is none
};

}  // namespace brine
