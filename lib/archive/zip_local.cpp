// SPDX-License-Identifier: MIT
#include "archive/zip_headers.hpp"

#include "archive/zip_fault.hpp"
#include "archive/zip_headers.hpp"
#include "bytes/cursor.hpp"
#include "support/try.hpp"

#include <cstring>

namespace brine {

namespace {

constexpr auto u16 = &little_at<std::uint16_t>;
constexpr auto u32 = &little_at<std::uint32_t>;
constexpr auto u64 = &little_at<std::uint64_t>;
constexpr std::string_view kDirectorySays = "the directory says";

/// The header's own CRC and sizes. With a descriptor they may be zero, as they were not known yet; else they must be the directory's.
class Numbers {
 public:
  Numbers(const std::byte* header, std::uint64_t at, const ZipEntry& entry, const ZipExtra& extra)
      : header_(header), at_(at), entry_(entry), extra_(extra), open_((entry.flags & zip::kFlagDescriptor) != 0) {}

  Result<void> check() const {
    const auto crc = u32(header_ + zip::local::kCrc);
    if (crc != entry_.crc && !(open_ && crc == 0)) {
      return fault(zip::local::kCrc, "the CRC in the local header is " + hex(crc, 8) + ", the directory says " + hex(entry_.crc, 8));
    }
    BRINE_TRY(field(zip::local::kUnpacked, "size", entry_.size));
    BRINE_TRY(field(zip::local::kPacked, "packed size", entry_.packed));
    if (extra_.zip64 != nullptr) return check_block();
    return {};
  }

 private:
  Error fault(unsigned at, std::string_view text) const { return zip_fault(ErrorCode::zip_local_header, at_ + at, entry_.name, text); }

  Result<void> field(unsigned at, std::string_view what, std::uint64_t expected) const {
    const auto found = u32(header_ + at);
    if (found == expected || (open_ && found == 0)) [[likely]] return {};
    if (found == zip::kSaturated32 && extra_.zip64_size >= 16) return {};  // then the block is what counts
    return zip_mismatch(ErrorCode::zip_local_header, at_ + at, entry_.name, std::string(what) + " in the local header", found,
                        kDirectorySays, expected);
  }

  /// The zip64 block: both sizes, or with PyTorch also the header's own offset, or that alone. PyTorch leaves the 32-bit fields zero, and
  /// the packed size too.
  Result<void> check_block() const {
    const std::uint32_t n = extra_.zip64_size;
    if (n != 8 && n != 16 && n != 24) {
      return zip_mismatch(ErrorCode::zip_zip64, extra_.zip64_offset - 2, entry_.name, "the length of the local zip64 block", n,
                          "expected at most", 24);
    }
    const auto number = [&](unsigned at, std::string_view what, std::uint64_t expected, bool may_be_zero) -> Result<void> {
      const auto found = u64(extra_.zip64 + at);
      if (found == expected || (may_be_zero && found == 0)) return {};
      return zip_mismatch(ErrorCode::zip_zip64, extra_.zip64_offset + at, entry_.name, std::string(what) + " in the local zip64 block",
                          found, "expected", expected);
    };
    if (n >= 16) {
      BRINE_TRY(number(0, "the size", entry_.size, open_));
      BRINE_TRY(number(8, "the packed size", entry_.packed, open_));
    }
    if (n != 16) return number(n - 8, "the header's offset", at_, false);
    return {};
  }

