// SPDX-License-Identifier: MIT
// Where is the zip in a file that is none by itself? Asked once reading has failed, to say what the file is; what is found is not trusted.
#pragma once

#include "bytes/bytes.hpp"

#include <cstdint>
#include <optional>

namespace brine {

struct ZipSeen {
  std::uint64_t directory;  ///< where its directory is
  std::int64_t start;       ///< where its first byte should be, by its own numbers; negative: bytes are missing before the directory
  std::uint64_t end;        ///< behind its end record and comment
  std::uint32_t first;      ///< where the first record is, as its entry counts
};

/// The last zip that ends at `end` or before it: an end record, and a directory where that says it is. Nothing too where the source cannot be read.
std::optional<ZipSeen> find_last_zip(const Source& source, std::uint64_t end);

/// How many bytes a search looks at: 64 MiB, or 1 MiB where each has to be fetched.
std::uint64_t search_reach(const Source& source) noexcept;

/// The bytes [from, from + size) cut to the source and to search_reach(); empty where they cannot be read.
Bytes look_at(const Source& source, std::uint64_t from, std::uint64_t size);

}  // namespace brine
