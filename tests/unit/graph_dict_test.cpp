// SPDX-License-Identifier: MIT
// Dicts of the graph: keys equal as in Python, first key kept, last value wins; small and large; big integers as text.
#include "graph/big_int.hpp"
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
  Ref big(std::string_view digits) { return graph.big_int(graph.copy(int_from_decimal(digits)), digits); }
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
  const Ref l1 = graph.list(), l2 = graph.list(), d1 = graph.dict(), d2 = graph.dict();
  int value = 0;
  for (const Ref& key : {l1, l2, d1, d2}) CHECK_FALSE(set(key, value++));
  CHECK(dict.size == 4);
  CHECK(get(l2) == 1);
  CHECK(get(d1) == 2);
  CHECK(set(l1, 9));
}

TEST_CASE_FIXTURE(Fixture, "classes by name") {
  CHECK_FALSE(set(graph.global("m", "n"), 1));
  CHECK(set(graph.global("m", "n"), 2));
  CHECK_FALSE(set(graph.global("m", "o"), 3));
  CHECK_FALSE(set(graph.global("n", "m"), 4));
  CHECK(get(graph.global("m", "n")) == 2);
}

TEST_CASE_FIXTURE(Fixture, "tuples and frozensets item by item, in small and large dicts") {
  const auto tuple = [&](std::initializer_list<Ref> items, Made kind = Made::plain) { return graph.tuple({items.begin(), items.size()}, kind); };
  const auto frozenset = [&](std::initializer_list<Ref> items) { return graph.set_of({items.begin(), items.size()}, Kind::frozenset); };
  const std::string a = "text", b = "text", long_a(5000, 'x'), long_b(5000, 'x');
  for (int round = 0; round < 2; ++round) {
    const auto t = [&] { return tuple({make_text(round ? a : b), tuple({make_int(1), make_text(round ? long_a : long_b)})}); };
    CHECK(set(t(), 1) == (round > 0));
    CHECK(set(t(), 2));
    CHECK(get(t()) == 2);
    CHECK(set(tuple({}), 3) == (round > 0));
    CHECK(get(tuple({})) == 3);
    CHECK(set(tuple({make_int(1), make_int(2)}), 4) == (round > 0));
    CHECK(get(tuple({make_bool(true), make_float(2.0)})) == 4);
    CHECK(get(tuple({make_int(1), make_int(2)}, Made::size)) == 4);
    CHECK(get(tuple({make_int(1), make_int(2)}, Made::device)) == -1);
    CHECK(get(tuple({make_int(2), make_int(1)})) == -1);
    CHECK(set(frozenset({make_int(1), make_int(2), t()}), 5) == (round > 0));
    CHECK(get(frozenset({t(), make_int(2), make_float(1.0)})) == 5);
    CHECK(get(frozenset({make_int(1), make_int(2)})) == -1);
    CHECK(set(make_text(long_a), 6) == (round > 0));
    CHECK(get(make_text(long_b)) == 6);
    const Ref list = graph.list();
    CHECK_FALSE(set(tuple({list}), 7));
    CHECK(get(tuple({list})) == 7);
    CHECK(get(tuple({graph.list()})) == -1);
    for (int i = 10; i < 30; ++i) set(make_int(i), i);
  }
}

TEST_CASE_FIXTURE(Fixture, "a tuple of another graph is found by its items") {
  Graph other(budget);
  for (int i = 0; i < 20; ++i) {
    const Ref items[] = {make_int(i), make_text("name")};
    const Ref both[] = {graph.tuple(items), make_none()};
    set(graph.tuple(both), i);
  }
  const Ref items[] = {make_float(7), make_text("name")};
  const Ref both[] = {other.tuple(items), make_none()};
  CHECK(get(other.tuple(both)) == 7);
  const Ref wrong[] = {other.tuple(items), make_int(0)};
  CHECK(get(other.tuple(wrong)) == -1);
}

