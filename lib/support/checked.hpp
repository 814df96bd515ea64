// SPDX-License-Identifier: MIT
// Arithmetic on numbers that came from a file: the value, or nothing when it does not fit.
#pragma once

#include <concepts>
#include <optional>

namespace brine {

template <std::integral T>
constexpr std::optional<T> checked_add(T a, T b) noexcept {
  T out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

template <std::integral T>
constexpr std::optional<T> checked_multiply(T a, T b) noexcept {
  T out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Does [offset, offset + size) lie within `total`? Cannot overflow.
constexpr bool fits(unsigned long long offset, unsigned long long size, unsigned long long total) noexcept {
  return offset <= total && size <= total - offset;
}

}  // namespace brine
