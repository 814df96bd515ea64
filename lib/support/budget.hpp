// SPDX-License-Identifier: MIT
// Budget: memory whose size a file chose is charged here before it is allocated.
#pragma once

#include <brine/result.hpp>

#include <atomic>
#include <cstdint>
#include <string_view>

namespace brine {

class Budget {
 public:
  /// `code` is the error's when more than `limit` bytes are asked for in all; `field` is what raises the limit ("Limits::inflated_bytes").
  Budget(std::uint64_t limit, ErrorCode code, std::string_view field = {}) noexcept : limit_(limit), code_(code), field_(field) {}

  /// Takes `bytes` for `what` ("the record archive/data.pkl"), or fails with: limit. Thread-safe.
  Result<void> charge(std::uint64_t bytes, std::string_view what);

  /// For inner loops: false when the budget is spent (exceeded() then makes the error).
  bool take(std::uint64_t bytes) noexcept;
  /// Why there is no memory: the last take() was refused; or it was not, and the machine has none left (out_of_memory).
  Error exceeded(std::uint64_t bytes, std::string_view what) const;

  /// Gives back what a temporary buffer had taken.
  void release(std::uint64_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_;
  const ErrorCode code_;
  const std::string_view field_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<bool> refused_{false};
};

}  // namespace brine
