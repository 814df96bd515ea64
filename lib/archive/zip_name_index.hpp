// SPDX-License-Identifier: MIT
// ZipNameIndex: finds an entry's number by the hash of its name. As HashIndex, but a slot's spare bits hold some of the hash, so that a
// directory of a million names is indexed without looking at most of them twice.
#pragma once

#include "support/hash_index.hpp"

#include <bit>
#include <vector>

namespace brine {

class ZipNameIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  /// Room for `items` items, none of them there yet. Requires: items < kNone.
  void reset(std::uint32_t items) {
    slots_.assign(HashIndex::slots_for(items), 0);
    item_mask_ = static_cast<std::uint32_t>(std::bit_ceil(std::uint64_t{items} + 1) - 1);
  }

  /// The item with this hash for which equal(number) holds, or kNone.
  template <class Equal>
  std::uint32_t find(std::uint64_t hash, Equal&& equal) const {
    if (slots_.empty()) return kNone;
    for (std::size_t i = start(hash); slots_[i] != 0; i = (i + 1) & (slots_.size() - 1)) {
      const std::uint32_t item = (slots_[i] & item_mask_) - 1;
      if (((slots_[i] ^ tag(hash)) & ~item_mask_) == 0 && equal(item)) return item;
    }
    return kNone;
  }

  /// Adds an item that is not there yet.
  void insert(std::uint64_t hash, std::uint32_t item) noexcept {
    std::size_t i = start(hash);
    while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = (tag(hash) & ~item_mask_) | (item + 1);
  }

  /// Says that this hash will soon be looked for.
  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&slots_[start(hash)]); }

 private:
  std::size_t start(std::uint64_t hash) const noexcept { return hash & (slots_.size() - 1); }
  static std::uint32_t tag(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

  std::vector<std::uint32_t> slots_;  // 0: free; else the item's number + 1, and above it bits of the hash
  std::uint32_t item_mask_ = 0;
};

}  // namespace brine
