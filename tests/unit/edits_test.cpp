// SPDX-License-Identifier: MIT
// Edits: what changes, what stays as it was to the byte, and what cannot be edited.
#include "support/saved.hpp"
#include "support/state_dicts.hpp"
#include "support/torch_file.hpp"

#include <string>
#include <vector>

using namespace brine;
using namespace brine::test;

namespace {

/// {'epoch': 3, 'lrs': [0.1, 0.2, 0.3], 'pair': (1, 2), 'model': weights, 'shared': s, 'again': s} with s = {'a': 1}
Checkpoint training() {
  Tree tree;
  const Value root = tree.dict(), shared = tree.dict(), model = tree.state_dict(dict({{"w", numbers({2})}, {"b", numbers({3})}})).value();
  REQUIRE(tree.set(shared, "a", 1));
  for (const auto& [key, value] : {std::pair<const char*, TreeItem>("epoch", 3), {"lrs", tree.list({0.1, 0.2, 0.3})}, {"pair", tree.tuple({1, 2})},
                                   {"model", model}, {"shared", shared}, {"again", shared}})
    REQUIRE(tree.set(root, key, value));
  return loaded(saved(root));
}

std::string printed(const Edits& edits) {
  const Checkpoint out = loaded(saved(edits));
  return out.print();
}

/// What `pickle`, of plain Python alone, is after the edits.
template <class Edit>
std::string edited(const Pickle& pickle, Edit&& edit) {
  const Checkpoint ckpt = load(source_over(torch_zip(pickle, {}))).value();
  Edits edits(ckpt);
  edit(edits);
  return printed(edits);
}

std::string refusal(const Result<void>& done) { return done ? "done" : done.error().message(); }

}  // namespace

TEST_CASE("nothing edited is nothing changed") {
  const Checkpoint ckpt = training();
  CHECK(saved(Edits(ckpt)) == saved(ckpt.root()));
  const Checkpoint part = training();
  CHECK(saved(Edits(part, part.at("model"))) == saved(part.at("model")));
}

TEST_CASE("one value: the rest is what it was") {
  const Checkpoint ckpt = training();
  const std::string before = ckpt.print();
  Edits edits(ckpt);
  REQUIRE(edits.set("epoch", 4));
  const Checkpoint out = loaded(saved(edits));
  CHECK(out.root()["epoch"].as_int().value() == 4);
  CHECK(ckpt.print() == before);
  CHECK(out.root()["shared"].same_object(out.root()["again"]));
  Edits back(out);
  REQUIRE(back.set("epoch", 3));
  CHECK(saved(back) == saved(ckpt.root()));
}

TEST_CASE("items of lists and tuples, nested, by their places in the file") {
  const Checkpoint ckpt = training();
  Edits edits(ckpt);
  REQUIRE(edits.erase("lrs.0"));
  REQUIRE(edits.set("lrs.1", "second"));
  REQUIRE(edits.add("lrs", nullptr, 0.4));
  REQUIRE(edits.set("pair.1", edits.tree().list({7})));
  REQUIRE(edits.add("model", "extra", numbers({1})));
  const Checkpoint out = loaded(saved(edits));
  const auto root = out.root();
  REQUIRE(root["lrs"].size() == 3);
  CHECK(root["lrs"][0].as_string().value() == "second");
  CHECK(root["lrs"][1].as_double().value() == 0.3);
  CHECK(root["lrs"][2].as_double().value() == 0.4);
  CHECK(root["pair"][0].as_int().value() == 1);
  CHECK(root["pair"][1][0].as_int().value() == 7);
  CHECK(root["model"].type_name() == "collections.OrderedDict");
  CHECK(root["model"]["extra"].as_tensor().value().numel() == 1);
}

TEST_CASE("a container that is shared is edited for all") {
  const Checkpoint ckpt = training();
  Edits edits(ckpt);
  REQUIRE(edits.set("again.a", 2));
  const Checkpoint out = loaded(saved(edits));
  CHECK(out.root()["shared"]["a"].as_int().value() == 2);
  CHECK(out.root()["shared"].same_object(out.root()["again"]));
}

TEST_CASE("erase and keep, and what they leave out") {
  const Checkpoint ckpt = training();
  Edits erased(ckpt);
  REQUIRE(erased.erase(std::vector<std::string>{"model", "pair"}));
  std::size_t more = 0;
  const auto left = erased.left_out(1, more);
  REQUIRE(left.size() == 1);
  CHECK(left[0].path == "model");
  CHECK(left[0].tensors == 2);
  CHECK(more == 1);
  const Checkpoint without = loaded(saved(erased));
  CHECK_FALSE(without.at("model").exists());

  Edits kept(ckpt);
  REQUIRE(kept.keep(std::vector<std::string>{"epoch", "model.w"}));
  const Checkpoint out = loaded(saved(kept));
  CHECK(out.root().size() == 2);
  CHECK(out.root()["model"].size() == 1);
  std::string paths;
  for (const auto& l : kept.left_out(100, more)) paths += l.path + " ";
  CHECK(paths == "lrs pair shared again model.b ");
}

TEST_CASE("weights where they stood") {
  const Checkpoint ckpt = training();
  auto weights = ckpt.state_dict().value();
  REQUIRE(weights.rename("w", "weight"));
  Edits edits(ckpt);
  REQUIRE(edits.set(weights.path(), weights));
  const Checkpoint out = loaded(saved(edits));
  CHECK(out.root()["epoch"].as_int().value() == 3);
  CHECK(out.state_dict().value().contains("weight"));
  CHECK(out.root()["model"].type_name() == "collections.OrderedDict");
}

