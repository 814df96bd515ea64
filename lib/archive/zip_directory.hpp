// SPDX-License-Identifier: MIT
// The strict zip directory: accepts an archive only when no two sane readers could disagree about it.
//
// Stands between bytes/ and archive.hpp, knows nothing of PyTorch. Trusts nothing in the file. The format's facts are in zip_format.hpp.
#pragma once

#include <brine/limits.hpp>
#include <brine/source.hpp>

#include "archive/zip_format.hpp"
#include "bytes/bytes.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace brine {

struct ZipEntry {
  std::string_view name;      ///< the whole name, root folder included; points into the directory's bytes
  std::uint64_t data_offset;  ///< of the (packed) data, in the source
  std::uint64_t packed, size;
  std::uint32_t crc;          ///< 0 = not computed
  std::uint16_t method;       ///< zip::kStored or zip::kDeflated
  std::uint16_t flags;        ///< zip::kFlag…

  bool is_folder() const noexcept { return name.ends_with('/'); }
};

/// Rule 7's last part: is one top folder asked of all names? Of a zip that holds files of its own kind there is none.
enum class ZipFolders : std::uint8_t { one, any };

class ZipDirectory {
 public:
  /// Reads and checks the whole directory and every local header and descriptor; never the data.
  /// Fails with: not_a_checkpoint (no PK\3\4 at offset 0), corrupt (one of the ten rules, with the offset), unsupported, limit, io.
  static Result<ZipDirectory> read(const Source& source, const Limits& limits, ZipFolders folders = ZipFolders::one);

  /// In the directory's order; directory entries ("name/") are checked and left out.
  std::span<const ZipEntry> entries() const noexcept { return entries_; }

  /// The one top folder, without the slash; of ZipFolders::any the first one, or nothing.
  std::string_view root() const noexcept { return root_; }

  /// Why ZipFolders::one refuses the names, or null: all are in root().
  const Error* outside_root() const noexcept { return outside_root_ ? &*outside_root_ : nullptr; }

  /// By exact name ("archive/data.pkl"), or null.
  const ZipEntry* find(std::string_view name) const noexcept;

  /// By exact name below the root ("data/0"): the name is root() + "/" + `record`.
  const ZipEntry* find_record(std::string_view record) const;

  /// Where the archive's comment starts, which ends with the file.
  std::uint64_t comment_offset() const noexcept { return comment_offset_; }

  /// Where the file has the directory's entry for `entry`, for messages. Requires: an entry of this directory, or a copy of one.
  std::uint64_t place_of(const ZipEntry& entry) const noexcept;

 private:
  ZipDirectory() = default;
  Result<void> parse(const Source& source, const Limits& limits, ZipFolders folders);
  Result<void> index();
  Result<void> check_folder() const;

  Bytes bytes_;  // the directory itself: the names live here
  std::uint64_t offset_ = 0;  // where it lies in the source
  std::uint64_t comment_offset_ = 0;
  std::vector<ZipEntry> entries_;
  std::vector<std::uint32_t> index_;  // HashIndex: the entries by name
  std::uint64_t seed_ = 0;
  std::string_view root_;
  std::optional<Error> outside_root_;
};

}  // namespace brine
