// SPDX-License-Identifier: MIT
#include "support/budget.hpp"

#include "support/text.hpp"

namespace brine {

bool Budget::take(std::uint64_t bytes) noexcept {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    const bool refused = bytes > limit_ - used;  // used <= limit at all times
    refused_.store(refused, std::memory_order_relaxed);
    if (refused) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

Error Budget::exceeded(std::uint64_t bytes, std::string_view what) const {
  std::string text(what);
  if (!refused_.load(std::memory_order_relaxed)) return Error(ErrorKind::limit, ErrorCode::out_of_memory, std::move(text) + ": the machine has no memory left");
  text += " needs " + std::to_string(bytes) + " bytes; " + std::to_string(used()) + " of the limit of " + std::to_string(limit_) + " are used";
  if (!field_.empty()) text += concat({"; ", field_, " raises it"});
  return Error(ErrorKind::limit, code_, std::move(text));
}

Result<void> Budget::charge(std::uint64_t bytes, std::string_view what) {
  if (take(bytes)) return {};
  return exceeded(bytes, what);
}

}  // namespace brine
