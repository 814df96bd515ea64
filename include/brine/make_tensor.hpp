// SPDX-License-Identifier: MIT
// Quantised, sparse, nested and meta tensors made by hand, out of strided ones, under PyTorch's names. The same checks as for tensors of a file.
// What is made keeps its parts alive, and shares their storages.
//
//   const std::vector<std::int8_t> integers = {-1, 0, 1, 2};
//   auto ints = brine::Tensor::copy(std::span(integers), {2, 2});
//   auto q = brine::make_per_tensor_quantized_tensor(*ints, 0.1, 0);
//   auto numbers = q->to_vector<float>();  // -0.1, 0, 0.1, 0.2
#pragma once

#include <brine/tensor.hpp>

#include <optional>

namespace brine {

/// `ints` (int8, uint8 or int32) as qint8, quint8 or qint32; one scale and zero point. torch._make_per_tensor_quantized_tensor.
/// Fails with: usage (wrong_dtype, wrong_layout).
BRINE_API Result<Tensor> make_per_tensor_quantized_tensor(const Tensor& ints, double scale, std::int64_t zero_point);

/// One scale and zero point for each index along `axis`: float64 and int64, or both float32 (float qparams). torch._make_per_channel_quantized_tensor.
/// Fails with: usage (wrong_dtype, wrong_layout), corrupt (tensor_arguments: they do not fit).
BRINE_API Result<Tensor> make_per_channel_quantized_tensor(const Tensor& ints, const Tensor& scales, const Tensor& zero_points, std::int64_t axis);

/// COO. `indices`: int64 [sparse dimensions, nnz]; `values`: [nnz, dense dimensions …]. Whoever says is_coalesced promises that the indices are in order
/// and name nothing twice; it is checked when they are used. torch.sparse_coo_tensor.
/// Fails with: corrupt (tensor_arguments, tensor_size).
BRINE_API Result<Tensor> sparse_coo_tensor(const Tensor& indices, const Tensor& values, Shape size, bool is_coalesced = false);

/// CSR and BSR: crow_indices and col_indices; CSC and BSC: ccol_indices and row_indices; int64 or int32. torch.sparse_compressed_tensor.
/// Fails with: usage (bad_argument: another layout), corrupt (tensor_arguments, tensor_size).
BRINE_API Result<Tensor> sparse_compressed_tensor(const Tensor& compressed_indices, const Tensor& plain_indices, const Tensor& values, Shape size, Layout layout);

/// Component i is `buffer` (one dimension, contiguous) as a view of shape sizes[i] and strides[i] at offsets[i], all int64. torch._nested_view_from_buffer.
/// Fails with: corrupt (tensor_arguments).
BRINE_API Result<Tensor> nested_view_from_buffer(const Tensor& buffer, const Tensor& sizes, const Tensor& strides, const Tensor& offsets);

/// Jagged: component i is `values` along dimension jagged_dim - 1, from offsets[i] on, up to offsets[i + 1] or, with `lengths`, as many as lengths[i].
/// Offsets, one more than there are components, and lengths are int64 or int32; unbind() checks what they say. torch.nested.nested_tensor_from_jagged.
/// Fails with: usage (bad_argument: a jagged_dim below 1), corrupt (tensor_arguments).
BRINE_API Result<Tensor> nested_tensor_from_jagged(const Tensor& values, const Tensor& offsets, const std::optional<Tensor>& lengths = {}, std::int64_t jagged_dim = 1);

/// Shape, stride (row-major where it is left out) and dtype without data. torch.empty_strided(…, device="meta").
/// Fails with: corrupt (tensor_bounds, tensor_size, tensor_arguments), limit.
BRINE_API Result<Tensor> meta_tensor(DType dtype, Shape shape, Shape stride = {});

}  // namespace brine
