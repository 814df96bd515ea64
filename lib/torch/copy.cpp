// SPDX-License-Identifier: MIT
// Elements out of a tensor: as a span where they lie, or gathered, swapped, resolved and cast into the caller's memory.
#include "torch/layout.hpp"

#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "torch/byte_swap.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace brine {

namespace {

Error usage(ErrorCode code, std::string text) { return Error(ErrorKind::usage, code, std::move(text)); }

std::uint64_t most_bytes(const TensorRecord& t) noexcept { return t.storage && t.storage->reader ? t.storage->reader->copy_bytes : Limits{}.copy_bytes; }

bool swapped(const TensorRecord& t) noexcept { return t.storage && t.storage->foreign && t.form != TensorForm::v3 && !t.storage->untyped && item_size(t.dtype) > 1; }

/// The elements of a view in row-major order, row by row: a row is count() runs, one every step() elements, and a run the longest stretch of
/// memory that is packed.
class Runs {
 public:
  explicit Runs(const TensorRecord& t) : shape_(t.shape()), stride_(t.stride()), at_{} {
    while (outer_ = shape_.size() - packed_dims_, outer_ > 0) {
      const std::size_t d = outer_ - 1;
      if (shape_[d] != 1 && stride_[d] != run_) break;
      run_ *= shape_[d];
      ++packed_dims_;
    }
    if (outer_ == 0) return;
    --outer_;
    count_ = shape_[outer_];
    step_ = stride_[outer_];
  }
  std::int64_t length() const noexcept { return run_; }
  std::int64_t count() const noexcept { return count_; }
  std::int64_t step() const noexcept { return step_; }
  /// Offset of the present row from the first element.
  std::int64_t offset() const noexcept { return offset_; }
  /// Moves to the next row; false after the last.
  bool next() noexcept {
    for (std::size_t d = outer_; d-- > 0;) {
      offset_ += stride_[d];
      if (++at_[d] < shape_[d]) return true;
      offset_ -= stride_[d] * shape_[d];
      at_[d] = 0;
    }
    return false;
  }

 private:
  std::span<const std::int64_t> shape_, stride_;
  std::size_t packed_dims_ = 0, outer_ = 0;
  std::int64_t run_ = 1, count_ = 1, step_ = 0, offset_ = 0;
  std::int64_t at_[255];
};

/// Copies a row of `count` runs, `step` bytes apart; `size` is one of its own where the run is as long as one element.
template <class Size>
std::byte* copy_row(std::byte* to, const std::byte* from, std::size_t count, std::size_t step, Size size) noexcept {
  for (; count != 0; --count, from += step, to += size) std::memcpy(to, from, size);
  return to;
}

template <std::size_t N>
using Fixed = std::integral_constant<std::size_t, N>;

void gather(std::byte* to, const std::byte* from, Runs& runs, std::size_t item) noexcept {
  const std::size_t size = static_cast<std::size_t>(runs.length()) * item, step = static_cast<std::size_t>(runs.step()) * item;
  const auto count = static_cast<std::size_t>(runs.count());
  const auto all = [&](auto n) {
    do to = copy_row(to, from + static_cast<std::size_t>(runs.offset()) * item, count, step, n);
    while (runs.next());
  };
  switch (size) {
    case 1: return all(Fixed<1>());
    case 2: return all(Fixed<2>());
    case 4: return all(Fixed<4>());
    case 8: return all(Fixed<8>());
    case 16: return all(Fixed<16>());
    default: return all(size);
  }
}

// Turns the sign of the real and/or imaginary parts. The parts of complex32 are halves, so the sign is the top bit of their last byte.
void resolve(const TensorRecord& t, std::span<std::byte> elements) noexcept {
  const std::size_t size = item_size(t.dtype);
  if (is_complex(t.dtype)) {
    const bool real = t.neg, imag = t.neg != t.conj;
    const std::size_t half = size / 2, top = std::endian::native == std::endian::little ? half - 1 : 0;
    for (std::size_t i = 0; i < elements.size(); i += size) {
      if (real) elements[i + top] ^= std::byte{0x80};
      if (imag) elements[i + half + top] ^= std::byte{0x80};
    }
  } else if (t.neg && is_floating(t.dtype)) {
    const std::size_t top = std::endian::native == std::endian::little ? size - 1 : 0;
    for (std::size_t i = 0; i < elements.size(); i += size) elements[i + top] ^= std::byte{0x80};
  } else if (t.neg) {  // integers, two's complement
    for (std::size_t i = 0; i < elements.size(); i += size) {
      bool carry = true;
      for (std::size_t b = 0; b < size; ++b) {
        std::byte& v = elements[i + (std::endian::native == std::endian::little ? b : size - 1 - b)];
        v = ~v;
        if (carry) v = std::byte(std::to_integer<unsigned>(v) + 1), carry = v == std::byte{0};
      }
    }
  }
}

// Bytes of the storage from the view's first to its last element, in memory: the storage's own, or read for this copy.
Result<Bytes> reach(const TensorRecord& t, const Storage& storage) {
  const std::uint64_t item = item_size(t.dtype);
  std::int64_t last = 0;
  for (std::size_t d = 0; d < t.ndim; ++d) last += (t.shape()[d] - 1) * t.stride()[d];
  const std::uint64_t first = static_cast<std::uint64_t>(t.offset) * item, size = (static_cast<std::uint64_t>(last) + 1) * item;
  if (const std::byte* data = t.storage->data) return Bytes{{data + first, size}, nullptr};
  if (size > most_bytes(t)) return Error(ErrorKind::limit, ErrorCode::copy_too_large, "the view spans " + std::to_string(size) + " bytes");
  auto buffer = allocate(size, "a copy of a tensor");
  if (!buffer) return std::move(buffer).error();
  if (auto ok = storage.read(first, {buffer->get(), size}); !ok) return std::move(ok).error();
  return Bytes{{buffer->get(), size}, std::move(*buffer)};
}

}  // namespace

