// SPDX-License-Identifier: MIT
// PointerMap: address → number, for the many small lookups of a pickler. One flat table, nothing is ever taken out.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace brine {

class PointerMap {
 public:
  /// The number of this address, or null.
  const std::uint32_t* find(const void* key) const noexcept {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[place(key)];
    return slot.key ? &slot.value : nullptr;
  }
  bool contains(const void* key) const noexcept { return find(key) != nullptr; }

  /// Adds what is not there yet; an address that is keeps its number. Null is nobody's identity, and never kept.
  void emplace(const void* key, std::uint32_t value) {
    if (!key) return;
    if ((size_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place(key)];
    if (slot.key) return;
    slot = {key, value};
    ++size_;
  }

 private:
  struct Slot {
    const void* key = nullptr;
    std::uint32_t value = 0;
  };

  // Where the key is, or the free slot where it would be: never full, so the search ends.
  std::size_t place(const void* key) const noexcept {
    const std::uint64_t hash = std::bit_cast<std::uintptr_t>(key) * 0x9E3779B97F4A7C15u;
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = static_cast<std::size_t>(hash >> 32) & mask;
    while (slots_[i].key && slots_[i].key != key) i = (i + 1) & mask;
    return i;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.key) slots_[place(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace brine
