// SPDX-License-Identifier: MIT
// Source: where bytes come from — a mapped file, memory, or a function that reads.
//
// A Source is a cheap shared handle; whatever brine makes from it keeps it alive. All const members are thread-safe, provided the
// caller's own function is.
#pragma once

#include <brine/result.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace brine {

/// How a file is read.
enum class FileMode : std::uint8_t {
  mapped,  ///< zero copies. A file that another process cuts short while it is mapped ends this one with SIGBUS
  plain,   ///< read() into memory on demand: for files that others may shrink
};

class BRINE_API Source {
 public:
  /// Fills all of `out` with the bytes from `offset` on and returns true, or returns false. Called from several threads at once.
  using ReadAt = std::function<bool(std::uint64_t offset, std::span<std::byte> out)>;

  /// Fails with: io (cannot be opened, a directory, an error of the system).
  static Result<Source> file(const std::filesystem::path& path, FileMode mode = FileMode::mapped);

  /// Borrows: `bytes` must outlive every handle made from it, unless `owner` keeps them alive.
  static Source memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr, std::string name = {});

  /// `size` bytes behind a function of the caller's (an asset, an object store). `name` is for messages.
  static Source callback(std::uint64_t size, ReadAt read_at, std::string name = {});

  std::uint64_t size() const noexcept;
  std::string_view name() const noexcept;

  /// All bytes, where they are in memory (mapped, memory); empty otherwise. Valid as long as a handle lives.
  std::span<const std::byte> view() const noexcept;
  bool in_memory() const noexcept;

  /// Fills `out`. Fails with: io (the read failed), usage (out of range).
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const;

  /// The part [offset, offset + size) as a Source of its own. Fails with: usage (out of range).
  Result<Source> part(std::uint64_t offset, std::uint64_t size) const;

  /// The same bytes under another name, which messages then have.
  Source named(std::string name) const;

  struct Impl;

 private:
  explicit Source(std::shared_ptr<const Impl> impl, std::uint64_t offset, std::uint64_t size);
  std::shared_ptr<const Impl> impl_;
  std::shared_ptr<const std::string> name_;  // null: that of impl_
  std::uint64_t offset_ = 0, size_ = 0;
};

}  // namespace brine
