// SPDX-License-Identifier: MIT
// save: files that cannot be told from PyTorch's own.
//
//   auto ckpt = brine::load("whole.pth");
//   auto weights = ckpt->state_dict();
//   auto saved = brine::save(*weights, "weights.pth");                             // as today's torch.save would write it
//   if (!saved) return fail(saved.error().message());
//   saved = brine::save(ckpt->root(), "again.pth", brine::SaveOptions::as_read(*ckpt));  // as the source file was written
//
// For the same object the file is byte for byte what torch.save writes, under the same file name (the archive's root is the name's stem).
// A path is saved atomically: the bytes go to a temporary file beside it, which takes its name when it is complete; the old file survives
// every failure, and saving over the file that is mapped is safe. Payload goes from the tensors' memory to the file without a copy.
#pragma once

#include <brine/checkpoint.hpp>
#include <brine/sink.hpp>
#include <brine/state_dict.hpp>
#include <brine/value.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace brine {

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

  // What as_read() knows beside that; of no use to set by hand.
  std::vector<std::string> records = {};  ///< order of the records, below the root
  std::vector<bool> record_crcs = {};     ///< of each, whether it had a CRC; counts where `crc` is true
  std::string version = "3\n", id_half = {};
  bool keep_keys = false, keep_calls = false, big_endian = false;
};

/// Fails with: io (the target is as it was), usage (a value the protocol cannot say, a path whose stem is empty), unsupported, limit, corrupt
/// (with `verify`), and as Storage::bytes() does.
BRINE_API Result<void> save(const StateDict& state, const std::filesystem::path& path, const SaveOptions& options = {});
BRINE_API Result<void> save(const StateDict& state, Sink sink, const SaveOptions& options = {});
BRINE_API Result<void> save(const Value& value, const std::filesystem::path& path, const SaveOptions& options = {});
BRINE_API Result<void> save(const Value& value, Sink sink, const SaveOptions& options = {});

}  // namespace brine
