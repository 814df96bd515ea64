// SPDX-License-Identifier: MIT
#include "inspect/compare_tensors.hpp"

#include "inspect/compare_numbers.hpp"
#include "support/try.hpp"
#include "tensor/distinct.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace brine {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;  // bytes
constexpr std::size_t kBatch = 1024;                      // elements that are looked at as numbers

bool same_elements(const TensorRecord& a, const TensorRecord& b) noexcept {
  return a.same_body(b) && a.dims == b.dims && a.dtype == b.dtype && a.conj == b.conj && a.neg == b.neg;
}

bool same_dims(const TensorRecord& a, const TensorRecord& b) noexcept {
  return std::ranges::equal(a.shape(), b.shape()) && std::ranges::equal(a.stride(), b.stride());
}

bool same_kind(const TensorRecord& a, const TensorRecord& b) noexcept {
  if (a.layout != b.layout || a.is_meta() != b.is_meta() || a.is_nested() != b.is_nested()) return false;
  const Quantised *p = a.as_quantised(), *q = b.as_quantised();
  if (!p != !q || (p && (p->scheme != q->scheme || p->axis != q->axis || p->zero_point != q->zero_point ||
                         std::bit_cast<std::uint64_t>(p->scale) != std::bit_cast<std::uint64_t>(q->scale))))
    return false;
  if (a.as_jagged() && b.as_jagged() && a.as_jagged()->ragged != b.as_jagged()->ragged) return false;
  return !a.as_sparse() || a.as_sparse()->coalesced == b.as_sparse()->coalesced;
}

}  // namespace

void TensorComparer::advance(std::uint64_t bytes) {
  done_ += bytes;
  if (options_.progress) options_.progress(done_);
}

Result<void> TensorComparer::charge(const StorageRecord& storage, std::uint64_t bytes) {
  if (!met_.add(&storage, 0)) max_ += 4 * std::min<std::uint64_t>(storage.nbytes, UINT64_MAX / 1024) + bytes;
  read_ += bytes;
  if (read_ <= max_ && bytes <= max_) return {};
  return Error(ErrorKind::limit, ErrorCode::copy_too_large,
               "tensors view the same storages over and over, more than 4 times their bytes in all; --names (DiffOptions::elements) compares no elements");
}

TensorDifference TensorComparer::compare_attributes(const Tensor& a, const Tensor& b) {
  TensorDifference out;
  out.same_dtype = a.dtype() == b.dtype();
  out.same_shape = std::ranges::equal(a.shape(), b.shape());
  out.same_kind = same_kind(Handles::record(a), Handles::record(b));
  out.equal_bits = out.same_dtype && out.same_shape && out.same_kind;
  out.same_attributes = a.device() == b.device() && a.requires_grad() == b.requires_grad() && a.is_parameter() == b.is_parameter();
  return out;
}

Result<TensorDifference> TensorComparer::compare(const Tensor& a, const Tensor& b) {
  TensorDifference out = compare_attributes(a, b);
  if (!options_.elements || !out.same_shape || a.numel() == 0) return out;
  const TensorRecord &x = Handles::record(a), &y = Handles::record(b);
  const std::uint32_t* number = found_of_.find(x.dims);
  if (number && same_elements(found_[*number].a, x) && same_elements(found_[*number].b, y)) {
    const bool same_attributes = out.same_attributes;
    out = found_[*number].difference;
    out.same_attributes = same_attributes;
    return out;
  }
  auto done = compare_values(a, b, out);
  if (done && !number && !done->equal_bits) {
    found_of_.add(x.dims, static_cast<std::uint32_t>(found_.size()));
    found_.push_back({x, y, *done});
  }
  return done;
}

Result<TensorDifference> TensorComparer::compare_once(const Tensor& a, const Tensor& b) {
  TensorDifference out = compare_attributes(a, b);
  if (!out.same_shape || a.numel() == 0) return out;
  BRINE_TRY(compare_elements(a, b, 1, out));
  return out;
}

