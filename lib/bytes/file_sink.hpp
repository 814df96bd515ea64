// SPDX-License-Identifier: MIT
// FileSink: the kind of Sink that writes to a descriptor.
#pragma once

#include "bytes/sink_impl.hpp"
#include "bytes/system_calls.hpp"

#include <string_view>

namespace brine {

/// "what: No space left on device", by the number of the system's error.
[[gnu::cold]] Error system_error(ErrorCode code, std::string_view what, int number);

/// Borrows the descriptor; -1 once it is closed, and then every write fails.
struct FileSink final : Sink::Impl {
  const SystemCalls* system = &kSystemCalls;
  int file = -1;
  std::uint64_t written = 0;

  Result<void> put(std::span<const std::byte> first, std::span<const std::byte> second) override;
};

}  // namespace brine
