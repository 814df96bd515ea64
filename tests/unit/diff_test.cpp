// SPDX-License-Identifier: MIT
// diff(): everything is compared, what is shared must be so in both, and no sharing makes it dear.
#include "support/compared.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace brine;
using namespace brine::test;

namespace {

const std::string kLong(100, 'x'), kOther = std::string(99, 'x') + "y";

/// A dict of one of everything, each object made anew.
Value everything(Tree& t) {
  const Value d = t.dict();
  const std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{255}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, TreeItem>>{
           {"none", nullptr}, {"true", true}, {"int", 3}, {"big", t.big_int("123456789012345678901234567890")}, {"nan", nan}, {"zero", -0.0},
           {"complex", t.complex(nan, -0.0)}, {"text", kLong}, {"bytes", t.bytes(bytes)}, {"list", t.list({1, t.list()})},
           {"tuple", t.tuple({1, t.tuple({})})}, {"set", t.set({"a", 2, nullptr})}, {"ordered", t.ordered_dict()}, {"size", t.size({1, 2})},
           {"dtype", t.dtype(DType::float32)}, {"tensor", floats({1, NAN})}, {"parameter", t.parameter(floats({1}))}})
    REQUIRE(t.set(d, key, value));
  REQUIRE(t.set(d, t.tuple({"a", nan}), 1));
  REQUIRE(t.set(d, t.dtype(DType::int8), 2));
  REQUIRE(t.append(d["list"], d["list"]));  // a cycle
  return d;
}

}  // namespace

TEST_CASE("diff: a tree equals one that was made alike") {
  Tree one, two;
  const Value a = everything(one), b = everything(two);
  CHECK(told(a, b) == "");
  CHECK(compared(a, b).equal());
  CHECK(compared(a, b).compared > 20);
  CHECK(compared(a, a).equal());
}

TEST_CASE("diff: whatever is another value") {
  Tree one, two;
  const auto changed = [&](const char* key, const TreeItem& value, const std::string& text) {
    Tree fresh;
    const Value a = everything(one), b = everything(fresh);
    REQUIRE(fresh.set(b, key, value));
    CHECK(told(a, b) == key + text);
  };
  changed("none", false, ": None -> False");
  changed("true", 1, ": True -> 1");
  changed("int", 3.0, ": 3 -> 3.0");
  changed("big", two.big_int("123456789012345678901234567891"), ": 123456789012345678901234567890 -> 123456789012345678901234567891");
  changed("nan", 1.0, ": nan -> 1.0");
  changed("zero", 0.0, ": -0.0 -> 0.0");
  changed("text", kOther, ": '" + std::string(80, 'x') + "…', other from byte 99 on");
  changed("list", two.list({1, 2}), ": 3 items -> 2 items; list.1: list (0) -> 2");
  changed("set", two.set({"a", nullptr}), ": the member 2");
  changed("ordered", two.dict(), ": OrderedDict (0) -> dict (0)");
  changed("dtype", two.dtype(DType::float16), ": <torch.float32> -> <torch.float16>");
  changed("tensor", floats({1, 3}), ": largest difference inf, 1 of 2 elements");
  changed("tensor", floats({1}), ": [2] -> [1]");
  changed("parameter", floats({1}), ": requires_grad -> no requires_grad  Parameter -> Tensor");
}

TEST_CASE("diff: keys, and their order") {
  Tree t;
  const Value a = t.dict(), b = t.dict();
  REQUIRE(t.set(a, "x", 1));
  REQUIRE(t.set(a, "y", 2));
  REQUIRE(t.set(a, "only", t.list({1})));
  REQUIRE(t.set(b, "y", 2));
  REQUIRE(t.set(b, "x", 1));
  REQUIRE(t.set(b, "new", "n"));
  const Comparison found = compared(a, b);
  REQUIRE(found.differences.size() == 2);
  CHECK(found.differences[0].kind == Differ::only_in_a);
  CHECK(found.differences[0].path == "only");
  CHECK(found.differences[1].kind == Differ::only_in_b);
  CHECK(found.differences[1].text == "'n'");
  CHECK(!found.same_order);
  CHECK(!found.equal());
}

