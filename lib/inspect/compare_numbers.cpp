// SPDX-License-Identifier: MIT
#include "inspect/compare_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace brine {

double distance(double a, double b) noexcept {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double d = std::abs(a - b);
  return std::isnan(d) ? HUGE_VAL : d;
}

bool are_within(double a, double b, double tolerance) noexcept { return std::isnan(a) == std::isnan(b) && distance(a, b) <= tolerance; }

namespace {

/// Of 64-bit integers, whose difference a double holds better than it holds them.
template <class T>
double whole_distance(T a, T b) noexcept {
  return static_cast<double>(a < b ? static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a) : static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

/// Counts into `out` how the numbers differ; an element is `parts` numbers.
template <class T>
void count(std::span<const std::byte> a, std::span<const std::byte> b, std::size_t parts, std::uint64_t each, TensorDifference& out) noexcept {
  for (std::size_t at = 0; at < a.size(); at += parts * sizeof(T)) {
    double d = 0;
    for (std::size_t i = 0; i < parts; ++i) {
      T x, y;
      std::memcpy(&x, a.data() + at + i * sizeof(T), sizeof(T));
      std::memcpy(&y, b.data() + at + i * sizeof(T), sizeof(T));
      double part;
      if constexpr (std::is_same_v<T, double>) {
        part = distance(x, y);
        out.nan_differs |= std::isnan(x) != std::isnan(y);
      } else {
        part = whole_distance(x, y);
      }
      d = d == 0 ? part : std::hypot(d, part);
    }
    if (d != 0) out.differing += each;
    out.largest_difference = std::max(*out.largest_difference, d);
  }
}

}  // namespace

void count_differences(DType wide, std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t each, TensorDifference& out) noexcept {
  if (wide == DType::int64) count<std::int64_t>(a, b, 1, each, out);
  else if (wide == DType::uint64) count<std::uint64_t>(a, b, 1, each, out);
  else count<double>(a, b, wide == DType::complex128 ? 2 : 1, each, out);
}

}  // namespace brine
