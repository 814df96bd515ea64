// SPDX-License-Identifier: MIT
// Inflaters: those of an archive's records that were read in part, so that who reads a record piece by piece inflates it once.
#pragma once

#include "archive/inflate.hpp"

#include <mutex>
#include <vector>

namespace brine {

class Inflaters {
 public:
  /// One for `entry` that stands at `offset` or before it, to be used alone by the caller. Fails as Inflater::open does.
  Result<std::unique_ptr<Inflater>> take(const Source& source, const ZipEntry& entry, std::uint64_t offset) {
    {
      const std::lock_guard guard(lock_);
      auto nearest = kept_.end();
      for (auto one = kept_.begin(); one != kept_.end(); ++one)
        if ((*one)->entry().data_offset == entry.data_offset && (*one)->position() <= offset && (nearest == kept_.end() || (*one)->position() > (*nearest)->position())) nearest = one;
      if (nearest != kept_.end()) {
        auto inflater = std::move(*nearest);
        kept_.erase(nearest);
        return inflater;
      }
    }
    return Inflater::open(source, entry);
  }

  /// Keeps it for the next piece.
  void give_back(std::unique_ptr<Inflater> inflater) {
    const std::lock_guard guard(lock_);
    if (kept_.size() == kMost) kept_.erase(kept_.begin());
    kept_.push_back(std::move(inflater));
  }

 private:
  static constexpr std::size_t kMost = 4;  // some 60 KB each
  std::mutex lock_;
  std::vector<std::unique_ptr<Inflater>> kept_;  // the last used comes last
};

}  // namespace brine
