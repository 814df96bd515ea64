// SPDX-License-Identifier: MIT
// What torch.nn.utils.spectral_norm computes when weights from before its version 1 are loaded.
#pragma once

#include <brine/tensor.hpp>

#include <cstdint>

namespace brine {

/// A vector v that such a file lacks: u = W v / |W v| and u · W v = sigma, for W the matrix of `weight_orig` whose rows are dimension
/// `dim`, and sigma the mean of weight_orig / weight. Null is a value that is no tensor. Fails with: usage (bad_argument: PyTorch raises
/// too, or the tensors are not float32 or float64 alike), and as Tensor::copy_to().
Result<Tensor> old_spectral_norm_v(const Tensor* weight_orig, const Tensor* weight, const Tensor* u, std::int64_t dim);

}  // namespace brine