Result<std::span<const std::byte>> Tensor::data_bytes() const {
  return guarded("a tensor", [&]() -> Result<std::span<const std::byte>> {
    const TensorRecord& t = *record_;
    if (!is_contiguous()) return usage(ErrorCode::not_contiguous, "the tensor is not contiguous; copy_to() gathers it");
    if (t.conj || t.neg) return usage(ErrorCode::lazy_bits, "the tensor is a lazy conjugate or negative; copy_to() resolves it");
    if (numel() == 0) return std::span<const std::byte>();
    if (!t.storage) return usage(ErrorCode::no_data, "the tensor has no storage");
    const auto bytes = storage().bytes();
    if (!bytes) return bytes.error();
    return bytes->subspan(static_cast<std::size_t>(t.offset) * item_size(t.dtype), static_cast<std::size_t>(nbytes()));
  });
}

Result<std::span<const std::byte>> Tensor::elements(DType dtype, std::size_t alignment) const {
  return guarded("a tensor", [&]() -> Result<std::span<const std::byte>> {
    const TensorRecord& t = *record_;
    if (t.dtype != dtype)
      return usage(ErrorCode::wrong_dtype, "the tensor is " + std::string(name(t.dtype)) + ", asked for as " + std::string(name(dtype)));
    if (swapped(t)) return usage(ErrorCode::foreign_byte_order, "the elements are in the other byte order; copy_to() swaps them");
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
    return Error(ErrorKind::limit, ErrorCode::copy_too_large, "a copy of " + std::to_string(numel()) + " elements; the limit is " + std::to_string(most_bytes(*record_)) + " bytes");
  });
}

Result<void> Tensor::copy_to(std::span<std::byte> out) const {
  return guarded("a tensor", [&]() -> Result<void> {
    const TensorRecord& t = *record_;
    const std::size_t item = item_size(t.dtype);
    if (auto ok = check_copy(item); !ok) return ok;
    if (out.size() != nbytes())
      return usage(ErrorCode::buffer_size, "the buffer has " + std::to_string(out.size()) + " bytes, the tensor needs " + std::to_string(nbytes()));
    if (out.empty()) return {};
    if (!t.storage) return usage(ErrorCode::no_data, "the tensor has no storage");

    Runs runs(t);
    if (!t.storage->data && static_cast<std::size_t>(runs.length()) * item == out.size()) {  // one run: straight into the caller's memory
      if (auto ok = storage().read(static_cast<std::uint64_t>(t.offset) * item, out); !ok) return ok;
    } else {
      const auto bytes = reach(t, storage());
      if (!bytes) return bytes.error();
      gather(out.data(), bytes->span.data(), runs, item);
    }
    if (swapped(t)) swap_bytes(t.dtype, out);
    if (t.conj || t.neg) resolve(t, out);
    return {};
  });
}

Result<void> Tensor::copy_to(DType dtype, std::span<std::byte> out) const {
  return guarded("a tensor", [&]() -> Result<void> {
    if (dtype == this->dtype()) return copy_to(out);
    if (!convertible(this->dtype(), dtype))
      return usage(ErrorCode::wrong_dtype, std::string(name(this->dtype())) + " cannot be converted to " + std::string(name(dtype)));
    if (auto ok = check_copy(item_size(dtype)); !ok) return ok;
    if (out.size() != static_cast<std::uint64_t>(numel()) * item_size(dtype))
      return usage(ErrorCode::buffer_size, "the buffer has " + std::to_string(out.size()) + " bytes, " + std::to_string(numel()) + " elements of " + std::string(name(dtype)) + " do not fit it");
    if (auto plain = data_bytes(); plain && !swapped(*record_)) return convert(this->dtype(), *plain, dtype, out);
    auto packed = allocate(nbytes(), "a copy of a tensor");
    if (!packed) return std::move(packed).error();
    const std::span<std::byte> elements(packed->get(), static_cast<std::size_t>(nbytes()));
    if (auto ok = copy_to(elements); !ok) return ok;
    return convert(this->dtype(), elements, dtype, out);
  });
}

}  // namespace brine
