// SPDX-License-Identifier: MIT
// HashIndex: finds the number of an item by its hash; the items themselves live elsewhere (a directory's entries, a dict's items).
// hash_bytes is keyed, so that a file cannot choose names that collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#if defined(__linux__)
#include <sys/random.h>
#endif

namespace brine {

/// A key no file can know.
inline std::uint64_t random_seed() {
#if defined(__linux__)  // a third of a microsecond; random_device asks the processor what it can do, which is dear in a virtual machine
  std::uint64_t seed;
  if (::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed)) return seed;
#endif
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

namespace hash_detail {
__extension__ using uint128 = unsigned __int128;
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}
template <class T>
std::uint64_t word(const char* p) noexcept {
  T w;
  std::memcpy(&w, p, sizeof w);
  return w;
}
/// At most 8 bytes. A word that would reach beyond the end begins earlier: the text's length is hashed, too.
inline std::uint64_t last_word(const char* p, std::size_t n, bool more_before) noexcept {
  if (n == 8 || (n != 0 && more_before)) return word<std::uint64_t>(p + n - 8);
  if (n >= 4) return word<std::uint32_t>(p) << 32 | word<std::uint32_t>(p + n - 4);
  return n == 0 ? 0 : word<std::uint8_t>(p) << 16 | word<std::uint8_t>(p + n / 2) << 8 | word<std::uint8_t>(p + n - 1);
}
}  // namespace hash_detail

/// Multiply-and-fold over 16 bytes at a time (the construction of wyhash); the seed enters every round.
inline std::uint64_t hash_bytes(std::string_view text, std::uint64_t seed) noexcept {
  using namespace hash_detail;
  constexpr std::uint64_t k0 = 0xA0761D6478BD642F, k1 = 0xE7037ED1A0B428DB;
  const char* p = text.data();
  std::size_t n = text.size();
  std::uint64_t h = mix(seed ^ k0, n ^ k1);
  for (; n >= 16; p += 16, n -= 16) h = mix(word<std::uint64_t>(p) ^ k0 ^ h, word<std::uint64_t>(p + 8) ^ k1 ^ seed);
  const std::size_t first = n < 8 ? n : 8;
  const std::uint64_t a = last_word(p, first, text.size() >= 8), b = last_word(p + first, n - first, true);
  return mix(a ^ k0 ^ h, b ^ k1 ^ seed);
}

/// For the standard library's tables of a file's names.
struct KeyedHash {
  std::uint64_t seed = random_seed();
  std::size_t operator()(std::string_view text) const noexcept { return static_cast<std::size_t>(hash_bytes(text, seed)); }
};

/// Open addressing with linear probing over caller-provided or own slots; a slot holds item number + 1, and 0 is free. The number needs no more
/// bits than the slots' own numbers do; the rest hold some of the hash, so that hardly an item is looked at for nothing.
class HashIndex {
 public:
  static constexpr std::uint32_t npos = 0xFFFFFFFF;

  /// Slots for `items` items: at most two thirds full.
  static std::size_t slots_for(std::size_t items) noexcept {
    std::size_t n = 16;
    while (n * 2 < items * 3) n *= 2;
    return n;
  }

  /// The item for which equal(number) holds among those with this hash, or npos.
  template <class Equal>
  static std::uint32_t find(std::span<const std::uint32_t> slots, std::uint64_t hash, Equal&& equal) {
    const std::size_t mask = slots.size() - 1;
    const auto number = static_cast<std::uint32_t>(mask);
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      if (slots[i] == 0) return npos;
      const std::uint32_t item = (slots[i] & number) - 1;
      if (((slots[i] ^ tag(hash)) & ~number) == 0 && equal(item)) return item;
    }
  }

  /// Says that this hash will be looked for soon.
  static void prefetch(std::span<const std::uint32_t> slots, std::uint64_t hash) noexcept { __builtin_prefetch(&slots[hash & (slots.size() - 1)]); }

  /// Adds an item that is not there yet. Requires: a free slot.
  static void insert(std::span<std::uint32_t> slots, std::uint64_t hash, std::uint32_t item) noexcept {
    const std::size_t mask = slots.size() - 1;
    std::size_t i = hash & mask;
    while (slots[i] != 0) i = (i + 1) & mask;
    slots[i] = (tag(hash) & ~static_cast<std::uint32_t>(mask)) | (item + 1);
  }

 private:
  static std::uint32_t tag(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
};

}  // namespace brine
