// SPDX-License-Identifier: MIT
// The kinds of tensors that are not plainly strided: one check for each, which has to hold before there is such a tensor, and their reading.
#pragma once

#include <brine/limits.hpp>

#include "tensor/record.hpp"

#include <string>

namespace brine {

/// How many values one byte of a packed dtype holds: quint4x2 2, quint2x4 4; all others 1.
std::int64_t values_per_byte(DType dtype) noexcept;

/// Do the scheme's parameters fit the tensor's dtype and shape? Fails with: corrupt (tensor_arguments).
Result<void> check_quantised(const TensorRecord& tensor, const Quantised& body);
/// Do dtypes and shapes of indices and values fit each other and the tensor's shape? Looks at no element. Fails with: corrupt (tensor_arguments, tensor_size).
Result<void> check_sparse(const TensorRecord& tensor, const Sparse& body);
/// Fails with: corrupt (tensor_arguments).
Result<void> check_nested(const Nested& body);
/// Looks at no offset and no length: unbind() does. Fails with: corrupt (tensor_arguments).
Result<void> check_jagged(const Jagged& body);

/// What a tensor is, for the end of a message: "a sparse one (sparse_coo)".
std::string found_kind(const TensorRecord& tensor);
/// What a tensor is beside its dtype and shape, for people: "sparse_coo, coalesced", "per_tensor_affine, scale 0.1, zero point 3", "meta"; empty for a strided one.
std::string kind_text(const TensorRecord& tensor);

/// A view can name the elements of its storage over and over: work that is linear in them is not linear in the file. At most 16 times the storage's
/// bytes and 64 MiB. Fails with: limit (copy_too_large).
Result<void> check_claim(const Tensor& tensor, std::string_view what);

/// The elements of the indices: the invariants of torch.sparse.check_sparse_tensor_invariants. Linear in how many there are; once for each tensor.
/// Fails with: corrupt (sparse_indices), limit (views that name their storage over and over), and as Tensor::copy_part().
Result<void> check_indices(const Tensor& tensor);

/// The numbers that `count` integers from number `first` on stand for. Requires: they exist, of a quantised tensor. Fails as Tensor::copy_part() does.
Result<void> dequantise(const Tensor& tensor, std::int64_t first, std::span<float> out);

}  // namespace brine
