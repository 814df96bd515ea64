// SPDX-License-Identifier: MIT
// ZipWriter: lays records out exactly as torch.save does; ZipDirectory's mirror. The format's facts are in zip_format.hpp.
//
//   local header, name, [zip64 block], padding block │ data │ [descriptor]     the data's offset is a multiple of the alignment
//   …                                                                         one after the other
//   central directory │ zip64 end record, locator, end record                  the zip64 pair always
//
// Versions, times and the local header's CRC and sizes are zero; a record without data has no descriptor.
#pragma once

#include <brine/sink.hpp>

#include "archive/zip_append.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

struct ZipLayout {
  std::string root;              ///< the top folder of all records
  std::uint32_t alignment = 64;  ///< of the data, 1 … 65,536 (a padding block holds no more)
  bool crc = true;               ///< false: CRCs are written as 0, "not computed"
};

/// Refuses what ZipDirectory would refuse to read. Keeps some 80 bytes for each record, and nothing of the data. After a failure every
/// call gives the same error.
class ZipWriter {
 public:
  using Emit = std::function<Result<void>(std::span<const std::byte>)>;
  using Produce = std::function<Result<void>(const Emit&)>;

  /// Starts at the sink's position, and keeps a handle. A layout that is no good is an error of the first call.
  ZipWriter(Sink& sink, ZipLayout layout);

  /// Says that so many records will come, at most: the directory gets its room at once.
  void reserve(std::size_t records);

  /// Writes one record; `record` is its name below the root ("data/0"). The data goes to the sink without a copy, but small records.
  /// Fails with: usage (a name or root that cannot be, a name twice in whatever case, a bad alignment), and as the Sink does.
  Result<void> add(std::string_view record, std::span<const std::byte> data);

  /// The same of data that comes in pieces: `produce` calls its argument with each. Fails with: usage, too, when there are more or fewer
  /// bytes than `size`; and with what `produce` fails with.
  Result<void> add(std::string_view record, std::uint64_t size, const Produce& produce);

  /// Of the records to come: are their CRCs worked out, or left 0, "not computed"?
  void set_crc(bool on) noexcept { layout_.crc = on; }

  /// Writes the directory and the end, and flushes the sink. No record can be added after it.
  Result<void> finish();

  struct Written {
    std::string_view name;  ///< below the root; valid until the next record
    std::uint32_t crc;
    bool empty;             ///< it has no data
  };
  std::size_t records() const noexcept { return entry_offsets_.size(); }
  Written written(std::size_t record) const noexcept;

  /// The CRC of the last record's data; 0 where CRCs are not computed.
  std::uint32_t last_crc() const noexcept { return last_crc_; }

  /// Bytes written so far.
  std::uint64_t size() const noexcept { return sink_.position() - base_; }

 private:
  Result<void> begin(std::string_view record, ZipItem& item);
  Result<void> write_data(std::span<const std::byte> data, std::uint32_t& crc);
  Result<void> write_around();
  Result<void> end(const ZipItem& item);
  Result<void> write_end();
  Result<void> check_layout() const;
  Result<void> check_name();
  Result<void> reserve_name(std::uint64_t hash);
  void enlarge_index();
  std::string_view listed_name(std::uint32_t entry) const noexcept;
  template <class Work>
  Result<void> attempt(Work&& work);

  Sink sink_;
  ZipLayout layout_;
  std::uint64_t base_;
  Buffer directory_;                          // its entries, as they will be written
  std::vector<std::uint64_t> entry_offsets_;  // of each in directory_
  std::vector<std::uint32_t> index_;          // HashIndex: the entries by name
  std::uint32_t index_room_ = 0, expected_ = 0;
  std::uint64_t seed_ = 0;
  std::uint32_t last_crc_ = 0;
  std::string name_;             // root, slash, record
  Buffer around_;                // what is not yet written of the record: what stands around its data, and the data when it is small
  std::optional<Error> failed_;
  bool finished_ = false;
  bool within_ = false;  // a call
};

}  // namespace brine
