// SPDX-License-Identifier: MIT
// FileTarget: what a path to save to is — a file that is there or will be, behind whatever links, or something to be written straight.
#pragma once

#include <brine/result.hpp>

#include <filesystem>
#include <string>

#include <sys/stat.h>

namespace brine {

struct FileTarget {
  std::string folder, name;  ///< of the file itself, links followed; the folder is "." where the path has none
  bool exists = false;       ///< then status is the file's
  bool straight = false;     ///< a pipe, a device, a descriptor: nothing that could be replaced
  int descriptor = -1;       ///< of this process, where the path names one (/dev/stdout)
  struct stat status {};

  std::string path() const { return folder + '/' + name; }
};

/// Fails with: io (open_failed).
Result<FileTarget> find_file_target(const std::filesystem::path& path);

}  // namespace brine
