// SPDX-License-Identifier: MIT
// Shape: sizes (or strides) as a parameter, written down or known at run time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace brine {

/// A view of int64 numbers, one for each dimension: {3, 4}, a std::vector or std::array, another tensor's shape(). For parameters only: the
/// numbers must live as long, and those in braces live until the call returns.
class Shape {
 public:
  constexpr Shape() noexcept = default;  ///< of a 0-d tensor
  constexpr Shape(std::initializer_list<std::int64_t> sizes) noexcept : sizes_(sizes.begin(), sizes.size()) {}
  template <class Sizes>
    requires std::convertible_to<const Sizes&, std::span<const std::int64_t>>
  constexpr Shape(const Sizes& sizes) noexcept : sizes_(sizes) {}

  constexpr std::size_t size() const noexcept { return sizes_.size(); }
  constexpr bool empty() const noexcept { return sizes_.empty(); }
  constexpr std::int64_t operator[](std::size_t dimension) const noexcept { return sizes_[dimension]; }
  constexpr auto begin() const noexcept { return sizes_.begin(); }
  constexpr auto end() const noexcept { return sizes_.end(); }

 private:
  std::span<const std::int64_t> sizes_;
};

}  // namespace brine
