// SPDX-License-Identifier: MIT
#include "tensor/layout.hpp"

#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <string>

namespace brine {

std::optional<std::int64_t> element_count(std::span<const std::int64_t> size) noexcept {
  std::optional<std::int64_t> n = 1;
  bool empty = false;
  for (const std::int64_t s : size) {
    if (s == 0) empty = true;
    else if (n) n = checked_multiply(*n, s);
  }
  return empty ? 0 : n;
}

bool is_contiguous(std::span<const std::int64_t> size, std::span<const std::int64_t> stride) noexcept {
  if (std::find(size.begin(), size.end(), 0) != size.end()) return true;
  std::int64_t expected = 1;
  for (std::size_t i = size.size(); i-- > 0;) {
    if (size[i] == 1) continue;
    if (stride[i] != expected) return false;
    expected *= size[i];
  }
  return true;
}

void row_major(std::span<const std::int64_t> size, std::span<std::int64_t> stride) noexcept {
  std::optional<std::int64_t> step = 1;
  for (std::size_t d = size.size(); d-- > 0;) {
    stride[d] = step.value_or(0);
    if (step) step = checked_multiply(*step, std::max<std::int64_t>(size[d], 1));
  }
}

Result<void> check_strided(const StridedView& l, const Limits& limits) {
  if (l.size.size() != l.stride.size())
    return corrupt(ErrorCode::tensor_arguments, "size " + shape_text(l.size.first(std::min<std::size_t>(l.size.size(), 8))) + " and stride have different lengths");
  if (l.size.size() > std::min<std::uint64_t>(limits.dimensions, 255))
    return Error(ErrorKind::limit, ErrorCode::too_many_dimensions,
                 std::to_string(l.size.size()) + " dimensions; Limits::dimensions is " + std::to_string(limits.dimensions));
  for (const std::int64_t s : l.size)
    if (s < 0) return corrupt(ErrorCode::tensor_bounds, "negative size in " + shape_text(l.size));
  for (const std::int64_t s : l.stride)
    if (s < 0) return corrupt(ErrorCode::tensor_bounds, "negative stride in " + shape_text(l.stride));
  if (l.offset < 0) return corrupt(ErrorCode::tensor_bounds, "expected an offset from 0 on, found " + std::to_string(l.offset));

  const auto count = element_count(l.size);
  const auto bytes = count ? checked_multiply(*count, static_cast<std::int64_t>(item_size(l.dtype))) : std::nullopt;
  if (!bytes) return corrupt(ErrorCode::tensor_size, "the size " + shape_text(l.size) + " overflows");
  if (*count == 0) return {};

  std::optional<std::int64_t> last = l.offset;
  for (std::size_t i = 0; i < l.size.size() && last; ++i) {
    const auto extent = checked_multiply(l.size[i] - 1, l.stride[i]);
    last = extent ? checked_add(*last, *extent) : std::nullopt;
  }
  if (last && *last < l.numel) return {};
  return corrupt(ErrorCode::tensor_bounds, "size " + shape_text(l.size) + ", stride " + shape_text(l.stride) + " at offset " + std::to_string(l.offset) +
                                               " reaches outside the storage of " + std::to_string(l.numel) + " elements");
}

}  // namespace brine
