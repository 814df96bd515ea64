// SPDX-License-Identifier: MIT
// The elements of sparse tensors: their indices checked, and all of them in the caller's memory.
// Source: aten/src/ATen/native/sparse/ValidateCompressedIndicesCommon.h, SparseTensor.cpp; torch/sparse/__init__.py.
#include "tensor/kinds.hpp"

#include "bytes/guard.hpp"
#include "support/errors.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace brine {

namespace {

Error bad_indices(std::string text) { return corrupt(ErrorCode::sparse_indices, std::move(text)); }

/// The integers of a tensor in row-major order, one after the other; at() goes to any of them, which is cheap where it goes on.
class Integers {
 public:
  explicit Integers(Tensor tensor) : tensor_(std::move(tensor)), size_(tensor_.numel()) {}

  Result<std::int64_t> at(std::int64_t i) {
    if (i < first_ || i >= first_ + held_) {
      held_ = std::min<std::int64_t>(kBatch, size_ - i);
      first_ = i;
      auto bytes = std::as_writable_bytes(std::span(batch_).first(static_cast<std::size_t>(held_)));
      BRINE_TRY(tensor_.copy_part(DType::int64, i, bytes));
    }
    return batch_[i - first_];
  }

 private:
  static constexpr std::int64_t kBatch = 2048;
  Tensor tensor_;
  std::int64_t size_, first_ = 0, held_ = 0;
  std::int64_t batch_[kBatch];
};

Result<void> check_coo(const Tensor& tensor, const Tensor& indices, bool coalesced) {
  const auto shape = tensor.shape();
  const auto dims = static_cast<std::size_t>(indices.shape()[0]);
  const std::int64_t nnz = indices.shape()[1];
  constexpr std::int64_t batch = 2048;
  std::int64_t part[batch], flat[batch], last = -1;
  for (std::int64_t done = 0; done < nnz; done += batch) {
    const auto n = static_cast<std::size_t>(std::min(batch, nnz - done));
    std::fill_n(flat, n, 0);
    for (std::size_t d = 0; d < dims; ++d) {
      BRINE_TRY(indices.copy_part(static_cast<std::int64_t>(d) * nnz + done, std::as_writable_bytes(std::span(part).first(n))));
      for (std::size_t i = 0; i < n; ++i) {
        if (part[i] < 0 || part[i] >= shape[d])
          return bad_indices("index " + std::to_string(part[i]) + " of a sparse tensor lies outside of dimension " + std::to_string(d) + ", which has " + std::to_string(shape[d]));
        flat[i] = flat[i] * shape[d] + part[i];  // below numel, which is checked
      }
    }
    for (std::size_t i = 0; coalesced && i < n; ++i) {
      if (flat[i] <= last) return bad_indices("the indices of a sparse tensor that is said to be coalesced are out of order, or name an element twice");
      last = flat[i];
    }
  }
  return {};
}

Result<void> check_compressed(const Tensor& tensor, const Sparse& s, const Tensor& compressed, const Tensor& plain) {
  const auto shape = tensor.shape();
  const std::size_t batch_dims = compressed.shape().size() - 1;
  const bool by_rows = compresses_rows(tensor.layout()), blocks = has_blocks(tensor.layout());
  const std::size_t other = batch_dims + (by_rows ? 1 : 0);
  const std::int64_t lines = compressed.shape()[batch_dims] - 1, nnz = plain.shape()[batch_dims];
  const std::int64_t across = shape[other] / (blocks ? s.values->shape()[other + 1] : 1);
  std::int64_t batches = 1;
  for (std::size_t d = 0; d < batch_dims; ++d) batches *= shape[d];
  Integers starts(compressed), at(plain);
  for (std::int64_t b = 0; b < batches; ++b) {
    std::int64_t start = 0;
    for (std::int64_t line = 0; line <= lines; ++line) {
      const auto end = starts.at(b * (lines + 1) + line);
      if (!end) return end.error();
      if (line == 0 ? *end != 0 : *end < start || *end - start > across || *end > nnz || (line == lines && *end != nnz))
        return bad_indices("the compressed indices of a sparse tensor do not go from 0 to the number of values, " + std::to_string(nnz) +
                       ", by steps from 0 to " + std::to_string(across) + ": found " + std::to_string(*end) + " after " + std::to_string(start));
      std::int64_t last = -1;
      for (std::int64_t i = start; i < *end; ++i) {
        const auto index = at.at(b * nnz + i);
        if (!index) return index.error();
        if (*index <= last || *index >= across)
          return bad_indices("the plain indices of a sparse tensor are out of order, named twice or outside of " + std::to_string(across) + ": found " +
                         std::to_string(*index) + " after " + std::to_string(last));
        last = *index;
      }
      start = *end;
    }
    if (lines == 0 && nnz != 0) return bad_indices("a sparse tensor without lines has values");
  }
  return {};
}

DType part_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::complex32: return DType::float16;
    case DType::complex64: return DType::float32;
    case DType::complex128: return DType::float64;
    default: return dtype;
  }
}

