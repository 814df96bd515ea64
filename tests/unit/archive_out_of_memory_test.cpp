// SPDX-License-Identifier: MIT
// Memory runs out at every allocation in turn, once or for good: an Error, no exception, nothing leaked (sanitizers see to that).
#include "support/failing_memory.hpp"
#include "support/zip_check.hpp"

#include <cstring>
#include <optional>

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
    if (auto done = archive->read_at(entry, 0, std::span(two).first(entry.size < 2 ? 0 : 2), budget); !done) return std::move(done).error();
  }
  return std::nullopt;
}

/// Fails each allocation of open_and_read in turn until none is left to fail.
void starve(const Source& source) {
  for (const bool all : {false, true}) {
    for (long n = 0; n < 2000; ++n) {
      Budget budget(1 << 20, ErrorCode::inflated_too_large);
      memory.start(n, all);
      const auto error = open_and_read(source, budget);
      const bool starved = memory.stop();
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
