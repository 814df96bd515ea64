// SPDX-License-Identifier: MIT
// Inflater: the bytes of one deflated record, from its first on, by libzip, which is shown an archive of our own making and never the caller's.
#pragma once

#include "archive/zip_directory.hpp"

#include <memory>
#include <span>

namespace brine {

/// libzip's own text becomes part of the messages.
class Inflater {
 public:
  /// Fails with: corrupt (no packed data), unsupported (built with -Dlibzip=disabled), io, limit (out of memory).
  static Result<std::unique_ptr<Inflater>> open(const Source& source, const ZipEntry& entry);
  virtual ~Inflater() = default;

  std::uint64_t position() const noexcept { return position_; }
  const ZipEntry& entry() const noexcept { return entry_; }

  /// Fills `out` with the next bytes. Requires: there are as many. Fails with: corrupt (damaged, or fewer than entry.size), io, limit.
  virtual Result<void> read(std::span<std::byte> out) = 0;

  /// Passes over `n` bytes. As read().
  Result<void> skip(std::uint64_t n);

  /// After the last byte: proves that the deflate stream and the packed data end here. Fails with: corrupt.
  virtual Result<void> finish() = 0;

 protected:
  explicit Inflater(const ZipEntry& entry) noexcept : entry_(entry) {}
  const ZipEntry entry_;
  std::uint64_t position_ = 0;
};

}  // namespace brine
