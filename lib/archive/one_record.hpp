// SPDX-License-Identifier: MIT
// OneRecord: the archive that libzip is shown instead of the caller's — one deflated record around a slice of the source, all else ours.
//
//   local header, prefix │ the slice │ the sentinel │ directory entry, zip64 end record, locator, end record │ 65,535 zeros: its comment
//
// libzip looks for end records in the last 65,557 bytes: here it meets the one. It inflates without saying where the stream ended, so the
// layout makes that show in what it reads:
// - libzip reads packed data in pieces of kPiece bytes, and a further piece only when the inflater has used up those before. The prefix,
//   deflate blocks that are empty, moves the slice's last byte to the start of a piece: it is read only by a stream that needs it.
// - The sentinel is one more byte that the record is said to have. Reading it fails: a stream that goes on past the slice ends in an error.
#pragma once

#include <brine/result.hpp>

#include "archive/zip_directory.hpp"
#include "bytes/buffer.hpp"

#include <vector>

namespace brine {

class OneRecord {
 public:
  /// What libzip (1.0 to 1.11) reads at once from the packed data of a record.
  static constexpr std::uint64_t kPiece = 8192;

  /// Borrows: `source`.
  OneRecord(const Source& source, const ZipEntry& entry);

  std::uint64_t size() const noexcept { return comment_ + zip::end::kLongestComment; }
  std::uint64_t position() const noexcept { return at_; }
  void seek(std::uint64_t to) noexcept { at_ = to; }

  /// At most out.size() bytes from the position on; 0 at the end. Never gives the sentinel: position() is then on it, and at_sentinel() true.
  /// Fails with: io.
  Result<std::size_t> read(std::span<std::byte> out);

  bool at_sentinel() const noexcept { return at_sentinel_; }
  /// Was the slice's last byte asked for?
  bool read_last() const noexcept { return read_last_; }

 private:
  Result<void> read_slice(std::uint64_t offset, std::span<std::byte> out);

  const Source& source_;
  const std::uint64_t slice_at_, slice_size_;
  Buffer head_, tail_;
  std::uint64_t slice_, sentinel_, trailer_, comment_;  // where each part starts
  std::uint64_t at_ = 0;
  std::vector<std::byte> buffer_;                   // of a source that is not in memory
  std::uint64_t buffer_at_ = 0;
  bool at_sentinel_ = false, read_last_ = false;
};

}  // namespace brine
