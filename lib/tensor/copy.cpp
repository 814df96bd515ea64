// SPDX-License-Identifier: MIT
// Elements out of a tensor: as a span where they lie, or gathered, swapped, resolved and cast into the caller's memory.
#include "tensor/layout.hpp"

#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/try.hpp"
#include "tensor/byte_swap.hpp"
#include "tensor/gather.hpp"
#include "tensor/kinds.hpp"
#include "tensor/lazy_bits.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace brine {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;  // bytes that are gathered before they are converted

std::uint64_t most_bytes(const TensorRecord& t) noexcept {
  const StorageRecord* s = strided_or_none(t).storage;
  return s && s->reader ? s->reader->copy_bytes : Limits{}.copy_bytes;
}

/// Has the tensor elements that lie in a storage?
Result<void> check_elements(const TensorRecord& t) {
  if (t.is_meta()) return usage(ErrorCode::no_data, "the tensor is on the meta device: it has no data");
  if (t.as_sparse()) return usage(ErrorCode::wrong_layout, "the tensor is sparse (" + std::string(name(t.layout)) + "): to_dense() fills one in, values() has its values");
  if (t.is_nested()) return usage(ErrorCode::wrong_layout, "the tensor is nested: unbind() gives the tensors in it");
  if (t.as_quantised() && values_per_byte(t.dtype) != 1)
    return usage(ErrorCode::wrong_dtype,
                 "several elements of " + std::string(name(t.dtype)) + " share a byte: int_repr() is the bytes, and as float32 they are numbers");
  return {};
}

/// Elements in the tensor's own dtype and the machine's byte order.
Result<void> packed_part(const TensorRecord& t, const Storage& storage, std::int64_t first, std::span<std::byte> out) {
  BRINE_TRY(gather(t, storage, first, out));
  if (is_swapped(t)) swap_bytes(t.dtype, out);
  if (t.conj || t.neg) resolve_bits(t.dtype, t.conj, t.neg, out);
  return {};
}

Result<void> dequantise_part(const Tensor& t, DType dtype, std::int64_t first, std::span<std::byte> out) {
  std::vector<float> numbers(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece / sizeof(float), out.size() / item_size(dtype))));
  const std::size_t count = out.size() / item_size(dtype);
  for (std::size_t done = 0; done < count; done += numbers.size()) {
    const auto part = std::span(numbers).first(std::min(numbers.size(), count - done));
    BRINE_TRY(dequantise(t, first + static_cast<std::int64_t>(done), part));
    BRINE_TRY(convert(DType::float32, std::as_bytes(part), dtype, out.subspan(done * item_size(dtype), part.size() * item_size(dtype))));
  }
  return {};
}

}  // namespace

Result<std::span<const std::byte>> Tensor::data_bytes() const {
  return guarded("a tensor", [&]() -> Result<std::span<const std::byte>> {
    const TensorRecord& t = *record_;
    BRINE_TRY(check_elements(t));
    if (!is_contiguous()) return usage(ErrorCode::not_contiguous, "the tensor is not contiguous; copy_to() gathers it");
    if (t.conj || t.neg) return usage(ErrorCode::lazy_bits, "the tensor is a lazy conjugate or negative; copy_to() resolves it");
    if (numel() == 0) return std::span<const std::byte>();
    const Strided* s = t.as_strided();
    if (!s || !s->storage) return usage(ErrorCode::no_data, "the tensor has no storage");
    const auto bytes = storage().bytes();
    if (!bytes) return bytes.error();
    return bytes->subspan(static_cast<std::size_t>(s->offset) * item_size(t.dtype), static_cast<std::size_t>(nbytes()));
  });
}

Result<std::span<const std::byte>> Tensor::elements(DType dtype, std::size_t alignment) const {
  return guarded("a tensor", [&]() -> Result<std::span<const std::byte>> {
    const TensorRecord& t = *record_;
    BRINE_TRY(check_elements(t));
    if (t.dtype != dtype)
      return usage(ErrorCode::wrong_dtype, "expected a tensor of dtype " + std::string(name(dtype)) + ", found " + std::string(name(t.dtype)) +
                                               (t.as_quantised() ? "; int_repr() is its integers" : ""));
    if (is_swapped(t)) return usage(ErrorCode::foreign_byte_order, "the elements are in the other byte order; copy_to() swaps them");
    auto bytes = data_bytes();
    if (!bytes) return bytes;
    if (std::bit_cast<std::uintptr_t>(bytes->data()) % alignment != 0)
      return usage(ErrorCode::not_aligned, "the elements are not aligned in the file; copy_to() copies them");
    if (dtype == DType::bool_)  // any other byte than 0 and 1 is no C++ bool
      for (const std::byte b : *bytes)
        if (std::to_integer<unsigned>(b) > 1) return usage(ErrorCode::not_aligned, "the bool tensor holds bytes other than 0 and 1; copy_to() makes them so");
    return bytes;
  });
}

