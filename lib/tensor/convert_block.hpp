// SPDX-License-Identifier: MIT
// Converts one block of real numbers: load into an intermediate class, change the class if need be, store. For convert.cpp only.
// A block has a fixed length, so that each loop is vector code without a remainder; 17 loads, 11 changes and 17 stores make all pairs.
#pragma once

#include <brine/dtype.hpp>

#include <cstddef>
#include <cstdint>

namespace brine {

constexpr std::size_t kBlock = 128;

/// The intermediate numbers; one of the arrays is in use at a time. uint64 lives in `integers`, as two's complement.
struct Numbers {
  alignas(64) float floats[kBlock];
  alignas(64) double doubles[kBlock];
  alignas(64) std::int64_t integers[kBlock];
};

/// The range of an integer dtype; `end` is the first number beyond it.
struct IntegerRange {
  double begin, end;
  std::int64_t min, max;
};

/// How one pair of real dtypes is converted.
struct BlockPlan {
  void (*load)(const std::byte* __restrict in, Numbers& __restrict numbers) noexcept;
  void (*change)(Numbers& __restrict numbers, const IntegerRange& range) noexcept;  // null: none needed
  void (*store)(const Numbers& __restrict numbers, std::byte* __restrict out) noexcept;
  IntegerRange range;
};

/// Is it one of the dtypes a plan can be made for?
bool is_real_number(DType dtype) noexcept;

/// Requires: is_real_number of both.
BlockPlan make_plan(DType from, DType to) noexcept;

/// `in` and `out` hold kBlock elements.
inline void convert_block(const BlockPlan& plan, Numbers& numbers, const std::byte* in, std::byte* out) noexcept {
  plan.load(in, numbers);
  if (plan.change != nullptr) plan.change(numbers, plan.range);
  plan.store(numbers, out);
}

}  // namespace brine
