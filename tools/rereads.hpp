// SPDX-License-Identifier: MIT
// How often the bytes of storages are read: many views of one can overlap, so that a small file would be read without end.
#pragma once

#include <brine/brine.hpp>

#include <cstdint>
#include <unordered_set>

namespace tool {

class Rereads {
 public:
  /// Counts a tensor whose elements are to be read. Fails with: limit (copy_too_large), when those that are not the first of their storage add up to
  /// more than 4 times the storages, and 64 MiB.
  brine::Result<void> add(const brine::Tensor& tensor);

 private:
  std::unordered_set<const void*> met_;  // by the text of the key, which each storage of a file has of its own
  std::uint64_t again_ = 0, max_ = std::uint64_t{64} << 20;
};

}  // namespace tool
