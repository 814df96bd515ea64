// SPDX-License-Identifier: MIT
// Ref: one value of a Graph, in 16 bytes: a scalar in place, or a pointer to a node (node.hpp). Users hold Values (value.hpp).
#pragma once

#include <brine/kind.hpp>

#include <cstdint>

namespace brine {

struct Node;

struct Ref {
  Kind kind = Kind::absent;
  std::uint8_t flags = 0;
  std::uint16_t tag = 0;
  std::uint32_t length = 0;  // of strings and big integers, bytes
  union {
    std::int64_t integer = 0;
    double floating;
    const char* text;
    Node* node;
    const void* pointer;
  };
};
static_assert(sizeof(Ref) == 16);

}  // namespace brine
