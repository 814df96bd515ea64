// SPDX-License-Identifier: MIT
// diff(): what is shared must be shared alike, what is equal in Python's eyes is matched, and the weights have a place.
#include "support/compared.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace brine;
using namespace brine::test;

namespace {

Tensor view(const Tensor& t, std::int64_t offset) { return Tensor::view(t.storage(), DType::float32, {2}, {}, offset).value(); }

/// A checkpoint that was saved and loaded again.
Checkpoint saved(const Value& root) {
  const auto bytes = std::make_shared<std::vector<std::byte>>();
  REQUIRE(save(root, Sink::memory(*bytes)));
  return load(Source::memory(*bytes, bytes)).value();
}

std::string told(const CheckpointDiff& found) {
  std::string out;
  for (const auto& d : found.rest.differences) out += (out.empty() ? "" : "; ") + d.path + ": " + d.text;
  return out;
}

}  // namespace

TEST_CASE("diff: one that stands beside another's partner is nobody's partner yet") {
  Tree t;
  const auto list = [&] { return t.list({1}); };
  const Value s = list(), u = list(), s2 = list(), y = list(), u2 = list();
  // y is told when it stands for s, and again when it stands for u: not taken for u's partner because both were the second to be met.
  CHECK(told(t.list({s, s, u, u}), t.list({s2, y, u2, y})) == "1: one list in several places in A only; 3: one list in several places in A, with other places than in B");
}

TEST_CASE("diff: tensors that share memory must share it in both") {
  Tree t;
  const Tensor x = floats({1, 1, 1, 1}), y = floats({1, 1, 1, 1});
  const auto two = [&](const Tensor& a, const Tensor& b) { return t.list({a, b}); };
  CHECK(told(two(view(x, 0), view(x, 0)), two(view(x, 0), view(y, 0))) == "1: shares its storage with 0 in A only");
  CHECK(told(two(view(x, 0), view(y, 0)), two(view(x, 0), view(x, 0))) == "1: shares its storage with 0 in B only");
  CHECK(told(two(view(x, 0), view(x, 0)), two(view(y, 2), view(y, 2))) == "");
  CHECK(told(two(view(x, 0), view(x, 1)), two(view(y, 0), view(y, 2))) == "1: lies elsewhere in the storage that it shares with 0");
  CHECK(compared(two(view(x, 0), view(x, 0)), two(view(x, 0), view(y, 0))).differences[0].kind == Differ::sharing);

  StateDict tied, untied;
  tied.insert("a", view(x, 0)), tied.insert("b", view(x, 0));
  untied.insert("a", view(x, 0)), untied.insert("b", view(y, 0));
  const StateDiff found = diff(tied, untied).value();
  REQUIRE(found.attributes.size() == 1);
  CHECK(found.equal());  // of weights alone it does not count
  CHECK(!found.attributes[0].same_sharing);
  CHECK(found.attributes[0].text == "shares its storage with a in A only");
}

TEST_CASE("diff: keys and members that are equal in Python are matched, and compared") {
  Tree t;
  const Value big = t.big_int("123456789012345678901234567890"), bigger = t.big_int("123456789012345678901234567891");
  CHECK(told(t.set({big}), t.set({bigger})) == ": the member 123456789012345678901234567890; : the member 123456789012345678901234567891");
  const auto pairs = [&](std::initializer_list<int> of) {
    std::vector<TreeItem> items;
    for (const int i : of) items.emplace_back(t.tuple({"k", i}));
    return t.set(std::span<const TreeItem>(items));
  };
  CHECK(told(pairs({1, 2, 3}), pairs({3, 1, 2})) == "");
  CHECK(told(pairs({1, 2}), pairs({2, 4})) == "0.1: 1 -> 4");
  const Value one = t.dict(), same = t.dict();
  REQUIRE(t.set(one, 1, "x"));
  REQUIRE(t.set(same, true, "x"));
  CHECK(told(one, same) == "1: 1 -> True");
}

TEST_CASE("diff: keys that share a long tuple cost no more than they are") {
  Tree one, two;
  constexpr int n = 20'000;
  const auto dict = [](Tree& t, bool back) {
    const Value out = t.dict();
    Value all = t.tuple({});
    for (int i = 0; i < n / 8; ++i) all = t.tuple({i, i, i, i, i, i, i, all});
    for (int i = 0; i < n; ++i) REQUIRE(t.set(out, t.tuple({all, back ? n - 1 - i : i}), i));
    return out;
  };
  const Value a = dict(one, false), b = dict(two, true);
  const auto start = std::chrono::steady_clock::now();
  CHECK(!compared(a, b).equal());
  CHECK(compared(a, a).equal());
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("diff: what a tolerance is for") {
  Tree t;
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  CHECK(compared(t.list({t.complex(1, 1)}), t.list({t.complex(1.3, 1.4)}), {.tolerance = 0.51}).equal());
  CHECK(!compared(t.list({t.complex(1, 1)}), t.list({t.complex(1.3, 1.4)}), {.tolerance = 0.49}).equal());
  for (const auto& [x, y] : {std::pair<TreeItem, TreeItem>(1.0, nan), {t.complex(1, 1), t.complex(1, nan)}, {floats({1}), floats({NAN})}}) {
    CHECK(!compared(t.list({x}), t.list({y}), {.tolerance = inf}).equal());
    CHECK(compared(t.list({y}), t.list({y}), {.tolerance = 0}).equal());
  }
  CHECK(compared(t.list({1.0, floats({1})}), t.list({2.0, floats({2})}), {.tolerance = inf}).equal());
  CHECK(!compared(t.list({1.0}), t.list({1.5}), {.tolerance = nan}).equal());
  CHECK(compared(t.list({1.0}), t.list({1.0}), {.tolerance = nan}).equal());
}

TEST_CASE("diff: checkpoints whose weights are elsewhere, or in several places") {
  Tree t;
  const auto weights = [&] {
    const Value d = t.dict();
    REQUIRE(t.set(d, "w", floats({1, 2})));
    return d;
  };
  const auto in = [&](std::initializer_list<std::pair<const char*, Value>> entries) {
    const Value d = t.dict();
    for (const auto& [key, value] : entries) REQUIRE(t.set(d, key, value));
    return saved(d);
  };
  const Value w = weights();
  const Checkpoint model = in({{"model", w}}), twice = in({{"model", w}, {"again", w}}), copies = in({{"model", w}, {"again", weights()}}), other = in({{"state_dict", w}});
  const auto told_of = [](const Checkpoint& a, const Checkpoint& b) { return told(diff(a, b).value()); };
  CHECK(told_of(twice, twice) == "");
  CHECK(told_of(twice, model) == "again: dict (1): the weights, which B has at model");
  CHECK(told_of(model, twice) == "again: dict (1): the weights, which A has at model");
  CHECK(told_of(twice, copies) == "again: the weights -> dict (1)");
  CHECK(told_of(model, other) == "model: dict (1): the weights, which B has at state_dict; state_dict: dict (1): the weights, which A has at model");
  CHECK(told_of(model, saved(w)) == "model: dict (1): the weights, which B has at the root");
  CHECK(!diff(model, other).value().equal());
  CHECK(diff(model, other, {}, "model", "state_dict").value().equal());
}
