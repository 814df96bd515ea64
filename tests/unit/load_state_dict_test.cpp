// SPDX-License-Identifier: MIT
// What is brine's own in load_state_dict; PyTorch's rules are held against PyTorch by tests/live/test_load_state_dict.py.
#include <brine/brine.hpp>

#include "support/state_dicts.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace brine;
using test::dict, test::numbers;

namespace {

using Strings = std::vector<std::string>;

struct Layer {
  std::vector<float> weight = std::vector<float>(6, -1), bias = std::vector<float>(2, -1);
  Parameters mine;
  Layer() {
    mine.add("fc.weight", std::span(weight), {2, 3});
    mine.add("fc.bias", std::span(bias), {2});
  }
};

}  // namespace

TEST_CASE("load_state_dict fills the caller's memory") {
  Layer layer;
  const auto report = load_state_dict(layer.mine, dict({{"fc.weight", numbers({2, 3})}, {"fc.bias", numbers({2}, 10)}}));
  REQUIRE(report);
  CHECK(report->to_string() == "<All keys matched successfully>");
  CHECK(report->loaded == 2);
  CHECK(layer.weight == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(layer.bias == std::vector<float>{10, 11});
  CHECK(layer.mine.assigned("fc.bias") == nullptr);
}

TEST_CASE("load_state_dict: the error carries the report, its message is one line") {
  Layer layer;
  const auto failed =
      load_state_dict(layer.mine, dict({{"fc.weight", numbers({3, 2})}, {"fc.b\nias", numbers({2})}}), {.model_name = "Net"});
  REQUIRE(!failed);
  const Error& error = failed.error();
  CHECK(error.kind() == ErrorKind::usage);
  CHECK(error.code() == ErrorCode::size_mismatch);
  CHECK(error.text() ==
        "Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: \"fc.bias\". \n\tUnexpected key(s) in state_dict: "
        "\"fc.b\nias\". \n\t"
        "size mismatch for fc.weight: copying a param with shape torch.Size([3, 2]) from checkpoint, the shape in current model is "
        "torch.Size([2, 3]).");
  CHECK(error.message().find('\n') == std::string::npos);
  REQUIRE(error.found<LoadReport>());
  CHECK(error.found<LoadReport>()->missing_keys == Strings{"fc.bias"});
  CHECK(error.found<LoadReport>()->unexpected_keys == Strings{"fc.b\nias"});
  REQUIRE(error.found<LoadReport>()->problems.size() == 1);
  CHECK(error.found<LoadReport>()->problems[0].model_shape == std::vector<std::int64_t>{2, 3});
  CHECK(error.found<LoadReport>()->problems[0].checkpoint_shape == std::vector<std::int64_t>{3, 2});
  const Error copy = error;
  CHECK(copy.found<LoadReport>() == error.found<LoadReport>());
  CHECK(Error(ErrorKind::io, ErrorCode::open_failed, "x").found<LoadReport>() == nullptr);

  Layer other;
  const auto keys = load_state_dict(other.mine, dict({{"fc.weight", numbers({2, 3})}}));
  REQUIRE(!keys);
  CHECK(keys.error().code() == ErrorCode::key_mismatch);
  CHECK(name(keys.error().code()) == "key_mismatch");
}

TEST_CASE("load_state_dict: PyTorch copies what it can; validate_first writes nothing") {
  const StateDict state = dict({{"fc.weight", numbers({2, 3})}, {"fc.bias", numbers({3})}});
  Layer some, none;
  CHECK(!load_state_dict(some.mine, state));
  CHECK(some.weight[0] == 1);
  CHECK(!load_state_dict(none.mine, state, {.validate_first = true}));
  CHECK(none.weight == std::vector<float>(6, -1));
  CHECK(!load_state_dict(none.mine, dict({{"fc.weight", numbers({2, 3})}}), {.validate_first = true}));
  CHECK(none.weight == std::vector<float>(6, -1));
  CHECK(load_state_dict(none.mine, dict({{"fc.weight", numbers({2, 3})}}), {.strict = false, .validate_first = true}));
  CHECK(none.weight[5] == 6);
}

TEST_CASE("load_state_dict: skip_mismatched and dry_run") {
  const StateDict state = dict({{"fc.weight", numbers({2, 3})}, {"fc.bias", numbers({3})}});
  Layer layer;
  const auto report = load_state_dict(layer.mine, state, {.skip_mismatched = true});
  REQUIRE(report);
  CHECK(report->loaded == 1);
  REQUIRE(report->skipped.size() == 1);
  CHECK(report->skipped[0].key == "fc.bias");
  CHECK(layer.bias == std::vector<float>(2, -1));

  Layer dry;
  const auto would = load_state_dict(dry.mine, state, {.skip_mismatched = true, .dry_run = true});
  REQUIRE(would);
  CHECK(would->loaded == 1);
  CHECK(dry.weight == std::vector<float>(6, -1));
  CHECK(!load_state_dict(dry.mine, state, {.dry_run = true}));
}

TEST_CASE("load_state_dict: assign gives the checkpoint's own tensor, without a copy") {
  Parameters mine;
  mine.add_meta("w", DType::float16, {2, 3});
  mine.add_meta("s", DType::int64, {});
  const Tensor w = numbers({2, 3}), s = numbers({1}, 7);
  REQUIRE(load_state_dict(mine, dict({{"w", w}, {"s", s}}), {.strict = true}));
  CHECK(mine.assigned("w") == nullptr);  // meta: no memory to copy to
  REQUIRE(load_state_dict(mine, dict({{"w", w}, {"s", s}}), {.assign = true}));
  REQUIRE(mine.assigned("w"));
  CHECK(mine.assigned("w")->dtype() == DType::float32);
  CHECK(mine.assigned("w")->storage() == w.storage());
  REQUIRE(mine.assigned("s"));
  CHECK(mine.assigned("s")->shape().empty());
  CHECK(mine.assigned("s")->item<float>().value_or(0) == 7);
  CHECK(mine.assigned("zz") == nullptr);
}

TEST_CASE("Parameters keeps the first fault of an add") {
  const auto fault_of = [](auto&& add) {
    Parameters p;
    add(p);
    const auto result = load_state_dict(p, StateDict(), {.strict = false});
    CHECK(result.has_value() == (p.fault() == nullptr));
    return p.fault() ? p.fault()->text() : std::string();
  };
  std::vector<float> six(6);
  std::vector<std::byte> bytes(7);
  const std::array<std::int64_t, 2> shape{2, 3};
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, 3}); }).empty());
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, 4}); }).find("'a'") != std::string::npos);
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {5}); }) == "the entry 'a': the memory has 24 bytes, the shape needs 20");
  CHECK(fault_of([&](Parameters& p) { p.add("a", DType::float32, bytes, std::array<std::int64_t, 1>{1}); }) != "");
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, -3}); }) != "");
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {std::int64_t{1} << 40, std::int64_t{1} << 40}); }) != "");
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, 3}, {.stride = {1}}); }) != "");
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, 3}, {.stride = {3, 2}}); }) != "");
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, 3}, {.stride = {1, 2}}); }).empty());
  CHECK(fault_of([&](Parameters& p) { p.add("a", std::span(six), {2, 2}, {.stride = {-1, 1}}); }) != "");
  CHECK(fault_of([&](Parameters& p) {
          p.add("a", std::span(six), {6}), p.add("a", std::span(six), {6}), p.add("b", std::span(six), {9});
        }) == "the entry 'a': the name was given before");
  Parameters moved;
  moved.add("x.y", DType::float32, std::as_writable_bytes(std::span(six)), shape);
  const Parameters p = std::move(moved);
  REQUIRE(p.size() == 1);
  CHECK(p.contains("x.y"));
  CHECK(!p.contains("x"));
  CHECK(!p.contains("x.y.z"));
  CHECK(p.entry(0).name == "x.y");
  CHECK(p.entry(0).stride[0] == 3);
}