TEST_CASE("a call that gave a container its items gives the new ones") {
  Pickle pairs;  // Python 2's OrderedDict([['a', 1], ['b', 2]])
  pairs.global("collections", "OrderedDict").mark().empty_list().mark();
  for (const auto& [key, value] : {std::pair("a", 1), {"b", 2}}) pairs.empty_list().mark().str(key).integer(value).op(Op::APPENDS);
  pairs.op(Op::APPENDS).tuple().reduce();
  CHECK(edited(pairs, [](Edits& e) { REQUIRE(e.set("b", 9)); }) == "OrderedDict (2)\n  'a': 1\n  'b': 9\n");

  Pickle counter;
  counter.global("collections", "Counter").empty_dict().mark().str("x").integer(5).str("y").integer(6).op(Op::SETITEMS).op(Op::TUPLE1).reduce();
  CHECK(edited(counter, [](Edits& e) { REQUIRE(e.erase("x")); }) == "Counter (1)\n  'y': 6\n");

  Pickle defaults;
  defaults.global("collections", "defaultdict").global("builtins", "list").empty_dict().mark().str("x").integer(5).op(Op::SETITEMS).op(Op::TUPLE2).reduce();
  CHECK(edited(defaults, [](Edits& e) { REQUIRE(e.set("x", 6)); }) == "defaultdict (1)\n  'x': 6\n");

  Pickle deque;
  deque.global("collections", "deque").empty_list().mark().integer(1).integer(2).op(Op::APPENDS).integer(5).op(Op::TUPLE2).reduce();
  CHECK(edited(deque, [](Edits& e) { REQUIRE(e.set("0", 6)); }) == "deque (2)\n  [0]: 6\n  [1]: 2\n");
}

TEST_CASE("attributes of objects; what they were made with is refused") {
  Pickle object;
  object.global("m", "C").integer(1).op(Op::TUPLE1).reduce().empty_dict().mark().str("lr").integer(5).str("s").global("builtins", "set").empty_list().mark().integer(1).op(Op::APPENDS).op(Op::TUPLE1).reduce();
  object.op(Op::SETITEMS).build();
  const Checkpoint ckpt = load(source_over(torch_zip(object, {}))).value();
  Edits edits(ckpt);
  REQUIRE(edits.set("lr", 6));
  REQUIRE(edits.add("", "name", "net"));
  CHECK(refusal(edits.set("args.0", 2)).find("what a C was made with") != std::string::npos);
  CHECK(refusal(edits.erase("s.0")).find("a member of a set") != std::string::npos);
  CHECK(refusal(edits.set("nowhere", 1)).find("there is no place 'nowhere'") != std::string::npos);
  CHECK(refusal(edits.erase("")).find("cannot be erased") != std::string::npos);
  CHECK(refusal(edits.add("", "lr", 1)).find("already") != std::string::npos);
  const Checkpoint out = loaded(saved(edits));
  CHECK(out.root().attr("lr").as_int().value() == 6);
  CHECK(out.root().attr("name").as_string().value() == "net");
  CHECK(out.root().args()[0].as_int().value() == 1);
}

TEST_CASE("cast: what is tied stays so, parameters stay ones") {
  Tree tree;
  const std::vector<float> values{1, 70000, 1e-9f, 4};
  const Storage storage = Storage::borrow(std::as_bytes(std::span(values)), DType::float32, nullptr);
  const std::vector<std::int64_t> four{4}, two{2};
  const Tensor all = Tensor::view(storage, DType::float32, four).value(), tail = Tensor::view(storage, DType::float32, two, std::vector<std::int64_t>{1}, 2).value();
  const Value root = tree.dict(), model = tree.dict();
  REQUIRE(tree.set(model, "all", tree.parameter(all)));
  REQUIRE(tree.set(model, "tail", tail));
  REQUIRE(tree.set(model, "count", Tensor::copy(std::span<const std::int64_t>(four), {1}).value()));
  REQUIRE(tree.set(root, "model", model));
  REQUIRE(tree.set(root, "other", numbers({2})));
  const Checkpoint ckpt = loaded(saved(root));
  Edits edits(ckpt);
  const CastOptions options;
  REQUIRE(edits.cast("model", DType::float16, options));
  const Checkpoint out = loaded(saved(edits));
  const auto w = out.state_dict("model").value();
  CHECK(w.at("all").value().dtype() == DType::float16);
  CHECK(w.at("all").value().is_parameter());
  CHECK(w.at("all").value().requires_grad());
  CHECK(w.at("tail").value().storage() == w.at("all").value().storage());
  CHECK(w.at("tail").value().storage_offset() == 2);
  CHECK(w.at("count").value().dtype() == DType::int64);
  CHECK(out.root()["other"].as_tensor().value().dtype() == DType::float32);
  CHECK(options.report.values() == 4);
  CHECK(options.report.infinite() == 1);
  CHECK(options.report.zero() == 1);
  CHECK(refusal(edits.cast("model", DType::int32)).find("loses every fraction") != std::string::npos);
  REQUIRE(edits.cast("model", DType::int32, {.lossy = true}));
  const Checkpoint whole = loaded(saved(edits));
  CHECK_FALSE(whole.state_dict("model").value().at("all").value().requires_grad());
}

TEST_CASE("a cast storage is read from anywhere, and kept when it is borrowed") {
  auto state = dict({{"w", numbers({1000})}});
  REQUIRE(state.cast(DType::bfloat16));
  const Tensor& t = *state.find("w");
  std::vector<std::byte> whole(2000), part(999);
  REQUIRE(t.storage().read(0, whole));
  REQUIRE(t.storage().read(501, part));
  CHECK(std::equal(part.begin(), part.end(), whole.begin() + 501));
  CHECK_FALSE(t.storage().location().has_value());
  CHECK(t.data<bfloat16>().value()[2].bits == 0x4040);
}
