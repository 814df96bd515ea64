// SPDX-License-Identifier: MIT
// Saving a file so that its name holds the old bytes or all of the new ones, never anything between.
//
// The bytes go to a temporary file in the target's folder, which takes the target's name when it is complete. A file that is mapped may
// therefore be saved over: the mapping keeps the old file.
#pragma once

#include <brine/sink.hpp>

#include "bytes/system_calls.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>

namespace brine {

struct FileSaveOptions {
  bool fsync = false;               ///< wait until file and name are on the disk: the promise then holds through a power cut as well
  std::uint64_t expected_size = 0;  ///< where known, the disk's space is asked for at once; 0: unknown. More or fewer bytes may come
  const SystemCalls* system = &kSystemCalls;  ///< what a test makes fail
};

/// Calls `write` with a Sink, flushes it, and puts the file in its place. Nothing is left behind after an error, whether the system's or
/// one that `write` returns; a process that is killed may leave a file ".brine-….tmp".
///
/// Symbolic links are followed: the link stays, the file it names is replaced. The mode of an existing file is kept, and its owner and
/// group where the system lets us; other hard links keep the old file, and access control lists are not copied. A new file gets 0666
/// less the umask. A target that is a pipe, a socket, a device or a descriptor (/dev/stdout, /dev/fd/3) is written straight, without
/// the promise.
///
/// Fails with: io (open_failed: a folder, or a file or folder that cannot be written to; write_failed: any other call), limit (out of
/// memory), and whatever `write` fails with. The error names the target. With fsync, an error after the new file took its place says so.
Result<void> save_file(const std::filesystem::path& target, const FileSaveOptions& options,
                       const std::function<Result<void>(Sink&)>& write);

}  // namespace brine
