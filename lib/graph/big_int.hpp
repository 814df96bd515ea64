// SPDX-License-Identifier: MIT
// Ints of more than 64 bits: two's complement, little-endian, and decimal digits. A node keeps the least bytes, so that equal ints have equal ones.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace brine {

/// Digits that are made into bytes: Python itself reads 4,300 at most (sys.set_int_max_str_digits). The work grows with their square.
inline constexpr std::size_t kMaxDecimalDigits = 100'000;

/// Without the bytes that only repeat the sign.
std::string_view minimal_int(std::string_view bytes) noexcept;

/// The least bytes of decimal digits, with or without a sign in front. Requires: digits, kMaxDecimalDigits of them at most.
std::string int_from_decimal(std::string_view digits);

/// Decimal digits, or "0x…" of more than 128 bytes, where decimal would cost quadratic time.
std::string big_int_text(std::string_view bytes);

/// The least bytes of a double that is a whole number; empty of one that is not, or that 64 bits hold.
class WholeDouble {
 public:
  explicit WholeDouble(double value) noexcept;
  std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 136> bytes_;  // 1,024 bits and a sign
  std::size_t size_ = 0;
};

}  // namespace brine
