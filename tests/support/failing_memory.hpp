// SPDX-License-Identifier: MIT
// The program's operator new, which can run out. Include it in one file of a test.
//
//   memory.start(n, false);   // n allocations succeed, the next one fails; true: and all after it
//   …
//   const bool starved = memory.stop();
#pragma once

#include <cstdlib>
#include <new>

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

  void* allocate(std::size_t size) {
    if (allowed == 0) {
      failed = true;
      if (!for_good) allowed = -1;
      return nullptr;
    }
    if (allowed > 0) --allowed;
    return std::malloc(size != 0 ? size : 1);
  }
};

inline thread_local FailingMemory memory;

}  // namespace brine::test

// GCC sees free() meet a pointer of operator new, and does not see that it is this one.
#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  if (void* p = brine::test::memory.allocate(size)) return p;
#if defined(__cpp_exceptions)
  throw std::bad_alloc();
#else
  std::abort();
#endif
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
