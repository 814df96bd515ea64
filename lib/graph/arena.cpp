// SPDX-License-Identifier: MIT
#include "graph/arena.hpp"

#include "support/memory.hpp"

#include <algorithm>

namespace brine {

bool Arena::grow(std::size_t bytes) noexcept {
  constexpr std::size_t max = std::size_t{4} << 20;
  std::size_t size = std::max(bytes, next_);
  if (!budget_->take(size)) {  // what is left may still do
    size = bytes;
    if (!budget_->take(size)) return false;
  }
  auto* memory = static_cast<std::byte*>(allocate_pages(size));
  if (memory) {
    std::unique_ptr<std::byte, Free> chunk(memory);
#if defined(__cpp_exceptions)
    try {
      chunks_.push_back(std::move(chunk));
    } catch (const std::bad_alloc&) {
      memory = nullptr;
    }
#else
    chunks_.push_back(std::move(chunk));
#endif
  }
  if (!memory) {
    budget_->release(size);
    return false;
  }
  ASAN_POISON_MEMORY_REGION(memory, size);
  begin_ = at_ = pinned_ = memory;
  end_ = begin_ + size;
  next_ = std::min(next_ * 2, max);
  return true;
}

}  // namespace brine
