// SPDX-License-Identifier: MIT
#include <brine/make_tensor.hpp>

#include "bytes/guard.hpp"
#include "support/try.hpp"
#include "tensor/kinds.hpp"
#include "tensor/layout.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace brine {

namespace {

/// A record with all that it refers to.
template <class Body>
struct Own {
  TensorRecord record;
  Body body = {};
  std::vector<std::int64_t> dims;
  std::vector<Tensor> parts;
};

template <class Body>
Tensor handle(std::shared_ptr<Own<Body>> own) {
  own->record.dims = own->dims.data();
  own->record.ndim = static_cast<std::uint8_t>(own->dims.size() / 2);
  own->record.set_body(&own->body);
  const TensorRecord* record = &own->record;
  return Handles::tensor(std::move(own), record);
}

std::optional<DType> quantised_dtype(DType ints) noexcept {
  switch (ints) {
    case DType::int8: return DType::qint8;
    case DType::uint8: return DType::quint8;
    case DType::int32: return DType::qint32;
    default: return std::nullopt;
  }
}

Result<std::shared_ptr<Own<Quantised>>> quantised(const Tensor& ints) {
  const TensorRecord& from = Handles::record(ints);
  const auto dtype = quantised_dtype(from.dtype);
  if (!dtype) return Error(ErrorKind::usage, ErrorCode::wrong_dtype, "expected int8, uint8 or int32 as the integers of a quantised tensor, found " + std::string(name(from.dtype)));
  if (!from.as_strided() || !from.as_strided()->storage) return Error(ErrorKind::usage, ErrorCode::wrong_layout, "expected a strided tensor as the integers of a quantised one");
  if (from.neg) return Error(ErrorKind::usage, ErrorCode::lazy_bits, "the integers of a quantised tensor cannot be a lazy negative");
  auto own = std::make_shared<Own<Quantised>>();
  static_cast<Strided&>(own->body) = *from.as_strided();
  own->record.dtype = *dtype;
  own->dims.assign(from.dims, from.dims + 2 * from.ndim);
  own->parts.push_back(ints);
  return own;
}

template <class Own>
Result<void> set_size(Own& own, Shape size) {
  if (size.size() > Limits{}.dimensions)
    return Error(ErrorKind::limit, ErrorCode::too_many_dimensions, std::to_string(size.size()) + " dimensions; " + std::to_string(Limits{}.dimensions) + " is the most");
  own.dims.assign(size.begin(), size.end());
  own.dims.resize(2 * size.size(), 0);
  own.record.dims = own.dims.data();
  own.record.ndim = static_cast<std::uint8_t>(size.size());
  return {};
}

}  // namespace

Result<Tensor> make_per_tensor_quantized_tensor(const Tensor& ints, double scale, std::int64_t zero_point) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    BRINE_LET(own, quantised(ints));
    (*own)->body.scale = scale;
    (*own)->body.zero_point = zero_point;
    return handle(std::move(*own));
  });
}

Result<Tensor> make_per_channel_quantized_tensor(const Tensor& ints, const Tensor& scales, const Tensor& zero_points, std::int64_t axis) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    BRINE_LET(own, quantised(ints));
    Quantised& q = (*own)->body;
    q.scheme = zero_points.dtype() == DType::float32 ? QScheme::per_channel_affine_float_qparams : QScheme::per_channel_affine;
    q.scales = &Handles::record(scales);
    q.zero_points = &Handles::record(zero_points);
    q.axis = axis;
    (*own)->parts.insert((*own)->parts.end(), {scales, zero_points});
    const Tensor made = handle(*own);
    BRINE_TRY(check_quantised((*own)->record, q));
    return made;
  });
}

