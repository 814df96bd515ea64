// SPDX-License-Identifier: MIT
// Memory runs out at every allocation of a save in turn, once or for good: an Error, the old file is there, no other is.
#include "archive/zip_writer.hpp"
#include "bytes/file_save.hpp"
#include "forms/serialization_id.hpp"
#include "forms/write_zip.hpp"
#include "support/failing_memory.hpp"
#include "support/temporary_folder.hpp"

using namespace brine;
using namespace brine::test;

namespace {

Result<void> write_records(Sink& sink) {
  static const std::vector<std::byte> data(100'000);
  ZipWriter writer(sink, {.root = "a_root_too_long_for_any_small_string"});
  for (const char* name : {"data.pkl", "a_record_too_long_for_any_small_string", "data/1", "data/2", "data/3"}) {
    if (auto done = writer.add(name, std::span(data).first(*name == 'a' ? 10 : data.size())); !done) return done;
  }
  const std::string id = serialization_id(writer);
  if (auto done = writer.add(".data/serialization_id", std::as_bytes(std::span(id))); !done) return done;
  return writer.finish();
}

}  // namespace

TEST_CASE("memory runs out while a file is saved") {
  TemporaryFolder folder;
  const auto target = folder / "a_target_too_long_for_any_small_string.pth";
  REQUIRE(save_file(target, {}, write_records));
  const std::string whole = read_whole(target);
  const std::function<Result<void>(Sink&)> write = write_records;

  for (const bool for_good : {false, true}) {
    for (long n = 0;; ++n) {
      CAPTURE(n);
      REQUIRE(n < 2000);
      write_whole(target, "old");
      memory.start(n, for_good);
      const auto saved = save_file(target, {.fsync = true, .expected_size = std::uint64_t{2} << 20}, write);
      const bool starved = memory.stop();
      CHECK(folder.listing() == target.filename().string());
      if (saved) {
        CHECK(read_whole(target) == whole);
      } else {
        CAPTURE(saved.error().message());
        CHECK(saved.error().code() == ErrorCode::out_of_memory);
        CHECK(read_whole(target) == "old");
      }
      if (starved) continue;
      CHECK(saved);
      CHECK(n > 20);
      break;
    }
  }
}
