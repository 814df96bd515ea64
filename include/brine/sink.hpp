// SPDX-License-Identifier: MIT
// Sink: where bytes go — memory, or a function that takes them. Source's mirror.
//
// A Sink is a cheap shared handle on one stream of bytes; it is not thread-safe. Small writes are gathered, so what was written has
// arrived only after flush(). The first failure stays: every later call gives the same error.
//
//   std::vector<std::byte> out;
//   auto sink = brine::Sink::memory(out);
//   auto upload = brine::Sink::callback([&](std::span<const std::byte> bytes) { return connection.send(bytes); });
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
#include <vector>

namespace brine {

class BRINE_API Sink {
 public:
  /// Takes all of `bytes`, which follow those of the call before, and returns true, or returns false. The bytes are the caller's again
  /// when it returns.
  using Write = std::function<bool(std::span<const std::byte> bytes)>;

  /// A function of the caller's (a socket, an object store). `name` is for messages.
  static Sink callback(Write write, std::string name = {});

  /// Appends to `out`. Borrows: `out` must outlive every handle.
  static Sink memory(std::vector<std::byte>& out);

  /// Large pieces go straight through; small ones are copied into a buffer first. Fails with: io (write_failed), limit (out of memory).
  Result<void> write(std::span<const std::byte> bytes);

  /// Hands on what was gathered. A handle that goes away does not. Fails as write() does.
  Result<void> flush();

  /// Bytes written so far, those gathered included.
  std::uint64_t position() const noexcept;
  std::string_view name() const noexcept;

  struct Impl;

 private:
  friend class SinkMaker;  // other kinds of sinks, lib/bytes/sink_impl.hpp
  explicit Sink(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

/// Writes a file of any kind as save() writes checkpoints: `write` fills a temporary file beside it, which takes its name when that is complete. The old
/// file survives every failure, and nothing else is left behind. A pipe or a device is written straight. Fails with: io, limit, and as `write` does.
BRINE_API Result<void> write_file(const std::filesystem::path& path, const std::function<Result<void>(Sink& sink)>& write);

}  // namespace brine
