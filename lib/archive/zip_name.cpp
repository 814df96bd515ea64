// SPDX-License-Identifier: MIT
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

/// High bits set where a byte of `w` is zero (and, harmlessly here, in bytes above a zero one).
constexpr std::uint64_t zeros(std::uint64_t w) { return (w - kOnes) & ~w & kHighs; }

/// ASCII capitals become small, in all eight bytes at once.
constexpr std::uint64_t fold(std::uint64_t w) {
  const std::uint64_t low = w & ~kHighs;
  const std::uint64_t from_a = low + every(0x80 - 'A');
  const std::uint64_t past_z = low + every(0x7F - 'Z');
  const std::uint64_t capital = (from_a ^ past_z) & ~w & kHighs;
  return w | (capital >> 2);
}

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Any byte that the common name has not: NUL, backslash, anything but ASCII?
bool has_odd_bytes(std::string_view name) noexcept {
  std::uint64_t odd = 0;
  const char* p = name.data();
  std::size_t n = name.size();
  const auto look = [&odd](std::uint64_t w) { odd |= zeros(w) | zeros(w ^ every('\\')) | (w & kHighs); };
  for (; n >= 8; p += 8, n -= 8) {
    std::uint64_t w;
    std::memcpy(&w, p, 8);
    look(w);
  }
  if (n != 0) {
    std::uint64_t w = every('x');
    std::memcpy(&w, p, n);
    look(w);
  }
  return odd != 0;
}

[[gnu::cold]] Result<void> check_odd_bytes(std::string_view name, std::uint64_t offset) {
  const auto fault = [&](std::size_t at, std::string_view text) { return zip_fault(ErrorCode::zip_name, offset + at, name, text); };
  if (const auto nul = name.find('\0'); nul != name.npos) return fault(nul, "a NUL in the name of a record: readers disagree where it ends");
  if (const auto slash = name.find('\\'); slash != name.npos) return fault(slash, "a backslash in the name of a record");
  if (!is_utf8(name)) return fault(0, "the name of a record is not UTF-8");
  return {};
}

}  // namespace

Result<void> check_zip_name(std::string_view name, std::uint64_t offset) {
  const auto fault = [&](std::size_t at, std::string_view text) { return zip_fault(ErrorCode::zip_name, offset + at, name, text); };
  if (name.empty()) return fault(0, "a record without a name");
  if (has_odd_bytes(name)) {
    if (auto fine = check_odd_bytes(name, offset); !fine) return fine;
  }
  // A component is judged by its first bytes: one that starts like any name needs no second look.
  for (std::size_t at = 0; at < name.size();) {
    const char first = name[at];
    if (first == '/') return fault(at, at == 0 ? "the name of a record starts with a slash" : "the name of a record has an empty part");
    const void* slash = std::memchr(name.data() + at, '/', name.size() - at);
    const std::size_t end = slash ? static_cast<std::size_t>(static_cast<const char*>(slash) - name.data()) : name.size();
    if (first == '.') {
      const auto part = name.substr(at, end - at);
      if (part == "." || part == "..") return fault(at, "the name of a record has the part " + quoted(part) + ", which leads elsewhere");
    }
    at = end + 1;
  }
  return {};
}

std::uint64_t hash_folded(std::string_view name, std::uint64_t seed) noexcept {
  char folded[256];
  do {
    const std::size_t n = std::min(name.size(), sizeof(folded));
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      std::uint64_t w;
      std::memcpy(&w, name.data() + i, 8);
      w = fold(w);
      std::memcpy(folded + i, &w, 8);
    }
    for (; i < n; ++i) folded[i] = fold(name[i]);
    seed = hash_bytes({folded, n}, seed);
    name.remove_prefix(n);
  } while (!name.empty());
  return seed;
}

bool equal_folded(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return fold(x) == fold(y); });
}

}  // namespace brine