Result<void> Tensor::check_copy(std::size_t item) const {
  return guarded("a tensor", [&]() -> Result<void> {
    const auto bytes = checked_multiply(static_cast<std::uint64_t>(numel()), static_cast<std::uint64_t>(item));
    if (bytes && *bytes <= most_bytes(*record_)) return {};
    return Error(ErrorKind::limit, ErrorCode::copy_too_large,
                 "a copy of " + std::to_string(numel()) + " elements; the limit is " + std::to_string(most_bytes(*record_)) + " bytes");
  });
}

Result<void> Tensor::copy_to(std::span<std::byte> out) const { return copy_to(dtype(), out); }

Result<void> Tensor::copy_to(DType dtype, std::span<std::byte> out) const {
  return guarded("a tensor", [&]() -> Result<void> {
    const std::size_t item = item_size(dtype);
    BRINE_TRY(check_copy(item));
    if (const std::uint64_t needed = static_cast<std::uint64_t>(numel()) * item; out.size() != needed)
      return usage(ErrorCode::buffer_size, "the buffer has " + std::to_string(out.size()) + " bytes, " + std::to_string(numel()) + " elements of " +
                                               std::string(name(dtype)) + " need " + std::to_string(needed));
    return copy_part(dtype, 0, out);
  });
}

Result<void> Tensor::copy_part(std::int64_t first, std::span<std::byte> out) const { return copy_part(dtype(), first, out); }

Result<void> Tensor::copy_part(DType dtype, std::int64_t first, std::span<std::byte> out) const {
  return guarded("a tensor", [&]() -> Result<void> {
    const TensorRecord& t = *record_;
    const std::size_t in_size = item_size(t.dtype), out_size = item_size(dtype);
    const bool numbers = t.as_quantised() && is_floating(dtype);
    BRINE_TRY(numbers ? Result<void>() : check_elements(t));
    if (t.as_quantised() && dtype != t.dtype && !numbers)
      return usage(ErrorCode::wrong_dtype, std::string(name(t.dtype)) + " converts to floating dtypes only; int_repr() is its integers");
    if (dtype != t.dtype && !numbers && !convertible(t.dtype, dtype))
      return usage(ErrorCode::wrong_dtype, std::string(name(t.dtype)) + " does not convert to " + std::string(name(dtype)));
    if (out.size() % std::max<std::size_t>(out_size, 1) != 0)
      return usage(ErrorCode::buffer_size, "the buffer has " + std::to_string(out.size()) + " bytes, expected whole elements of " + std::to_string(out_size));
    const std::uint64_t count = out_size == 0 ? 0 : out.size() / out_size;
    if (first < 0 || !fits(static_cast<std::uint64_t>(first), count, static_cast<std::uint64_t>(numel())))
      return usage(ErrorCode::out_of_range, "elements " + std::to_string(first) + " to " + std::to_string(first) + " + " + std::to_string(count) +
                                                " of a tensor of " + std::to_string(numel()));
    if (count == 0) return {};
    const Strided* s = t.as_strided();
    if (!s || !s->storage) return usage(ErrorCode::no_data, "the tensor has no storage");

    if (numbers) return dequantise_part(*this, dtype, first, out);
    if (dtype == t.dtype) return packed_part(t, storage(), first, out);
    const bool plain = s->storage->data && is_contiguous() && !t.conj && !t.neg && !is_swapped(t);
    if (plain) return convert(t.dtype, {s->storage->data + static_cast<std::size_t>(s->offset + first) * in_size, static_cast<std::size_t>(count) * in_size}, dtype, out);

    const std::uint64_t piece = kPiece / in_size;  // elements
    BRINE_LET(packed, allocate(std::min(piece, count) * in_size, "a piece of a tensor"));
    for (std::uint64_t done = 0; done < count; done += piece) {
      const auto n = static_cast<std::size_t>(std::min(piece, count - done));
      const std::span<std::byte> elements(packed->get(), n * in_size);
      BRINE_TRY(packed_part(t, storage(), first + static_cast<std::int64_t>(done), elements));
      BRINE_TRY(convert(t.dtype, elements, dtype, out.subspan(static_cast<std::size_t>(done) * out_size, n * out_size)));
    }
    return {};
  });
}

}  // namespace brine