template <class T>
Result<void> add_as(DType dtype, DType as, std::span<const std::byte> more, std::span<std::byte> to) {
  constexpr std::size_t batch = 128;
  const std::size_t item = item_size(dtype);
  T x[batch], y[batch];
  for (std::size_t done = 0; done < to.size(); done += batch * item) {
    const std::size_t n = std::min(batch * item, to.size() - done), count = n / item;
    const auto target = to.subspan(done, n);
    BRINE_TRY(convert(dtype, target, as, std::as_writable_bytes(std::span(x).first(count))));
    BRINE_TRY(convert(dtype, more.subspan(done, n), as, std::as_writable_bytes(std::span(y).first(count))));
    for (std::size_t i = 0; i < count; ++i) x[i] += y[i];
    BRINE_TRY(convert(as, std::as_bytes(std::span(x).first(count)), dtype, target));
  }
  return {};
}

/// to += more, in their own dtype: as PyTorch adds a sparse tensor to zeros.
Result<void> add(DType dtype, std::span<const std::byte> more, std::span<std::byte> to) {
  const DType part = part_of(dtype);
  if (part == DType::float64) return add_as<double>(part, part, more, to);
  if (is_floating(part)) return add_as<float>(part, DType::float32, more, to);
  return add_as<std::uint64_t>(part, DType::uint64, more, to);
}

/// Puts the values where the indices say.
class Dense {
 public:
  Dense(const Tensor& tensor, std::span<std::byte> out)
      : tensor_(tensor), s_(*Handles::record(tensor).as_sparse()), values_(part(s_.values)), item_(item_size(tensor.dtype())), out_(out) {}

  Result<void> coo() {
    const Tensor indices = part(s_.indices);
    const auto shape = tensor_.shape();
    const auto dims = static_cast<std::size_t>(indices.shape()[0]);
    const std::int64_t nnz = indices.shape()[1];
    std::int64_t each = 1;
    for (std::size_t d = dims; d < shape.size(); ++d) each *= shape[d];
    if (each == 0) return {};
    constexpr std::int64_t batch = 2048;
    std::int64_t index[batch], flat[batch];
    for (std::int64_t done = 0; done < nnz; done += batch) {
      const auto n = static_cast<std::size_t>(std::min(batch, nnz - done));
      std::fill_n(flat, n, 0);
      for (std::size_t d = 0; d < dims; ++d) {
        BRINE_TRY(indices.copy_part(static_cast<std::int64_t>(d) * nnz + done, std::as_writable_bytes(std::span(index).first(n))));
        for (std::size_t i = 0; i < n; ++i) flat[i] = flat[i] * shape[d] + index[i];
      }
      for (std::size_t i = 0; i < n; ++i)
        BRINE_TRY(put((done + static_cast<std::int64_t>(i)) * each, flat[i] * each, each));
    }
    return {};
  }

  Result<void> compressed() {
    const Tensor lines_of = part(s_.indices), plain = part(s_.plain);
    const auto shape = tensor_.shape();
    const std::size_t batch_dims = lines_of.shape().size() - 1;
    const bool by_rows = compresses_rows(tensor_.layout()), blocks = has_blocks(tensor_.layout());
    const std::int64_t lines = lines_of.shape()[batch_dims] - 1, nnz = plain.shape()[batch_dims];
    const std::int64_t high = blocks ? s_.values->shape()[batch_dims + 1] : 1, wide = blocks ? s_.values->shape()[batch_dims + 2] : 1;
    const std::int64_t rows = shape[batch_dims], columns = shape[batch_dims + 1];
    std::int64_t each = 1, batches = 1;
    for (std::size_t d = batch_dims + 2; d < shape.size(); ++d) each *= shape[d];
    for (std::size_t d = 0; d < batch_dims; ++d) batches *= shape[d];
    if (each == 0) return {};
    Integers starts(lines_of), at(plain);
    for (std::int64_t b = 0; b < batches; ++b)
      for (std::int64_t line = 0; line < lines; ++line) {
        const auto start = starts.at(b * (lines + 1) + line), end = starts.at(b * (lines + 1) + line + 1);
        if (!start) return start.error();
        if (!end) return end.error();
        for (std::int64_t i = *start; i < *end; ++i) {
          const auto index = at.at(b * nnz + i);
          if (!index) return index.error();
          const std::int64_t row = (by_rows ? line : *index) * high, column = (by_rows ? *index : line) * wide;
          for (std::int64_t r = 0; r < high; ++r) {
            const std::int64_t from = (((b * nnz + i) * high + r) * wide) * each, to = ((b * rows + row + r) * columns + column) * each;
            BRINE_TRY(put(from, to, wide * each));
          }
        }
      }
    return {};
  }