// By what they are made of; the numbers of quantised ones are compared, too, where that differs.
Result<TensorDifference> TensorComparer::compare_kinds(const Tensor& a, const Tensor& b, TensorDifference out) {
  const auto of_a = a.parts(), of_b = b.parts();
  if (!of_a) return of_a.error();
  if (!of_b) return of_b.error();
  bool same_places = of_a->size() == of_b->size();
  TensorDifference values;
  for (std::size_t i = 0; i < of_a->size() && of_a->size() == of_b->size(); ++i) {
    const TensorPart &x = (*of_a)[i], &y = (*of_b)[i];
    if (x.name != y.name) same_places = false;
    if (!same_places) break;
    auto part = compare_once(x.tensor, y.tensor);
    if (!part) return part;
    out.equal_bits = out.equal_bits && part->equal_bits;
    if (x.name == "values") values = *part;
    else same_places = same_places && part->equal_bits;
  }
  out.equal_bits = out.equal_bits && of_a->size() == of_b->size();
  if (out.equal_bits) return out;
  if (a.is_sparse() && b.is_sparse() && a.layout() == b.layout() && same_places) {
    out.largest_difference = values.largest_difference;
    out.nan_differs = values.nan_differs;
    out.differing = values.differing;
  }
  const auto has_numbers = [](const Tensor& t) { return t.is_quantized() || is_plain(Handles::record(t)); };
  if (has_numbers(a) && has_numbers(b) && a.storage() && b.storage()) {
    const bool equal = out.equal_bits;
    BRINE_TRY(compare_elements(a, b, 1, out));
    out.equal_bits = equal;
  }
  return out;
}

Result<TensorDifference> TensorComparer::compare_values(const Tensor& a, const Tensor& b, TensorDifference out) {
  const TensorRecord &x = Handles::record(a), &y = Handles::record(b);
  if (!is_plain(x) || !is_plain(y)) return compare_kinds(a, b, out);
  const Strided *at_x = x.as_strided(), *at_y = y.as_strided();
  if (!at_x->storage || !at_y->storage) {
    out.equal_bits = out.equal_bits && at_x->storage == at_y->storage;
    return out;
  }
  const StorageRecord &in_x = *at_x->storage, &in_y = *at_y->storage;
  const bool same_view = out.equal_bits && same_dims(x, y) && at_x->offset == at_y->offset && x.conj == y.conj && x.neg == y.neg &&
                         in_x.foreign == in_y.foreign && in_x.untyped == in_y.untyped && (x.form == TensorForm::v3) == (y.form == TensorForm::v3);
  if (same_view) {  // then their bytes may be the same, wherever elements overlap
    std::int64_t last = 0;
    for (std::size_t d = 0; d < x.ndim; ++d) last += (x.shape()[d] - 1) * x.stride()[d];
    const std::uint64_t item = item_size(x.dtype);
    BRINE_LET(same, same_bytes(a.storage(), b.storage(), static_cast<std::uint64_t>(at_x->offset) * item, (static_cast<std::uint64_t>(last) + 1) * item));
    if (*same) return out;
  }

  std::vector<bool> repeated(x.ndim);
  std::uint64_t each = 1;  // elements that one stands for
  for (std::size_t d = 0; d < x.ndim; ++d) {
    repeated[d] = x.stride()[d] == 0 && y.stride()[d] == 0;
    if (repeated[d]) each *= static_cast<std::uint64_t>(x.shape()[d]);
  }
  const Tensor once_a = each == 1 ? a : without(a, repeated), once_b = each == 1 ? b : without(b, repeated);
  for (const Tensor* t : {&once_a, &once_b})
    BRINE_TRY(charge(*Handles::record(*t).as_strided()->storage, static_cast<std::uint64_t>(t->numel()) * item_size(t->dtype())));
  BRINE_TRY(compare_elements(once_a, once_b, each, out));
  return out;
}

