// SPDX-License-Identifier: MIT
#include "graph/big_int.hpp"

#include "support/hash_index.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace brine {

namespace {

// Two's complement of a magnitude: its own, or that of its negative.
template <class Bytes>
void negate(Bytes&& bytes) noexcept {
  unsigned carry = 1;
  for (char& b : bytes) {
    carry += static_cast<unsigned char>(~static_cast<unsigned char>(b));
    b = static_cast<char>(carry & 0xFF);
    carry >>= 8;
  }
}

}  // namespace

std::string_view minimal_int(std::string_view bytes) noexcept {
  while (bytes.size() > 1) {
    const auto last = static_cast<unsigned char>(bytes.back()), before = static_cast<unsigned char>(bytes[bytes.size() - 2]);
    if (!(last == 0 && !(before & 0x80)) && !(last == 0xFF && (before & 0x80))) break;
    bytes.remove_suffix(1);
  }
  return bytes;
}

std::string int_from_decimal(std::string_view digits) {
  constexpr std::size_t step = 18;  // digits that 64 bits hold
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  std::vector<std::uint64_t> words;
  for (std::size_t n = digits.size() % step ? digits.size() % step : step; !digits.empty(); digits.remove_prefix(n), n = step) {
    std::uint64_t carry = 0, power = 1;
    for (const char c : digits.substr(0, n)) carry = carry * 10 + static_cast<std::uint64_t>(c - '0'), power *= 10;
    for (std::uint64_t& word : words) {
      const hash_detail::uint128 product = static_cast<hash_detail::uint128>(word) * power + carry;
      word = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
    if (carry) words.push_back(carry);
  }
  std::string out;
  out.reserve(words.size() * 8 + 1);
  for (const std::uint64_t word : words)
    for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(word >> shift & 0xFF);
  out += '\0';  // room for the sign
  if (negative) negate(out);
  out.resize(minimal_int(out).size());
  return out;
}

std::string big_int_text(std::string_view bytes) {
  const bool negative = !bytes.empty() && (bytes.back() & 0x80);
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4, 0);
  std::uint64_t carry = negative;  // the magnitude: two's complement when negative
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::uint64_t b = static_cast<unsigned char>(bytes[i]);
    if (negative) b = (b ^ 0xFF) + carry, carry = b >> 8, b &= 0xFF;
    words[i / 4] |= static_cast<std::uint32_t>(b << (8 * (i % 4)));
  }
  std::string out;
  if (bytes.size() > 128) {
    for (const std::uint32_t w : words)
      for (int shift = 0; shift < 32; shift += 4) append_hex(out, "", w >> shift & 15, 1);
    while (out.size() > 1 && out.back() == '0') out.pop_back();
    out += "x0";
  } else {
    while (!words.empty()) {
      std::uint64_t rest = 0;
      for (std::size_t i = words.size(); i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = static_cast<std::uint32_t>(rest / 10);
        rest %= 10;
      }
      out += static_cast<char>('0' + rest);
      while (!words.empty() && words.back() == 0) words.pop_back();
    }
    if (out.empty()) out = "0";
  }
  if (negative) out += '-';
  return {out.rbegin(), out.rend()};
}

WholeDouble::WholeDouble(double value) noexcept {
  constexpr double from = 9223372036854775808.0;  // 2^63
  if (!std::isfinite(value) || (value < from && value >= -from)) return;
  int exponent = 0;
  auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::abs(value), &exponent), 53));
  const auto shift = static_cast<std::size_t>(exponent - 53);  // 10 at least: whole
  bytes_.fill('\0');
  mantissa <<= shift % 8;  // 60 bits at most
  for (std::size_t i = shift / 8; mantissa != 0; ++i, mantissa >>= 8) bytes_[i] = static_cast<char>(mantissa & 0xFF);
  if (value < 0) negate(bytes_);
  size_ = minimal_int({bytes_.data(), bytes_.size()}).size();
}

}  // namespace brine
