// SPDX-License-Identifier: MIT
// The bytes around the records, as PyTorch writes them: the mirror of zip_headers and zip_end.
#pragma once

#include "archive/zip_format.hpp"
#include "bytes/buffer.hpp"

#include <cstdint>
#include <string_view>

namespace brine {

/// One stored record.
struct ZipItem {
  std::string_view name = {};  ///< root included
  std::uint64_t offset = 0;    ///< of the local header
  std::uint64_t size = 0;
  std::uint32_t crc = 0;

  bool size_big() const noexcept { return size >= zip::kSaturated32; }
  bool offset_big() const noexcept { return offset >= zip::kSaturated32; }
  bool zip64() const noexcept { return size_big() || offset_big(); }

  /// Bytes of the zip64 block in the local header.
  unsigned local_zip64_size() const noexcept { return zip64() ? zip::kExtraHeader + (size_big() ? 16 : 0) + (offset_big() ? 8 : 0) : 0; }

  /// Bytes of filler that put the data at a multiple of `alignment`.
  std::uint64_t padding(std::uint32_t alignment) const noexcept {
    const std::uint64_t start = offset + zip::local::kSize + name.size() + local_zip64_size() + zip::kExtraHeader;
    const std::uint64_t beyond = start % alignment;
    return beyond == 0 ? 0 : alignment - beyond;
  }
};

/// Local header and name, with the padding block. Requires: name and blocks fit their 16-bit lengths.
void append_zip_local(Buffer& out, const ZipItem& item, std::uint64_t padding);

/// What follows the data. Requires: there is data; a record without has no descriptor.
void append_zip_descriptor(Buffer& out, const ZipItem& item);

/// The record's entry of the directory.
void append_zip_entry(Buffer& out, const ZipItem& item);

/// The end: always with a zip64 end record and its locator.
void append_zip_end(Buffer& out, std::uint64_t count, std::uint64_t directory_offset, std::uint64_t directory_size);

}  // namespace brine
