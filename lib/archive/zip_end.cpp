// SPDX-License-Identifier: MIT
#include "archive/zip_end.hpp"

#include "archive/zip_fault.hpp"
#include "bytes/cursor.hpp"
#include "support/try.hpp"

#include <cstring>
#include <optional>

namespace brine {

namespace {

constexpr auto u16 = &little_at<std::uint16_t>;
constexpr auto u32 = &little_at<std::uint32_t>;
constexpr auto u64 = &little_at<std::uint64_t>;

/// The last signature whose record ends, comment included, exactly where the file does; else an error about the last signature at all.
Result<std::size_t> last_end_record(std::span<const std::byte> tail, std::uint64_t tail_offset) {
  std::optional<std::size_t> seen;
  for (std::size_t left = tail.size(); left >= zip::kSignatureSize; --left) {
    const std::size_t at = left - zip::kSignatureSize;
    if (tail[at] != std::byte{'P'} || u32(tail.data() + at) != zip::kEndSignature) continue;
    const std::size_t after = tail.size() - at;
    if (after >= zip::end::kSize && u16(tail.data() + at + zip::end::kCommentLength) == after - zip::end::kSize) return at;
    if (!seen) seen = at;
  }
  const std::uint64_t end = tail_offset + tail.size();
  if (!seen) return zip_fault(ErrorCode::zip_end_record, end, "the file is cut short: it has no zip end record");
  const std::size_t after = tail.size() - *seen;
  if (after < zip::end::kSize) {
    return zip_fault(ErrorCode::zip_end_record, tail_offset + *seen,
                     "the file is cut short: its zip end record has " + std::to_string(after) + " of 22 bytes");
  }
  return zip_mismatch(ErrorCode::zip_end_record, tail_offset + *seen + zip::end::kCommentLength, {}, "the zip end record's comment length",
                      u16(tail.data() + *seen + zip::end::kCommentLength), "the bytes behind it are", after - zip::end::kSize);
}

/// The zip64 end record in front of the locator in front of the end record at `end` (all positions in `tail`).
Result<ZipEnd> read_end64(std::span<const std::byte> tail, std::uint64_t tail_offset, std::size_t end) {
  const std::size_t at_locator = end - zip::locator::kSize;
  const std::byte* locator = tail.data() + at_locator;
  const auto fault = [&](std::size_t at, std::string text) { return zip_fault(ErrorCode::zip_zip64, tail_offset + at, std::move(text)); };

  if (u32(locator + zip::locator::kDisk) != 0 || u32(locator + zip::locator::kDisks) != 1) {
    return fault(at_locator + zip::locator::kDisk, "the zip64 locator speaks of several disks");
  }
  if (at_locator < zip::end64::kSize) return fault(at_locator, "there is no room for a zip64 end record before its locator");
  const std::size_t at = at_locator - zip::end64::kSize;
  if (const auto offset = u64(locator + zip::locator::kOffset); offset != tail_offset + at) {
    return zip_mismatch(ErrorCode::zip_zip64, tail_offset + at_locator + zip::locator::kOffset, {}, "the zip64 locator's offset", offset,
                        "the record right before it would be at", tail_offset + at);
  }
  const std::byte* record = tail.data() + at;
  if (u32(record) != zip::kEnd64Signature) return fault(at, "the zip64 end record lacks its signature, found " + hex(u32(record), 8));
  if (const auto size = u64(record + zip::end64::kRecordSize); size != zip::end64::kRecordSizeValue) {
    return zip_mismatch(ErrorCode::zip_zip64, tail_offset + at + zip::end64::kRecordSize, {}, "the zip64 end record's size", size,
                        "expected", zip::end64::kRecordSizeValue);
  }
  if (u32(record + zip::end64::kDisk) != 0 || u32(record + zip::end64::kDirectoryDisk) != 0) {
    return fault(at + zip::end64::kDisk, "the zip64 end record speaks of several disks");
  }
  const auto count = u64(record + zip::end64::kCount);
  if (const auto here = u64(record + zip::end64::kCountHere); here != count) {
    return zip_mismatch(ErrorCode::zip_zip64, tail_offset + at + zip::end64::kCountHere, {}, "the zip64 end record's count of this disk",
                        here, "its count of all is", count);
  }
  ZipEnd out{};
  out.count = count;
  out.directory_size = u64(record + zip::end64::kDirectorySize);
  out.directory_offset = u64(record + zip::end64::kDirectoryOffset);
  out.directory_end = tail_offset + at;
  out.count_offset = tail_offset + at + zip::end64::kCount;

  // Rule 3: the plain end record says the same, or that it cannot say it.
  const std::byte* plain = tail.data() + end;
  const auto differs = [&](unsigned field, std::string_view what, std::uint64_t small, std::uint64_t saturated,
                           std::uint64_t large) -> Result<void> {
    if (small == saturated || small == large) return {};
    return zip_mismatch(ErrorCode::zip_zip64, tail_offset + end + field, {}, "the end record's " + std::string(what), small,
                        "the zip64 end record says", large);
  };
  using zip::kSaturated16, zip::kSaturated32;
  if (auto same = differs(zip::end::kCount, "count", u16(plain + zip::end::kCount), kSaturated16, count); !same)
    return std::move(same).error();
  if (auto same =
          differs(zip::end::kDirectorySize, "directory size", u32(plain + zip::end::kDirectorySize), kSaturated32, out.directory_size);
      !same) {
    return std::move(same).error();
  }
  if (auto same = differs(zip::end::kDirectoryOffset, "directory offset", u32(plain + zip::end::kDirectoryOffset), kSaturated32,
                          out.directory_offset);
      !same) {
    return std::move(same).error();
  }
  return out;
}

}  // namespace

Result<ZipEnd> find_zip_end(std::span<const std::byte> tail, std::uint64_t tail_offset) {
  BRINE_LET(found, last_end_record(tail, tail_offset));
  const std::size_t at = *found;
  const std::byte* record = tail.data() + at;

  if (u16(record + zip::end::kDisk) != 0 || u16(record + zip::end::kDirectoryDisk) != 0) {
    return zip_fault(ErrorCode::zip_end_record, tail_offset + at + zip::end::kDisk, "the end record speaks of several disks");
  }
  const auto count = u16(record + zip::end::kCount);
  if (const auto here = u16(record + zip::end::kCountHere); here != count) {
    return zip_mismatch(ErrorCode::zip_end_record, tail_offset + at + zip::end::kCountHere, {}, "the end record's count of this disk", here,
                        "its count of all is", count);
  }

  ZipEnd out{};
  if (at >= zip::locator::kSize && u32(record - zip::locator::kSize) == zip::kLocatorSignature) {
    BRINE_LET(large, read_end64(tail, tail_offset, at));
    out = *large;
  } else {
    out.count = count;  // 65,535 may be the number itself: readers agree on that one
    out.directory_size = u32(record + zip::end::kDirectorySize);
    out.directory_offset = u32(record + zip::end::kDirectoryOffset);
    out.directory_end = tail_offset + at;
    out.count_offset = tail_offset + at + zip::end::kCount;
    if (out.directory_size == zip::kSaturated32 || out.directory_offset == zip::kSaturated32) {
      return zip_fault(ErrorCode::zip_zip64, tail_offset + at + zip::end::kDirectorySize,
                       "the end record points to a zip64 end record, and no locator stands before it");
    }
  }
  out.end_offset = tail_offset + at;

  // Rule 4, written so that it cannot overflow.
  if (out.directory_offset > out.directory_end || out.directory_size != out.directory_end - out.directory_offset) {
    return zip_fault(ErrorCode::zip_directory, out.count_offset,
                     "the directory should end where the end record starts, at byte " + std::to_string(out.directory_end) +
                         "; it is given as " + std::to_string(out.directory_size) + " bytes from byte " +
                         std::to_string(out.directory_offset));
  }
  if (out.count > out.directory_size / zip::entry::kSize) {
    return zip_fault(
        ErrorCode::zip_directory, out.count_offset,
        std::to_string(out.count) + " entries cannot fit into a directory of " + std::to_string(out.directory_size) + " bytes");
  }
  return out;
}

Result<void> refuse_other_ends(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t allowed) {
  // Looks for the third byte, which is the rarest in directories: 'P' and 'K' begin every entry.
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  const char* end = begin + bytes.size();
  for (const char* p = begin; p < end; ++p) {
    p = static_cast<const char*>(std::memchr(p, 5, static_cast<std::size_t>(end - p)));
    if (p == nullptr) break;
    if (p - begin < 2 || end - p < 2 || std::memcmp(p - 2, "PK\5\6", 4) != 0) continue;
    const std::uint64_t at = offset + static_cast<std::uint64_t>(p - 2 - begin);
    if (at != allowed) return zip_fault(ErrorCode::zip_end_record, at, "a second zip end record: readers could take either");
  }
  return {};
}

}  // namespace brine
