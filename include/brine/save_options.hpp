// SPDX-License-Identifier: MIT
// SaveOptions: how save() (save.hpp) writes a file.
#pragma once

#include <brine/export.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace brine {

class Checkpoint;
struct FileLayout;

/// Which torch.save is followed: records, their order, and the order of the storages.
enum class Profile : std::uint8_t {
  torch_1_6,  ///< 1.6 to 2.0: data.pkl, storages sorted by key as text, version
  torch_2_1,  ///< 2.1 to 2.6: with byteorder and .data/serialization_id
  torch_2_7,  ///< 2.7 and later: with .format_version and .storage_alignment, storages in order of use
};

struct SaveOptions {
  Profile profile = Profile::torch_2_7;
  int protocol = 2;               ///< of the pickle, 1 to 5; torch.load reads 2 by default, 1 and 3 to 5 in part
  bool crc = true;                ///< false: CRCs are written as 0, "not computed", as torch.serialization.set_crc32_options(False) does
  bool verify = false;            ///< hold the bytes of each storage against the CRC its file has; false: damage is copied, and gets a CRC of its own
  bool fsync = false;             ///< wait until the bytes are on the disk
  bool compact = false;           ///< of each storage write only the part that its tensors view
  std::uint32_t alignment = 64;   ///< of the data in the file, bytes
  std::string root = {};          ///< the archive's top folder; empty: the stem of the path, or "archive" for a sink

  /// Called after each record with the bytes written so far and about how many there will be. Must not throw.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};

  /// Asked before each record; true ends the saving with an error (io, write_failed), and the target is as it was. Must not throw.
  std::function<bool()> cancelled = {};

  /// Keep what the checkpoint's file had: root, keys of storages, order of records, alignment, CRCs or none, byte order, protocol, the calls by
  /// which older releases made tensors and parameters (else they are today's), and the first half of the serialization id. A legacy stream gives the defaults: brine writes the zip format.
  static BRINE_API SaveOptions as_read(const Checkpoint& checkpoint);

  /// What as_read() knows beside that; no use to others.
  std::shared_ptr<const FileLayout> layout = {};
};

}  // namespace brine
