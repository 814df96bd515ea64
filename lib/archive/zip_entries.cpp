// SPDX-License-Identifier: MIT
#include "archive/zip_headers.hpp"

#include "archive/zip_fault.hpp"
#include "archive/zip_headers.hpp"
#include "archive/zip_name.hpp"
#include "bytes/cursor.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

namespace brine {

namespace {

constexpr auto u16 = &little_at<std::uint16_t>;
constexpr auto u32 = &little_at<std::uint32_t>;
constexpr auto u64 = &little_at<std::uint64_t>;

/// The three numbers that may be too large for their fields. The zip64 block holds exactly those whose field is saturated, in this order.
Result<void> read_numbers(const std::byte* header, std::uint64_t at, const ZipExtra& extra, ZipEntry& out) {
  const std::uint32_t size = u32(header + zip::entry::kUnpacked), packed = u32(header + zip::entry::kPacked);
  const std::uint32_t offset = u32(header + zip::entry::kOffset);
  out.size = size;
  out.packed = packed;
  out.data_offset = offset;
  const bool size_big = size == zip::kSaturated32, packed_big = packed == zip::kSaturated32, offset_big = offset == zip::kSaturated32;
  const auto wanted = 8 * (unsigned{size_big} + unsigned{packed_big} + unsigned{offset_big});
  if (extra.zip64 == nullptr && wanted == 0) [[likely]] return {};

  if (extra.zip64 == nullptr) {
    const unsigned field = size_big ? zip::entry::kUnpacked : packed_big ? zip::entry::kPacked : zip::entry::kOffset;
    return zip_fault(ErrorCode::zip_zip64, at + field, out.name, "a field is saturated, and no zip64 block holds its number");
  }
  if (extra.zip64_size != wanted) {
    return zip_mismatch(ErrorCode::zip_zip64, extra.zip64_offset - 2, out.name, "the length of the zip64 block", extra.zip64_size,
                        "the saturated fields need", wanted);
  }
  const std::byte* p = extra.zip64;
  if (size_big) out.size = u64(p), p += 8;
  if (packed_big) out.packed = u64(p), p += 8;
  if (offset_big) out.data_offset = u64(p);
  return {};
}

Result<void> check_flags(const ZipEntry& e, std::uint64_t at) {
  constexpr unsigned known = zip::kFlagsDeflate | zip::kFlagDescriptor | zip::kFlagUtf8;
  constexpr unsigned encrypted = zip::kFlagEncrypted | zip::kFlagStrongEncryption | zip::kFlagMaskedHeaders;
  if ((e.flags & ~known) == 0) [[likely]] return {};
  std::string text = in_quotes(e.name);
  if ((e.flags & encrypted) != 0) text += ": the record is encrypted (flags " + hex(e.flags, 4) + ")";
  else text += ": unknown flags " + hex(e.flags & ~known, 4);
  return Error(ErrorKind::unsupported, ErrorCode::zip_flags, std::move(text)).at_offset(at + zip::entry::kFlags);
}

/// Rule 8: a stored record is as long as its data; a deflated one no longer than deflate and the limit allow.
Result<void> check_size(const ZipEntry& e, std::uint64_t at, const Limits& limits) {
  if (e.method == zip::kStored) {
    if (e.size == e.packed) [[likely]] return {};
    return zip_mismatch(ErrorCode::zip_size, at + zip::entry::kUnpacked, e.name, "the size of a stored record", e.size, "its data has",
                        e.packed);
  }
  if (e.method != zip::kDeflated) {
    return Error(ErrorKind::unsupported, ErrorCode::zip_method,
                 in_quotes(e.name) + ": compression method " + std::to_string(e.method) + "; only 0 (stored) and 8 (deflated) are read")
        .at_offset(at + zip::entry::kMethod);
  }
  // More than `ratio` × packed + slack? Divided instead of multiplied, so that it cannot overflow.
  const auto beyond = [&e](std::uint64_t ratio) {
    return e.size > zip::kDeflateSlack && (e.size - zip::kDeflateSlack - 1) / ratio >= e.packed;
  };
  if (beyond(zip::kDeflateRatio)) {
    return zip_fault(ErrorCode::zip_size, at + zip::entry::kUnpacked, e.name,
                     std::to_string(e.packed) + " deflated bytes are too few for the declared " + std::to_string(e.size));
  }
  if (beyond(limits.inflate_ratio == 0 ? 1 : limits.inflate_ratio)) {
    return Error(ErrorKind::limit, ErrorCode::inflated_too_large,
                 in_quotes(e.name) + ": " + std::to_string(e.packed) + " deflated bytes declare " + std::to_string(e.size) +
                     ", more than the limit of " + std::to_string(limits.inflate_ratio) + " : 1")
        .at_offset(at + zip::entry::kUnpacked);
  }
  return {};
}

Result<void> check_folder(const ZipEntry& e, std::uint64_t at) {
  constexpr std::uint64_t empty_stream = 2;  // what deflate makes of nothing
  if (e.size == 0 && e.packed <= empty_stream) return {};
  return zip_fault(ErrorCode::zip_name, at + zip::entry::kSize + e.name.size() - 1, e.name,
                   "the name ends in a slash, and the record has data");
}

}  // namespace

Result<std::vector<ZipEntry>> read_zip_entries(std::span<const std::byte> bytes, const ZipEnd& end, const Limits& limits) {
  std::vector<ZipEntry> out;
  out.reserve(static_cast<std::size_t>(end.count));
  const std::byte* header = bytes.data();
  std::uint64_t left = bytes.size(), at = end.directory_offset;

  for (std::uint64_t i = 0; i < end.count; ++i) {
    if (left < zip::entry::kSize) {
      return zip_fault(
          ErrorCode::zip_directory, at,
          "the directory ends after " + std::to_string(i) + " of the " + std::to_string(end.count) + " entries it is said to have");
    }
    if (u32(header) != zip::kEntrySignature) {
      return zip_fault(ErrorCode::zip_directory, at,
                       "entry " + std::to_string(i) + " of the directory lacks its signature, found " + hex(u32(header), 8));
    }
    const std::uint32_t name_length = u16(header + zip::entry::kNameLength), extra_length = u16(header + zip::entry::kExtraLength);
    const std::uint32_t length = zip::entry::kSize + name_length + extra_length;
    if (length > left) {
      return zip_mismatch(ErrorCode::zip_directory, at + zip::entry::kNameLength, {},
                          "the length of entry " + std::to_string(i) + " of the directory", length, "the directory has left", left);
    }
    ZipEntry& e = out.emplace_back();
    e.name = {reinterpret_cast<const char*>(header + zip::entry::kSize), name_length};
    e.crc = u32(header + zip::entry::kCrc);
    e.method = u16(header + zip::entry::kMethod);
    e.flags = u16(header + zip::entry::kFlags);

    if (u16(header + zip::entry::kCommentLength) != 0) {
      return zip_fault(ErrorCode::zip_directory, at + zip::entry::kCommentLength, e.name,
                       "the entry has a comment, which may hide another directory");
    }
    if (u16(header + zip::entry::kDisk) != 0)
      return zip_fault(ErrorCode::zip_directory, at + zip::entry::kDisk, e.name, "the record is on another disk");
    BRINE_TRY(check_zip_name(e.name, at + zip::entry::kSize));
    ZipExtra extra;
    if (extra_length != 0) {
      BRINE_TRY(read_zip_extra(header + zip::entry::kSize + name_length, extra_length, at + zip::entry::kSize + name_length, e.name,
                               ErrorCode::zip_directory, extra));
    }
    BRINE_TRY(read_numbers(header, at, extra, e));
    BRINE_TRY(check_flags(e, at));
    BRINE_TRY(check_size(e, at, limits));
    if (e.is_folder()) {
      BRINE_TRY(check_folder(e, at));
    } else if ((u32(header + zip::entry::kExternal) & zip::kDosFolder) !=
               0) {  // PyTorch's reader goes by it, and gives bytes it never read
      return zip_fault(ErrorCode::zip_directory, at + zip::entry::kExternal, e.name,
                       "the attributes say it is a folder, the name does not");
    }
    header += length;
    left -= length;
    at += length;
  }
  if (left != 0) {
    return zip_fault(
        ErrorCode::zip_directory, at,
        std::to_string(left) + " bytes of the directory are left after the " + std::to_string(end.count) + " entries it is said to have");
  }
  return out;
}

}  // namespace brine
