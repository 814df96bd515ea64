// SPDX-License-Identifier: MIT
// The headers of records, each for itself: the directory's entries (rules 4, 7 and 8: zip_entries.cpp), extra blocks (rule 7: zip_extra.cpp), and local
// headers with the descriptors behind their data (rule 5, and one step of rule 6: zip_local.cpp).
#pragma once

#include <brine/limits.hpp>

#include "archive/zip_directory.hpp"
#include "archive/zip_end.hpp"
#include "bytes/read_ahead.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace brine {

/// Walks the directory's `bytes`, which must be used up by exactly end.count entries. In what it returns `data_offset` is still that of the
/// local header: check_zip_local() turns it into that of the data. Fails with: corrupt, unsupported, limit.
Result<std::vector<ZipEntry>> read_zip_entries(std::span<const std::byte> bytes, const ZipEnd& end, const Limits& limits);

struct ZipExtra {
  const std::byte* zip64 = nullptr;  ///< content of the zip64 block; null: there is none
  std::uint32_t zip64_size = 0;
  std::uint64_t zip64_offset = 0;    ///< of the content, in the file
};

/// The extra field of `size` bytes at `field`, which lies at `offset` of the file and belongs to the record `name`; faults get `code`.
/// Fails with: corrupt.
Result<void> read_zip_extra(const std::byte* field, std::uint32_t size, std::uint64_t offset, std::string_view name, ErrorCode code,
                            ZipExtra& out);

/// Checks the record whose header is at entry.data_offset and which must end, descriptor included, exactly at `next`, where the next record
/// or the directory starts; then makes data_offset that of the data. Requires: data_offset <= next <= the file's size.
/// Fails with: corrupt, io.
Result<void> check_zip_local(ReadAhead& bytes, ZipEntry& entry, std::uint64_t next);

}  // namespace brine
