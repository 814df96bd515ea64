// SPDX-License-Identifier: MIT
// Extra blocks of a header: they must tile their field; the zip64 block is handed on, and a second name is refused (rule 7).
#pragma once

#include <brine/result.hpp>

#include "archive/zip_format.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brine {

struct ZipExtra {
  const std::byte* zip64 = nullptr;  ///< content of the zip64 block; null: there is none
  std::uint32_t zip64_size = 0;
  std::uint64_t zip64_offset = 0;    ///< of the content, in the file
};

/// The extra field of `size` bytes at `field`, which lies at `offset` of the file and belongs to the record `name`; faults get `code`.
/// Fails with: corrupt.
Result<void> read_zip_extra(const std::byte* field, std::uint32_t size, std::uint64_t offset, std::string_view name, ErrorCode code,
                            ZipExtra& out);

}  // namespace brine
