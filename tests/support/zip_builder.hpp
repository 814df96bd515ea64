// SPDX-License-Identifier: MIT
// ZipBuilder: builds archives field by field, so that a test can damage one field and know where it lies.
//
//   ZipBuilder zip;
//   zip.add("archive/data.pkl", "…").local.flags = 1;        // honest fields first, then the damage
//   std::string file = zip.lay_out().bytes();                // lay_out(): offsets and counts; bytes(): every field as it stands
//   … zip.records[0].local_at + zip::local::kFlags           // where the damage is
//
// What lay_out() sets may be damaged too, between it and bytes().
#pragma once

#include "archive/zip_format.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brine::test {

struct ZipRecord {
  std::string prefix;  ///< bytes in front of the header that belong to nobody
  struct Local {
    std::uint32_t signature = zip::kLocalSignature;
    std::uint16_t version = 20, flags = 0, method = zip::kStored, time = 0, date = 0x21;
    std::uint32_t crc = 0, packed = 0, size = 0;
    std::optional<std::uint16_t> name_length, extra_length;  ///< when they shall lie
    std::string name, extra;
  } local;
  std::string data;        ///< as it lies in the file
  std::uint64_t hole = 0;  ///< instead of data: so many zero bytes, which write() leaves out
  std::string descriptor;
  struct Entry {
    std::uint32_t signature = zip::kEntrySignature;
    std::uint16_t made_by = 20, version = 20, flags = 0, method = zip::kStored, time = 0, date = 0x21;
    std::uint32_t crc = 0, packed = 0, size = 0;
    std::optional<std::uint16_t> name_length, extra_length;
    std::uint16_t disk = 0, internal = 0;
    std::uint32_t external = 0, offset = 0;
    std::string name, extra, comment;
  } entry;
  bool listed = true;  ///< in the directory?

  // Set by lay_out(): where each part is.
  std::uint64_t local_at = 0, data_at = 0, descriptor_at = 0, entry_at = 0;

  std::uint64_t data_size() const { return hole != 0 ? hole : data.size(); }
};

struct ZipEnd64 {
  std::uint32_t signature = zip::kEnd64Signature;
  std::uint64_t record_size = zip::end64::kRecordSizeValue;
  std::uint32_t disk = 0, directory_disk = 0;
  std::uint64_t count_here = 0, count = 0, directory_size = 0, directory_offset = 0;
  std::uint32_t locator_signature = zip::kLocatorSignature, locator_disk = 0;
  std::uint64_t locator_offset = 0;
  std::uint32_t locator_disks = 1;
};

struct ZipEndRecord {
  std::uint32_t signature = zip::kEndSignature;
  std::uint16_t disk = 0, directory_disk = 0, count_here = 0, count = 0;
  std::uint32_t directory_size = 0, directory_offset = 0;
  std::optional<std::uint16_t> comment_length;
  std::string comment;
};

class ZipBuilder {
 public:
  /// A stored record as most tools write it: sizes and CRC in the local header.
  ZipRecord& add(std::string_view name, std::string_view data);
  /// A deflated one.
  ZipRecord& deflate(std::string_view name, std::string_view data);
  /// Moves sizes and CRC behind the data, as tools do that write to a pipe. Of 8-byte sizes with zip64.
  static void describe(ZipRecord& record, bool zip64 = false, bool signature = true);
  /// As torch.save writes it: FORMAT 1.3, aligned data, padding block, descriptor. `hole`: instead of data, so many zeros without a CRC.
  ZipRecord& torch(std::string_view name, std::string_view data, std::uint64_t hole = 0, std::uint64_t alignment = 64);

  /// A whole file of torch.save with these storages ("0", "1", …) under the root "archive".
  static ZipBuilder torch_file(const std::vector<std::string>& storages);

  /// Sets offsets, counts, and end records (a zip64 one too when `end64` is there, or needed).
  ZipBuilder& lay_out();
  std::string bytes() const;
  /// Writes the file with its holes as holes.
  void write(const std::filesystem::path& path) const;

  std::vector<ZipRecord> records;
  std::string gap;  ///< between the last record and the directory
  std::optional<ZipEnd64> end64;
  ZipEndRecord end;
  std::string suffix;  ///< behind the end

  // Set by lay_out().
  std::uint64_t directory_at = 0, end64_at = 0, locator_at = 0, end_at = 0;

 private:
  std::uint64_t records_size() const;
};

/// The CRC-32 of `data`.
std::uint32_t crc_of(std::string_view data);

/// A raw deflate stream.
std::string deflated(std::string_view data);

/// An extra block.
std::string extra_block(std::uint16_t id, std::string_view content);

/// Little-endian numbers, one after the other.
std::string numbers64(std::initializer_list<std::uint64_t> values);

}  // namespace brine::test
