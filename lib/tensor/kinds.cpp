// SPDX-License-Identifier: MIT
// Source: aten/src/ATen/quantized/Quantizer.cpp, native/sparse/SparseTensor.cpp and SparseCsrTensor.cpp, native/nested/NestedTensorImpl.cpp.
#include "tensor/kinds.hpp"

#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "tensor/layout.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace brine {

namespace {

std::string sizes(std::span<const std::int64_t> shape) {
  if (shape.size() <= 8) return shape_text(shape);
  const std::string first = shape_text(shape.first(8));
  return first.substr(0, first.size() - 1) + ", …]";
}

Result<void> check_size(const TensorRecord& t) {
  for (const std::int64_t size : t.shape())
    if (size < 0) return Error(ErrorKind::corrupt, ErrorCode::tensor_bounds, "negative size in " + sizes(t.shape()));
  const auto count = element_count(t.shape());
  if (count && checked_multiply(*count, static_cast<std::int64_t>(item_size(t.dtype)))) return {};
  return Error(ErrorKind::corrupt, ErrorCode::tensor_size, "the size " + sizes(t.shape()) + " overflows");
}

Error unfit(const TensorRecord& t, std::string_view what, std::span<const std::int64_t> shape) {
  return corrupt(std::string(what) + " of shape " + sizes(shape) + " do not fit a sparse tensor of shape " + sizes(t.shape()));
}

Result<void> check_coo(const TensorRecord& t, const Sparse& s) {
  const auto indices = s.indices->shape(), values = s.values->shape();
  if (s.indices->dtype != DType::int64) return corrupt("expected int64 as the indices of a sparse tensor, found " + std::string(name(s.indices->dtype)));
  if (indices.size() != 2 || values.empty() || indices[1] != values[0]) return unfit(t, "indices", indices);
  const auto dense = values.subspan(1);
  if (indices[0] < 0 || static_cast<std::uint64_t>(indices[0]) + dense.size() != t.shape().size() || !std::ranges::equal(dense, t.shape().last(dense.size())))
    return unfit(t, "values", values);
  return {};
}

Result<void> check_compressed(const TensorRecord& t, const Sparse& s) {
  const bool blocks = has_blocks(t.layout), by_rows = compresses_rows(t.layout);
  const auto compressed = s.indices->shape(), plain = s.plain->shape(), values = s.values->shape(), size = t.shape();
  const DType dtype = s.indices->dtype;
  if ((dtype != DType::int64 && dtype != DType::int32) || s.plain->dtype != dtype)
    return corrupt("expected int64 or int32 as both indices of a sparse tensor, found " + std::string(name(dtype)) + " and " + std::string(name(s.plain->dtype)));
  if (compressed.empty() || plain.size() != compressed.size()) return unfit(t, "indices", compressed);
  const std::size_t batch = compressed.size() - 1, block = blocks ? 2 : 0;
  if (size.size() < batch + 2 || values.size() != size.size() - 1 + block) return unfit(t, "values", values);
  for (std::size_t d = 0; d < batch; ++d)
    if (compressed[d] != size[d] || plain[d] != size[d] || values[d] != size[d]) return unfit(t, "indices", compressed);
  if (plain[batch] != values[batch]) return unfit(t, "values", values);
  std::int64_t rows = size[batch], columns = size[batch + 1];
  if (blocks) {
    const std::int64_t high = values[batch + 1], wide = values[batch + 2];
    if (high <= 0 || wide <= 0 || rows % high != 0 || columns % wide != 0) return unfit(t, "values", values);
    rows /= high, columns /= wide;
  }
  if (compressed[batch] < 1 || compressed[batch] - 1 != (by_rows ? rows : columns)) return unfit(t, "indices", compressed);
  if (!std::ranges::equal(values.subspan(batch + 1 + block), size.subspan(batch + 2))) return unfit(t, "values", values);
  return {};
}

}  // namespace

std::int64_t values_per_byte(DType dtype) noexcept { return dtype == DType::quint4x2 ? 2 : dtype == DType::quint2x4 ? 4 : 1; }

std::string found_kind(const TensorRecord& t) {
  if (t.as_quantised()) return "a quantised one (" + std::string(name(t.as_quantised()->scheme)) + ")";
  if (t.as_sparse()) return "a sparse one (" + std::string(name(t.layout)) + ")";
  if (t.is_nested()) return "a nested one";
  return t.is_meta() ? "one without data (meta)" : "a strided one";
}

std::string kind_text(const TensorRecord& t) {
  if (t.is_meta()) return "meta";
  if (t.is_nested()) return t.as_jagged() ? "nested, jagged" : "nested";
  if (const Sparse* s = t.as_sparse()) return std::string(name(t.layout)) + (s->coalesced ? ", coalesced" : "");
  const Quantised* q = t.as_quantised();
  if (!q) return {};
  if (q->scheme != QScheme::per_tensor_affine) return std::string(name(q->scheme)) + ", axis " + std::to_string(q->axis);
  char scale[32];
  std::snprintf(scale, sizeof scale, "%.9g", q->scale);
  return std::string(name(q->scheme)) + ", scale " + scale + ", zero point " + std::to_string(q->zero_point);
}

