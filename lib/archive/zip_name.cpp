// SPDX-License-Identifier: MIT
// Names are looked at eight bytes at a time; only a name with something odd in it is walked by the byte.
#include "archive/zip_name.hpp"

#include "archive/zip_fault.hpp"
#include "support/hash_index.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cstring>

namespace brine {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;

constexpr std::uint64_t every(unsigned char c) { return kOnes * c; }

std::uint64_t load(const char* p) {
  std::uint64_t w;
  std::memcpy(&w, p, 8);
  return w;
}

/// The high bit of each byte of `w` that is `c`.
constexpr std::uint64_t where(std::uint64_t w, unsigned char c) {
  const std::uint64_t x = w ^ every(c);
  return ~(((x & ~kHighs) + ~kHighs) | x) & kHighs;
}

/// Bytes that the common name has not: NUL, backslash, anything but ASCII.
constexpr std::uint64_t odd(std::uint64_t w) { return where(w, 0) | where(w, '\\') | (w & kHighs); }

/// ASCII capitals become small, in all eight bytes at once.
constexpr std::uint64_t fold(std::uint64_t w) {
  const std::uint64_t low = w & ~kHighs;
  const std::uint64_t from_a = low + every(0x80 - 'A');
  const std::uint64_t past_z = low + every(0x7F - 'Z');
  const std::uint64_t capital = (from_a ^ past_z) & ~w & kHighs;
  return w | (capital >> 2);
}

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Nothing odd, and no part that is empty or begins with a dot? The last words overlap, so names of less than 9 bytes are not judged.
bool is_plain(std::string_view name) noexcept {
  constexpr std::size_t step = 8;
  if (name.size() <= step || name[0] == '/' || name[0] == '.') return false;
  const char* last = name.data() + name.size() - step - 1;
  std::uint64_t found = 0;
  const auto look = [&found](const char* p) {
    const std::uint64_t w = load(p), next = load(p + 1);  // each byte beside the one after it
    found |= odd(w) | (where(w, '/') & where(next | kOnes, '/'));  // '.' is '/' but for the lowest bit
  };
  for (const char* p = name.data(); p < last; p += step) look(p);
  look(last);
  return (found | odd(load(last + 1))) == 0;
}

Result<void> check_slowly(std::string_view name, std::uint64_t offset) {
  const auto fault = [&](std::size_t at, std::string_view text) { return zip_fault(ErrorCode::zip_name, offset + at, name, text); };
  if (name.empty()) return fault(0, "a record without a name");
  if (const auto nul = name.find('\0'); nul != name.npos)
    return fault(nul, "a NUL in the name of a record: readers disagree where it ends");
  if (const auto slash = name.find('\\'); slash != name.npos) return fault(slash, "a backslash in the name of a record");
  if (!is_utf8(name)) return fault(0, "the name of a record is not UTF-8");
  for (std::size_t at = 0; at < name.size();) {
    const auto part = name.substr(at, std::min(name.find('/', at), name.size()) - at);
    if (part.empty()) return fault(at, at == 0 ? "the name of a record starts with a slash" : "the name of a record has an empty part");
    if (part == "." || part == "..") return fault(at, "the name of a record has the part " + in_quotes(part) + ", which leads elsewhere");
    at += part.size() + 1;
  }
  return {};
}

}  // namespace

Result<void> check_zip_name(std::string_view name, std::uint64_t offset) {
  if (is_plain(name)) [[likely]] return {};
  return check_slowly(name, offset);
}

std::uint64_t hash_folded(std::string_view name, std::uint64_t seed) noexcept {
  // All but the last character as hash_bytes does it, over folded words; the last one moves the place a little. Names in a row ("data/41",
  // "data/42") differ in it alone, and so stand side by side in an index: less waiting for memory.
  constexpr std::uint64_t k0 = 0xA0761D6478BD642F, k1 = 0xE7037ED1A0B428DB, beside = 15;
  const std::uint64_t last = name.empty() ? 0 : static_cast<unsigned char>(fold(name.back()));
  if (!name.empty()) name.remove_suffix(1);
  const char* p = name.data();
  std::size_t n = name.size();
  std::uint64_t h = hash_detail::mix(seed ^ k0, n ^ k1);
  for (; n > 16; p += 16, n -= 16) h = hash_detail::mix(fold(load(p)) ^ k0 ^ h, fold(load(p + 8)) ^ k1 ^ seed);
  std::uint64_t a = 0, b = 0;
  if (n >= 8) {
    a = load(p);
    b = load(p + n - 8);
  } else if (name.size() >= 8) {
    a = load(p + n - 8);  // overlaps what was before
  } else {
    for (std::size_t i = 0; i < n; ++i) a = a << 8 | static_cast<unsigned char>(p[i]);
  }
  h = hash_detail::mix(fold(a) ^ k0 ^ h, fold(b) ^ k1 ^ seed);
  return ((h & ~beside) | (last & beside)) ^ last * 0x9E3779B97F4A7C15 << 32;
}

bool equal_folded(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return fold(x) == fold(y); });
}

}  // namespace brine
