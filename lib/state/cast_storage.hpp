// SPDX-License-Identifier: MIT
// CastStorage: a storage whose bytes are another one's, converted while they are read; no more than a piece is ever in memory.
#pragma once

#include <brine/cast.hpp>

#include "bytes/bytes.hpp"
#include "tensor/record.hpp"

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace brine {

struct CastReport::Counts {
  std::atomic<std::uint64_t> values{0}, infinite{0}, zero{0}, clamped{0}, tensors{0};
  std::mutex lock;
  std::vector<Kept> kept;
};

struct CastStorage : StorageRecord {
  const StorageRecord* source = nullptr;
  CastReport::Counts* counts = nullptr;
  DType from = DType::float32;
  bool swap = false;                     // the source is in the other byte order
  bool negate = false;                   // the dtype has no neg bit that the tensors could keep
  mutable std::uint64_t first = 0, end = 0;  // elements that are counted: each once, as they are read in order
};

class CastReader final : public StorageReader {
 public:
  CastReader();
  Result<void> read(const StorageRecord& storage, std::uint64_t offset, std::span<std::byte> out) const override;
  Result<std::span<const std::byte>> fetch(const StorageRecord& storage) const override;
  Result<bool> verify_crc(const StorageRecord& storage) const override;

 private:
  void count(const CastStorage& storage, std::uint64_t first, std::span<const std::byte> from, std::span<const std::byte> to) const;

  mutable std::mutex lock_;
  mutable std::unordered_map<const StorageRecord*, Bytes> kept_;
};

}  // namespace brine
