// SPDX-License-Identifier: MIT
// Memo: the pickle's numbered objects. Real pickles put thirteen objects a tensor and fetch one: a first pass over the opcodes finds the
// numbers that are fetched, and only those are kept. So a hostile index costs nothing, and a tensor's call can be taken back (arena.hpp).
#pragma once

#include "pickle/scanner.hpp"

#include "graph/ref.hpp"

#include <bit>
#include <vector>

namespace brine {

class Memo {
 public:
  /// Walks the opcodes up to STOP or the first fault (which the machine will meet itself). Memory: a quarter byte per number fetched up to the
  /// greatest, which is below the pickle's size, and 16 bytes per number fetched.
  explicit Memo(std::span<const std::byte> pickle);

  /// Numbers must be below the pickle's size: every entry costs a byte at least.
  bool valid(std::uint64_t number) const noexcept { return number <= limit_; }

  /// Keeps the value if it will be fetched; true when it was kept.
  bool put(std::uint64_t number, const Ref& value) noexcept {
    if (mixed_ && !present_[number]) {
      present_[number] = true;
      ++count_;
    }
    if (!fetched(number)) return false;
    values_[slot(number)] = value;
    return true;
  }
  /// MEMOIZE: the number is how many entries there are.
  bool memoize(const Ref& value) noexcept {
    if (mixed_) return put(count_, value);
    return put(count_++, value);
  }
  /// Absent when there is no such entry.
  Ref get(std::uint64_t number) const noexcept { return fetched(number) ? values_[slot(number)] : Ref{}; }

  /// Where the STOP of a well-formed pickle ends, or 0 when a fault was met before.
  std::uint64_t end() const noexcept { return end_; }

 private:
  bool fetched(std::uint64_t n) const noexcept { return n / 64 < bits_.size() && (bits_[n / 64] >> (n % 64) & 1); }
  std::size_t slot(std::uint64_t n) const noexcept {
    return before_[n / 64] + static_cast<std::size_t>(std::popcount(bits_[n / 64] & ((std::uint64_t{1} << (n % 64)) - 1)));
  }

  std::vector<std::uint64_t> bits_;    // fetched numbers
  std::vector<std::uint32_t> before_;  // fetched numbers below each word
  std::vector<Ref> values_;
  std::vector<bool> present_;          // only where PUT and MEMOIZE are mixed
  std::uint64_t limit_, end_ = 0, count_ = 0;
  bool mixed_ = false;
};

}  // namespace brine
