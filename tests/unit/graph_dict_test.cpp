// SPDX-License-Identifier: MIT
// Dicts of the graph: keys equal as in Python, first key kept, last value wins; small and large; big integers as text.
#include "graph/graph.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace brine;

namespace {

struct Fixture {
  Budget budget{std::uint64_t{1} << 30, ErrorCode::metadata_too_large};
  Graph graph{budget};
  Ref made = graph.dict();
  DictNode& dict = static_cast<DictNode&>(*made.node);

  bool set(const Ref& key, std::int64_t value) {
    bool replaced = false;
    REQUIRE(graph.set(dict, key, make_int(value), replaced));
    return replaced;
  }
  std::int64_t get(const Ref& key) const {
    const Entry* e = graph.find(dict, key);
    return e ? e->value.integer : -1;
  }
  Ref big(std::string_view digits) const {
    Ref r = make_text(digits);
    r.kind = Kind::integer;
    r.flags = kBig | kDecimal;
    return r;
  }
};

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("1, 1.0 and True are one key, whichever came first, in small and large dicts") {
  for (const int others : {0, 20}) {
    Fixture f;
    for (int i = 0; i < others; ++i) f.set(make_int(100 + i), i);
    const auto before = f.dict.size;
    CHECK_FALSE(f.set(make_bool(true), 1));
    CHECK(f.set(make_float(1.0), 2));
    CHECK(f.set(make_int(1), 3));
    CHECK(f.dict.size == before + 1);
    CHECK(f.dict.entries()[before].key.kind == Kind::boolean);
    CHECK(f.get(make_bool(true)) == 3);
    CHECK_FALSE(f.set(make_float(-0.0), 4));
    CHECK(f.set(make_int(0), 5));
    CHECK(f.set(make_bool(false), 6));
    CHECK(f.get(make_float(0.0)) == 6);
  }
}

TEST_CASE("keys_equal: numbers at the edges of 64 bits and of doubles") {
  CHECK(keys_equal(make_int(std::int64_t{1} << 53), make_float(9007199254740992.0)));
  CHECK_FALSE(keys_equal(make_int((std::int64_t{1} << 53) + 1), make_float(9007199254740992.0)));
  CHECK(keys_equal(make_int(INT64_MIN), make_float(-9223372036854775808.0)));
  CHECK_FALSE(keys_equal(make_int(INT64_MAX), make_float(9223372036854775808.0)));
  CHECK_FALSE(keys_equal(make_int(1), make_float(1.5)));
  CHECK_FALSE(keys_equal(make_float(INFINITY), make_int(INT64_MAX)));
  CHECK(keys_equal(make_float(INFINITY), make_float(INFINITY)));
  CHECK_FALSE(keys_equal(make_float(kNan), make_float(kNan)));
  CHECK_FALSE(keys_equal(make_none(), make_bool(false)));
  CHECK(keys_equal(make_none(), make_none()));
}

TEST_CASE_FIXTURE(Fixture, "NaN: never equal, so a key of its own each time, as for two NaN objects in Python") {
  for (int i = 0; i < 30; ++i) CHECK_FALSE(set(make_float(kNan), i));
  CHECK(dict.size == 30);
  CHECK(get(make_float(kNan)) == -1);
}

TEST_CASE("complex keys by value; without an imaginary part they are the real number") {
  for (const int others : {0, 20}) {
    Fixture f;
    for (int i = 0; i < others; ++i) f.set(make_int(100 + i), i);
    const auto before = f.dict.size;
    CHECK_FALSE(f.set(f.graph.complex(1, -0.5), 1));
    CHECK(f.set(f.graph.complex(1, -0.5), 2));
    CHECK_FALSE(f.set(f.graph.complex(1, 0.5), 3));
    CHECK_FALSE(f.set(f.graph.complex(7, 0), 4));
    CHECK(f.set(make_int(7), 5));
    CHECK(f.set(make_float(7), 6));
    CHECK(f.get(f.graph.complex(7, -0.0)) == 6);
    CHECK(f.get(make_text("7")) == -1);
    CHECK(f.dict.size == before + 3);
  }
}

TEST_CASE_FIXTURE(Fixture, "strings and bytes by value, and never each other") {
  const std::string one = "key", other = "key";
  const Ref b1 = graph.bytes(one), b2 = graph.bytes(other), array = graph.bytes(one, Kind::bytearray),
            array2 = graph.bytes(one, Kind::bytearray);
  for (int round = 0; round < 2; ++round) {
    set(make_text(one), 1);
    CHECK(set(make_text(other), 2));
    set(b1, 3);
    CHECK(set(b2, 4));
    CHECK(get(make_text("key")) == 2);
    CHECK(get(b1) == 4);
    CHECK(get(array) == (round ? 5 : -1));
    set(array, 5);
    CHECK(get(array2) == -1);  // a bytearray is a key by identity: Python would refuse it
    CHECK(get(make_text("")) == -1);
    for (int i = 0; i < 20; ++i) set(make_int(i), i);
  }
}

TEST_CASE_FIXTURE(Fixture, "all else by identity") {
  const Ref t1 = graph.tuple({}), t2 = graph.tuple({}), list = graph.list(), g1 = graph.global("m", "n"), g2 = graph.global("m", "n");
  int value = 0;
  for (const Ref& key : {t1, t2, list, g1, g2}) CHECK_FALSE(set(key, value++));
  CHECK(dict.size == 5);
  CHECK(get(t2) == 1);
  CHECK(get(g1) == 3);
  CHECK(set(list, 9));
}

TEST_CASE_FIXTURE(Fixture, "integers beyond 64 bits by their digits") {
  CHECK_FALSE(set(big("18446744073709551616"), 1));
  CHECK(set(big("18446744073709551616"), 2));
  CHECK_FALSE(set(big("18446744073709551617"), 3));
  CHECK_FALSE(set(make_int(0), 4));
}

TEST_CASE_FIXTURE(Fixture, "100,000 entries: order kept, all found, each replaced once") {
  constexpr int n = 100'000;
  std::vector<std::string> names;
  for (int i = 0; i < n; ++i) names.push_back("layer." + std::to_string(i) + ".weight");
  for (int i = 0; i < n; ++i) CHECK_FALSE(set(i % 2 ? make_text(names[static_cast<std::size_t>(i)]) : make_int(i), i));
  CHECK(dict.size == n);
  for (int i = 0; i < n; ++i) REQUIRE(get(i % 2 ? make_text(names[static_cast<std::size_t>(i)]) : make_float(i)) == i);
  for (int i = 0; i < n; ++i) REQUIRE(dict.entries()[static_cast<std::size_t>(i)].value.integer == i);
  for (int i = 0; i < n; i += 7) REQUIRE(set(i % 2 ? make_text(names[static_cast<std::size_t>(i)]) : make_float(i), -i));
  CHECK(dict.size == n);
  CHECK(get(make_text("layer.3.weight")) == 3);
  CHECK(get(make_int(-1)) == -1);
}

TEST_CASE("memory that ends while a dict or list grows") {
  for (std::uint64_t limit = 0; limit < 8192; limit += 64) {
    Budget budget(limit, ErrorCode::metadata_too_large);
    Graph graph(budget);
    const Ref made = graph.dict(), list = graph.list();
    if (made.kind == Kind::absent || list.kind == Kind::absent) continue;
    auto& dict = static_cast<DictNode&>(*made.node);
    bool replaced = false, ok = true;
    std::int64_t n = 0;
    for (; n < 1000 && ok; ++n) ok = graph.set(dict, make_int(n), make_int(n), replaced);
    CHECK_FALSE(ok);
    CHECK(dict.size == n - 1);
    for (std::int64_t i = 0; i < n - 1; ++i) REQUIRE(graph.find(dict, make_int(i)) != nullptr);
    CHECK(budget.used() <= limit);
  }
}

TEST_CASE_FIXTURE(Fixture, "big_int_text: decimal, hexadecimal where that would take long, two's complement") {
  const auto text = [](std::string_view bytes) {
    Ref r = make_text(bytes);
    r.kind = Kind::integer;
    r.flags = kBig;
    return big_int_text(r);
  };
  using namespace std::string_view_literals;
  CHECK(text("\0\0\0\0\0\0\0\0\x01"sv) == "18446744073709551616");
  CHECK(text("\0\0\0\0\0\0\0\0\xFF"sv) == "-18446744073709551616");
  CHECK(text("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE"sv) == "-18446744073709551617");
  CHECK(text("\0"sv) == "0");
  CHECK(text(std::string(128, '\0') + '\x01') == "0x1" + std::string(256, '0'));
  CHECK(text(std::string(128, '\0') + '\xFF') == "-0x1" + std::string(256, '0'));
  CHECK(big_int_text(big("-12345678901234567890123")) == "-12345678901234567890123");
}
