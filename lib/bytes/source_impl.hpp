// SPDX-License-Identifier: MIT
// What stands behind a Source: bytes in memory with whatever keeps them alive, or something that reads.
#pragma once

#include <brine/source.hpp>

namespace brine {

struct Source::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  virtual ~Impl() = default;

  /// Fills `out` with the bytes from `offset` on. Requires: in range, not in memory. Fails with: io.
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;

  std::string name;
  std::uint64_t size = 0;
  bool in_memory = false;
  std::span<const std::byte> bytes;  // all of them, when in memory
};

/// Bytes that something else keeps alive.
struct MemoryImpl final : Source::Impl {
  std::shared_ptr<const void> owner;
};

}  // namespace brine