  const std::byte* header_;
  std::uint64_t at_;
  const ZipEntry& entry_;
  const ZipExtra& extra_;
  bool open_;
};

/// What follows the data at `end`: `gap` bytes up to the next record.
Result<void> check_descriptor(ReadAhead& bytes, const ZipEntry& entry, std::uint64_t end, std::uint64_t gap, bool zip64) {
  if ((entry.flags & zip::kFlagDescriptor) == 0) {
    if (gap == 0) [[likely]] return {};
    return zip_fault(ErrorCode::zip_overlap, end, entry.name, std::to_string(gap) + " bytes behind the record's data belong to no record");
  }
  const unsigned plain = zip64 ? zip::kDescriptor64Size : zip::kDescriptorSize;
  if (gap != plain && gap != plain + zip::kSignatureSize) {
    return zip_mismatch(ErrorCode::zip_overlap, end, entry.name, "the room for the data descriptor", gap,
                        "its size, with or without a signature, is", plain + (gap > plain ? zip::kSignatureSize : 0));
  }
  const std::byte* p = bytes.at(end, gap);
  if (p == nullptr) return bytes.error();
  std::uint64_t at = end;
  if (gap != plain) {
    if (u32(p) != zip::kDescriptorSignature) {
      return zip_fault(ErrorCode::zip_local_header, at, entry.name, "the data descriptor lacks its signature, found " + hex(u32(p), 8));
    }
    p += zip::kSignatureSize;
    at += zip::kSignatureSize;
  }
  if (u32(p) != entry.crc) {
    return zip_fault(ErrorCode::zip_local_header, at, entry.name,
                     "the CRC in the data descriptor is " + hex(u32(p), 8) + ", the directory says " + hex(entry.crc, 8));
  }
  const std::uint64_t packed = zip64 ? u64(p + 4) : u32(p + 4), size = zip64 ? u64(p + 12) : u32(p + 8);
  if (packed != entry.packed) {
    return zip_mismatch(ErrorCode::zip_local_header, at + 4, entry.name, "the packed size in the data descriptor", packed, kDirectorySays,
                        entry.packed);
  }
  if (size != entry.size) {
    return zip_mismatch(ErrorCode::zip_local_header, at + (zip64 ? 12 : 8), entry.name, "the size in the data descriptor", size,
                        kDirectorySays, entry.size);
  }
  return {};
}

}  // namespace

Result<void> check_zip_local(ReadAhead& bytes, ZipEntry& entry, std::uint64_t next) {
  const std::uint64_t at = entry.data_offset;
  const auto fault = [&](ErrorCode code, unsigned field, std::string_view text) { return zip_fault(code, at + field, entry.name, text); };
  const std::uint64_t room = next - at;
  if (room < zip::local::kSize + entry.name.size()) {
    return fault(ErrorCode::zip_overlap, 0, "the local header reaches into what follows at byte " + std::to_string(next));
  }
  const std::byte* header = bytes.at(at, zip::local::kSize + entry.name.size());
  if (header == nullptr) return bytes.error();

  if (u32(header) != zip::kLocalSignature) {
    return fault(ErrorCode::zip_local_header, 0, "the local header lacks its signature, found " + hex(u32(header), 8));
  }
  if (const auto flags = u16(header + zip::local::kFlags); flags != entry.flags) {
    return fault(ErrorCode::zip_local_header, zip::local::kFlags,
                 "the flags in the local header are " + hex(flags, 4) + ", the directory says " + hex(entry.flags, 4));
  }
  if (const auto method = u16(header + zip::local::kMethod); method != entry.method) {
    return zip_mismatch(ErrorCode::zip_local_header, at + zip::local::kMethod, entry.name, "the method in the local header", method,
                        kDirectorySays, entry.method);
  }
  const std::uint32_t name_length = u16(header + zip::local::kNameLength), extra_length = u16(header + zip::local::kExtraLength);
  if (name_length != entry.name.size()) {
    return zip_mismatch(ErrorCode::zip_local_header, at + zip::local::kNameLength, entry.name, "the name's length in the local header",
                        name_length, kDirectorySays, entry.name.size());
  }
  if (std::memcmp(header + zip::local::kSize, entry.name.data(), name_length) != 0) {
    return fault(ErrorCode::zip_local_header, zip::local::kSize, "the local header has another name");
  }
  const std::uint32_t length = zip::local::kSize + name_length + extra_length;
  if (length > room || entry.packed > room - length) {
    return fault(ErrorCode::zip_overlap, 0,
                 "the record, " + std::to_string(length) + " + " + std::to_string(entry.packed) +
                     " bytes, reaches into what follows at byte " + std::to_string(next));
  }
  header = bytes.at(at, length);
  if (header == nullptr) return bytes.error();

  ZipExtra extra;
  if (extra_length != 0) {
    auto read = read_zip_extra(header + zip::local::kSize + name_length, extra_length, at + zip::local::kSize + name_length, entry.name,
                               ErrorCode::zip_local_header, extra);
    if (!read) return read;
  }
  BRINE_TRY(Numbers(header, at, entry, extra).check());
  const std::uint64_t data = at + length, end = data + entry.packed;
  BRINE_TRY(check_descriptor(bytes, entry, end, next - end, extra.zip64 != nullptr));
  entry.data_offset = data;
  return {};
}

}  // namespace brine
