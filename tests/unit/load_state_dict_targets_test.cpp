// SPDX-License-Identifier: MIT
// Targets that are no plain memory: who owns what. PyTorch's rules for them are held against PyTorch by the live tests.
#include <brine/brine.hpp>

#include "support/state_dicts.hpp"
#include "support/torch_file.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace brine;
using test::dict, test::numbers;

namespace {

using Doubles = std::vector<double>;

}  // namespace

TEST_CASE("a lazy entry: shape from the checkpoint, dtype and memory its own") {
  std::optional<Tensor> kept;
  {
    Parameters mine;
    mine.add_lazy("w", DType::float64);
    mine.add_lazy("b", DType::float32, {.buffer = true});
    CHECK(mine.entry(0).lazy);
    CHECK(mine.entry(0).shape.empty());
    CHECK(mine.assigned("w") == nullptr);
    REQUIRE(load_state_dict(mine, dict({{"w", numbers({2, 2})}}), {.strict = false, .dry_run = true}));
    CHECK(mine.entry(0).lazy);

    REQUIRE(load_state_dict(mine, dict({{"w", numbers({2, 2})}}), {.strict = false}));
    const Parameters::Entry entry = mine.entry(0);
    CHECK(!entry.lazy);
    CHECK(entry.shape.size() == 2);
    CHECK(entry.stride[0] == 2);
    REQUIRE(entry.bytes.size() == 4 * sizeof(double));
    CHECK(mine.entry(1).lazy);
    REQUIRE(mine.assigned("w"));
    CHECK(mine.assigned("w")->to_vector<double>().value() == Doubles{1, 2, 3, 4});

    // From now on as any other: the shape counts, and the memory is written to.
    const auto other = load_state_dict(mine, dict({{"w", numbers({3})}}), {.strict = false});
    REQUIRE(!other);
    CHECK(other.error().code() == ErrorCode::size_mismatch);
    kept = *mine.assigned("w");
    REQUIRE(load_state_dict(mine, dict({{"w", numbers({2, 2}, 5)}}), {.strict = false}));
    CHECK(mine.entry(0).bytes.data() == entry.bytes.data());
    CHECK(kept->to_vector<double>().value() == Doubles{5, 6, 7, 8});
    entry.bytes[7] = std::byte{0};
    CHECK(kept->to_vector<double>().value()[0] != 5);
  }
  CHECK(kept->to_vector<double>().value()[3] == 8);  // outlives the Parameters
}

TEST_CASE("a lazy entry: assigned, then copied to; empty; from a tensor of the same entry") {
  Parameters mine;
  mine.add_lazy("w", DType::float64);
  const Tensor w = numbers({2});
  REQUIRE(load_state_dict(mine, dict({{"w", w}}), {.assign = true}));
  CHECK(mine.assigned("w")->storage() == w.storage());
  CHECK(mine.entry(0).bytes.empty());
  CHECK(!load_state_dict(mine, dict({{"w", numbers({3})}}), {.assign = true}));
  REQUIRE(load_state_dict(mine, dict({{"w", numbers({2}, 7)}})));
  CHECK(mine.assigned("w")->dtype() == DType::float64);
  CHECK(mine.assigned("w")->to_vector<double>().value() == Doubles{7, 8});
  const StateDict itself = dict({{"w", *mine.assigned("w")}});
  REQUIRE(load_state_dict(mine, itself));
  CHECK(mine.assigned("w")->to_vector<double>().value() == Doubles{7, 8});

  Parameters none;
  none.add_lazy("e", DType::int8);
  REQUIRE(load_state_dict(none, dict({{"e", numbers({0, 3})}})));
  REQUIRE(none.assigned("e"));
  CHECK(none.assigned("e")->shape()[1] == 3);
}

TEST_CASE("a lazy entry: a shape larger than the limit of a copy is an error") {
  Parameters mine;
  mine.add_lazy("w", DType::float64);
  const std::vector<std::int64_t> shape{1 << 20, 1 << 20}, stride{0, 0};
  const Tensor huge = *Tensor::view(numbers({1}).storage(), DType::float32, shape, stride);
  const auto failed = load_state_dict(mine, dict({{"w", huge}}));
  REQUIRE(!failed);
  CHECK(failed.error().code() == ErrorCode::copy_too_large);
  CHECK(failed.error().place().path == "w");
}

