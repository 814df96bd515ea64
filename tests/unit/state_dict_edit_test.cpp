// SPDX-License-Identifier: MIT
// A state dict is one ordered list of tensors and other values, and is edited as Python edits a dict; each edit costs one name.
#include "support/saved.hpp"
#include "support/state_dicts.hpp"

#include <chrono>

using namespace brine;
using namespace brine::test;

namespace {

/// As Python iterates: tensors by name, other values as name=kind.
std::string keys(const StateDict& s) {
  std::string out;
  const auto ckpt = loaded(saved(s));
  for (const auto [key, value] : ckpt.root().items()) {
    out += std::string(key.as_string().value());
    if (value.kind() != Kind::tensor) out += "=" + value.type_name();
    out += " ";
  }
  return out;
}

/// {a: tensor, scale: 0.5, b: tensor} of a file.
StateDict with_values(std::string_view value = "scale") {
  Tree tree;
  const Value d = tree.ordered_dict();
  REQUIRE(tree.set(d, "a", numbers({1})));
  REQUIRE(tree.set(d, value, 0.5));
  REQUIRE(tree.set(d, "b", numbers({1}, 2)));
  return loaded(saved(d)).state_dict().value();
}

std::string name_of(int i) { return "module." + std::to_string(i); }
StateDict many(int n) {
  StateDict out;
  const Tensor t = numbers({1});
  for (int i = 0; i < n; ++i) out.insert(name_of(i), t);
  return out;
}

}  // namespace

TEST_CASE("a tensor may take the place of another value, and one of another dict a tensor's") {
  StateDict s = with_values();
  CHECK(keys(s) == "a scale=float b ");
  s.insert("scale", numbers({3}));
  CHECK(keys(s) == "a scale b ");
  CHECK(s.size() == 3);
  CHECK(s.others().empty());
  CHECK(std::distance(s.begin(), s.end()) == 3);

  StateDict t = dict({{"x", numbers({1})}, {"scale", numbers({1})}, {"y", numbers({1})}});
  t.set_version("", 3);
  StateDict from = with_values();
  from.set_version("", 1);
  from.set_version("norm", 2);
  t.merge(from);
  CHECK(keys(t) == "x scale=float y a b ");
  CHECK(t.size() == 4);
  REQUIRE(t.others().size() == 1);
  CHECK(t.others()[0].second.as_double().value() == 0.5);
  CHECK(t.find("scale") == nullptr);
  CHECK(t.version("") == 1);
  CHECK(t.version("norm") == 2);
  t.merge(t);
  CHECK(keys(t) == "x scale=float y a b ");
}

TEST_CASE("other values of several files, and their metadata, stand in one state dict") {
  StateDict all;
  for (const std::string_view name : {"one", "two"}) {
    Tree tree;
    StateDict part = with_values(name);
    part.set_version(name, name == "one" ? 1 : 2);
    all.merge(loaded(saved(part)).state_dict().value());  // its checkpoint is gone then
  }
  CHECK(keys(all) == "a one=float b two=float ");
  CHECK(all.version("one") == 1);
  CHECK(all.version("two") == 2);
}

TEST_CASE("other values are renamed, erased and stripped like tensors") {
  StateDict s = with_values();
  REQUIRE(s.rename("scale", "factor"));
  CHECK(keys(s) == "a factor=float b ");
  CHECK_FALSE(s.rename("a", "factor"));
  CHECK(s.erase("factor"));
  CHECK_FALSE(s.erase("factor"));
  CHECK(keys(s) == "a b ");
  REQUIRE(s.rename("a", "c"));
  REQUIRE(s.rename("c", "a"));
  REQUIRE(s.find("a"));
  CHECK_FALSE(s.contains("c"));
  s.insert("c", numbers({1}));
  CHECK(keys(s) == "a b c ");
}

