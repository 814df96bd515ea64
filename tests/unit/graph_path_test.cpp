// SPDX-License-Identifier: MIT
// Paths as chains of steps: what is spelled, whole and without the middle; chains of any length; what a step costs.
#include "graph/path.hpp"

#include "support/torch_file.hpp"

using namespace brine;
using namespace brine::test;

namespace {

Path chain(std::size_t steps, const Step& step) {
  Path path;
  for (std::size_t i = 0; i < steps; ++i) path = step_from(path, step);
  return path;
}
Step named(std::string_view name) { return {.key = make_text(name)}; }

/// What spell() must give, by the whole path.
std::string elided(const std::string& whole, std::size_t max) {
  if (whole.size() <= max) return whole;
  const std::size_t head = (max - 3) / 2, tail = max - 3 - head;
  return whole.substr(0, head) + "…" + whole.substr(whole.size() - tail);
}

}  // namespace

TEST_CASE("steps of every kind") {
  CHECK(spell(nullptr).empty());
  Path path = step_from(nullptr, named("a"));
  CHECK(spell(path.get()) == "a");
  path = step_from(path, Step{.prefix = "args.", .position = 3});
  path = step_from(path, Step{.key = make_text("lr"), .prefix = "kwargs."});
  path = step_from(path, Step{.prefix = "state", .whole = true});
  path = step_from(path, Step{.key = make_int(-7)});
  path = step_from(path, "own text");
  CHECK(spell(path.get()) == "a.args.3.kwargs.lr.state.-7.own text");
  CHECK(path->size == 36);
  CHECK(spell(step_from(step_from(nullptr, named("")), named("x")).get()) == "x");  // an empty key at the root leaves no dot
  CHECK(spell(step_from(place_of("here"), named("")).get()) == "here.");
}

TEST_CASE("a long path is given without its middle") {
  const std::string words[] = {"a", "bcd", "", std::string(50, 'e'), std::string(3000, 'f')};
  for (const std::size_t steps : {1u, 5u, 40u, 700u, 5000u})
    for (const auto& word : words) {
      Path path;
      std::string whole;
      for (std::size_t i = 0; i < steps; ++i) {
        path = step_from(path, i % 2 ? named(word) : Step{.position = static_cast<std::uint32_t>(i)});
        whole += (whole.empty() ? "" : ".") + (i % 2 ? word : std::to_string(i));
      }
      CHECK(path->size == whole.size());
      if (whole.size() < 1'000'000) CHECK(spell(path.get(), SIZE_MAX) == whole);
      for (const std::size_t max : {6u, 64u, 100u, 2048u, 4096u}) CHECK(spell(path.get(), max) == elided(whole, max));
    }
  std::string umlauts;
  for (int i = 0; i < 5000; ++i) umlauts += "ä";
  for (const std::size_t max : {64u, 65u, 66u, 67u}) {
    const std::string text = spell(step_from(nullptr, named(umlauts)).get(), max);
    CHECK(text.size() <= max);
    CHECK(text.find("…ä") != text.npos);
    CHECK(text.ends_with("ä"));
  }
}

TEST_CASE("a million steps are let go of without recursion, and a place in between can outlive the rest") {
  Path path = chain(1'000'000, named("x"));
  CHECK(path->size == 1'999'999);
  Path middle = path;
  for (int i = 0; i < 1000; ++i) path = step_from(path, named("y"));
  path.reset();
  CHECK(middle->size == 1'999'999);
}

TEST_CASE("tensors(): one long key and a deep tree over many tensors; find_path goes back") {
  const std::string key(100'000, 'k');
  Pickle p(2);
  p.vector("0", 1).put(1).op(Op::POP).empty_dict().str(key).empty_list().mark();
  for (int i = 0; i < 20'000; ++i) p.get(1);
  p.op(Op::APPENDS).setitem();
  const Checkpoint ckpt = open_zip(p, {{"0", counting(1)}});
  const auto found = ckpt.tensors();
  REQUIRE(found.size() == 20'000);
  CHECK(found[19'999].path_size() == key.size() + 6);
  CHECK(found[19'999].full_path() == key + ".19999");
  CHECK(found[19'999].path().size() == 4096);
  CHECK(found[19'999].path(10'000).size() == 4096);
  CHECK(found[19'999].path().ends_with("k.19999"));
  CHECK(ckpt.at(found[7].full_path()).exists());
  CHECK(ckpt.at(found[7].full_path()).path() == found[7].path());
  const Value list = ckpt.root()[key];
  std::size_t n = 0;
  for (const Value v : list.elements()) n += v.path(64).size() <= 64;  // no element copies the key
  CHECK(n == 20'000);
}