TEST_CASE("a lazy entry takes no strides") {
  Parameters mine;
  mine.add_lazy("w", DType::float32, {.stride = {1}});
  REQUIRE(mine.fault());
  CHECK(mine.fault()->code() == ErrorCode::bad_argument);
}

TEST_CASE("suggest: a lazy entry fits any shape") {
  Parameters mine;
  mine.add_lazy("head.weight", DType::float32);
  const StateDict state = dict({{"head.wieght", numbers({2, 3})}});
  const auto report = load_state_dict(mine, state, {.strict = false});
  REQUIRE(report);
  const Suggestions found = suggest(mine, state, *report);
  REQUIRE(found.pairs.size() == 1);
  CHECK(found.pairs[0].shapes_agree);
}

TEST_CASE("alias: one set of entries under two names") {
  std::vector<float> w(2), deep(1);
  Parameters mine;
  mine.add("a.w", std::span(w), {2});
  mine.module("a.act");
  mine.add("a.b.w", std::span(deep), {1});
  mine.add_lazy("a.l", DType::float32);
  mine.alias("x.c", "a");
  mine.alias("d", "x.c");
  CHECK(mine.fault() == nullptr);
  REQUIRE(mine.size() == 9);
  CHECK(mine.contains("d.b.w"));
  CHECK(mine.entry(8).name == "d.b.w");
  CHECK(mine.entry(8).bytes.data() == reinterpret_cast<std::byte*>(deep.data()));

  StateDict state = dict({{"d.w", numbers({2}, 5)}, {"a.w", numbers({2})}, {"x.c.l", numbers({3}, 7)}, {"d.act.q", numbers({1})}});
  auto report = load_state_dict(mine, state, {.strict = false});
  REQUIRE(report);
  CHECK(w == std::vector<float>{5, 6});  // the last of PyTorch's walk
  CHECK(report->missing_keys == std::vector<std::string>{"a.l", "a.b.w", "x.c.w", "x.c.b.w", "d.l", "d.b.w"});
  CHECK(report->unexpected_keys == std::vector<std::string>{"d.act.q"});
  REQUIRE(mine.assigned("a.l"));
  CHECK(mine.assigned("a.l") == mine.assigned("d.l"));
  state.insert("d.l", numbers({4}));
  const auto failed = load_state_dict(mine, state, {.strict = false});
  REQUIRE(!failed);
  CHECK(failed.error().text().find("size mismatch for d.l: copying a param with shape torch.Size([4])") != std::string::npos);
}

TEST_CASE("alias: faults") {
  const auto fault_of = [](const char* name, const char* of) {
    Parameters p;
    p.add_meta("a.b.w", DType::float32, {1});
    p.alias(name, of);
    return p.fault() ? p.fault()->text() : std::string();
  };
  CHECK(fault_of("c", "a").empty());
  CHECK(fault_of("a.c", "a.b").empty());
  CHECK(fault_of("ab", "a").empty());
  CHECK(fault_of("c", "x") == "the alias 'c' of 'x': there is no such module");
  CHECK(fault_of("a", "a.b") == "the alias 'a' of 'a.b': the name was given before");
  CHECK(fault_of("a.b.w", "a.b") == "the alias 'a.b.w' of 'a.b': the name was given before");
  CHECK(fault_of("a.b.c", "a") == "the alias 'a.b.c' of 'a': a module is never inside itself");
  CHECK(fault_of("c", "") == "the alias 'c' of '': a module is never inside itself");
  CHECK(fault_of("", "a") == "the alias '' of 'a': the name was given before");
}

TEST_CASE("a file says that its tensors were assigned: the caller's memory is filled all the same, unless assign_as_saved") {
  test::Pickle p(2);
  p.ordered_dict().str("fc.w").vector("0", 2).setitem().empty_dict().str("_metadata").ordered_dict().str("fc");
  p.empty_dict().str("assign_to_params_buffers").boolean(true).setitem().setitem().setitem().build();
  const Checkpoint file = test::open_zip(p, {{"0", test::counting(2)}});
  const StateDict state = *file.state_dict();
  for (const bool as_saved : {false, true}) {
    std::vector<float> w(2, -1);
    Parameters mine;
    mine.add("fc.w", std::span(w), {2});
    REQUIRE(load_state_dict(mine, state, {.assign_as_saved = as_saved}));
    CHECK(w == (as_saved ? std::vector<float>{-1, -1} : std::vector<float>{0, 1}));
    CHECK((mine.assigned("fc.w") != nullptr) == as_saved);
  }
}
