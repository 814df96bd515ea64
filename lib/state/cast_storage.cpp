// SPDX-License-Identifier: MIT
#include "state/cast_storage.hpp"

#include "support/try.hpp"
#include "tensor/byte_swap.hpp"
#include "tensor/lazy_bits.hpp"

#include <brine/convert.hpp>
#include <brine/limits.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace brine {

namespace {

constexpr std::uint64_t kPiece = 65'536;  // elements

// Wide enough for every value of the other, and exact.
bool only_widens(DType from, DType to) noexcept {
  const bool complex = is_complex(from);
  if (complex && !is_complex(to)) return false;
  if (to == DType::float64 || to == DType::complex128) return true;
  return (to == DType::float32 || to == DType::complex64) && item_size(from) / (complex ? 2 : 1) <= 2;
}

}  // namespace

CastReport::CastReport() : counts_(std::make_shared<Counts>()) {}
std::uint64_t CastReport::values() const noexcept { return counts_->values; }
std::uint64_t CastReport::infinite() const noexcept { return counts_->infinite; }
std::uint64_t CastReport::zero() const noexcept { return counts_->zero; }
std::uint64_t CastReport::clamped() const noexcept { return counts_->clamped; }
std::uint64_t CastReport::tensors() const noexcept { return counts_->tensors; }

std::vector<CastReport::Kept> CastReport::kept() const {
  const std::lock_guard guard(counts_->lock);
  return counts_->kept;
}

CastReader::CastReader() : StorageReader(Limits{}.copy_bytes, 0) {}

Result<void> CastReader::read(const StorageRecord& record, std::uint64_t offset, std::span<std::byte> out) const {
  const auto& storage = static_cast<const CastStorage&>(record);
  const StorageRecord& source = *storage.source;
  const std::size_t from = item_size(storage.from), to = item_size(storage.dtype);
  BRINE_LET(in, allocate(std::min(kPiece, out.size() / to + 2) * (from + to), "a piece of a storage"));
  std::byte* const converted = in->get() + std::min(kPiece, out.size() / to + 2) * from;  // for what begins or ends within an element
  while (!out.empty()) {
    const std::uint64_t element = offset / to;
    const auto skip = static_cast<std::size_t>(offset % to);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, (skip + out.size() + to - 1) / to));
    std::span<const std::byte> bytes(in->get(), n * from);
    if (const std::byte* data = source.data; data && !storage.swap && !storage.negate) {
      bytes = {data + element * from, n * from};
    } else {
      const std::span<std::byte> own(in->get(), n * from);
      if (data) std::copy_n(data + element * from, own.size(), own.data());
      else BRINE_TRY(source.reader->read(source, element * from, own));
      if (storage.swap) swap_bytes(storage.from, own);
      if (storage.negate) resolve_bits(storage.from, false, true, own);
    }
    const bool whole = skip == 0 && out.size() >= n * to;
    const std::span<std::byte> target(whole ? out.data() : converted, n * to);
    BRINE_TRY(convert(storage.from, bytes, storage.dtype, target));
    count(storage, element, bytes, target);
    const std::size_t size = std::min(n * to - skip, out.size());
    if (!whole) std::copy_n(converted + skip, size, out.data());
    out = out.subspan(size);
    offset += size;
  }
  return {};
}

Result<std::span<const std::byte>> CastReader::fetch(const StorageRecord& storage) const {
  if (storage.nbytes > copy_bytes)
    return Error(ErrorKind::limit, ErrorCode::copy_too_large, "a converted storage of " + std::to_string(storage.nbytes) + " bytes; the limit is " + std::to_string(copy_bytes));
  BRINE_LET(buffer, allocate(storage.nbytes, "a converted storage"));
  const std::span<std::byte> bytes(buffer->get(), static_cast<std::size_t>(storage.nbytes));
  BRINE_TRY(read(storage, 0, bytes));
  const std::lock_guard guard(lock_);
  if (const std::byte* data = storage.data) return std::span(data, bytes.size());  // another thread was first
  storage.data = bytes.data();
  return (kept_[&storage] = Bytes{bytes, std::move(*buffer)}).span;
}

Result<bool> CastReader::verify_crc(const StorageRecord& storage) const {
  const StorageRecord& source = *static_cast<const CastStorage&>(storage).source;
  return source.reader ? source.reader->verify_crc(source) : Result<bool>(false);
}

void CastReader::count(const CastStorage& storage, std::uint64_t first, std::span<const std::byte> from, std::span<const std::byte> to) const {
  const std::size_t from_size = item_size(storage.from), to_size = item_size(storage.dtype);
  std::size_t n = from.size() / from_size;
  {
    const std::lock_guard guard(lock_);
    if (storage.first == storage.end) storage.first = storage.end = first;
    if (first != storage.end) return;
    storage.end += n;
  }
  storage.counts->values += n;
  if (only_widens(storage.from, storage.dtype)) return;
  constexpr std::size_t block = 1024;
  std::array<double, 2 * block> before, after;
  const bool complex = is_complex(storage.from) && is_complex(storage.dtype);
  const bool number = is_floating(storage.dtype) || is_complex(storage.dtype);
  const DType wide = complex ? DType::complex128 : DType::float64;
  std::uint64_t infinite = 0, zero = 0, clamped = 0;
  for (std::size_t at = 0; at < n; at += block) {
    const std::size_t size = std::min(block, n - at), parts = size * (complex ? 2 : 1);
    const auto as_bytes = [&](std::array<double, 2 * block>& values) { return std::as_writable_bytes(std::span(values).first(parts)); };
    if (!convert(storage.from, from.subspan(at * from_size, size * from_size), wide, as_bytes(before)) ||
        !convert(storage.dtype, to.subspan(at * to_size, size * to_size), wide, as_bytes(after)))
      return;  // that they convert was seen before
    for (std::size_t i = 0; i < parts; ++i) {
      const bool finite = std::isfinite(before[i]), nan = std::isnan(before[i]);
      infinite += !std::isfinite(after[i]) && (finite || (!nan && std::isnan(after[i])));
      zero += before[i] != 0 && after[i] == 0 && (number || nan || std::abs(before[i]) < 1);
      // A bool is "not zero", whatever the number.
      if (number) clamped += storage.dtype == DType::float8_e4m3fn && std::abs(before[i]) > 464;
      else clamped += !nan && storage.dtype != DType::bool_ && std::abs(before[i] - after[i]) >= 1;
    }
  }
  storage.counts->infinite += infinite;
  storage.counts->zero += zero;
  storage.counts->clamped += clamped;
}

}  // namespace brine
