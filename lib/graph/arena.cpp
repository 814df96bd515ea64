// SPDX-License-Identifier: MIT
#include "graph/arena.hpp"

#include <algorithm>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace brine {

namespace {

/// Large chunks in large pages, where the system gives them: half the time of a big checkpoint is otherwise spent on meeting its memory.
std::byte* get_memory(std::size_t size) noexcept {
#if defined(MADV_HUGEPAGE)
  constexpr std::size_t large_page = std::size_t{2} << 20;
  if (size >= large_page) {
    void* memory = nullptr;
    if (::posix_memalign(&memory, large_page, size) != 0) return nullptr;
    ::madvise(memory, size, MADV_HUGEPAGE);
    return static_cast<std::byte*>(memory);
  }
#endif
  return static_cast<std::byte*>(std::malloc(size));
}

}  // namespace

bool Arena::grow(std::size_t bytes) noexcept {
  constexpr std::size_t most = std::size_t{4} << 20;
  std::size_t size = std::max(bytes, next_);
  if (!budget_->take(size)) {  // what is left may still do
    size = bytes;
    if (!budget_->take(size)) return false;
  }
  std::byte* memory = get_memory(size);
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
  next_ = std::min(next_ * 2, most);
  return true;
}

}  // namespace brine
