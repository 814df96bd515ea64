// SPDX-License-Identifier: MIT
// Which keys of two dicts, or members of two sets, stand for each other: those that are equal as Python has it, then what equals itself alone (a NaN,
// an object, what holds one) in its order.
#pragma once

#include "graph/arena.hpp"
#include "graph/keys.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace brine {

struct Matching {
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  std::vector<std::uint32_t> of_a;    // for each of A's the number of B's, or kNone
  std::vector<std::uint32_t> only_b;  // those of B's that are nobody's, in order
};

class Matcher {
 public:
  /// Keys of either file are looked at once, however often they are given.
  Matching match(std::span<const Ref> a, std::span<const Ref> b);

 private:
  Budget budget_{~std::uint64_t{0}, ErrorCode::out_of_memory};
  Arena arena_{budget_};
  Keys keys_{arena_};  // of both files, so that what is equal has one number
};

}  // namespace brine
