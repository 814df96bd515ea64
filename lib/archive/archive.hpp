// SPDX-License-Identifier: MIT
// Archive: the records of a zip, as slices of the source where they are stored, inflated under a limit where they are packed.
#pragma once

#include "archive/zip_directory.hpp"
#include "support/budget.hpp"

namespace brine {

class Inflaters;

class Archive {
 public:
  /// Fails as ZipDirectory::read does.
  static Result<Archive> open(Source source, const Limits& limits, ZipFolders folders = ZipFolders::one);
  Archive(Archive&&) noexcept;
  Archive& operator=(Archive&&) noexcept;
  ~Archive();

  const Source& source() const noexcept { return source_; }
  const ZipDirectory& directory() const noexcept { return directory_; }

  /// The whole record: a slice when it is stored and the source is in memory, else a buffer charged to `budget`. Checks the CRC when
  /// `check_crc` and the archive has one (0 = not computed). A deflated record must give exactly its declared size.
  /// Fails with: corrupt (CRC, packed data), limit, io, unsupported (deflated, and brine was built without libzip).
  Result<Bytes> read(const ZipEntry& entry, Budget& budget, bool check_crc) const;

  /// Fills `out` with the record's bytes from `offset` on, without keeping them: a copy, a read, or an inflate that goes on where the last one
  /// of this record stopped, if that was not beyond `offset`; what is passed over otherwise is charged to `budget`. No CRC check. Fails as read()
  /// does; usage (out of range). Thread-safe.
  Result<void> read_at(const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> out, Budget& budget) const;

  /// Compares the CRC of the record's data with the directory's; true when it has none (0). Streams: keeps no more than a buffer.
  Result<void> verify(const ZipEntry& entry) const;

 private:
  Archive(Source source, ZipDirectory directory);

  Source source_;
  ZipDirectory directory_;
  std::shared_ptr<const void> owner_;  // what slices keep alive
  std::unique_ptr<Inflaters> inflaters_;
};

}  // namespace brine
