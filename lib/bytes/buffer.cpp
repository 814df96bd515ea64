// SPDX-License-Identifier: MIT
#include "bytes/buffer.hpp"

#include "support/memory.hpp"

namespace brine {

std::size_t Buffer::enlarged(std::size_t more) const noexcept {
  constexpr std::size_t min = 512;
  return std::max({min, size() + more, size() * 2});
}

void Buffer::grow(std::size_t more) {
  const std::size_t used = size(), capacity = enlarged(more);
  take(std::realloc(data_.get(), capacity), used, capacity);
}

void Buffer::expect(std::size_t more) {
  if (more < kHugePage || more <= static_cast<std::size_t>(limit_ - end_)) return;
  const std::size_t used = size(), capacity = enlarged(more);
  auto* memory = static_cast<std::byte*>(allocate_pages(capacity));
  if (!memory) return;
  std::copy_n(data_.get(), used, memory);
  std::free(data_.get());
  take(memory, used, capacity);
}

void Buffer::take(void* memory, std::size_t used, std::size_t capacity) {
  if (!memory) throw_bad_alloc();
  static_cast<void>(data_.release());
  data_.reset(static_cast<std::byte*>(memory));
  end_ = data_.get() + used;
  limit_ = data_.get() + capacity;
}

}  // namespace brine
