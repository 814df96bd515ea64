// SPDX-License-Identifier: MIT
// The end of a zip: the one end record, and the zip64 end record where there is one (rules 2, 3 and the numbers of rule 4).
#pragma once

#include <brine/result.hpp>

#include "archive/zip_format.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace brine {

struct ZipEnd {
  std::uint64_t count;             ///< entries of the directory
  std::uint64_t directory_offset;  ///< in the file
  std::uint64_t directory_size;
  std::uint64_t directory_end;     ///< where the (zip64) end record starts
  std::uint64_t end_offset;        ///< of the end record
  std::uint64_t count_offset;      ///< of the field that `count` was taken from, for messages
};

/// As many bytes of the file's end as find_zip_end looks at.
inline constexpr std::uint64_t kZipTail = zip::end64::kSize + zip::locator::kSize + zip::end::kSize + zip::end::kLongestComment;

/// `tail` is the last min(file, kZipTail) bytes of the file and starts at `tail_offset`. Fails with: corrupt.
Result<ZipEnd> find_zip_end(std::span<const std::byte> tail, std::uint64_t tail_offset);

/// Rule 2: an error when an end record's signature stands anywhere in `bytes` (which start at `offset`) but at `allowed`.
Result<void> refuse_other_ends(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t allowed);

}  // namespace brine
