// SPDX-License-Identifier: MIT
// Large archives: more than 65,535 records, more than 4 GiB (with holes), a million entries in a second.
#include "support/temporary_file.hpp"
#include "support/zip_check.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>

using namespace brine;
using namespace brine::test;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

ZipBuilder many(std::size_t n) {
  ZipBuilder zip;
  zip.records.reserve(n);
  for (std::size_t i = 0; i < n; ++i) ZipBuilder::describe(zip.add("archive/data/" + std::to_string(i), "weights"));
  return zip;
}

}  // namespace

TEST_CASE("the count of the plain end record at its limit, and past it") {
  for (const std::size_t n : {65534U, 65535U, 65536U, 70000U}) {
    CAPTURE(n);
    ZipBuilder zip = many(n);
    const std::string bytes = zip.lay_out().bytes();
    CHECK(zip.end64.has_value() == (n >= 65535));
    auto directory = read_zip(bytes);
    if (!directory) FAIL(directory.error().message());
    CHECK(directory->entries().size() == n);
    CHECK(directory->find_record("data/" + std::to_string(n - 1))->data_offset == zip.records[n - 1].data_at);

    // 65,535 needs no zip64 end record: the number is what it says.
    if (n != 65535) continue;
    zip.end64.reset();
    directory = read_zip(zip.bytes());
    REQUIRE(directory);
    CHECK(directory->entries().size() == n);
  }
}

TEST_CASE("70,000 records behind a callback: the headers come in few reads") {
  const std::string bytes = many(70'000).lay_out().bytes();
  int calls = 0;
  const Source source = Source::callback(bytes.size(), [&](std::uint64_t offset, std::span<std::byte> out) {
    ++calls;
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return true;
  });
  const auto directory = ZipDirectory::read(source, {});
  REQUIRE(directory);
  CHECK(directory->entries().size() == 70'000);
  CHECK(calls < 60);
}

TEST_CASE("a million entries in a second: in order, backwards, shuffled") {
  constexpr std::size_t n = 1'000'000;
  for (const int order : {0, 1, 2}) {
    ZipBuilder zip;
    zip.records.reserve(n);
    for (std::size_t i = 0; i < n; ++i) zip.add("a/" + std::to_string(i), "");
    zip.lay_out();
    std::vector<ZipRecord::Entry> entries;
    for (auto& r : zip.records) entries.push_back(std::move(r.entry));
    if (order == 1) std::reverse(entries.begin(), entries.end());
    if (order == 2) std::shuffle(entries.begin(), entries.end(), std::mt19937_64(1));
    for (std::size_t i = 0; i < n; ++i) zip.records[i].entry = std::move(entries[i]);
    const std::string bytes = zip.bytes();
    zip.records.clear();
    const auto start = std::chrono::steady_clock::now();
    const auto directory = read_zip(bytes);
    const double seconds = seconds_since(start);
    if (!directory) FAIL(directory.error().message());
    CHECK(directory->entries().size() == n);
    WARN(seconds < 1.0);
    CHECK(seconds < 30.0);  // sanitizers and busy machines; a quadratic search would need hours
  }
}

TEST_CASE("more than 4 GiB: PyTorch's zip64 records, in a file of holes") {
  TemporaryFile file;
  constexpr std::uint64_t huge = (std::uint64_t{4} << 30) + 10;
  ZipBuilder zip;
  zip.torch("archive/data.pkl", "a pickle");
  zip.torch("archive/data/0", {}, huge);                     // sizes in the local block
  zip.torch("archive/data/1", "behind the 4 GiB");           // an offset in the local block
  zip.torch("archive/data/2", "");                           // without a descriptor
  zip.torch("archive/data/3", {}, zip::kSaturated32);        // exactly the number that says "see the block"
  zip.torch("archive/version", "3\n");
  zip.lay_out().write(file.path());

  const auto start = std::chrono::steady_clock::now();
  for (const auto mode : {FileMode::mapped, FileMode::plain}) {
    const auto source = Source::file(file.path(), mode);
    REQUIRE(source);
    CHECK(source->size() > 2 * huge - 100);
    const auto archive = Archive::open(*source, {});
    if (!archive) FAIL(archive.error().message());
    const auto entries = archive->directory().entries();
    REQUIRE(entries.size() == 6);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      CHECK(entries[i].data_offset == zip.records[i].data_at);
      CHECK(entries[i].size == zip.records[i].data_size());
      CHECK(entries[i].data_offset % 64 == 0);
    }
    CHECK(read_record(*archive, "data/1") == "behind the 4 GiB");
    CHECK(read_record(*archive, "version") == "3\n");
    std::string end(10, 'x');
    Budget none(0, ErrorCode::inflated_too_large);
    CHECK(archive->read_at(entries[1], huge - 10, std::as_writable_bytes(std::span(end)), none));
    CHECK(end == std::string(10, '\0'));
    CHECK(archive->verify(entries[1]));  // has no CRC: nothing is read
  }
  CHECK(seconds_since(start) < 5.0);
}

TEST_CASE("more than 4 GiB: a wrong number in a local zip64 block") {
  TemporaryFile file;
  ZipBuilder zip;
  zip.torch("archive/data/0", {}, std::uint64_t{5} << 30);
  zip.torch("archive/version", "3\n");
  zip.lay_out();
  auto& extra = zip.records[1].local.extra;
  extra[zip::kExtraHeader] = static_cast<char>(extra[zip::kExtraHeader] ^ 1);
  zip.write(file.path());
  const auto directory = ZipDirectory::read(*Source::file(file.path()), {});
  REQUIRE_FALSE(directory);
  CHECK(directory.error().code() == ErrorCode::zip_zip64);
  CHECK(directory.error().place().offset == zip.records[1].local_at + zip::local::kSize + 15 + zip::kExtraHeader);
}
