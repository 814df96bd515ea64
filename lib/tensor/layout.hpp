// SPDX-License-Identifier: MIT
// The one checked routine that makes a tensor: every element lies inside its storage, or there is no tensor.
#pragma once

#include <brine/limits.hpp>

#include "graph/arena.hpp"
#include "tensor/record.hpp"

namespace brine {

/// Sizes, strides and offset in elements of `dtype`; `numel` counts the elements the storage (or the view of it) has.
struct StridedView {
  DType dtype;
  std::span<const std::int64_t> size, stride;
  std::int64_t offset;
  std::int64_t numel;
};

/// Fails with: corrupt (lengths differ, negative, outside the storage, a size that overflows), limit (too many dimensions).
/// A tensor without elements needs nothing of its storage (FORMAT: torch refuses only what it would read).
Result<void> check_strided(const StridedView& layout, const Limits& limits);

/// Elements of a shape, or nothing when the product (of the sizes that are not 0) overflows.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> size) noexcept;

/// Row-major without gaps; strides of sizes 1, and of tensors without elements, do not count.
bool is_contiguous(std::span<const std::int64_t> size, std::span<const std::int64_t> stride) noexcept;

/// The strides of a row-major tensor, as PyTorch's: empty dimensions count as 1. 0 where they overflow.
void row_major(std::span<const std::int64_t> size, std::span<std::int64_t> stride) noexcept;

}  // namespace brine