TEST_CASE("diff: what is one object must be one in both") {
  Tree t;
  const Value shared = t.list({1}), other = t.list({1});
  const Comparison found = compared(t.list({shared, shared}), t.list({shared, other}));
  REQUIRE(found.differences.size() == 1);
  CHECK(found.differences[0].kind == Differ::sharing);
  CHECK(found.differences[0].path == "1");
  CHECK(compared(t.list({shared, other}), t.list({shared, shared})).differing == 1);
  CHECK(compared(t.list({shared, shared}), t.list({other, other})).equal());
  const Value loop = t.list(), longer = t.list(), second = t.list({longer});  // a cycle of one against a cycle of two
  REQUIRE(t.append(loop, loop));
  REQUIRE(t.append(longer, second));
  CHECK(!compared(loop, longer).equal());
}

TEST_CASE("diff: the tolerance is for floats") {
  Tree t;
  const DiffOptions options{.tolerance = 0.5};
  CHECK(compared(t.list({1.0, floats({1, 2})}), t.list({1.25, floats({1, 2.5F})}), options).equal());
  CHECK(!compared(t.list({1.0}), t.list({2.0}), options).equal());
  CHECK(!compared(t.list({1}), t.list({2}), {.tolerance = 3}).equal());
  CHECK(compared(t.list({floats({1, 2})}), t.list({floats({1, 3})}), {.elements = false}).equal());
}

TEST_CASE("diff: 64-bit integers differ where a double does not hold them") {
  Tree t;
  const std::array<std::int64_t, 2> x{std::int64_t{1} << 60, 5}, y{(std::int64_t{1} << 60) + 1, 5};
  const auto found = compared(t.value(Tensor::copy(std::span<const std::int64_t>(x), {2}).value()), t.value(Tensor::copy(std::span<const std::int64_t>(y), {2}).value()));
  REQUIRE(found.differences.size() == 1);
  CHECK(found.differences[0].tensor.largest_difference == 1);
  CHECK(found.differences[0].tensor.differing == 1);
}

TEST_CASE("diff: views that repeat their elements are not spelled out") {
  Tree t;
  const std::array<std::int64_t, 2> shape{std::int64_t{1} << 40, 2}, stride{0, 1};
  const auto view = [&](std::vector<float> v) { return t.value(Tensor::view(floats(std::move(v)).storage(), DType::float32, shape, stride).value()); };
  CHECK(compared(view({1, 2}), view({1, 2})).equal());
  const auto found = compared(view({1, 2}), view({1, 4}));
  REQUIRE(found.differences.size() == 1);
  CHECK(found.differences[0].tensor.largest_difference == 2);
  CHECK(found.differences[0].tensor.differing == std::uint64_t{1} << 40);
}

TEST_CASE("diff: depth and sharing cost no more than they are") {
  Tree one, two;
  const auto deep = [](Tree& t, std::size_t n) {
    Value list = t.list({1});
    for (std::size_t i = 0; i < n; ++i) list = t.list({list});
    return list;
  };
  CHECK(compared(deep(one, 100'000), deep(two, 100'000)).equal());
  const Comparison found = compared(deep(one, 100'000), deep(two, 99'999));
  REQUIRE(found.differing == 1);
  CHECK(found.differences[0].path.size() <= 4096);
  const auto laughs = [](Tree& t, bool tuples) {  // each holds the one before twice: 2^60 paths
    Value v = t.list({1});
    for (int i = 0; i < 60; ++i) v = tuples ? t.tuple({v, v}) : t.list({v, v});
    return v;
  };
  CHECK(compared(laughs(one, false), laughs(two, false)).equal());
  CHECK(compared(laughs(one, true), laughs(two, true)).equal());
}

TEST_CASE("diff: differences are counted, and the first ones kept") {
  Tree t;
  const Value a = t.list(), b = t.list();
  for (int i = 0; i < 50; ++i) {
    REQUIRE(t.append(a, i));
    REQUIRE(t.append(b, i + 1));
  }
  const Comparison found = compared(a, b, {.max = 7});
  CHECK(found.differences.size() == 7);
  CHECK(found.differing == 50);
}