Result<Tensor> sparse_coo_tensor(const Tensor& indices, const Tensor& values, Shape size, bool is_coalesced) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    auto own = std::make_shared<Own<Sparse>>();
    own->body.indices = &Handles::record(indices);
    own->body.values = &Handles::record(values);
    own->body.coalesced = is_coalesced;
    own->parts = {indices, values};
    own->record.layout = Layout::sparse_coo;
    own->record.dtype = values.dtype();
    BRINE_TRY(set_size(*own, size));
    BRINE_TRY(check_sparse(own->record, own->body));
    return handle(std::move(own));
  });
}

Result<Tensor> sparse_compressed_tensor(const Tensor& compressed_indices, const Tensor& plain_indices, const Tensor& values, Shape size, Layout layout) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    if (layout == Layout::strided || layout == Layout::sparse_coo || layout == Layout::jagged)
      return Error(ErrorKind::usage, ErrorCode::bad_argument, "expected one of sparse_csr, sparse_csc, sparse_bsr and sparse_bsc, found " + std::string(name(layout)));
    auto own = std::make_shared<Own<Sparse>>();
    own->body.indices = &Handles::record(compressed_indices);
    own->body.plain = &Handles::record(plain_indices);
    own->body.values = &Handles::record(values);
    own->parts = {compressed_indices, plain_indices, values};
    own->record.layout = layout;
    own->record.dtype = values.dtype();
    BRINE_TRY(set_size(*own, size));
    BRINE_TRY(check_sparse(own->record, own->body));
    return handle(std::move(own));
  });
}

Result<Tensor> nested_view_from_buffer(const Tensor& buffer, const Tensor& sizes, const Tensor& strides, const Tensor& offsets) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    auto own = std::make_shared<Own<Nested>>();
    own->body = {&Handles::record(buffer), &Handles::record(sizes), &Handles::record(strides), &Handles::record(offsets)};
    own->parts = {buffer, sizes, strides, offsets};
    BRINE_TRY(check_nested(own->body));
    own->record.dtype = buffer.dtype();
    own->dims = {buffer.numel(), 1};  // so that it has as many elements
    return handle(std::move(own));
  });
}

Result<Tensor> nested_tensor_from_jagged(const Tensor& values, const Tensor& offsets, const std::optional<Tensor>& lengths, std::int64_t jagged_dim) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    if (jagged_dim < 1) return Error(ErrorKind::usage, ErrorCode::bad_argument, "expected a jagged_dim of 1 or above, found " + std::to_string(jagged_dim));
    auto own = std::make_shared<Own<Jagged>>();
    own->body = {&Handles::record(values), &Handles::record(offsets), lengths ? &Handles::record(*lengths) : nullptr, static_cast<std::size_t>(jagged_dim - 1)};
    own->parts = {values, offsets};
    if (lengths) own->parts.push_back(*lengths);
    BRINE_TRY(check_jagged(own->body));
    own->record.layout = Layout::jagged;
    own->record.dtype = values.dtype();
    own->dims.assign(values.shape().begin(), values.shape().end());  // so that it has as many elements
    own->dims.insert(own->dims.end(), values.stride().begin(), values.stride().end());
    return handle(std::move(own));
  });
}

Result<Tensor> meta_tensor(DType dtype, Shape shape, Shape stride) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    struct None {};
    auto own = std::make_shared<Own<None>>();
    BRINE_TRY(set_size(*own, shape));
    if (!stride.empty() && stride.size() != shape.size())
      return Error(ErrorKind::corrupt, ErrorCode::tensor_arguments,
                   "a shape of " + std::to_string(shape.size()) + " and a stride of " + std::to_string(stride.size()) + " dimensions");
    const std::span<std::int64_t> dims = own->dims;
    if (stride.empty()) row_major(dims.first(shape.size()), dims.subspan(shape.size()));
    else std::copy(stride.begin(), stride.end(), dims.subspan(shape.size()).begin());
    BRINE_TRY(check_strided({dtype, dims.first(shape.size()), dims.subspan(shape.size()), 0, INT64_MAX}, Limits{}));
    own->record.dtype = dtype;
    own->record.set_meta();
    const TensorRecord* record = &own->record;
    return Handles::tensor(std::move(own), record);
  });
}

}  // namespace brine
