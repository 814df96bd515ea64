// SPDX-License-Identifier: MIT
#include "bytes/system_calls.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace brine {

namespace {

/// Not posix_fallocate: where the file system has no such thing, that writes the whole file once in zeros.
int reserve(int file, off_t size) {
#if defined(__linux__)
  return ::fallocate(file, 0, 0, size);
#else
  static_cast<void>(file), static_cast<void>(size);
  errno = EOPNOTSUPP;
  return -1;
#endif
}

int open_file(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }

}  // namespace

const SystemCalls kSystemCalls = {
    open_file, ::writev, reserve, ::ftruncate, ::fchown, ::fchmod, ::fsync, ::close, ::rename, ::unlink,
};

}  // namespace brine
