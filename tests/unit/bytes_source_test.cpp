// SPDX-License-Identifier: MIT
// Sources of every kind, their parts, fetch() and the read-ahead.
#include "bytes/bytes.hpp"
#include "bytes/read_ahead.hpp"
#include "support/temporary_file.hpp"

#include <cstring>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

using namespace brine;
using namespace brine::test;

namespace {

std::string read(const Source& source, std::uint64_t offset, std::size_t n) {
  std::string out(n, '\0');
  const auto done = source.read_at(offset, std::as_writable_bytes(std::span(out)));
  if (!done) FAIL(done.error().message());
  return out;
}

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Source counting(const std::string& bytes, int& calls) {
  return Source::callback(bytes.size(), [&](std::uint64_t offset, std::span<std::byte> out) {
    ++calls;
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return true;
  });
}

}  // namespace

TEST_CASE("mapped and plain files give the same bytes") {
  TemporaryFile file;
  file.write("0123456789");
  for (const auto mode : {FileMode::mapped, FileMode::plain}) {
    const auto source = Source::file(file.path(), mode);
    REQUIRE(source);
    CHECK(source->size() == 10);
    CHECK(source->name() == file.path().native());
    CHECK(source->in_memory() == (mode == FileMode::mapped));
    CHECK(source->view().size() == (mode == FileMode::mapped ? 10 : 0));
    CHECK(read(*source, 0, 10) == "0123456789");
    CHECK(read(*source, 9, 1) == "9");
    CHECK(read(*source, 10, 0).empty());

    std::byte two[2];
    const auto past = source->read_at(9, two);
    REQUIRE_FALSE(past);
    CHECK(past.error().kind() == ErrorKind::usage);
    CHECK(past.error().code() == ErrorCode::out_of_range);
    CHECK(past.error().place().file == file.path().native());
    CHECK_FALSE(source->read_at(~std::uint64_t{0}, two));

    const auto part = source->part(2, 5);
    REQUIRE(part);
    CHECK(part->size() == 5);
    CHECK(read(*part, 1, 4) == "3456");
    CHECK_FALSE(part->read_at(4, two));
    CHECK_FALSE(part->part(3, 3));
    const auto inner = part->part(1, 3);
    REQUIRE(inner);
    CHECK(read(*inner, 0, 3) == "345");
    if (mode == FileMode::mapped) CHECK(text_of(inner->view()) == "345");
  }
}

TEST_CASE("an empty file is a source of no bytes") {
  TemporaryFile file;
  for (const auto mode : {FileMode::mapped, FileMode::plain}) {
    const auto source = Source::file(file.path(), mode);
    REQUIRE(source);
    CHECK(source->size() == 0);
    CHECK(source->view().empty());
    CHECK(source->part(0, 0));
    CHECK_FALSE(source->part(0, 1));
  }
}

TEST_CASE("files that cannot be opened: the system's own words, and the path") {
  const auto refused = [](const std::filesystem::path& path, const char* words) {
    const auto source = Source::file(path);
    REQUIRE_FALSE(source);
    CHECK(source.error().kind() == ErrorKind::io);
    CHECK(source.error().code() == ErrorCode::open_failed);
    CHECK(source.error().place().file == path.native());
    CHECK(source.error().message().find(words) != std::string::npos);
  };
  refused("/nowhere/at/all.pth", "No such file or directory");
  refused(std::filesystem::temp_directory_path(), "is a directory");
}

TEST_CASE("a plain file that was cut short is an io error; a mapped one keeps its size") {
  TemporaryFile file;
  file.write(std::string(10000, 'x'));
  const auto source = Source::file(file.path(), FileMode::plain);
  REQUIRE(source);
  REQUIRE(::truncate(file.path().c_str(), 100) == 0);
  CHECK(source->size() == 10000);
  CHECK(read(*source, 0, 100) == std::string(100, 'x'));
  std::byte some[200];
  const auto short_read = source->read_at(0, some);
  REQUIRE_FALSE(short_read);
  CHECK(short_read.error().kind() == ErrorKind::io);
  CHECK(short_read.error().code() == ErrorCode::read_failed);
  CHECK(short_read.error().place().offset == 100);
}