Result<void> check_claim(const Tensor& t, std::string_view what) {
  const auto bytes = checked_multiply(static_cast<std::uint64_t>(t.numel()), static_cast<std::uint64_t>(item_size(t.dtype())));
  const std::uint64_t max = 16 * std::min<std::uint64_t>(t.storage().nbytes(), UINT64_MAX / 32) + (std::uint64_t{64} << 20);
  if (bytes && *bytes <= max) return {};
  return Error(ErrorKind::limit, ErrorCode::copy_too_large,
               std::string(what) + " are a view of " + std::to_string(t.numel()) + " elements over a storage of " + std::to_string(t.storage().nbytes()) + " bytes");
}

Result<void> check_quantised(const TensorRecord& t, const Quantised& q) {
  if (!is_quantised(t.dtype)) return corrupt("expected a quantised dtype, found " + std::string(name(t.dtype)));
  if (q.scheme == QScheme::per_tensor_affine) return {};
  if (!is_plain(*q.scales) || !is_plain(*q.zero_points)) return corrupt("expected scales and zero points as strided tensors");
  const bool floats = q.scheme == QScheme::per_channel_affine_float_qparams;
  if (q.scales->dtype != (floats ? DType::float32 : DType::float64) || q.zero_points->dtype != (floats ? DType::float32 : DType::int64))
    return corrupt("expected scales and zero points as float64 and int64, or both as float32, found " + std::string(name(q.scales->dtype)) + " and " +
                   std::string(name(q.zero_points->dtype)));
  if (q.axis < 0 || q.axis >= t.ndim) return corrupt("the axis " + std::to_string(q.axis) + " of the scales is none of the shape " + sizes(t.shape()));
  const std::int64_t channels = t.shape()[static_cast<std::size_t>(q.axis)];
  if (q.scales->ndim != 1 || q.zero_points->ndim != 1 || q.scales->shape()[0] != channels || q.zero_points->shape()[0] != channels)
    return corrupt("expected " + std::to_string(channels) + " scales and zero points, found " + sizes(q.scales->shape()) + " and " + sizes(q.zero_points->shape()));
  return {};
}

Result<void> check_sparse(const TensorRecord& t, const Sparse& s) {
  if (!is_plain(*s.indices) || (s.plain && !is_plain(*s.plain)) || !is_plain(*s.values)) return corrupt("expected indices and values of a sparse tensor as strided tensors");
  BRINE_TRY(check_size(t));
  return t.layout == Layout::sparse_coo ? check_coo(t, s) : check_compressed(t, s);
}

Result<void> check_nested(const Nested& n) {
  const auto sizes_of = n.sizes->shape(), strides = n.strides->shape(), offsets = n.offsets->shape();
  if (!is_plain(*n.buffer) || !is_plain(*n.sizes) || !is_plain(*n.strides) || !is_plain(*n.offsets)) return corrupt("expected the parts of a nested tensor as strided tensors");
  if (n.buffer->ndim != 1 || !is_contiguous(n.buffer->shape(), n.buffer->stride()))
    return corrupt("expected the buffer of a nested tensor as one contiguous dimension, found " + sizes(n.buffer->shape()));
  if (n.sizes->dtype != DType::int64 || n.strides->dtype != DType::int64 || n.offsets->dtype != DType::int64)
    return corrupt("expected sizes, strides and offsets of a nested tensor as int64");
  const bool none = sizes_of.empty() || (sizes_of.size() == 1 && sizes_of[0] == 0);  // of no components: torch.tensor([])
  if (!std::ranges::equal(sizes_of, strides) || offsets.size() != 1 || (!none && (sizes_of.size() != 2 || offsets[0] != sizes_of[0])) || (none && offsets[0] != 0))
    return corrupt("sizes " + sizes(sizes_of) + ", strides " + sizes(strides) + " and offsets " + sizes(offsets) + " of a nested tensor do not fit each other");
  return {};
}

Result<void> check_jagged(const Jagged& j) {
  const auto is_list = [](const TensorRecord& t) { return is_plain(t) && t.ndim == 1 && (t.dtype == DType::int64 || t.dtype == DType::int32); };
  if (!is_plain(*j.values)) return corrupt("expected the values of a jagged tensor as a strided tensor");
  if (!is_list(*j.offsets) || (j.lengths && !is_list(*j.lengths))) return corrupt("expected offsets and lengths of a jagged tensor as int64 or int32 of one dimension");
  if (j.ragged >= j.values->ndim)
    return corrupt("the ragged dimension " + std::to_string(j.ragged + 1) + " of a jagged tensor is none of its values of shape " +
                   sizes(j.values->shape()));
  const std::int64_t offsets = j.offsets->shape()[0];
  if (offsets < 1 || (j.lengths && j.lengths->shape()[0] != offsets - 1))
    return corrupt("offsets " + sizes(j.offsets->shape()) + (j.lengths ? " and lengths " + sizes(j.lengths->shape()) : "") + " of a jagged tensor do not fit each other");
  return {};
}

}  // namespace brine