TEST_CASE("strip_prefix where names meet: as PyTorch's consume_prefix_in_state_dict_if_present") {
  StateDict s;
  float value = 1;
  for (const char* name : {"module.module.x", "x", "module.x", "y", "module.y", "z"}) s.insert(name, numbers({1}, value++));
  const std::pair<const char*, int> versions[] = {{"", 0}, {"a", 1}, {"module", 2}, {"module.x", 3}};
  for (const auto& [name, version] : versions) s.set_version(name, version);
  CHECK(s.strip_prefix("module.") == 3);
  std::string out;
  for (const auto& [name, t] : s) out += std::string(name) + "=" + std::to_string(static_cast<int>(t.item<float>().value())) + " ";
  CHECK(out == "x=1 y=5 z=6 ");
  const auto ckpt = loaded(saved(s));
  std::string modules;
  for (const auto [key, info] : ckpt.root().attr("_metadata").items())
    modules += std::string(key.as_string().value()) + "=" + std::to_string(info["version"].as_int().value()) + " ";
  CHECK(modules == "=2 a=1 x=3 ");
}

TEST_CASE("100,000 names: each edit costs one name, and the order stays") {
  constexpr int n = 100'000;
  const StateDict all = many(n);
  const auto start = std::chrono::steady_clock::now();
  StateDict s = all;
  for (int i = 0; i < n; i += 2) CHECK(s.erase(name_of(i)));
  for (int i = 1; i < n; i += 2) REQUIRE(s.rename(name_of(i), "m." + std::to_string(i)));
  CHECK(s.size() == n / 2);
  CHECK(s.begin()->name == "m.1");
  CHECK(std::next(s.begin(), n / 2 - 1)->name == "m.99999");
  for (int i = 0; i < n; i += 2) CHECK(s.find(name_of(i)) == nullptr);
  for (int i = 1; i < n; i += 2) CHECK(s.find("m." + std::to_string(i)) != nullptr);
  s.merge(all);
  CHECK(s.size() == n / 2 + n);
  StateDict t = all;
  t.insert("x", numbers({1}));
  CHECK(t.strip_prefix("module.") == n);
  CHECK(t.begin()->name == "x");
  REQUIRE(remap_keys(t, std::vector<std::string>{"s/^9/nine/"}));
  CHECK(t.contains("nine9999"));
  for (int i = 0; i < n; ++i) t.set_version(std::to_string(i), i);
  CHECK(t.version("77777") == 77'777);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));  // unoptimised; by the square it takes minutes
}

TEST_CASE("errors name the file that a state dict is of") {
  const auto named = [](const char* name, const char* key) {
    auto bytes = std::make_shared<const std::vector<std::byte>>(saved(dict({{key, numbers({2})}})));
    return load(Source::memory(*bytes, bytes, name)).value().state_dict().value();
  };
  StateDict a = named("a.pth", "w");
  CHECK(a.at("x").error().message() == "a.pth: the state dict has no 'x'");
  std::vector<float> memory(3);
  Parameters mine;
  mine.add("w", std::span(memory), {3});
  const Error mismatch = load_state_dict(mine, a).error();
  CHECK(mismatch.place().file == "a.pth");
  CHECK(mismatch.text().starts_with("Error(s) in loading state_dict for Module:"));
  mine.add("w", std::span(memory), {3});
  CHECK(load_state_dict(mine, a).error().place().file.empty());  // the model's own fault
  StateDict both;
  both.merge(a);
  CHECK(both.at("x").error().place().file == "a.pth");
  both.merge(named("b.pth", "v"));
  CHECK(both.at("x").error().place().file.empty());
}

TEST_CASE("every enumerator has a name, and a number that is none has one") {
  CHECK(name(Format::zip) == "zip");
  CHECK(name(Format::legacy) == "legacy");
  CHECK(name(static_cast<Format>(200)) == "unknown");
  CHECK(name(static_cast<Note::Code>(200)) == "unknown");
  CHECK(name(static_cast<Kind>(200)) == "unknown");
}
