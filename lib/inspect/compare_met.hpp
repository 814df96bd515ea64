// SPDX-License-Identifier: MIT
// What two trees' values were met with, so that each is looked at once, however often it is met.
#pragma once

#include "support/pointer_map.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace brine {

/// Objects that can be told apart by changing them: one of A stands for one of B, wherever they are met.
class Partners {
 public:
  /// The numbers of the two; those that were met before, known.
  struct Meeting {
    std::uint32_t a, b;
    bool known_a, known_b;
    bool first() const noexcept { return !known_a && !known_b; }
    bool again() const noexcept { return known_a && known_b && a == b; }
    bool otherwise() const noexcept { return !first() && !again(); }
  };
  Meeting meet(const void* a, const void* b);
  /// Do they stand for each other?
  bool are(const void* a, const void* b) const noexcept;
  /// Numbers given so far.
  std::uint32_t size() const noexcept { return next_; }

 private:
  PointerMap a_, b_;
  std::uint32_t next_ = 0;
};

/// "in A only", "in B only"; where both were known, "in A, with other places than in B".
const char* where(const Partners::Meeting& meeting) noexcept;

/// Values that need not be compared again: they were, or with a third that both were compared with. (A difference has been told then.)
class Compared {
 public:
  /// Were they? From now on they were.
  bool again(const void* a, const void* b);

 private:
  std::uint32_t number(const void* key);
  std::uint32_t root(std::uint32_t i) noexcept;
  PointerMap numbers_;
  std::vector<std::uint32_t> parent_;
};

/// Are two texts of the files the same? Each is looked at once or twice, however often it is met.
class Texts {
 public:
  bool same(std::string_view a, std::string_view b);

 private:
  struct Text {
    std::uint64_t hash;
    std::uint32_t equal;  // another text that is the same, or itself
  };
  const std::uint64_t seed_ = random_seed();
  PointerMap numbers_;
  std::vector<Text> texts_;
};

}  // namespace brine
