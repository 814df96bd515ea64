// SPDX-License-Identifier: MIT
// ReadAhead: small reads in rising order out of a Source. In memory they cost nothing; elsewhere neighbours are fetched together, so that
// the headers of many small records do not become as many calls of the caller's function.
#pragma once

#include <brine/source.hpp>

#include "support/checked.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace brine {

/// Borrows: the Source must outlive it.
class ReadAhead {
 public:
  explicit ReadAhead(const Source& source) noexcept : source_(source), memory_(source.view()), in_memory_(source.in_memory()) {}

  /// `size` bytes at `offset`, valid until the next call; null when they cannot be had, and error() says why.
  const std::byte* at(std::uint64_t offset, std::uint64_t size) {
    if (in_memory_ && fits(offset, size, memory_.size())) return memory_.data() + offset;
    return fetch(offset, size);
  }

  /// What lies around `offset` will soon be asked for: of mapped bytes, the cache need not wait for it then.
  void prefetch(std::uint64_t offset) const noexcept {
    constexpr std::uint64_t line = 64;
    if (!in_memory_ || offset < line || offset >= memory_.size() - std::min<std::uint64_t>(memory_.size(), line)) return;
    __builtin_prefetch(memory_.data() + offset - line / 2);
    __builtin_prefetch(memory_.data() + offset + line / 2);
  }

  /// Requires: at() has just returned null.
  Error error() { return std::move(*error_); }

 private:
  static constexpr std::uint64_t kSmallest = 4096, kLargest = 256 * 1024;

  const std::byte* fetch(std::uint64_t offset, std::uint64_t size);

  const Source& source_;
  std::span<const std::byte> memory_;
  bool in_memory_;
  std::shared_ptr<std::byte[]> buffer_;
  std::uint64_t room_ = 0;                  // bytes of buffer_
  std::uint64_t start_ = 0, filled_ = 0;    // what of the source is in it
  std::uint64_t window_ = kSmallest;
  std::optional<Error> error_;
};

}  // namespace brine
