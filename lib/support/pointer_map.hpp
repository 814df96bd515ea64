// SPDX-License-Identifier: MIT
// PointerMap: address → number, for the many small lookups of a pickler. One flat table, nothing is ever taken out.
#pragma once

#include "support/hash_index.hpp"
#include "support/memory.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
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

  /// The number that the address has already, or null: then it has `value` now. Null is nobody's identity, and never kept.
  const std::uint32_t* add(const void* key, std::uint32_t value) {
    if (!key) return nullptr;
    if (is_full(size_ + 1, slots_.size())) grow(size_ + 1);
    Slot& slot = slots_[place(key)];
    if (slot.key) return &slot.value;
    slot = {key, value};
    ++size_;
    return nullptr;
  }

  /// Room for so many more at once: growing by and by looks at each again and again.
  void reserve(std::size_t more) {
    if (is_full(size_ + more, slots_.size())) grow(size_ + more);
  }

  /// Says that this address will soon be looked for.
  void prefetch(const void* key) const noexcept {
    if (!slots_.empty()) __builtin_prefetch(&slots_[start(key)]);
  }

 private:
  struct Slot {
    const void* key = nullptr;
    std::uint32_t value = 0;
  };
  using Slots = std::vector<Slot, HugePages<Slot>>;

  static constexpr unsigned kPageBits = 9;
  static constexpr std::size_t kPage = std::size_t{1} << kPageBits;  // slots for what lies in 4 KiB

  static bool is_full(std::size_t size, std::size_t slots) noexcept { return size > slots / 4 * 3; }

  // Objects are made and met in much the same order, so those of one page lie together here, too: less waiting for memory.
  std::size_t start(const void* key) const noexcept {
    const auto address = std::bit_cast<std::uintptr_t>(key);
    const std::uint64_t page = (address >> 12) * factor_ >> shift_;
    return static_cast<std::size_t>(page << kPageBits | (address >> 3 & (kPage - 1))) & (slots_.size() - 1);
  }

  // A fraction (of 2^64) that is badly approximated by others, as the golden ratio is, so that pages in a row fall evenly apart; which one
  // no file can know, nor which pages fall together. By its continued fraction, of ones and twos.
  static std::uint64_t random_fraction() {
    std::uint64_t terms = random_seed(), p = 0, q = 1, p_before = 1, q_before = 0;
    for (int i = 0; i < 40; ++i, terms >>= 1) {
      const std::uint64_t term = 1 + (terms & 1);
      p_before = std::exchange(p, term * p + p_before);
      q_before = std::exchange(q, term * q + q_before);
    }
    return static_cast<std::uint64_t>((static_cast<hash_detail::uint128>(p) << 64) / q);
  }

  // Where the key is, or the free slot where it would be: never full, so the search ends.
  std::size_t place(const void* key) const noexcept {
    std::size_t i = start(key);
    while (slots_[i].key && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    return i;
  }

  void grow(std::size_t size) {
    std::size_t slots = slots_.empty() ? 2 * kPage : slots_.size() * 2;
    while (is_full(size, slots)) slots *= 2;
    Slots old(slots);
    old.swap(slots_);
    shift_ = 64 - std::countr_zero(slots / kPage);
    for (const Slot& slot : old)
      if (slot.key) slots_[place(slot.key)] = slot;
  }

  std::uint64_t factor_ = random_fraction();
  int shift_ = 63;  // leaves the bits of a page's number
  Slots slots_;
  std::size_t size_ = 0;
};

}  // namespace brine