 private:
  Tensor part(const TensorRecord* record) const { return Handles::tensor(Handles::owner(tensor_), record); }

  // Adds `count` values from number `from` on to element `to` and those after it: -0 becomes 0, as in PyTorch. Small runs are read ahead together.
  Result<void> put(std::int64_t from, std::int64_t to, std::int64_t count) {
    while (count > 0) {
      if (from < first_ || from >= first_ + held_) {
        held_ = std::min<std::int64_t>(static_cast<std::int64_t>(sizeof ahead_ / item_), values_.numel() - from);
        first_ = from;
        BRINE_TRY(values_.copy_part(from, std::span(ahead_).first(static_cast<std::size_t>(held_) * item_)));
      }
      const std::int64_t n = std::min(count, first_ + held_ - from);
      const auto bytes = static_cast<std::size_t>(n) * item_;
      const std::byte* source = ahead_ + static_cast<std::size_t>(from - first_) * item_;
      const auto target = out_.subspan(static_cast<std::size_t>(to) * item_, bytes);
      BRINE_TRY(add(tensor_.dtype(), {source, bytes}, target));
      from += n, to += n, count -= n;
    }
    return {};
  }

  const Tensor& tensor_;
  const Sparse& s_;
  Tensor values_;
  std::size_t item_;
  std::span<std::byte> out_;
  std::int64_t first_ = 0, held_ = 0;
  std::byte ahead_[16384];
};

}  // namespace

Result<void> check_indices(const Tensor& tensor) {
  const Sparse& s = *Handles::record(tensor).as_sparse();
  if (s.checked.load(std::memory_order_acquire) != 0) return {};
  const auto owner = Handles::owner(tensor);
  const Tensor indices = Handles::tensor(owner, s.indices);
  BRINE_TRY(check_claim(indices, "the indices of a sparse tensor"));
  if (s.plain)
    BRINE_TRY(check_claim(Handles::tensor(owner, s.plain), "the indices of a sparse tensor"));
  auto ok = s.plain ? check_compressed(tensor, s, indices, Handles::tensor(owner, s.plain)) : check_coo(tensor, indices, s.coalesced);
  if (ok) s.checked.store(1, std::memory_order_release);
  return ok;
}

Result<void> Tensor::to_dense(std::span<std::byte> out) const { return to_dense(dtype(), out); }

Result<void> Tensor::to_dense(DType dtype, std::span<std::byte> out) const {
  return guarded("a tensor", [&]() -> Result<void> {
    if (!record_->as_sparse()) return copy_to(dtype, out);
    const std::size_t own = item_size(record_->dtype), item = item_size(dtype);
    BRINE_TRY(check_copy(std::max(own, item)));
    const auto count = static_cast<std::size_t>(numel());
    if (out.size() != count * item)
      return Error(ErrorKind::usage, ErrorCode::buffer_size,
                   "the buffer has " + std::to_string(out.size()) + " bytes, " + std::to_string(count) + " elements of " + std::string(name(dtype)) +
                       " need " + std::to_string(count * item));
    if (!convertible(record_->dtype, dtype))
      return Error(ErrorKind::usage, ErrorCode::wrong_dtype, std::string(name(record_->dtype)) + " does not convert to " + std::string(name(dtype)));
    BRINE_TRY(check_indices(*this));
    if (count == 0) return {};  // whatever the other sizes multiply to
    BRINE_TRY(check_claim(Handles::tensor(record_, record_->as_sparse()->values), "the values of a sparse tensor"));
    std::vector<std::byte> packed;  // in the tensor's own dtype, where the caller wants another
    if (dtype != record_->dtype) packed.resize(count * own);
    const std::span<std::byte> dense = dtype == record_->dtype ? out : std::span(packed);
    if (!dense.empty()) std::memset(dense.data(), 0, dense.size());
    Dense to(*this, dense);
    BRINE_TRY(record_->layout == Layout::sparse_coo ? to.coo() : to.compressed());
    return dtype == record_->dtype ? Result<void>() : convert(record_->dtype, dense, dtype, out);
  });
}

}  // namespace brine
