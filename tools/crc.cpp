// SPDX-License-Identifier: MIT
#include "crc.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <vector>

namespace tool {

namespace {

constexpr std::size_t kPiece = 1 << 20;

// Polynomials over GF(2) modulo CRC-32's, the highest bit being x^0: the arithmetic of zlib's crc32_combine.
std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? b >> 1 ^ 0xEDB88320 : b >> 1;
  }
  return product;
}

template <class T, class Join>
T power(T base, std::uint64_t n, T one, Join join) {
  for (; n != 0; n >>= 1, base = join(base, base))
    if (n & 1) one = join(one, base);
  return one;
}

// The CRC of a block that is there so many times, one behind the other.
std::uint32_t repeated(std::uint32_t crc, std::uint64_t bytes, std::uint64_t times) {
  struct Run {
    std::uint32_t crc, shift;  // shift: x^(bits of the run)
  };
  constexpr std::uint32_t one = 0x80000000, x8 = one >> 8;
  const std::uint32_t shift = power(x8, bytes, one, multiply);
  return power(Run{crc, shift}, times, Run{0, one}, [](const Run& a, const Run& b) { return Run{multiply(a.crc, b.shift) ^ b.crc, multiply(a.shift, b.shift)}; }).crc;
}

template <class Copy>
brine::Result<std::uint32_t> in_pieces(std::int64_t count, std::size_t item, Copy copy) {
  std::uint32_t crc = 0;
  const auto max = static_cast<std::int64_t>(std::max<std::size_t>(kPiece / item, 1));
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min(count, max)) * item);
  for (std::int64_t at = 0; at < count; at += max) {
    const auto part = std::span(piece).first(static_cast<std::size_t>(std::min(count - at, max)) * item);
    if (auto ok = copy(at, part); !ok) return ok.error();
    crc = libdeflate_crc32(crc, part.data(), part.size());
  }
  return crc;
}

}  // namespace

brine::Result<std::optional<std::uint32_t>> crc_of(const brine::Tensor& t, bool mapped) {
  using Crc = std::optional<std::uint32_t>;
  if (t.is_sparse() || t.is_nested() || t.is_meta()) return Crc();
  if (t.dtype() == brine::DType::quint4x2 || t.dtype() == brine::DType::quint2x4) return Crc();
  if (t.numel() == 0) return Crc(0);
  if (mapped && t.storage().location() && !t.storage().foreign_byte_order())
    if (const auto plain = t.data_bytes()) return Crc(libdeflate_crc32(0, plain->data(), plain->size()));
  const std::size_t item = brine::item_size(t.dtype());
  std::int64_t times = 1;
  for (std::size_t d = 0; d < t.shape().size() && (t.stride()[d] == 0 || t.shape()[d] == 1); ++d) times *= t.shape()[d];
  const std::int64_t count = t.numel() / times;
  constexpr std::uint64_t base = std::uint64_t{4} << 30;
  if (static_cast<std::uint64_t>(count) * item > base + 16 * t.storage().nbytes())
    return brine::Error(
        brine::ErrorKind::limit, brine::ErrorCode::copy_too_large,
        "the view has " + std::to_string(t.nbytes()) + " bytes over a storage of " + std::to_string(t.storage().nbytes()) + ", too many for a CRC");
  const auto crc = in_pieces(count, item, [&](std::int64_t at, std::span<std::byte> out) { return t.copy_part(at, out); });
  if (!crc) return crc.error();
  return Crc(repeated(*crc, static_cast<std::uint64_t>(count) * item, static_cast<std::uint64_t>(times)));
}

std::optional<std::uint32_t> crc_of(const brine::Array& array) {
  if (array.items().exists()) return std::nullopt;
  if (array.nbytes() == 0) return 0;
  if (array.is_c_contiguous() && !array.bytes().empty()) return libdeflate_crc32(0, array.bytes().data(), array.bytes().size());
  const auto crc = in_pieces(array.size(), array.itemsize(), [&](std::int64_t at, std::span<std::byte> out) { return array.copy_part(at, out); });
  return crc ? std::optional(*crc) : std::nullopt;
}

}  // namespace tool
