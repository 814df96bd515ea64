// SPDX-License-Identifier: MIT
// The entries of the central directory, each for itself: rules 4 (the walk), 7 (one name) and 8.
#pragma once

#include <brine/limits.hpp>

#include "archive/zip_directory.hpp"
#include "archive/zip_end.hpp"

namespace brine {

/// Walks the directory's `bytes`, which must be used up by exactly end.count entries. In what it returns `data_offset` is still that of the
/// local header: zip_local.hpp turns it into that of the data. Fails with: corrupt, unsupported, limit.
Result<std::vector<ZipEntry>> read_zip_entries(std::span<const std::byte> bytes, const ZipEnd& end, const Limits& limits);

}  // namespace brine
