// SPDX-License-Identifier: MIT
// Arena: the memory of a Graph. Nothing in it is freed one by one; what was made since a mark and not pinned can be taken back whole.
//
// That is how the call of a tensor (five tuples, an OrderedDict) costs no memory: rebuild reads it, takes it back, and keeps a record.
// Under ASan what is free or was taken back is poisoned; a fuzzer's build never gives it out again, so that whoever still points there is seen.
#pragma once

#include "support/budget.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BRINE_ASAN 1
#endif
#endif
#if defined(BRINE_ASAN) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(address)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(address)
#endif

namespace brine {

class Arena {
 public:
  /// Memory is charged to `budget`, chunk by chunk; the budget must outlive the arena.
  explicit Arena(Budget& budget) noexcept : budget_(&budget) {}

  /// Uninitialised memory, 8-byte aligned, or null when the budget or the machine's memory is spent.
  void* allocate(std::size_t bytes) noexcept {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (bytes > static_cast<std::size_t>(end_ - at_) && !grow(bytes)) return nullptr;
    ASAN_UNPOISON_MEMORY_REGION(at_, bytes);
    return std::exchange(at_, at_ + bytes);
  }

  template <class T, class... Args>
  T* make(Args&&... args) noexcept {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    void* memory = allocate(sizeof(T));
    return memory ? new (memory) T{std::forward<Args>(args)...} : nullptr;
  }

  /// An array of `n` uninitialised elements, or null.
  template <class T>
  T* array(std::size_t n) noexcept {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    return n > SIZE_MAX / 2 / sizeof(T) ? nullptr : static_cast<T*>(allocate(n * sizeof(T)));
  }

  /// Counts work as memory, where a file could ask for too much of it without taking any; false when the budget is spent.
  bool charge(std::size_t bytes) noexcept { return budget_->take(bytes); }

  using Mark = std::byte*;
  Mark mark() const noexcept { return at_; }

  /// From now on, what exists stays: something else than the values on the stack may refer to it.
  void pin() noexcept { pinned_ = at_; }

  /// Takes back all that was allocated since `mark`, if none of it was pinned and the chunk is still the same.
  bool rewind(Mark mark) noexcept {
    if (mark < pinned_ || mark < begin_ || mark > at_) return false;
    ASAN_POISON_MEMORY_REGION(mark, static_cast<std::size_t>(at_ - mark));
#if !defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
    at_ = mark;
#endif
    return true;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  bool grow(std::size_t bytes) noexcept;

  Budget* budget_;
  std::vector<std::unique_ptr<std::byte, Free>> chunks_;
  std::byte *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr, *pinned_ = nullptr;
  std::size_t next_ = 4096;
};

}  // namespace brine
