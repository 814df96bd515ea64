// SPDX-License-Identifier: MIT
// Inflates one deflated record with libzip, which is shown an archive of our own making and never the caller's.
#pragma once

#include "archive/zip_directory.hpp"

#include <functional>

namespace brine {

/// Gives the inflated bytes of `entry` to `sink`, piece by piece in order, until all are given or the sink returns false (enough).
/// The total is exactly entry.size, and the packed data is used up exactly; anything else fails with: corrupt. Also: io, unsupported
/// (built with -Dlibzip=disabled), limit (out of memory). libzip's own text becomes part of the message.
Result<void> inflate(const Source& source, const ZipEntry& entry, const std::function<bool(std::span<const std::byte>)>& sink);

}  // namespace brine
