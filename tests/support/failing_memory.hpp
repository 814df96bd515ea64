// SPDX-License-Identifier: MIT
// The program's memory, which can run out: operator new here, and what the library takes by malloc(), realloc() and aligned_alloc(), which the
// linker brings here (tests/meson.build). Include it in one file of a test.
//
//   memory.start(n, false);   // n allocations succeed, the next one fails; true: and all after it
//   …
//   const bool starved = memory.stop();
#pragma once

#include <cstdlib>
#include <new>

extern "C" {
void* __real_malloc(std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
}

namespace brine::test {

struct FailingMemory {
  long allowed = -1;  // allocations that still succeed; -1: all of them
  bool for_good = false, failed = false;

  void start(long n, bool all) { allowed = n, for_good = all, failed = false; }

  /// Has any allocation failed? From here on all succeed.
  bool stop() {
    allowed = -1;
    return failed;
  }

  bool fails() {
    if (allowed == 0) {
      failed = true;
      if (!for_good) allowed = -1;
      return true;
    }
    if (allowed > 0) --allowed;
    return false;
  }

  void* allocate(std::size_t size) { return fails() ? nullptr : __real_malloc(size != 0 ? size : 1); }
};

inline thread_local FailingMemory memory;

}  // namespace brine::test

extern "C" {
void* __wrap_malloc(std::size_t size) { return brine::test::memory.allocate(size); }
void* __wrap_realloc(void* memory, std::size_t size) { return brine::test::memory.fails() ? nullptr : __real_realloc(memory, size); }
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  return brine::test::memory.fails() ? nullptr : __real_aligned_alloc(alignment, size);
}
}

// GCC sees free() meet a pointer of operator new, and does not see that it is this one.
#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  if (void* p = brine::test::memory.allocate(size)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return brine::test::memory.allocate(size); }
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return brine::test::memory.allocate(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
