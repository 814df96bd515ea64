// SPDX-License-Identifier: MIT
// StorageFile: gives the bytes of storages that lie in a source: slices where they can be, fetched once and kept where not.
#pragma once

#include "archive/archive.hpp"
#include "forms/part.hpp"
#include "tensor/record.hpp"

#include <mutex>
#include <unordered_map>

namespace brine {

class StorageFile final : public StorageReader {
 public:
  /// `archive` may be null, and is borrowed.
  StorageFile(const Part& part, const Archive* archive, const Limits& limits, Budget& inflated)
      : StorageReader(limits.copy_bytes, part.offset), source_(part.source), archive_(archive), inflated_(inflated) {}

  const Source& source() const noexcept { return source_; }

  /// A storage whose bytes lie in the source at `offset`.
  void place(StorageRecord& storage, std::uint64_t offset, bool foreign) const noexcept;
  /// A storage whose bytes are a packed record of the archive.
  void place_packed(StorageRecord& storage, std::uint32_t entry, bool foreign) const noexcept;

  Result<void> read(const StorageRecord& storage, std::uint64_t offset, std::span<std::byte> out) const override;
  Result<std::span<const std::byte>> fetch(const StorageRecord& storage) const override;
  Result<bool> verify_crc(const StorageRecord& storage) const override;
  std::optional<std::uint32_t> crc(const StorageRecord& storage) const override;

 private:
  Source source_;
  const Archive* archive_;
  Budget& inflated_;
  mutable std::mutex lock_;
  mutable std::unordered_map<const StorageRecord*, Bytes> kept_;
};

}  // namespace brine
