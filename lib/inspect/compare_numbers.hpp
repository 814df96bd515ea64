// SPDX-License-Identifier: MIT
// How far numbers are apart.
#pragma once

#include <brine/diff.hpp>

#include <span>

namespace brine {

/// NaN is from NaN not at all, from others infinitely far.
double distance(double a, double b) noexcept;
/// NaN is within no tolerance of a number.
bool are_within(double a, double b, double tolerance) noexcept;

/// Adds to `out` how elements differ: of dtype `wide`, which is int64, uint64, float64 or complex128, each standing for `each` of them.
/// Requires: largest_difference is set.
void count_differences(DType wide, std::span<const std::byte> a, std::span<const std::byte> b, std::uint64_t each, TensorDifference& out) noexcept;

}  // namespace brine
