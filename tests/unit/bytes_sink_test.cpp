// SPDX-License-Identifier: MIT
// Sinks: the order of what is written, what is gathered and what goes straight through, and failures that stay.
#include <brine/sink.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace brine;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20, kStraight = std::size_t{64} << 10;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
std::string_view text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Keeps what it is given, and in what pieces.
struct Pieces {
  std::string all;
  std::vector<std::size_t> sizes;
  std::vector<const void*> places;

  Sink sink(std::string name = {}) {
    return Sink::callback(
        [this](std::span<const std::byte> bytes) {
          all += text_of(bytes);
          sizes.push_back(bytes.size());
          places.push_back(bytes.data());
          return true;
        },
        std::move(name));
  }
};

}  // namespace

TEST_CASE("small writes are gathered, large ones go straight through in order") {
  Pieces pieces;
  Sink sink = pieces.sink();
  REQUIRE(sink.write(bytes_of("head")));
  REQUIRE(sink.write(bytes_of(" and more")));
  CHECK(pieces.sizes.empty());
  CHECK(sink.position() == 13);

  const std::string large(kStraight, 'L');
  REQUIRE(sink.write(bytes_of(large)));
  CHECK(pieces.sizes == std::vector<std::size_t>{13, kStraight});
  CHECK(pieces.places[1] == large.data());  // no copy

  REQUIRE(sink.write(bytes_of(std::string(kStraight - 1, 'S'))));
  CHECK(pieces.sizes.size() == 2);
  REQUIRE(sink.flush());
  CHECK(pieces.sizes == std::vector<std::size_t>{13, kStraight, kStraight - 1});
  CHECK(pieces.all == "head and more" + large + std::string(kStraight - 1, 'S'));
  CHECK(sink.position() == pieces.all.size());
  REQUIRE(sink.flush());
  REQUIRE(sink.write({}));
  CHECK(pieces.sizes.size() == 3);
}

TEST_CASE("what is gathered is handed on by the MiB") {
  Pieces pieces;
  Sink sink = pieces.sink();
  std::string expected;
  for (int i = 0; expected.size() < 3 * kMiB + 5; ++i) {
    const std::string piece(static_cast<std::size_t>(1 + i % 5000), static_cast<char>('a' + i % 26));
    REQUIRE(sink.write(bytes_of(piece)));
    expected += piece;
  }
  CHECK(pieces.sizes == std::vector<std::size_t>{kMiB, kMiB, kMiB});
  REQUIRE(sink.flush());
  CHECK(pieces.all == expected);
}

TEST_CASE("a buffer that becomes full to the byte") {
  Pieces pieces;
  Sink sink = pieces.sink();
  for (std::size_t i = 0; i < kMiB / 1024; ++i) REQUIRE(sink.write(bytes_of(std::string(1024, 'x'))));
  CHECK(pieces.sizes == std::vector<std::size_t>{kMiB});
  REQUIRE(sink.flush());
  CHECK(pieces.sizes.size() == 1);
}

TEST_CASE("memory: appended at once, handles share the stream") {
  std::vector<std::byte> out(2, std::byte{'0'});
  Sink sink = Sink::memory(out);
  Sink other = sink;
  REQUIRE(sink.write(bytes_of("12")));
  REQUIRE(other.write(bytes_of("3")));
  CHECK(text_of(out) == "00123");
  CHECK(sink.position() == 3);
  CHECK(other.position() == 3);
  REQUIRE(sink.flush());
}

TEST_CASE("the first failure stays, and nothing comes after it") {
  int calls = 0;
  Sink sink = Sink::callback([&](std::span<const std::byte>) { return ++calls != 2; }, "upload");
  const std::string large(kStraight, 'x');
  REQUIRE(sink.write(bytes_of(large)));
  for (int i = 0; i < 2; ++i) {
    const auto failed = sink.write(bytes_of(large));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == ErrorKind::io);
    CHECK(failed.error().code() == ErrorCode::write_failed);
    CHECK(failed.error().message() == "upload: the caller's function did not take 65536 bytes");
  }
  CHECK_FALSE(sink.write(bytes_of("small")));
  CHECK_FALSE(sink.write({}));
  CHECK_FALSE(sink.flush());
  CHECK(calls == 2);
  CHECK(sink.position() == kStraight);
}

TEST_CASE("a failure of what was gathered") {
  Sink sink = Sink::callback({});
  REQUIRE(sink.write(bytes_of("gathered")));
  const auto failed = sink.flush();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message() == "the caller's function did not take 8 bytes");
}

TEST_CASE("what the caller's function throws becomes an Error") {
  Sink sink = Sink::callback([](std::span<const std::byte>) -> bool { throw std::runtime_error("no"); });
  REQUIRE(sink.write(bytes_of("x")));
  const auto failed = sink.flush();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message() == "the caller's function threw when given 1 bytes");
}
