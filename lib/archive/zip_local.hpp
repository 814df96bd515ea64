// SPDX-License-Identifier: MIT
// One local header with the descriptor behind its data, against the directory's entry: rule 5, and one step of rule 6.
#pragma once

#include "archive/zip_directory.hpp"
#include "bytes/read_ahead.hpp"

namespace brine {

/// Checks the record whose header is at entry.data_offset and which must end, descriptor included, exactly at `next`, where the next record
/// or the directory starts; then makes data_offset that of the data. Requires: data_offset <= next <= the file's size.
/// Fails with: corrupt, io.
Result<void> check_zip_local(ReadAhead& bytes, ZipEntry& entry, std::uint64_t next);

}  // namespace brine
