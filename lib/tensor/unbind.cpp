// SPDX-License-Identifier: MIT
// Tensor::unbind(): the tensors along the first dimension, and the components of nested ones.
// Source: torch/nested/_internal/ops.py (unbind_int), aten/src/ATen/native/nested/NestedTensorUnaryOps.cpp.
#include "bytes/guard.hpp"
#include "support/try.hpp"
#include "tensor/derived.hpp"
#include "tensor/kinds.hpp"
#include "tensor/layout.hpp"

#include <string>

namespace brine {

namespace {

using Longs = std::vector<std::int64_t>;

Error outside(std::string text) { return Error(ErrorKind::corrupt, ErrorCode::tensor_bounds, std::move(text)); }

Result<void> check_count(std::int64_t count, std::int64_t max) {
  if (count <= max) return {};
  return Error(ErrorKind::limit, ErrorCode::copy_too_large, "unbind() would make " + std::to_string(count) + " tensors; " + std::to_string(max) + " is the most");
}

/// The numbers of a part of a nested tensor. Null: none.
Result<Longs> numbers(const Tensor& of, const TensorRecord* part) {
  if (!part) return Longs();
  const Tensor tensor = Handles::tensor(Handles::owner(of), part);
  BRINE_TRY(check_claim(tensor, "the sizes of a nested tensor"));
  return tensor.to_vector<std::int64_t>();
}

/// As torch.Tensor.unbind does: of what has no elements strides may be anything.
Result<std::vector<Tensor>> of_strided(const Tensor& tensor) {
  const TensorRecord& t = Handles::record(tensor);
  if (t.ndim == 0) return Error(ErrorKind::usage, ErrorCode::does_not_fit, "unbind() needs a dimension, the tensor has none");
  const std::int64_t count = t.shape()[0], step = t.numel() == 0 ? 0 : t.stride()[0];
  BRINE_TRY(check_count(count, 100'000));
  std::vector<Tensor> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    auto made = std::make_shared<Derived>(tensor);
    made->dims.assign(t.dims + 1, t.dims + t.ndim);
    made->dims.insert(made->dims.end(), t.dims + t.ndim + 1, t.dims + 2 * t.ndim);
    if (const Strided* s = t.as_strided()) made->record.set_body(Strided{s->storage, s->offset + i * step});
    out.push_back(derived_tensor(std::move(made)));
  }
  return out;
}

Result<std::vector<Tensor>> of_nested(const Tensor& tensor, const Nested& n) {
  const std::int64_t count = n.offsets->shape()[0];
  BRINE_TRY(check_count(count, 1'000'000));
  std::vector<Tensor> out;
  if (count == 0) return out;
  const auto dims = static_cast<std::size_t>(n.sizes->shape()[1]);
  if (dims > Limits{}.dimensions)
    return Error(ErrorKind::limit, ErrorCode::too_many_dimensions,
                 std::to_string(dims) + " dimensions; " + std::to_string(Limits{}.dimensions) + " is the most");
  const auto sizes = numbers(tensor, n.sizes), strides = numbers(tensor, n.strides), offsets = numbers(tensor, n.offsets);
  for (const auto* part : {&sizes, &strides, &offsets})
    if (!*part) return part->error();
  const Tensor buffer = Handles::tensor(Handles::owner(tensor), n.buffer);
  const Strided& at = *n.buffer->as_strided();
  out.reserve(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::span<const std::int64_t> size(sizes->data() + i * dims, dims), stride(strides->data() + i * dims, dims);
    BRINE_TRY(check_strided({n.buffer->dtype, size, stride, (*offsets)[i], n.buffer->shape()[0]}, Limits{}));
    auto made = std::make_shared<Derived>(buffer);
    made->dims.assign(size.begin(), size.end());
    made->dims.insert(made->dims.end(), stride.begin(), stride.end());
    made->record.set_body(Strided{at.storage, at.offset + (*offsets)[i]});
    out.push_back(derived_tensor(std::move(made)));
  }
  return out;
}

Result<void> check_offsets(const Longs& offsets, std::int64_t size) {
  for (const std::int64_t offset : offsets)
    if (offset < 0 || offset > size) return outside("the offset " + std::to_string(offset) + " of a jagged tensor lies outside of its ragged dimension of " + std::to_string(size));
  return {};
}

// Each component has to lie inside the ragged dimension, and all together must not be more than it, as PyTorch checks. `dense`: they have to fill it.
Result<void> check_lengths(const Longs& offsets, const Longs& lengths, bool dense, std::int64_t size) {
  std::int64_t left = size;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 0 || lengths[i] > size - offsets[i] || lengths[i] > left)
      return outside("component " + std::to_string(i) + " of a jagged tensor begins at " + std::to_string(offsets[i]) + " and has the length " +
                     std::to_string(lengths[i]) + ", in a ragged dimension of " + std::to_string(size));
    left -= lengths[i];
  }
  if (dense && (left != 0 || offsets[0] != 0))
    return outside("the components of a jagged tensor do not fill its ragged dimension of " + std::to_string(size));
  return {};
}

Result<std::vector<Tensor>> of_jagged(const Tensor& tensor, const Jagged& j) {
  const std::int64_t count = j.offsets->shape()[0] - 1;
  BRINE_TRY(check_count(count, 1'000'000));
  const auto offsets = numbers(tensor, j.offsets);
  auto lengths = numbers(tensor, j.lengths);
  if (!offsets) return offsets.error();
  if (!lengths) return std::move(lengths).error();
  const TensorRecord& v = *j.values;
  const std::int64_t size = v.shape()[j.ragged];
  BRINE_TRY(check_offsets(*offsets, size));
  for (std::size_t i = 1; !j.lengths && i < offsets->size(); ++i) lengths->push_back((*offsets)[i] - (*offsets)[i - 1]);
  BRINE_TRY(check_lengths(*offsets, *lengths, !j.lengths, size));
  const Tensor values = Handles::tensor(Handles::owner(tensor), j.values);
  const Strided& at = *v.as_strided();
  std::vector<Tensor> out;
  out.reserve(lengths->size());
  for (std::size_t i = 0; i < lengths->size(); ++i) {
    auto made = std::make_shared<Derived>(values);
    made->dims.assign(v.dims, v.dims + 2 * v.ndim);
    made->dims[j.ragged] = (*lengths)[i];
    // What has no elements may begin anywhere, and its stride may be anything.
    const bool empty = v.numel() == 0 || (*lengths)[i] == 0;
    made->record.set_body(Strided{at.storage, at.offset + (empty ? 0 : (*offsets)[i] * v.stride()[j.ragged])});
    out.push_back(derived_tensor(std::move(made)));
  }
  return out;
}

}  // namespace

Result<std::vector<Tensor>> Tensor::unbind() const {
  return guarded("a tensor", [&]() -> Result<std::vector<Tensor>> {
    if (const Nested* n = record_->as_nested()) return of_nested(*this, *n);
    if (const Jagged* j = record_->as_jagged()) return of_jagged(*this, *j);
    if (is_plain(*record_) || is_meta()) return of_strided(*this);
    return Error(ErrorKind::usage, ErrorCode::wrong_layout, "expected a strided or nested tensor for unbind(), found " + found_kind(*record_));
  });
}

}  // namespace brine
