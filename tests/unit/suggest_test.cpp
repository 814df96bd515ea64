// SPDX-License-Identifier: MIT
// suggest(): every rule it gives, given to remap_keys, makes keys meet; names of other numbers are never paired; tied weights are seen.
#include <brine/brine.hpp>

#include "support/state_dicts.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace brine;
using test::numbers;

namespace {

using Names = std::vector<std::string>;

StateDict named(const Names& names) {
  StateDict out;
  for (const std::string& name : names) out.insert(name, name.ends_with("bias") || name.ends_with("beta") ? numbers({2}) : numbers({2, 2}));
  return out;
}

struct Advice {
  Suggestions found;
  std::string rules;
  std::size_t missing = 0, missing_after = 0;
};

/// What is said of these weights for that model, and how many keys are missing before and after the rules.
Advice advice(const StateDict& model, StateDict weights) {
  Parameters mine = Parameters::like(model);
  const auto load = [&] { return load_state_dict(mine, weights, {.strict = false, .dry_run = true}).value(); };
  Advice out;
  const LoadReport before = load();
  out.missing = before.missing_keys.size();
  out.found = suggest(mine, weights, before);
  Names rules;
  for (const auto& r : out.found.renames) {
    rules.push_back(r.rule);
    out.rules += (out.rules.empty() ? "" : " ") + r.rule;
  }
  const auto renamed = remap_keys(weights, rules);
  if (!renamed) FAIL(renamed.error().message());
  out.missing_after = load().missing_keys.size();
  return out;
}
Advice advice(const Names& model, const Names& weights) { return advice(named(model), named(weights)); }

Names layers(const std::string& before, const std::string& after, const Names& leaves, int count = 12) {
  Names out;
  for (int i = 0; i < count; ++i)
    for (const std::string& leaf : leaves)
      for (const char* part : {".weight", ".bias"}) out.push_back(before + std::to_string(i) + after + leaf + part);
  return out;
}
Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("one rule for all layers") {
  const Names qkv{"query", "key", "value"}, more{"embed.weight", "head.bias"};
  Advice a = advice(layers("blocks.", ".attn.", qkv) + more, layers("layers.", ".attention.self.", qkv) + more);
  CHECK(a.rules == R"(s/layers.*.attention.self./blocks.\1.attn./)");
  CHECK(a.found.renames[0].matches == 72);
  CHECK(a.missing_after == 0);
  CHECK(a.found.pairs.empty());
  CHECK(a.found.to_string() == "--rename 's/layers.*.attention.self./blocks.\\1.attn./' finds 72 missing keys\n");

  a = advice(layers("stage", ".conv", {""}, 4), layers("layer", ".conv", {""}, 4));
  CHECK(a.rules == R"(s/layer*./stage\1./)");
  CHECK(a.missing_after == 0);

  // The same words elsewhere, where they are right.
  const Names decoder = layers("decoder.layers.", ".self.", {"q"});
  a = advice(layers("encoder.blocks.", ".attn.", {"q"}) + decoder, layers("encoder.layers.", ".self.", {"q"}) + decoder);
  CHECK(a.missing == 24);
  CHECK(a.missing_after == 0);

  a = advice(layers("bert.", ".q_proj", {""}) + layers("bert.", ".k_proj", {""}), layers("bert.", ".query", {""}) + layers("bert.", ".key", {""}));
  CHECK(a.missing_after == 0);
  CHECK(a.found.renames.size() == 2);
}

TEST_CASE("torch.compile, gamma and beta, a part more or less") {
  Advice a = advice(layers("net.", ".fc", {""}, 3), layers("net.", "._orig_mod.fc", {""}, 3));
  CHECK(a.rules == "s/_orig_mod.//");
  CHECK(a.missing_after == 0);
  a = advice(Names{"a.w", "b.w"}, Names{"_orig_mod.a._orig_mod.w", "_orig_mod.b._orig_mod.w"});
  CHECK(a.rules == "s/_orig_mod.// s/_orig_mod.//");
  CHECK(a.missing_after == 0);
  a = advice(layers("net.", "._orig_mod.fc", {""}, 3), layers("net.", ".fc", {""}, 3));
  CHECK(a.missing == 6);
  CHECK(a.missing_after == 0);

  a = advice(Names{"ln.weight", "ln.bias", "fc.weight"}, Names{"ln.gamma", "ln.beta", "fc.weight"});
  CHECK(a.rules == "s/.gamma$/.weight/ s/.beta$/.bias/");
  CHECK(a.missing_after == 0);
  a = advice(Names{"a.ln.gamma", "a.ln.beta", "b.ln.gamma", "b.ln.beta", "fc.weight", "fc.bias"}, Names{"a.ln.weight", "a.ln.bias", "b.ln.weight", "b.ln.bias", "fc.weight", "fc.bias"});
  CHECK(a.missing == 4);
  CHECK(a.missing_after == 0);

  a = advice(layers("m.", ".fc", {""}, 3) + Names{"x.y", "z.y"}, layers("module.m.", ".fc", {""}, 3) + Names{"module.x.u", "module.z.u"});
  CHECK(a.found.strip_prefix == "module.");
  CHECK(a.rules == "s/^module.// s/.u$/.y/");
  CHECK(a.missing_after == 0);
}

TEST_CASE("no rule that remap_keys refuses or that harms what fits") {
  // Both a and b would be c: and b stands where it should.
  Advice a = advice(Names{"x.c", "y.c", "x.b", "y.b"}, Names{"x.a", "y.a", "x.b", "y.b"});
  CHECK(a.missing_after == 0);
  a = advice(Names{"x.1.c", "x.2.c"}, Names{"x.1.a", "x.2.a", "x.1.b", "x.2.b"});
  CHECK(a.missing_after == 0);
  // Names that no shell and no rule can take as they are.
  for (const std::string odd : {"it's", "a/b", "a*b", "a\nb", "^a", "a$", "\\1", "\xE2\x80\xAE"})
    CHECK(advice(layers("x.", ".new", {""}, 3), layers("x.", "." + odd, {""}, 3)).rules.find(odd) == std::string::npos);
}

TEST_CASE("other numbers are other layers") {
  Advice a = advice(Names{"layer1.0.conv.weight", "layer1.1.conv.weight"}, Names{"layer2.0.conv.weight", "layer1.2.conv.weight"});
  CHECK(a.found.empty());
  a = advice(Names{"fc10.weight"}, Names{"fc1.weight"});
  CHECK(a.found.empty());
  a = advice(Names{"head.weight"}, Names{"head.0.weight"});
  REQUIRE(a.found.pairs.size() == 1);
}

TEST_CASE("tied weights: a missing key whose tensor another key has") {
  StateDict model;
  const Tensor shared = numbers({4, 2});
  model.insert("embed.weight", shared);
  model.insert("fc.bias", numbers({2}));
  model.insert("lm_head.weight", shared);
  StateDict weights = model;
  weights.erase("lm_head.weight");
  const Advice a = advice(model, weights);
  REQUIRE(a.found.tied.size() == 1);
  CHECK(a.found.tied[0].missing == "lm_head.weight");
  CHECK(a.found.tied[0].present == "embed.weight");
  CHECK(a.found.to_string() == "'lm_head.weight' is missing: in the model it is the same tensor as 'embed.weight', which is there (tied weights)\n");

  std::vector<float> memory(8);
  Parameters mine;
  mine.add("embed.weight", std::span(memory), {4, 2});
  mine.add("lm_head.weight", std::span(memory), {4, 2});
  const auto report = load_state_dict(mine, weights, {.strict = false, .dry_run = true});
  REQUIRE(report);
  CHECK(suggest(mine, weights, *report).tied.size() == 1);
}

TEST_CASE("names meant to be dear cost what others do") {
  const auto start = std::chrono::steady_clock::now();
  Names model, weights;
  for (int i = 0; i < 20'000; ++i) {
    model.push_back("a." + std::to_string(i % 7) + ".x" + std::to_string(i) + ".weight");
    weights.push_back("b." + std::to_string(i % 7) + ".y" + std::to_string(i) + ".weight");
  }
  for (const std::string part : {"a.", "1.", "a1"}) {
    std::string name;
    while (name.size() < 200'000) name += part;
    model.push_back(name + ".model"), weights.push_back(name + ".weight");
  }
  const Advice a = advice(model, weights);
  CHECK(a.missing_after <= 3);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}
