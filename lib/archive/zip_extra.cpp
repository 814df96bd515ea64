// SPDX-License-Identifier: MIT
#include "archive/zip_headers.hpp"

#include "archive/zip_fault.hpp"
#include "bytes/cursor.hpp"
#include "support/text.hpp"

namespace brine {

namespace {

/// Info-ZIP's Unicode path block: version 1, CRC of the header's name, the other name. Some readers obey it and some do not.
Result<void> check_unicode_path(std::string_view content, std::uint64_t offset, std::string_view name) {
  constexpr std::size_t before_name = 5;
  if (content.size() >= before_name && content.substr(before_name) == name) return {};
  const auto other = content.size() >= before_name ? content.substr(before_name) : std::string_view();
  return zip_fault(ErrorCode::zip_name, offset, name, "a Unicode path block (0x7075) gives the record another name, " + in_quotes(other));
}

}  // namespace

Result<void> read_zip_extra(const std::byte* field, std::uint32_t size, std::uint64_t offset, std::string_view name, ErrorCode code,
                            ZipExtra& out) {
  for (std::uint32_t at = 0; at < size;) {
    const std::uint32_t left = size - at;
    if (left < zip::kExtraHeader) {
      return zip_fault(code, offset + at, name, "the extra field ends in " + std::to_string(left) + " bytes that are not a block");
    }
    const auto id = little_at<std::uint16_t>(field + at);
    const std::uint32_t length = little_at<std::uint16_t>(field + at + 2);
    if (length > left - zip::kExtraHeader) {
      return zip_mismatch(code, offset + at + 2, name, "the length of an extra block", length, "the bytes left for it are",
                          left - zip::kExtraHeader);
    }
    const std::byte* content = field + at + zip::kExtraHeader;
    const std::uint64_t content_offset = offset + at + zip::kExtraHeader;
    if (id == zip::kExtraZip64) {
      if (out.zip64 != nullptr) return zip_fault(ErrorCode::zip_zip64, content_offset, name, "two zip64 blocks in one header");
      out = {content, length, content_offset};
    } else if (id == zip::kExtraUnicodePath) {
      auto same = check_unicode_path({reinterpret_cast<const char*>(content), length}, content_offset, name);
      if (!same) return same;
    }
    at += zip::kExtraHeader + length;
  }
  return {};
}

}  // namespace brine
