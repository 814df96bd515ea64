// SPDX-License-Identifier: MIT
// What a kind of sink has to provide.
#pragma once

#include <brine/sink.hpp>

#include <optional>

namespace brine {

struct Sink::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  virtual ~Impl() = default;

  /// Takes all of `first`, then all of `second`; either may be empty. Two, so that gathered bytes and a large piece can go together.
  virtual Result<void> put(std::span<const std::byte> first, std::span<const std::byte> second) = 0;

  std::string name;
  std::uint64_t position = 0;
  bool gathers = true;  ///< false: put() is cheap for small pieces, and nothing waits in a buffer
  std::shared_ptr<std::byte[]> buffer;
  std::size_t gathered = 0;
  std::optional<Error> failed;
};

class SinkMaker {
 public:
  static Sink make(std::shared_ptr<Sink::Impl> impl) noexcept { return Sink(std::move(impl)); }
};

}  // namespace brine
