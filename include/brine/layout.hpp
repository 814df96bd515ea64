// SPDX-License-Identifier: MIT
// Layout and QScheme: how a tensor keeps its elements, and how the integers of a quantised one stand for numbers.
#pragma once

#include <brine/export.hpp>

#include <cstdint>
#include <string_view>

namespace brine {

/// PyTorch's torch.layout.
enum class Layout : std::uint8_t { strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged };

/// PyTorch's name without the "torch.": "strided", "sparse_coo".
BRINE_API std::string_view name(Layout layout) noexcept;

/// PyTorch's torch.qscheme, those that can be saved.
enum class QScheme : std::uint8_t {
  per_tensor_affine,                ///< one scale and one zero point
  per_channel_affine,               ///< one of each (float64, int64) for each index along the axis
  per_channel_affine_float_qparams  ///< the same, both float32
};

/// PyTorch's name without the "torch.".
BRINE_API std::string_view name(QScheme scheme) noexcept;

}  // namespace brine
