// SPDX-License-Identifier: MIT
#include "bytes/buffer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace brine;

TEST_CASE("numbers are little-endian, and fields are the same at once") {
  Buffer one;
  one.u8(1).u16(0x0302).u32(0x07060504).u64(0x0F0E0D0C0B0A0908).fill(2, std::byte{'Z'}).text("end");
  std::string expected;
  for (char c = 1; c <= 15; ++c) expected += c;
  CHECK(one.text() == expected + "ZZend");

  Buffer other;
  other.u8(1).bytes(Fields<14>().u16(0x0302).u32(0x07060504).u64(0x0F0E0D0C0B0A0908).bytes());
  CHECK(other.text() == expected);
  CHECK(Buffer().text().empty());
}

TEST_CASE("what is there stays when it grows, is cut, and is moved") {
  Buffer buffer;
  std::string expected;
  for (unsigned i = 0; i < 100'000; ++i) {
    const std::string digits = std::to_string(i);
    buffer.text(digits);
    expected += digits;
  }
  REQUIRE(buffer.text() == expected);
  std::byte* room = buffer.room(1 << 20);
  room[0] = std::byte{'!'};
  buffer.used(room + 1);
  CHECK(buffer.text() == expected + "!");
  buffer.cut(10);
  CHECK(buffer.text() == expected.substr(0, 10));

  Buffer moved = std::move(buffer);
  CHECK(moved.text() == expected.substr(0, 10));
  buffer = {};
  CHECK(buffer.size() == 0);
}

TEST_CASE("what is there stays when much is expected, and more or less may come") {
  for (const std::size_t expected : {std::size_t{0}, std::size_t{1000}, std::size_t{3} << 20, std::size_t{5} << 20}) {
    Buffer buffer;
    buffer.expect(expected);
    buffer.text("first");
    buffer.expect(expected);
    buffer.fill(std::size_t{4} << 20, std::byte{'x'}).text("last");
    buffer.expect(expected * 2);
    CHECK(buffer.size() == (std::size_t{4} << 20) + 9);
    CHECK(buffer.text().starts_with("firstxx"));
    CHECK(buffer.text().ends_with("xxlast"));
  }
}
