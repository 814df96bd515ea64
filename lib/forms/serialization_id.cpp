// SPDX-License-Identifier: MIT
#include "forms/serialization_id.hpp"

#include "bytes/cursor.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace brine {

namespace {

/// libstdc++'s std::unordered_set, as far as its order goes: one list of all items, and for each bucket the item before its first.
class HashSetOrder {
 public:
  explicit HashSetOrder(std::span<const std::uint64_t> hashes) : hashes_(hashes), next_(hashes.size() + 1, kNone) {}

  void insert(std::uint32_t item) {
    if (count_ + 1 > room_) grow();
    link(item);
    ++count_;
  }

  template <class Visit>
  void walk(Visit&& visit) const {
    for (std::uint32_t i = next_[0]; i != kNone; i = next_[i]) visit(hashes_[i - 1]);
  }

 private:
  // Places: 0 is before the list, item i stands at i + 1.
  static constexpr std::uint32_t kHead = 0, kNone = 0xFFFFFFFF;

  // Each is the first of libstdc++'s primes that is at least twice the one before.
  static constexpr std::uint32_t kBucketCounts[] = {
      13,       29,       59,       127,       257,       541,       1109,      2357,       5087,      10273,
      20753,    42043,    85229,    172933,    351061,    712697,    1447153,   2938679,    5967347,   12117689,
      24607243, 49969847, 101473717, 206062531, 418451333, 849749479, 1725587117, 3504151727,
  };

  std::uint32_t& bucket(std::uint32_t place) { return before_[hashes_[place - 1] % before_.size()]; }

  void link(std::uint32_t item) {
    const std::uint32_t place = item + 1;
    std::uint32_t& before = bucket(place);
    if (before == kNone) {
      if (next_[kHead] != kNone) before_[head_bucket_] = place;
      before = kHead;
      head_bucket_ = static_cast<std::size_t>(&before - before_.data());
    }
    next_[place] = next_[before];
    next_[before] = place;
  }

  void grow() {
    room_ = *std::upper_bound(std::begin(kBucketCounts), std::end(kBucketCounts) - 1, room_);
    before_.assign(room_, kNone);
    std::uint32_t place = next_[kHead];
    next_[kHead] = kNone;
    while (place != kNone) {
      const std::uint32_t next = next_[place];
      link(place - 1);
      place = next;
    }
  }

  std::span<const std::uint64_t> hashes_;
  std::vector<std::uint32_t> next_, before_;
  std::size_t head_bucket_ = 0;  // of the list's first item
  std::uint32_t count_ = 0, room_ = 0;
};

}  // namespace

std::uint64_t libstdcxx_hash(std::string_view text) noexcept {
  constexpr std::uint64_t multiplier = 0xC6A4A7935BD1E995, seed = 0xC70F6907;
  const auto mix = [](std::uint64_t v) { return v ^ (v >> 47); };
  const auto* p = reinterpret_cast<const std::byte*>(text.data());
  std::size_t n = text.size();
  std::uint64_t h = seed ^ (n * multiplier);
  for (; n >= 8; p += 8, n -= 8) h = (h ^ mix(little_at<std::uint64_t>(p) * multiplier) * multiplier) * multiplier;
  if (n != 0) {
    std::byte tail[8] = {};
    std::copy_n(p, n, tail);
    h = (h ^ little_at<std::uint64_t>(tail)) * multiplier;
  }
  return mix(mix(h) * multiplier);
}

std::uint64_t combined_name_hashes(std::span<const std::uint64_t> hashes) {
  HashSetOrder order(hashes);
  for (std::uint32_t i = 0; i < hashes.size(); ++i) order.insert(i);
  std::uint64_t combined = 0;
  order.walk([&combined](std::uint64_t hash) { combined = combine_hashes(combined, hash); });
  return combined;
}

namespace {

constexpr std::size_t kDigits = 20;  // of each half

std::string half_text(std::uint64_t half) {
  const std::string digits = std::to_string(half);
  return std::string(kDigits - digits.size(), '0') + digits;
}

}  // namespace

std::string serialization_id(const ZipWriter& zip, std::string_view first_half) {
  const bool given = first_half.size() == kDigits && std::ranges::all_of(first_half, [](char c) { return c >= '0' && c <= '9'; });
  std::uint64_t crcs = 0;
  std::vector<std::uint64_t> names(given ? 0 : zip.records());
  for (std::size_t i = 0; i < zip.records(); ++i) {
    const ZipWriter::Written record = zip.written(i);
    if (!record.empty) crcs = combine_hashes(crcs, record.crc);
    if (!given) names[i] = libstdcxx_hash(record.name);
  }
  return (given ? std::string(first_half) : half_text(combined_name_hashes(names))) + half_text(crcs);
}

}  // namespace brine
