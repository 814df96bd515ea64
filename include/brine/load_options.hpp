// SPDX-License-Identifier: MIT
// LoadOptions: how load() (checkpoint.hpp) opens a source, and what it may find there.
#pragma once

#include <brine/limits.hpp>
#include <brine/source.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brine {

struct LoadOptions {
  /// PyTorch's strictness: refuse what torch.load(weights_only=True) refuses, with its message (kind: forbidden).
  bool weights_only = false;

  /// Check the CRC of every storage too, which reads all bytes. Records brine itself reads (data.pkl …) are always checked.
  bool verify_crc = false;

  /// Mapped (zero copies), or plain reads for files that others may cut short. Only for load(path).
  FileMode file_mode = FileMode::mapped;

  /// Where in the source the checkpoint starts: torch.load reads from the current position of a stream, too. A legacy stream may hold several
  /// objects back to back: Checkpoint::end_offset() is where the next one starts.
  std::uint64_t offset = 0;

  /// How many bytes of the source belong to the checkpoint; without it, all up to the end. A zip ends where its last byte is: what follows it in the
  /// source (another zip, a signature) has to be kept away so. Beyond the end of the source: an error (usage, out_of_range).
  std::optional<std::uint64_t> length;

  /// The name of a file in a zip that is to be opened instead of the zip: "policy.pth" of what stable-baselines3 saves. A stored member is opened where it
  /// lies, without a copy. A deflated one is inflated into memory, within Limits::inflated_bytes and 64 times its packed bytes and 16 MiB, and its
  /// storages have no location(). Fails with: usage (missing_key: the message lists what is there), not_a_checkpoint (the source is no zip), limit.
  std::string member;

  Limits limits;
};

/// Which of PyTorch's formats the file is.
enum class Format : std::uint8_t {
  zip,     ///< torch.save since 1.6
  legacy,  ///< torch.save from 0.1.10 to 1.5, and later on request: pickles and raw storages one after the other
};
BRINE_API std::string_view name(Format format) noexcept;

}  // namespace brine
