// SPDX-License-Identifier: MIT
// Elements of tensors and numpy arrays as text: a line for each run of the last dimension, a blank line between matrices.
#pragma once

#include <brine/brine.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tool {

/// The wider type of the same kind in which elements are printed, or nothing where there is no plain value (quantised).
std::optional<brine::DType> printed_as(brine::DType dtype);

/// One element. `dtype` is one that printed_as() gives.
void append_element(std::string& out, brine::DType dtype, const std::byte* element);

/// Is the dtype of what only numpy has: texts ("<U5", "|S5"), dates ("<M8[ns]", "<m8[D]"), voids ("|V5")?
bool has_numpy_text(std::string_view dtype) noexcept;
/// One element of such a dtype; voids as their bytes.
void append_numpy_element(std::string& out, std::string_view dtype, std::span<const std::byte> element);

/// What stands behind each element, one after the other.
class Separators {
 public:
  explicit Separators(std::span<const std::int64_t> shape) noexcept;
  void append(std::string& out);

 private:
  std::uint64_t row_ = 1, matrix_ = 0, count_ = 1, done_ = 0;
};

}  // namespace tool
