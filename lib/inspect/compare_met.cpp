// SPDX-License-Identifier: MIT
#include "inspect/compare_met.hpp"

#include <cstring>

namespace brine {

namespace {

constexpr std::size_t kShort = 64;  // bytes of a text that is not worth being remembered

}  // namespace

Partners::Meeting Partners::meet(const void* a, const void* b) {
  const std::uint32_t *x = a_.add(a, next_), *y = b_.add(b, next_);
  const Meeting out{x ? *x : next_, y ? *y : next_, x != nullptr, y != nullptr};
  if (!x || !y) ++next_;  // one that is new beside one that is known has a number of its own
  return out;
}

bool Partners::are(const void* a, const void* b) const noexcept {
  const std::uint32_t *x = a_.find(a), *y = b_.find(b);
  return x && y ? *x == *y : !x && !y;
}

const char* where(const Partners::Meeting& meeting) noexcept {
  return !meeting.known_b ? "in A only" : !meeting.known_a ? "in B only" : "in A, with other places than in B";
}

std::uint32_t Compared::number(const void* key) {
  if (const std::uint32_t* known = numbers_.add(key, static_cast<std::uint32_t>(parent_.size()))) return *known;
  parent_.push_back(static_cast<std::uint32_t>(parent_.size()));
  return parent_.back();
}

std::uint32_t Compared::root(std::uint32_t i) noexcept {
  while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
  return i;
}

bool Compared::again(const void* a, const void* b) {
  const std::uint32_t x = root(number(a)), y = root(number(b));
  parent_[x < y ? y : x] = x < y ? x : y;
  return x == y;
}

bool Texts::same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.data() == b.data()) return true;
  if (a.size() <= kShort) return std::memcmp(a.data(), b.data(), a.size()) == 0;
  const auto number = [&](std::string_view text) {
    if (const std::uint32_t* known = numbers_.add(text.data(), static_cast<std::uint32_t>(texts_.size()))) return *known;
    texts_.push_back({hash_bytes(text, seed_), static_cast<std::uint32_t>(texts_.size())});
    return static_cast<std::uint32_t>(texts_.size() - 1);
  };
  const auto first = [&](std::uint32_t i) {
    while (texts_[i].equal != i) i = texts_[i].equal = texts_[texts_[i].equal].equal;
    return i;
  };
  const std::uint32_t x = first(number(a)), y = first(number(b));
  if (x == y) return true;
  if (texts_[x].hash != texts_[y].hash || std::memcmp(a.data(), b.data(), a.size()) != 0) return false;
  texts_[y].equal = x;
  return true;
}

}  // namespace brine
