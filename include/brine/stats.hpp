// SPDX-License-Identifier: MIT
// What the elements of a tensor are like: the least, the greatest, the mean, and how many are no finite numbers.
//
//   for (const auto& [name, tensor] : *weights)
//     if (const auto s = brine::stats(tensor); s && s->nan > 0) log(std::string(name) + " holds NaN");
#pragma once

#include <brine/tensor.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>

namespace brine {

struct TensorStats {
  /// Of integers (and bools, as 0 and 1) as they are, of all others as double.
  using Number = std::variant<std::int64_t, std::uint64_t, double>;

  /// Of the finite elements; of complex tensors, of their magnitudes; of quantised ones, of the numbers that their integers stand for; of sparse
  /// ones, of the values they name. Unset where there are none, for dtypes that are no numbers (bits), and for nested tensors and those without data.
  std::optional<Number> min = {}, max = {};
  std::optional<double> mean = {};
  std::uint64_t nan = 0, inf = 0;  ///< elements; a complex one counts once, as NaN if a part of it is
};

/// Reads the tensor in pieces. `progress` is told how many elements each was. Fails with: limit (a view whose elements overlap claims to be larger
/// than Limits::copy_bytes), and as Tensor::copy_part().
BRINE_API Result<TensorStats> stats(const Tensor& tensor, const std::function<void(std::uint64_t elements)>& progress = {});

}  // namespace brine