Result<void> TensorComparer::compare_elements(const Tensor& a, const Tensor& b, std::uint64_t each, TensorDifference& out) {
  for (const Tensor* t : {&a, &b})  // views that overlap can claim to be exabytes
    BRINE_TRY(Handles::check_copy(*t, item_size(t->dtype())));
  const DType of_a = a.is_quantized() ? DType::float32 : a.dtype(), of_b = b.is_quantized() ? DType::float32 : b.dtype();
  const bool pairs = is_complex(of_a) || is_complex(of_b);
  const bool integers = out.same_dtype && (of_a == DType::int64 || of_a == DType::uint64);
  const DType wide = integers ? of_a : pairs ? DType::complex128 : DType::float64;
  const bool numbers = convertible(of_a, wide) && convertible(of_b, wide);
  if (numbers) out.largest_difference = 0;
  bool same = out.same_dtype;
  const std::size_t item_a = item_size(of_a), item_b = item_size(of_b);
  const auto total = static_cast<std::uint64_t>(a.numel()), max = kPiece / std::max(item_a, item_b);
  std::array<std::byte, kBatch * 16> wide_a, wide_b;
  for (std::uint64_t at = 0; at < total; at += max) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(max, total - at));
    left_.resize(n * item_a);
    right_.resize(n * item_b);
    BRINE_TRY(a.copy_part(of_a, static_cast<std::int64_t>(at), left_));
    BRINE_TRY(b.copy_part(of_b, static_cast<std::int64_t>(at), right_));
    advance(left_.size());
    if (out.same_dtype && std::memcmp(left_.data(), right_.data(), left_.size()) == 0) continue;
    same = false;
    if (!numbers) break;
    for (std::size_t i = 0; i < n; i += kBatch) {
      const std::size_t batch = std::min(kBatch, n - i);
      const auto x = std::span(left_).subspan(i * item_a, batch * item_a), y = std::span(right_).subspan(i * item_b, batch * item_b);
      if (out.same_dtype && std::memcmp(x.data(), y.data(), x.size()) == 0) continue;
      const auto to_x = std::span(wide_a).first(batch * item_size(wide)), to_y = std::span(wide_b).first(batch * item_size(wide));
      BRINE_TRY(convert(of_a, x, wide, to_x));
      BRINE_TRY(convert(of_b, y, wide, to_y));
      count_differences(wide, to_x, to_y, each, out);
    }
  }
  out.equal_bits = same;
  if (same) out.largest_difference.reset();
  return {};
}

Result<bool> TensorComparer::same_bytes(const Storage& a, const Storage& b, std::uint64_t first, std::uint64_t size) {
  if (size == 0 || a == b) return true;
  if (!a || !b) return false;
  const StorageRecord *x = &Handles::record(a), *y = &Handles::record(b);
  const std::uint32_t* number = known_of_.add(x, static_cast<std::uint32_t>(known_.size()));
  if (!number) known_.push_back({x, y, first, first});
  Known& known = known_[number ? *number : known_.size() - 1];
  if (known.b != y || first > known.end || first + size < known.first) known = {x, y, first, first};  // it goes on elsewhere
  const std::uint64_t end = first + size;
  for (std::uint64_t at = first; at < end;) {
    if (at >= known.first && at < known.end) {
      at = known.end;
      continue;
    }
    const std::uint64_t stop = at < known.first ? std::min(end, known.first) : end;
    const auto n = static_cast<std::size_t>(std::min(kPiece, stop - at));
    std::span<const std::byte> left, right;
    const auto look = [&](const Storage& s, const StorageRecord& r, std::vector<std::byte>& buffer, std::span<const std::byte>& out) -> Result<void> {
      if (const std::byte* data = r.data) return out = {data + at, n}, Result<void>();
      buffer.resize(n);
      out = buffer;
      return s.read(at, buffer);
    };
    BRINE_TRY(charge(*x, n));
    BRINE_TRY(look(a, *x, left_, left));
    BRINE_TRY(look(b, *y, right_, right));
    advance(n);
    if (std::memcmp(left.data(), right.data(), n) != 0) return false;
    at += n;
  }
  known.first = std::min(known.first, first);
  known.end = std::max(known.end, end);
  return true;
}

}  // namespace brine