TEST_CASE("a pipe is read into memory") {
  TemporaryFile file;
  std::filesystem::remove(file.path());
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  const std::string bytes(300'000, 'p');
  std::thread writer([&] { file.write(bytes); });
  const auto source = Source::file(file.path());
  writer.join();
  REQUIRE(source);
  CHECK(source->in_memory());
  CHECK(text_of(source->view()) == bytes);
}

TEST_CASE("memory: the owner is kept as long as any handle") {
  auto owner = std::make_shared<const std::string>("owned bytes");
  const std::weak_ptr<const std::string> watch = owner;
  const auto bytes = std::as_bytes(std::span(*owner));
  std::optional<Source> part;
  Bytes fetched;
  Budget budget(0, ErrorCode::inflated_too_large);
  {
    const Source source = Source::memory(bytes, std::move(owner), "memory");
    CHECK(source.name() == "memory");
    part = *source.part(6, 5);
  }
  CHECK_FALSE(watch.expired());
  fetched = *fetch(*part, 1, 3, budget, "some bytes");
  part.reset();
  CHECK_FALSE(watch.expired());
  CHECK(fetched.text() == "yte");
  CHECK(budget.used() == 0);
  fetched = {};
  CHECK(watch.expired());
}

TEST_CASE("callback: what it says and throws becomes an io error") {
  const auto refused = [](const Source::ReadAt& read_at) {
    const Source source = Source::callback(100, read_at, "asset");
    CHECK_FALSE(source.in_memory());
    std::byte some[10];
    const auto done = source.read_at(20, some);
    REQUIRE_FALSE(done);
    CHECK(done.error().kind() == ErrorKind::io);
    CHECK(done.error().code() == ErrorCode::read_failed);
    CHECK(done.error().place().offset == 20);
    CHECK(done.error().place().file == "asset");
  };
  refused([](std::uint64_t, std::span<std::byte>) { return false; });
  refused([](std::uint64_t, std::span<std::byte>) -> bool { throw 1; });
  refused(nullptr);
}

TEST_CASE("fetch: charges for what is not in memory, and gives back what failed") {
  int calls = 0;
  const std::string bytes = "0123456789";
  const Source source = counting(bytes, calls);
  Budget budget(8, ErrorCode::inflated_too_large);
  const auto fetched = fetch(source, 2, 5, budget, "a record");
  REQUIRE(fetched);
  CHECK(fetched->text() == "23456");
  CHECK(budget.used() == 5);
  const auto much = fetch(source, 0, 4, budget, "a record");
  REQUIRE_FALSE(much);
  CHECK(much.error().kind() == ErrorKind::limit);
  CHECK(much.error().code() == ErrorCode::inflated_too_large);
  const auto past = fetch(source, 8, 3, budget, "a record");
  REQUIRE_FALSE(past);
  CHECK(past.error().code() == ErrorCode::out_of_range);
  CHECK(budget.used() == 5);

  const Source broken = Source::callback(10, [](std::uint64_t, std::span<std::byte>) { return false; });
  CHECK_FALSE(fetch(broken, 0, 3, budget, "a record"));
  CHECK(budget.used() == 5);
}

TEST_CASE("allocate: more than there can be is an error") {
  CHECK(allocate(0, "nothing"));
  const auto all = allocate(~std::uint64_t{0}, "everything");
  REQUIRE_FALSE(all);
  CHECK(all.error().kind() == ErrorKind::limit);
  CHECK(all.error().code() == ErrorCode::out_of_memory);
}

TEST_CASE("read-ahead: neighbours come together, leaps stay small") {
  std::string bytes(4 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  int calls = 0;
  const Source source = counting(bytes, calls);
  ReadAhead near(source);
  for (std::size_t at = 0; at + 40 <= bytes.size(); at += 100) {
    const std::byte* p = near.at(at, 40);
    REQUIRE(p != nullptr);
    if (std::memcmp(p, bytes.data() + at, 40) != 0) FAIL("other bytes");
  }
  CHECK(calls < 40);
  calls = 0;
  ReadAhead far(source);
  for (std::size_t at = 0; at + 40 <= bytes.size(); at += 1 << 20) CHECK(far.at(at, 40) != nullptr);
  CHECK(calls == 4);
  CHECK(far.at(100, 70'000) != nullptr);  // backwards, and larger than the window
  CHECK(std::memcmp(far.at(50'000, 20'000), bytes.data() + 50'000, 20'000) == 0);
  CHECK(far.at(bytes.size() - 1, 2) == nullptr);
  CHECK(far.error().code() == ErrorCode::out_of_range);
}