// Two equal tuples of 2^40 leaves each, in 40 nodes; and one long text fetched again and again.
TEST_CASE_FIXTURE(Fixture, "what is shared is compared once") {
  const auto doubled = [&] {
    Ref t = graph.tuple({});
    for (int i = 0; i < 40; ++i) {
      const Ref both[] = {t, t};
      t = graph.tuple(both);
    }
    return t;
  };
  const Ref one = doubled(), other = doubled();
  const std::string text(1 << 20, 'k'), same = text;
  CHECK_FALSE(set(one, 1));
  CHECK(set(other, 2));
  CHECK_FALSE(set(make_text(text), 3));
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE(set(other, i));
    REQUIRE(set(make_text(i % 2 ? text : same), i));
  }
  CHECK(get(doubled()) == 99'999);
  CHECK(dict.size == 2);
}

TEST_CASE_FIXTURE(Fixture, "a NaN object equals itself alone, and 100,000 of them are that many keys") {
  const Ref nan = graph.floating(kNan), again = graph.floating(kNan);
  CHECK_FALSE(set(nan, 1));
  CHECK(set(nan, 2));
  CHECK_FALSE(set(again, 3));
  CHECK(get(nan) == 2);
  const Ref c = graph.complex(kNan, 1), d = graph.complex(kNan, 1);
  CHECK_FALSE(set(c, 4));
  CHECK_FALSE(set(d, 5));
  CHECK(set(c, 6));
  const Ref items[] = {nan}, others[] = {again};
  CHECK_FALSE(set(graph.tuple(items), 7));
  CHECK(set(graph.tuple(items), 8));
  CHECK_FALSE(set(graph.tuple(others), 9));
  for (int i = 0; i < 100'000; ++i) REQUIRE_FALSE(set(graph.floating(kNan), i));
}

TEST_CASE_FIXTURE(Fixture, "integers beyond 64 bits by value, also where a float has it") {
  CHECK_FALSE(set(big("18446744073709551616"), 1));
  CHECK(set(graph.big_int(std::string_view("\0\0\0\0\0\0\0\0\1", 9)), 2));
  CHECK(set(make_float(18446744073709551616.0), 5));
  CHECK_FALSE(set(big("18446744073709551617"), 3));
  CHECK_FALSE(set(make_int(0), 4));
  CHECK_FALSE(set(make_float(-1e300), 6));
  CHECK(get(big("-" + std::string("1000000000000000052504760255204420248704468581108159154915854115111802457988908195786371375080447854045104"
                                  "263148128634190905265525653116006535232"))) == -1);
  for (int i = 1; i < 20; ++i) set(make_int(i), i);
  CHECK(get(make_float(18446744073709551616.0)) == 5);
}

TEST_CASE_FIXTURE(Fixture, "members of sets are there once, in order") {
  const std::string a = "one", b = "one";
  const Ref items[] = {make_int(1), make_text(a), make_bool(true), make_text(b), make_float(1), make_int(2)};
  const auto kept = list_of(graph.set_of(items)).items();
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].kind == Kind::integer);
  CHECK(kept[1].text == a.data());
  std::vector<Ref> many;
  for (int i = 0; i < 100'000; ++i) many.push_back(make_int(i / 2));
  CHECK(list_of(graph.set_of(many)).size == 50'000);
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
  const auto text = [](std::string_view bytes) { return big_int_text(bytes); };
  using namespace std::string_view_literals;
  CHECK(text("\0\0\0\0\0\0\0\0\x01"sv) == "18446744073709551616");
  CHECK(text("\0\0\0\0\0\0\0\0\xFF"sv) == "-18446744073709551616");
  CHECK(text("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE"sv) == "-18446744073709551617");
  CHECK(text("\0"sv) == "0");
  CHECK(text(std::string(128, '\0') + '\x01') == "0x1" + std::string(256, '0'));
  CHECK(text(std::string(128, '\0') + '\xFF') == "-0x1" + std::string(256, '0'));
  for (const std::string digits : {"-12345678901234567890123", "18446744073709551616", "-9223372036854775809", "1000000000000000000000000000000000000",
                                   "99999999999999999999999999999999999999999999999999999999999999"})
    CHECK(big_int_text(int_from_decimal(digits)) == digits);
}
