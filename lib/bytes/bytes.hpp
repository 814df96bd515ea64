// SPDX-License-Identifier: MIT
// Bytes: a run of bytes and whatever keeps them alive; fetch() gets one from a Source, without a copy where the source is in memory.
#pragma once

#include <brine/source.hpp>

#include "support/budget.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace brine {

struct Bytes {
  std::span<const std::byte> span;
  std::shared_ptr<const void> owner;  ///< the source's own memory, or a buffer

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(span.data()), span.size()}; }
};

/// The bytes [offset, offset + size) of `source`: a view of its memory, or a buffer that was charged to `budget` for `what`.
/// Fails with: io, limit, usage (out of range).
Result<Bytes> fetch(const Source& source, std::uint64_t offset, std::uint64_t size, Budget& budget, std::string_view what);

/// Reads the bytes [offset, offset + size) of `source` in pieces and keeps none; `read` is told of each piece. Fails with: io, limit.
Result<void> read_all(const Source& source, std::uint64_t offset, std::uint64_t size, const std::function<void(std::uint64_t bytes)>& read = {});

/// An uninitialised buffer of `size` bytes. Fails with: limit (out of memory). Where exceptions are off, never throws either.
Result<std::shared_ptr<std::byte[]>> allocate(std::uint64_t size, std::string_view what);

}  // namespace brine