TEST_CASE("load_state_dict: overlapping memory as copy_ has it") {
  std::vector<float> memory{1, 2, 3, 4, 5, 6};
  const auto part = [&](std::size_t at, std::size_t size) { return std::span(memory).subspan(at, size); };
  const auto source = [&](std::size_t at) { return *Tensor::borrow(std::span<const float>(part(at, 4)), {4}); };
  Parameters mine;
  mine.add("w", part(0, 4), {4});
  REQUIRE(load_state_dict(mine, dict({{"w", source(0)}})));  // the very same: nothing to do
  const auto failed = load_state_dict(mine, dict({{"w", source(2)}}));
  REQUIRE(!failed);
  CHECK(failed.error().code() == ErrorCode::copy_refused);
  CHECK(failed.error().text().find(
            "an exception occurred : ('unsupported operation: some elements of the input tensor and the written-to tensor") !=
        std::string::npos);
  CHECK(memory == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("load_state_dict: a tree without a description, and one with") {
  std::vector<float> one(1);
  Parameters inferred, described;
  for (Parameters* p : {&inferred, &described}) p->add("a.w", std::span(one), {1});
  described.module("b");
  described.module("c.d", {.kind = ModuleKind::none});
  described.module("a", {.extra_state = true});
  const StateDict state = dict(
      {{"b.x", numbers({1})}, {"c.d.e", numbers({1})}, {"a.w", numbers({1})}, {"a.v", numbers({1})}, {"a._extra_state", numbers({1})}});
  const auto plain = load_state_dict(inferred, state, {.strict = false}), full = load_state_dict(described, state, {.strict = false});
  REQUIRE(plain);
  REQUIRE(full);
  CHECK(plain->unexpected_keys == Strings{"b.x", "c.d.e", "a._extra_state", "a.v"});
  CHECK(full->unexpected_keys == Strings{"a.v", "b.x"});
  CHECK(full->extra_state_keys == Strings{"a._extra_state"});
}

TEST_CASE("load_state_dict: names of many parts cost what they are long") {
  std::string name;
  for (int i = 0; i < 100'000; ++i) name += "a.";
  std::vector<float> one(1);
  Parameters mine;
  mine.add(name, std::span(one), {1});
  CHECK(mine.contains(name));
  StateDict state;
  state.insert(name, numbers({1}, 5));
  state.insert(name + "b", numbers({1}));
  const auto report = load_state_dict(mine, state, {.strict = false});
  REQUIRE(report);
  CHECK(report->unexpected_keys.size() == 1);
  CHECK(one[0] == 5);
}

TEST_CASE("suggest: prefixes, typing errors, shapes") {
  const auto suggestions = [](const StateDict& model, const StateDict& state) {
    Parameters mine = Parameters::like(model);
    const auto report = load_state_dict(mine, state, {.strict = false, .dry_run = true});
    REQUIRE(report);
    return suggest(mine, state, *report);
  };
  const StateDict model =
      dict({{"conv.weight", numbers({3})}, {"conv.bias", numbers({2})}, {"head.weight", numbers({4})}, {"head.bias", numbers({5})}});
  CHECK(suggestions(model, model).empty());
  CHECK(suggestions(model, model).to_string().empty());

  StateDict wrapped = model;
  wrapped.add_prefix("module._orig_mod.");
  auto found = suggestions(model, wrapped);
  CHECK(found.strip_prefix == "module._orig_mod.");
  CHECK(found.prefix_matches == 4);
  CHECK(found.pairs.empty());
  found = suggestions(wrapped, model);
  CHECK(found.add_prefix == "module._orig_mod.");
  CHECK(found.to_string() == "the checkpoint's keys lack the prefix 'module._orig_mod.': 4 missing keys are there with it\n");

  found = suggestions(
      model,
      dict({{"conv.wieght", numbers({3})}, {"conv.bias", numbers({2})}, {"classifier.w", numbers({4})}, {"head.bias_", numbers({9})}}));
  REQUIRE(found.pairs.size() == 3);
  CHECK(found.pairs[0].unexpected == "conv.wieght");
  CHECK(found.pairs[0].why == Suggestions::Why::similar_name);
  CHECK(found.pairs[1].missing == "head.weight");
  CHECK(found.pairs[1].unexpected == "classifier.w");
  CHECK(found.pairs[1].why == Suggestions::Why::same_shape);
  CHECK(found.pairs[2].unexpected == "head.bias_");
  CHECK(!found.pairs[2].shapes_agree);
  CHECK(found.to_string().starts_with("'conv.weight' is missing: did you mean 'conv.wieght'?\n"));
  CHECK(suggestions(model, StateDict()).empty());
}

TEST_CASE("remap_keys") {
  const auto remapped = [](std::initializer_list<const char*> names, std::vector<std::string> rules) {
    StateDict state;
    for (const char* n : names) state.insert(n, numbers({1}));
    const auto report = remap_keys(state, rules);
    Strings out;
    if (!report) out.push_back("! " + report.error().text());
    for (const auto& e : state) out.emplace_back(e.name);
    return out;
  };
  CHECK(remapped({"module.a", "module.module.b", "c"}, {"s/^module.//"}) == Strings{"a", "module.b", "c"});
  CHECK(remapped({"ln.gamma", "gamma.x", "ln.beta"}, {"s/gamma$/weight/", "s/.beta$/.bias/"}) ==
        Strings{"ln.weight", "gamma.x", "ln.bias"});
  CHECK(remapped({"encoder.layer.11.attn.q.weight", "encoder.layer.1.x.attn.q"}, {"s/^encoder.layer.*.attn./blocks.\\1.attention./"}) ==
        Strings{"blocks.11.attention.q.weight", "encoder.layer.1.x.attn.q"});
  CHECK(remapped({"a.b.c.d", "a.d"}, {"s|^**.d$|\\1|"}) == Strings{"a.b.c", "a"});
  CHECK(remapped({"x.1.y.2"}, {"s/*.*.*.*/\\4.\\3.\\2.\\1/"}) == Strings{".y.1.x2"});  // as little as will do
  CHECK(remapped({"x.1.y.2"}, {"s/^*.*.*.*$/\\4.\\3.\\2.\\1/"}) == Strings{"2.y.1.x"});
  CHECK(remapped({"a"}, {"s/^/model./"}) == Strings{"model.a"});
  CHECK(remapped({"a", "b"}, {"s/a/b/"})[0].starts_with("! the rules give two keys the name 'b'"));
  CHECK(remapped({"a", "b"}, {"s/a/b/"}).size() == 3);
  CHECK(remapped({"a", "b"}, {"s/^a$/c/", "s/^b$/a/", "s/^c$/b/"}) == Strings{"b", "a"});  // one after the other, each name for itself
  for (const char* bad : {"", "s", "s//", "s///", "s/a", "s/a/b", "s/a/b/g", "x/a/b/", "s/********************/a/"}) {
    CAPTURE(bad);
    CHECK(remapped({"a"}, {bad})[0].starts_with("! "));
  }
  CHECK(remapped({"a"}, {std::string("s/") + "**a**a**a**a**a**a**b$/x/"}) == Strings{"a"});

  StateDict state = dict({{"module.bn.weight", numbers({1})}, {"module.bn.bias", numbers({1})}});
  state.set_version("", 1);
  state.set_version("module", 1);
  state.set_version("module.bn", 2);
  const StateDict before = state;
  const std::array<std::string, 2> rules{"s/^module.//", "s/zz//"};
  const auto report = remap_keys(state, rules);
  REQUIRE(report);
  CHECK(report->matches == std::vector<std::size_t>{2, 0});
  REQUIRE(report->renamed.size() == 2);
  CHECK(report->renamed[1].from == "module.bn.bias");
  CHECK(state.version("bn") == 2);
  CHECK(state.contains("bn.weight"));
  CHECK(before.contains("module.bn.weight"));
  CHECK(before.version("module.bn") == 2);
}

TEST_CASE("diff") {
  const StateDict a = dict({{"x", numbers({4})}, {"y", numbers({2, 2})}, {"z", numbers({3})}});
  auto same = diff(a, dict({{"y", numbers({2, 2})}, {"x", numbers({4})}, {"z", numbers({3})}}));
  REQUIRE(same);
  CHECK(same->equal());
  CHECK(!same->same_order);
  CHECK(same->compared == 3);

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> odd{1, 2.25F, 3, nan}, odder{1, 2, 3, nan};
  const StateDict left = dict({{"x", *Tensor::copy(std::span<const float>(odd), {4})}, {"y", numbers({2, 2})}, {"l", numbers({1})}});
  const std::array<double, 4> doubles{1, 2, 3, 4};
  StateDict right = dict({{"x", *Tensor::copy(std::span<const float>(odder), {4})},
                          {"y", *Tensor::copy(std::span<const double>(doubles), {2, 2})},
                          {"r", numbers({1})}});
  auto found = diff(left, right);
  REQUIRE(found);
  CHECK(found->only_in_a == std::vector<std::string_view>{"l"});
  CHECK(found->only_in_b == std::vector<std::string_view>{"r"});
  REQUIRE(found->differing.size() == 2);
  CHECK(found->differing[0].largest_difference == 0.25);
  CHECK(found->differing[0].differing == 1);
  CHECK(!found->differing[1].same_dtype);
  CHECK(found->differing[1].largest_difference == 0);
  found = diff(left, right, {.elements = false});
  REQUIRE(found);
  CHECK(found->differing.size() == 1);
  right.insert("x", numbers({4}));
  found = diff(left, right);
  REQUIRE(found);
  CHECK(found->differing[0].largest_difference == HUGE_VAL);  // NaN against 4

  const Storage storage = numbers({6}).storage();
  const std::array<std::int64_t, 2> shape{3, 2}, stride{1, 3};
  const StateDict views = dict({{"v", *Tensor::view(storage, DType::float32, shape, stride)}});
  const std::array<float, 6> gathered{1, 4, 2, 5, 3, 6};
  found = diff(views, dict({{"v", *Tensor::copy(std::span<const float>(gathered), {3, 2})}}));
  REQUIRE(found);
  CHECK(found->equal());
}
