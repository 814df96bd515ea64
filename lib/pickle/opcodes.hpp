// SPDX-License-Identifier: MIT
// The one opcode table: byte, name, argument, protocol. Scanner, machine, disassembler and (later) emitter all read it.
// Source: CPython's pickletools.opcodes; which of them weights_only allows: torch/_weights_only_unpickler.py (2.6 to 2.14 alike).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace brine {

/// How an opcode's argument is written.
enum class ArgKind : std::uint8_t {
  none,
  u8, u16, u32, i32, u64,      // a number, little-endian
  float8,                      // a double, big-endian
  bytes1, bytes4, bytes8,      // a length of 1, 4 (unsigned) or 8 bytes, then that many bytes
  bytes4s,                     // a length of 4 bytes, signed
  line,                        // text up to a newline
  lines2,                      // two of them: module, name
};

// byte, name, argument, first protocol, allowed by weights_only, transient: leaves references nowhere but on the stack (see Arena::pin)
#define BRINE_OPCODES(X)                                  \
  X(0x28, MARK, none, 0, 1, 1)                            \
  X(0x2E, STOP, none, 0, 1, 0)                            \
  X(0x30, POP, none, 0, 0, 0)                             \
  X(0x31, POP_MARK, none, 1, 0, 0)                        \
  X(0x32, DUP, none, 0, 0, 0)                             \
  X(0x46, FLOAT, line, 0, 0, 1)                           \
  X(0x49, INT, line, 0, 0, 1)                             \
  X(0x4A, BININT, i32, 1, 1, 1)                           \
  X(0x4B, BININT1, u8, 1, 1, 1)                           \
  X(0x4C, LONG, line, 0, 0, 1)                            \
  X(0x4D, BININT2, u16, 1, 1, 1)                          \
  X(0x4E, NONE, none, 0, 1, 1)                            \
  X(0x50, PERSID, line, 0, 0, 0)                          \
  X(0x51, BINPERSID, none, 1, 1, 1)                       \
  X(0x52, REDUCE, none, 0, 1, 1)                          \
  X(0x53, STRING, line, 0, 0, 0)                          \
  X(0x54, BINSTRING, bytes4s, 1, 0, 1)                    \
  X(0x55, SHORT_BINSTRING, bytes1, 1, 1, 1)               \
  X(0x56, UNICODE, line, 0, 0, 0)                         \
  X(0x58, BINUNICODE, bytes4, 1, 1, 1)                    \
  X(0x47, BINFLOAT, float8, 1, 1, 1)                      \
  X(0x61, APPEND, none, 0, 1, 0)                          \
  X(0x62, BUILD, none, 0, 1, 0)                           \
  X(0x63, GLOBAL, lines2, 0, 1, 0)                        \
  X(0x64, DICT, none, 0, 0, 0)                            \
  X(0x65, APPENDS, none, 1, 1, 0)                         \
  X(0x67, GET, line, 0, 0, 1)                             \
  X(0x68, BINGET, u8, 1, 1, 1)                            \
  X(0x69, INST, lines2, 0, 0, 0)                          \
  X(0x6A, LONG_BINGET, u32, 1, 1, 1)                      \
  X(0x6C, LIST, none, 0, 0, 0)                            \
  X(0x6F, OBJ, none, 1, 0, 0)                             \
  X(0x70, PUT, line, 0, 0, 1)                             \
  X(0x71, BINPUT, u8, 1, 1, 1)                            \
  X(0x72, LONG_BINPUT, u32, 1, 1, 1)                      \
  X(0x73, SETITEM, none, 0, 1, 0)                         \
  X(0x74, TUPLE, none, 0, 1, 1)                           \
  X(0x75, SETITEMS, none, 1, 1, 0)                        \
  X(0x5D, EMPTY_LIST, none, 1, 1, 1)                      \
  X(0x7D, EMPTY_DICT, none, 1, 1, 1)                      \
  X(0x29, EMPTY_TUPLE, none, 1, 1, 1)                     \
  X(0x80, PROTO, u8, 2, 1, 1)                             \
  X(0x81, NEWOBJ, none, 2, 1, 0)                          \
  X(0x82, EXT1, u8, 2, 0, 0)                              \
  X(0x83, EXT2, u16, 2, 0, 0)                             \
  X(0x84, EXT4, i32, 2, 0, 0)                             \
  X(0x85, TUPLE1, none, 2, 1, 1)                          \
  X(0x86, TUPLE2, none, 2, 1, 1)                          \
  X(0x87, TUPLE3, none, 2, 1, 1)                          \
  X(0x88, NEWTRUE, none, 2, 1, 1)                         \
  X(0x89, NEWFALSE, none, 2, 1, 1)                        \
  X(0x8A, LONG1, bytes1, 2, 1, 1)                         \
  X(0x8B, LONG4, bytes4s, 2, 0, 1)                        \
  X(0x42, BINBYTES, bytes4, 3, 0, 1)                      \
  X(0x43, SHORT_BINBYTES, bytes1, 3, 0, 1)                \
  X(0x8C, SHORT_BINUNICODE, bytes1, 4, 0, 1)              \
  X(0x8D, BINUNICODE8, bytes8, 4, 0, 1)                   \
  X(0x8E, BINBYTES8, bytes8, 4, 0, 1)                     \
  X(0x8F, EMPTY_SET, none, 4, 1, 1)                       \
  X(0x90, ADDITEMS, none, 4, 0, 0)                        \
  X(0x91, FROZENSET, none, 4, 0, 0)                       \
  X(0x92, NEWOBJ_EX, none, 4, 0, 0)                       \
  X(0x93, STACK_GLOBAL, none, 4, 0, 0)                    \
  X(0x94, MEMOIZE, none, 4, 0, 1)                         \
  X(0x95, FRAME, u64, 4, 0, 1)                            \
  X(0x96, BYTEARRAY8, bytes8, 5, 0, 1)                    \
  X(0x97, NEXT_BUFFER, none, 5, 0, 0)                     \
  X(0x98, READONLY_BUFFER, none, 5, 0, 0)

enum class Op : std::uint8_t {
#define X(byte, name, arg, protocol, allowed, transient) name = byte,
  BRINE_OPCODES(X)
#undef X
};

struct OpcodeInfo {
  std::string_view name;  ///< empty: no such opcode
  ArgKind arg = ArgKind::none;
  std::uint8_t protocol = 0;
  bool weights_only = false, transient = false;
};

inline constexpr std::array<OpcodeInfo, 256> kOpcodes = [] {
  std::array<OpcodeInfo, 256> table{};
#define X(byte, name, arg, protocol, allowed, transient) table[byte] = {#name, ArgKind::arg, protocol, allowed != 0, transient != 0};
  BRINE_OPCODES(X)
#undef X
  return table;
}();

inline const OpcodeInfo& info(Op op) noexcept { return kOpcodes[static_cast<std::uint8_t>(op)]; }

constexpr int kHighestProtocol = 5;

}  // namespace brine
