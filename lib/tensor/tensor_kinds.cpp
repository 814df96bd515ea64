// SPDX-License-Identifier: MIT
// The members of Tensor that quantised, sparse and nested tensors have.
#include "tensor/kinds.hpp"

#include "bytes/guard.hpp"
#include "support/try.hpp"
#include "tensor/derived.hpp"

#include <string>
#include <vector>

namespace brine {

namespace {

Error wrong(std::string text) { return Error(ErrorKind::usage, ErrorCode::wrong_layout, std::move(text)); }

Result<const Quantised*> quantised(const TensorRecord& t) {
  if (const Quantised* q = t.as_quantised()) return q;
  return wrong("expected a quantised tensor, found " + found_kind(t));
}

Result<const Quantised*> by_channel(const TensorRecord& t) {
  const Quantised* q = t.as_quantised();
  if (q && q->scheme != QScheme::per_tensor_affine) return q;
  return wrong("expected a tensor that is quantised per channel, found " + found_kind(t));
}

}  // namespace

std::string_view name(Layout layout) noexcept {
  switch (layout) {
    case Layout::strided: return "strided";
    case Layout::sparse_coo: return "sparse_coo";
    case Layout::sparse_csr: return "sparse_csr";
    case Layout::sparse_csc: return "sparse_csc";
    case Layout::sparse_bsr: return "sparse_bsr";
    case Layout::sparse_bsc: return "sparse_bsc";
    case Layout::jagged: return "jagged";
  }
  return "unknown";
}

std::string_view name(QScheme scheme) noexcept {
  switch (scheme) {
    case QScheme::per_tensor_affine: return "per_tensor_affine";
    case QScheme::per_channel_affine: return "per_channel_affine";
    case QScheme::per_channel_affine_float_qparams: return "per_channel_affine_float_qparams";
  }
  return "unknown";
}

Layout Tensor::layout() const noexcept { return record_->layout; }
bool Tensor::is_quantized() const noexcept { return record_->as_quantised() != nullptr; }
bool Tensor::is_meta() const noexcept { return record_->is_meta(); }
bool Tensor::is_sparse() const noexcept { return record_->as_sparse() != nullptr; }
bool Tensor::is_nested() const noexcept { return record_->is_nested(); }
bool Tensor::is_coalesced() const noexcept { return record_->as_sparse() && record_->as_sparse()->coalesced; }

Result<QScheme> Tensor::qscheme() const {
  const auto q = quantised(*record_);
  return q ? Result<QScheme>((*q)->scheme) : q.error();
}

Result<double> Tensor::q_scale() const {
  const Quantised* q = record_->as_quantised();
  if (q && q->scheme == QScheme::per_tensor_affine) return q->scale;
  return wrong("expected a tensor that is quantised as a whole, found " + found_kind(*record_));
}

Result<std::int64_t> Tensor::q_zero_point() const {
  const auto scale = q_scale();
  return scale ? Result<std::int64_t>(record_->as_quantised()->zero_point) : scale.error();
}

Result<Tensor> Tensor::q_per_channel_scales() const {
  const auto q = by_channel(*record_);
  return q ? Result<Tensor>(Handles::tensor(record_, (*q)->scales)) : q.error();
}

Result<Tensor> Tensor::q_per_channel_zero_points() const {
  const auto q = by_channel(*record_);
  return q ? Result<Tensor>(Handles::tensor(record_, (*q)->zero_points)) : q.error();
}

Result<std::int64_t> Tensor::q_per_channel_axis() const {
  const auto q = by_channel(*record_);
  return q ? Result<std::int64_t>((*q)->axis) : q.error();
}

Result<Tensor> Tensor::int_repr() const {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    const auto q = quantised(*record_);
    if (!q) return q.error();
    auto made = std::make_shared<Derived>(*this);
    made->record.set_body(static_cast<const Strided&>(**q));
    const std::int64_t per_byte = values_per_byte(record_->dtype);
    made->record.dtype = record_->dtype == DType::qint8 ? DType::int8 : record_->dtype == DType::qint32 ? DType::int32 : DType::uint8;
    if (per_byte == 1) made->dims.assign(record_->dims, record_->dims + 2 * record_->ndim);
    else made->dims = {(record_->numel() + per_byte - 1) / per_byte, 1};
    return derived_tensor(std::move(made));
  });
}

namespace {

// The one part that both layouts have under this name.
Result<Tensor> indices_of(const Tensor& tensor, Layout one, Layout other, const TensorRecord* Sparse::*part, const char* what) {
  const TensorRecord& t = Handles::record(tensor);
  if (!t.as_sparse() || (t.layout != one && t.layout != other))
    return wrong("expected a " + std::string(name(one)) + (one == other ? "" : " or " + std::string(name(other))) + " tensor for " + what + "(), found " + found_kind(t));
  auto ok = guarded("a tensor", [&] { return check_indices(tensor); });
  if (!ok) return std::move(ok).error();
  return Handles::tensor(Handles::owner(tensor), t.as_sparse()->*part);
}

}  // namespace

Result<Tensor> Tensor::indices() const { return indices_of(*this, Layout::sparse_coo, Layout::sparse_coo, &Sparse::indices, "indices"); }
Result<Tensor> Tensor::crow_indices() const { return indices_of(*this, Layout::sparse_csr, Layout::sparse_bsr, &Sparse::indices, "crow_indices"); }
Result<Tensor> Tensor::col_indices() const { return indices_of(*this, Layout::sparse_csr, Layout::sparse_bsr, &Sparse::plain, "col_indices"); }
Result<Tensor> Tensor::ccol_indices() const { return indices_of(*this, Layout::sparse_csc, Layout::sparse_bsc, &Sparse::indices, "ccol_indices"); }
Result<Tensor> Tensor::row_indices() const { return indices_of(*this, Layout::sparse_csc, Layout::sparse_bsc, &Sparse::plain, "row_indices"); }

Result<Tensor> Tensor::values() const {
  if (const Sparse* s = record_->as_sparse()) return Handles::tensor(record_, s->values);
  if (const Jagged* j = record_->as_jagged()) return Handles::tensor(record_, j->values);
  return wrong("expected a sparse or jagged tensor for values(), found " + found_kind(*record_));
}

Result<std::vector<TensorPart>> Tensor::parts() const {
  return guarded("a tensor", [&]() -> Result<std::vector<TensorPart>> {
    std::vector<TensorPart> out;
    const auto add = [&](std::string_view name, const TensorRecord* record) {
      if (record) out.push_back({name, Handles::tensor(record_, record)});
    };
    if (const Quantised* q = record_->as_quantised()) {
      BRINE_LET(ints, int_repr());
      out.push_back({"int_repr", std::move(*ints)});
      add("scales", q->scales);
      add("zero_points", q->zero_points);
    }
    if (const Sparse* s = record_->as_sparse()) {
      const bool by_rows = compresses_rows(record_->layout);
      add(!s->plain ? "indices" : by_rows ? "crow_indices" : "ccol_indices", s->indices);
      add(by_rows ? "col_indices" : "row_indices", s->plain);
      add("values", s->values);
    }
    if (const Nested* n = record_->as_nested()) {
      add("buffer", n->buffer);
      add("sizes", n->sizes);
      add("strides", n->strides);
      add("offsets", n->offsets);
    }
    if (const Jagged* j = record_->as_jagged()) {
      add("values", j->values);
      add("offsets", j->offsets);
      add("lengths", j->lengths);
    }
    return out;
  });
}

}  // namespace brine
