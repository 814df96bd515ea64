// SPDX-License-Identifier: MIT
#include "bytes/buffer.hpp"

#include <new>

namespace brine {

void Buffer::grow(std::size_t more) {
  constexpr std::size_t least = 512;
  const std::size_t used = size(), capacity = std::max({least, used + more, used * 2});
  auto* grown = static_cast<std::byte*>(std::realloc(data_.get(), capacity));
#if defined(__cpp_exceptions)
  if (!grown) throw std::bad_alloc();
#else
  if (!grown) std::abort();
#endif
  static_cast<void>(data_.release());
  data_.reset(grown);
  end_ = grown + used;
  limit_ = grown + capacity;
}

}  // namespace brine
