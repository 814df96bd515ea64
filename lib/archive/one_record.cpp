// SPDX-License-Identifier: MIT
#include "archive/one_record.hpp"

#include "support/try.hpp"

#include <algorithm>
#include <cstring>

namespace brine {

namespace {

/// `size` bytes of deflate blocks that hold nothing: stored ones of 5 bytes, and 6-byte pairs of a fixed and a stored one.
void append_empty_blocks(Buffer& out, std::uint64_t size) {
  constexpr std::uint16_t length = 0, inverse = 0xFFFF;
  while (size % 5 != 0) {
    out.u16(0x0002).u16(length).u16(inverse);  // bits, low first: 0 10 0000000 | 0 00, and padding up to the byte
    size -= 6;
  }
  for (; size != 0; size -= 5) out.u8(0x00).u16(length).u16(inverse);
}

/// How long the prefix must be for the slice's last byte to start a piece, and be made of blocks.
std::uint64_t prefix_size(std::uint64_t packed) {
  std::uint64_t size = (OneRecord::kPiece - (packed - 1) % OneRecord::kPiece) % OneRecord::kPiece;
  const auto made_of_blocks = [](std::uint64_t n) {
    while (n % 5 != 0) {
      if (n < 6) return false;
      n -= 6;
    }
    return true;
  };
  while (!made_of_blocks(size)) size += OneRecord::kPiece;
  return size;
}

}  // namespace

OneRecord::OneRecord(const Source& source, const ZipEntry& entry)
    : source_(source), slice_at_(entry.data_offset), slice_size_(entry.packed) {
  const std::uint64_t prefix = prefix_size(entry.packed), packed = prefix + entry.packed + 1;
  constexpr std::uint16_t needed = 45;  // zip64, always: one layout for all sizes
  constexpr std::uint16_t zip64_length = 16;

  head_.u32(zip::kLocalSignature).u16(needed).u16(0).u16(zip::kDeflated).u32(0).u32(entry.crc);
  head_.u32(zip::kSaturated32).u32(zip::kSaturated32).u16(1).u16(zip::kExtraHeader + zip64_length).text("r");
  head_.u16(zip::kExtraZip64).u16(zip64_length).u64(entry.size).u64(packed);
  append_empty_blocks(head_, prefix);
  slice_ = head_.size();
  sentinel_ = slice_ + slice_size_;
  trailer_ = sentinel_ + 1;

  tail_.u32(zip::kEntrySignature).u16(needed).u16(needed).u16(0).u16(zip::kDeflated).u32(0).u32(entry.crc);
  tail_.u32(zip::kSaturated32).u32(zip::kSaturated32).u16(1).u16(zip::kExtraHeader + zip64_length).u16(0).u16(0).u16(0).u32(0)
      .u32(0).text("r");
  tail_.u16(zip::kExtraZip64).u16(zip64_length).u64(entry.size).u64(packed);
  const std::uint64_t directory = tail_.size();
  tail_.u32(zip::kEnd64Signature).u64(zip::end64::kRecordSizeValue).u16(needed).u16(needed).u32(0).u32(0).u64(1).u64(1)
      .u64(directory).u64(trailer_);
  tail_.u32(zip::kLocatorSignature).u32(0).u64(trailer_ + directory).u32(1);
  tail_.u32(zip::kEndSignature).u16(0).u16(0).u16(1).u16(1).u32(static_cast<std::uint32_t>(directory)).u32(zip::kSaturated32);
  tail_.u16(zip::end::kLongestComment);
  comment_ = trailer_ + tail_.size();
}

Result<std::size_t> OneRecord::read(std::span<std::byte> out) {
  const auto some = [&](std::uint64_t end) { return static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), end - at_)); };
  std::size_t n = 0;
  if (out.empty() || at_ >= size()) return n;
  if (at_ < slice_) {
    n = some(slice_);
    std::memcpy(out.data(), head_.data() + at_, n);
  } else if (at_ < sentinel_) {
    n = some(sentinel_);
    BRINE_TRY(read_slice(at_ - slice_, out.first(n)));
    read_last_ = read_last_ || at_ + n == sentinel_;
  } else if (at_ < trailer_) {
    at_sentinel_ = true;
  } else if (at_ < comment_) {
    n = some(comment_);
    std::memcpy(out.data(), tail_.data() + (at_ - trailer_), n);
  } else {
    n = some(size());
    std::memset(out.data(), 0, n);
  }
  at_ += n;
  return n;
}

Result<void> OneRecord::read_slice(std::uint64_t offset, std::span<std::byte> out) {
  if (source_.in_memory()) return source_.read_at(slice_at_ + offset, out);
  constexpr std::uint64_t ahead = 256 * 1024;
  while (!out.empty()) {
    if (offset < buffer_at_ || offset - buffer_at_ >= buffer_.size()) {
      buffer_.resize(static_cast<std::size_t>(std::min(ahead, slice_size_ - offset)));
      buffer_at_ = offset;
      BRINE_TRY(source_.read_at(slice_at_ + offset, buffer_));
    }
    const auto from = static_cast<std::size_t>(offset - buffer_at_);
    const std::size_t n = std::min(out.size(), buffer_.size() - from);
    std::memcpy(out.data(), buffer_.data() + from, n);
    out = out.subspan(n);
    offset += n;
  }
  return {};
}

}  // namespace brine
