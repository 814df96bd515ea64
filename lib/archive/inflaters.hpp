// SPDX-License-Identifier: MIT
// Inflaters: reads of deflated records at any offset. Who reads a record piece by piece inflates it once; who goes back reads what was inflated last.
#pragma once

#include "archive/inflate.hpp"
#include "support/budget.hpp"

#include <mutex>
#include <vector>

namespace brine {

class Inflaters {
 public:
  /// Fills `out` from `offset` of the record on. What has to be passed over is charged to `budget` where it is much: small pieces of a large record,
  /// in an order that inflates it again and again, would take forever. Thread-safe. Fails as Inflater does; limit.
  Result<void> read(const Source& source, const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> out, Budget& budget);

 private:
  static constexpr std::size_t kMax = 4;                            // inflaters, of some 60 KB each
  static constexpr std::uint64_t kMuch = 256 << 10;                  // bytes passed over
  static constexpr std::uint64_t kWindow = std::uint64_t{8} << 20;  // bytes that are kept, and up to twice as many

  Result<std::unique_ptr<Inflater>> take(const Source& source, const ZipEntry& entry, std::uint64_t offset);
  void give_back(std::unique_ptr<Inflater> inflater);

  /// How many of the first bytes of `out` the window has; they are copied.
  std::size_t copy_recent(const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> out) const;
  bool keeps(const ZipEntry& entry) const noexcept { return window_record_ == entry.data_offset && !window_.empty(); }
  void keep(const ZipEntry& entry, std::uint64_t offset, std::span<const std::byte> bytes);

  std::mutex lock_;
  std::vector<std::unique_ptr<Inflater>> kept_;  // the last used comes last
  // What was inflated last of the record that was gone back in: made when somebody does.
  std::uint64_t window_record_ = 0, window_at_ = 0;
  std::vector<std::byte> window_;
};

}  // namespace brine
