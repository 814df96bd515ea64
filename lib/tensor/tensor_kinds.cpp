// SPDX-License-Identifier: MIT
// The members of Tensor that quantised, sparse and nested tensors have.
#include "tensor/kinds.hpp"

#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "tensor/layout.hpp"

#include <string>
#include <vector>

namespace brine {

namespace {

Error wrong(std::string text) { return Error(ErrorKind::usage, ErrorCode::wrong_layout, std::move(text)); }

/// What the tensor is, for a message.
std::string kind_of(const TensorRecord& t) {
  if (t.as_quantised()) return "a quantised one (" + std::string(name(t.as_quantised()->scheme)) + ")";
  if (t.as_sparse()) return "a sparse one (" + std::string(name(t.layout)) + ")";
  if (t.as_nested()) return "a nested one";
  return t.is_meta() ? "one without data (meta)" : "a strided one";
}

Result<const Quantised*> quantised(const TensorRecord& t) {
  if (const Quantised* q = t.as_quantised()) return q;
  return wrong("expected a quantised tensor, found " + kind_of(t));
}

Result<const Quantised*> by_channel(const TensorRecord& t) {
  const Quantised* q = t.as_quantised();
  if (q && q->scheme != QScheme::per_tensor_affine) return q;
  return wrong("expected a tensor that is quantised per channel, found " + kind_of(t));
}

/// A tensor whose record is made for it; `of` keeps all that it refers to.
struct Derived {
  explicit Derived(const Tensor& from) : record(Handles::record(from)), of(from) {}
  TensorRecord record;
  std::vector<std::int64_t> dims;
  Tensor of;
};

Tensor handle(std::shared_ptr<Derived> made) {
  made->record.dims = made->dims.data();
  made->record.ndim = static_cast<std::uint8_t>(made->dims.size() / 2);
  made->record.origin = nullptr;
  made->record.base = nullptr;
  made->record.form = TensorForm::v2;
  made->record.parameter = made->record.requires_grad = made->record.unset = false;
  const TensorRecord* record = &made->record;
  return Handles::tensor(std::move(made), record);
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
bool Tensor::is_nested() const noexcept { return record_->as_nested() != nullptr; }
bool Tensor::is_coalesced() const noexcept { return record_->as_sparse() && record_->as_sparse()->coalesced; }

Result<QScheme> Tensor::qscheme() const {
  const auto q = quantised(*record_);
  return q ? Result<QScheme>((*q)->scheme) : q.error();
}

Result<double> Tensor::q_scale() const {
  const Quantised* q = record_->as_quantised();
  if (q && q->scheme == QScheme::per_tensor_affine) return q->scale;
  return wrong("expected a tensor that is quantised as a whole, found " + kind_of(*record_));
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
    return handle(std::move(made));
  });
}

namespace {

// The one part that both layouts have under this name.
Result<Tensor> indices_of(const Tensor& tensor, Layout one, Layout other, const TensorRecord* Sparse::*part, const char* what) {
  const TensorRecord& t = Handles::record(tensor);
  if (!t.as_sparse() || (t.layout != one && t.layout != other))
    return wrong("expected a " + std::string(name(one)) + (one == other ? "" : " or " + std::string(name(other))) + " tensor for " + what + "(), found " + kind_of(t));
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
  return wrong("expected a sparse tensor for values(), found " + kind_of(*record_));
}

Result<std::vector<TensorPart>> Tensor::parts() const {
  return guarded("a tensor", [&]() -> Result<std::vector<TensorPart>> {
    std::vector<TensorPart> out;
    const auto add = [&](std::string_view name, const TensorRecord* record) {
      if (record) out.push_back({name, Handles::tensor(record_, record)});
    };
    if (const Quantised* q = record_->as_quantised()) {
      auto ints = int_repr();
      if (!ints) return std::move(ints).error();
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
    return out;
  });
}

Result<std::vector<Tensor>> Tensor::unbind() const {
  return guarded("a tensor", [&]() -> Result<std::vector<Tensor>> {
    const TensorRecord& t = *record_;
    const Nested* n = t.as_nested();
    if (!n && !t.as_strided() && !t.is_meta()) return wrong("expected a strided or nested tensor for unbind(), found " + kind_of(t));
    if (t.as_quantised()) return wrong("expected a strided or nested tensor for unbind(), found " + kind_of(t));
    if (!n && t.ndim == 0) return Error(ErrorKind::usage, ErrorCode::does_not_fit, "unbind() needs a dimension, the tensor has none");
    const std::int64_t count = n ? n->offsets->shape()[0] : t.shape()[0];
    const std::int64_t max = n ? 1'000'000 : 100'000;
    if (count > max) return Error(ErrorKind::limit, ErrorCode::copy_too_large, "unbind() would make " + std::to_string(count) + " tensors; " + std::to_string(max) + " is the most");
    std::vector<Tensor> out;
    out.reserve(static_cast<std::size_t>(count));
    if (!n) {
      for (std::int64_t i = 0; i < count; ++i) {
        auto made = std::make_shared<Derived>(*this);
        made->dims.assign(t.dims + 1, t.dims + t.ndim);
        made->dims.insert(made->dims.end(), t.dims + t.ndim + 1, t.dims + 2 * t.ndim);
        const std::int64_t step = t.numel() == 0 ? 0 : t.stride()[0];  // of what has no elements strides may be anything
        if (const Strided* s = t.as_strided()) made->record.set_body(Strided{s->storage, s->offset + i * step});
        out.push_back(handle(std::move(made)));
      }
      return out;
    }
    if (count == 0) return out;
    const Tensor buffer = Handles::tensor(record_, n->buffer);
    const auto dims = static_cast<std::size_t>(n->sizes->shape()[1]);
    if (dims > Limits{}.dimensions) return Error(ErrorKind::limit, ErrorCode::too_many_dimensions, std::to_string(dims) + " dimensions; " + std::to_string(Limits{}.dimensions) + " is the most");
    for (const TensorRecord* part : {n->sizes, n->strides, n->offsets})
      if (auto ok = check_claim(Handles::tensor(record_, part), "the sizes of a nested tensor"); !ok) return std::move(ok).error();
    const auto sizes = Handles::tensor(record_, n->sizes).to_vector<std::int64_t>(), strides = Handles::tensor(record_, n->strides).to_vector<std::int64_t>(),
               offsets = Handles::tensor(record_, n->offsets).to_vector<std::int64_t>();
    for (const auto* part : {&sizes, &strides, &offsets})
      if (!*part) return part->error();
    const Strided& at = *n->buffer->as_strided();
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const std::span<const std::int64_t> size(sizes->data() + i * dims, dims), stride(strides->data() + i * dims, dims);
      if (auto ok = check_strided({t.dtype, size, stride, (*offsets)[i], n->buffer->shape()[0]}, Limits{}); !ok) return std::move(ok).error();
      auto made = std::make_shared<Derived>(buffer);
      made->dims.assign(size.begin(), size.end());
      made->dims.insert(made->dims.end(), stride.begin(), stride.end());
      made->record.set_body(Strided{at.storage, at.offset + (*offsets)[i]});
      out.push_back(handle(std::move(made)));
    }
    return out;
  });
}

}  // namespace brine
