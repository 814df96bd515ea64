// SPDX-License-Identifier: MIT
// Memory runs out at every allocation in turn, once or for good: an Error, no exception, nothing leaked (sanitizers see to that).
#include "support/zip_check.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

namespace {

// Allocations that still succeed; -1: all of them. Afterwards one fails, or all.
thread_local long allowed = -1;
thread_local bool for_good = false;

void* allocate_or_fail(std::size_t size) {
  if (allowed == 0) {
    if (!for_good) allowed = -1;
    return nullptr;
  }
  if (allowed > 0) --allowed;
  return std::malloc(size != 0 ? size : 1);
}

}  // namespace

// GCC sees free() meet a pointer of operator new, and does not see that it is this one.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

void* operator new(std::size_t size) {
  if (void* p = allocate_or_fail(size)) return p;
#if defined(__cpp_exceptions)
  throw std::bad_alloc();
#else
  std::abort();
#endif
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_fail(size); }
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_fail(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

using namespace brine;
using namespace brine::test;

namespace {

/// Opens and reads everything; the first error.
std::optional<Error> open_and_read(const Source& source, Budget& budget) {
  auto archive = Archive::open(source, {});
  if (!archive) return std::move(archive).error();
  for (const ZipEntry& entry : archive->directory().entries()) {
    if (auto record = archive->read(entry, budget, true); !record) return std::move(record).error();
    if (auto fine = archive->verify(entry); !fine) return std::move(fine).error();
    std::byte two[2];
    if (auto done = archive->read_at(entry, 0, std::span(two).first(entry.size < 2 ? 0 : 2)); !done) return std::move(done).error();
  }
  return std::nullopt;
}

/// Fails each allocation of open_and_read in turn until none is left to fail.
void starve(const Source& source) {
#if defined(__cpp_exceptions)
  for (const bool all : {false, true}) {
    for (long n = 0; n < 2000; ++n) {
      Budget budget(1 << 20, ErrorCode::inflated_too_large);
      allowed = n;
      for_good = all;
      const auto error = open_and_read(source, budget);
      const bool starved = all ? allowed == 0 : allowed == -1;
      allowed = -1;
      CAPTURE(n);
      if (error) {
        CAPTURE(error->message());
        CHECK(error->kind() == ErrorKind::limit);
        CHECK(error->code() == ErrorCode::out_of_memory);
      }
      if (starved) continue;
      CHECK_FALSE(error);
      CHECK(n > 5);
      break;
    }
  }
#else
  static_cast<void>(source);
#endif
}

std::string archive_bytes() {
  ZipBuilder zip = ZipBuilder::torch_file({"weights", std::string(1000, 'w')});
  if (BRINE_HAVE_LIBZIP) zip.deflate("archive/code/a_name_too_long_for_any_small_string.py", std::string(3000, 'c'));
  return zip.lay_out().bytes();
}

}  // namespace

TEST_CASE("memory runs out while an archive in memory is opened and read") {
  const std::string bytes = archive_bytes();
  starve(source_of(bytes));
}

TEST_CASE("memory runs out while an archive behind a callback is opened and read") {
  const std::string bytes = archive_bytes();
  starve(Source::callback(bytes.size(), [&bytes](std::uint64_t offset, std::span<std::byte> out) {
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return true;
  }));
}
