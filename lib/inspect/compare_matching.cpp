// SPDX-License-Identifier: MIT
#include "inspect/compare_matching.hpp"

#include "support/hash_index.hpp"

#include <array>
#include <cmath>

namespace brine {

namespace {

/// May it be one that no other equals, or hold such?
bool may_equal_itself_alone(const Ref& key) noexcept {
  if (key.kind == Kind::complex) return std::isnan(complex_of(key).real) || std::isnan(complex_of(key).imag);
  return (key.kind > Kind::bytes && key.kind != Kind::global) || (key.kind == Kind::floating && std::isnan(key.floating));
}

}  // namespace

Matching Matcher::match(std::span<const Ref> a, std::span<const Ref> b) {
  Matching out;
  out.of_a.resize(a.size(), Matching::kNone);
  std::vector<std::uint32_t> slots(HashIndex::slots_for(b.size()));
  std::vector<bool> taken(b.size());
  for (std::uint32_t i = 0; i < b.size(); ++i) {
    keys_.prepare(b[i]);
    HashIndex::insert(slots, keys_.hash(b[i]), i);
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    keys_.prepare(a[i]);
    const std::uint32_t found = HashIndex::find(slots, keys_.hash(a[i]), [&](std::uint32_t n) { return !taken[n] && keys_.equal(b[n], a[i]); });
    if (found == HashIndex::npos) continue;
    out.of_a[i] = found;
    taken[found] = true;
  }
  std::array<std::uint32_t, 256> next{};  // of each kind, the first of B's that may be nobody's yet
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (out.of_a[i] != Matching::kNone || !may_equal_itself_alone(a[i])) continue;
    std::uint32_t& at = next[static_cast<std::uint8_t>(a[i].kind)];
    while (at < b.size() && (taken[at] || b[at].kind != a[i].kind || !may_equal_itself_alone(b[at]))) ++at;
    if (at == b.size()) continue;
    out.of_a[i] = at;
    taken[at] = true;
  }
  for (std::uint32_t i = 0; i < b.size(); ++i)
    if (!taken[i]) out.only_b.push_back(i);
  return out;
}

}  // namespace brine
