// SPDX-License-Identifier: MIT
#include "bytes/file_target.hpp"

#include "bytes/file_sink.hpp"
#include "support/try.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>

#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#  include <sys/vfs.h>
#endif

namespace brine {

namespace {

constexpr int kMaxLinks = 40;  // as Linux

Error refused(std::string_view what, int number) { return system_error(ErrorCode::open_failed, what, number); }

void split(std::string_view path, FileTarget& out) {
  const auto slash = path.rfind('/');
  out.name = slash == path.npos ? path : path.substr(slash + 1);
  out.folder = slash == path.npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

/// The links in /proc/self/fd are doors to open files; the text in them need not be a path.
bool in_proc(const std::string& folder) {
#if defined(__linux__)
  constexpr auto proc = 0x9FA0;
  struct statfs status {};
  return ::statfs(folder.c_str(), &status) == 0 && status.f_type == proc;
#else
  static_cast<void>(folder);
  return false;
#endif
}

/// N where `name` is "N" and descriptor N of this process is the file of `status`, else -1.
int own_descriptor(std::string_view name, const struct stat& status) {
  int number = -1;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
  struct stat other {};
  const bool same = fault == std::errc() && end == name.data() + name.size() && ::fstat(number, &other) == 0 &&
                    other.st_dev == status.st_dev && other.st_ino == status.st_ino;
  return same ? number : -1;
}

/// Goes on to the file that the link out.folder/out.name names. True: `out` is no link, and the end of the walk.
Result<bool> follow(FileTarget& out) {
  struct stat status {};
  if (out.name.empty() || ::lstat(out.path().c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return true;
  if (in_proc(out.folder)) {
    out.straight = true;
    out.descriptor = own_descriptor(out.name, out.status);
    return true;
  }
  std::array<char, PATH_MAX> text;
  const ssize_t n = ::readlink(out.path().c_str(), text.data(), text.size());
  if (n < 0) return refused("cannot read a symbolic link", errno);
  std::string next(text.data(), static_cast<std::size_t>(n));
  if (!next.starts_with('/')) next = out.folder + '/' + next;
  split(next, out);
  return false;
}

}  // namespace

Result<FileTarget> find_file_target(const std::filesystem::path& path) {
  FileTarget out;
  out.exists = ::stat(path.c_str(), &out.status) == 0;
  if (!out.exists && errno != ENOENT) return refused("cannot open the file", errno);
  if (path.empty()) return refused("cannot open the file", ENOENT);
  if (out.exists && S_ISDIR(out.status.st_mode)) {
    return Error(ErrorKind::io, ErrorCode::open_failed, "is a directory; a checkpoint is one file");
  }
  out.straight = out.exists && !S_ISREG(out.status.st_mode);

  split(path.native(), out);
  for (int links = 0;; ++links) {
    if (links > kMaxLinks) return refused("cannot open the file", ELOOP);
    BRINE_LET(end, follow(out));
    if (*end) break;
  }
  if (out.name.empty()) return refused("cannot open the file", EISDIR);
  // To replace a file one needs no right to write to it, but its owner has said that it is not to be changed.
  if (out.exists && !out.straight && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    return refused("cannot write to the file", errno);
  }
  return out;
}

}  // namespace brine
