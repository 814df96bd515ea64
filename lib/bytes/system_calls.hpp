// SPDX-License-Identifier: MIT
// SystemCalls: every call by which a save changes something, in one table, so that a test can make the nth of them fail.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

namespace brine {

/// Each as in POSIX: -1 and errno on failure. `reserve` asks for the disk's space of the first `size` bytes.
struct SystemCalls {
  int (*open)(const char* path, int flags, mode_t mode);
  ssize_t (*writev)(int file, const iovec* parts, int count);
  int (*reserve)(int file, off_t size);
  int (*truncate)(int file, off_t size);
  int (*change_owner)(int file, uid_t owner, gid_t group);
  int (*change_mode)(int file, mode_t mode);
  int (*sync)(int file);
  int (*close)(int file);
  int (*rename)(const char* from, const char* to);
  int (*unlink)(const char* path);
};

/// The system's own.
extern const SystemCalls kSystemCalls;

}  // namespace brine
