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
  const auto [places, more, more_tensors] = erased.left_out(1);
  REQUIRE(places.size() == 1);
  CHECK(places[0].path == "model");
  CHECK(places[0].tensors == 2);
  CHECK(more == 1);
  CHECK(more_tensors == 0);
  const Checkpoint without = loaded(saved(erased));
  CHECK_FALSE(without.at("model").exists());

  Edits kept(ckpt);
  REQUIRE(kept.keep(std::vector<std::string>{"epoch", "model.w"}));
  const Checkpoint out = loaded(saved(kept));
  CHECK(out.root().size() == 2);
  CHECK(out.root()["model"].size() == 1);
  std::string paths;
  for (const auto& l : kept.left_out(100).places) paths += l.path + " ";
  CHECK(paths == "model.b lrs pair shared again ");  // what has tensors first
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
  CHECK(refusal(edits.set("s.0", 2)).find("a member of a set") != std::string::npos);
  REQUIRE(edits.erase("s.0"));
  CHECK(refusal(edits.set("nowhere", 1)).find("there is no place 'nowhere'") != std::string::npos);
  CHECK(refusal(edits.erase("")).find("not the whole") != std::string::npos);
  CHECK(refusal(edits.add("", "lr", 1)).find("already") != std::string::npos);
  const Checkpoint out = loaded(saved(edits));
  CHECK(out.root().attr("lr").as_int().value() == 6);
  CHECK(out.root().attr("name").as_string().value() == "net");
  CHECK(out.root().attr("s").size() == 0);
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

TEST_CASE("weights that several places hold are set in all of them, and once") {
  Tree tree;
  const Value model = tree.state_dict(dict({{"w", numbers({2})}, {"bn.b", numbers({3})}})).value(), root = tree.dict();
  for (const auto& [key, value] : {std::pair<const char*, TreeItem>("model", model), {"again", model}, {"list", tree.list({model})}}) REQUIRE(tree.set(root, key, value));
  const Checkpoint ckpt = loaded(saved(root));
  auto weights = ckpt.state_dict("model").value();
  weights.erase("w");
  Edits edits(ckpt);
  REQUIRE(edits.erase("model.bn.b"));  // over with set()
  REQUIRE(edits.set("model", weights));
  CHECK(refusal(edits.set("again.w", 1)).find("set as a whole") != std::string::npos);
  CHECK(refusal(edits.erase("list.0.bn.b")).find("set as a whole") != std::string::npos);
  CHECK(refusal(edits.add("again", "x", 1)).find("set as a whole") != std::string::npos);
  REQUIRE(edits.cast("again", DType::float16));
  const Checkpoint out = loaded(saved(edits));
  const Value now = out.root();
  for (const Value& place : {now["again"], now["list"][0]}) CHECK(place.same_object(now["model"]));
  CHECK(now["model"].size() == 1);
  CHECK(now["model"]["bn.b"].as_tensor().value().dtype() == DType::float16);

  Edits back(ckpt);
  REQUIRE(back.set("model", weights));
  REQUIRE(back.set("model", ckpt.state_dict("again").value()));  // as it was read
  CHECK(saved(back) == saved(ckpt.root()));
}

TEST_CASE("set() of weights keeps a dict's other attributes, and edits the metadata that it shares") {
  Pickle object;
  object.empty_dict().mark();
  for (const char* key : {"a", "b"}) {
    object.str(key).ordered_dict().mark().str("old.w").vector("0", 2).op(Op::SETITEMS).empty_dict().mark();
    if (key[0] == 'a') object.str("_metadata").ordered_dict().put(2).str("old").empty_dict().str("version").integer(3).setitem().setitem().str("tag").integer(7);
    else object.str("_metadata").get(2);
    object.op(Op::SETITEMS).build();
  }
  object.op(Op::SETITEMS);
  const Checkpoint ckpt = load(source_over(torch_zip(object, {{"0", counting(2)}}))).value();
  auto weights = ckpt.state_dict("a").value();
  REQUIRE(remap_keys(weights, std::vector<std::string>{"s/^old./new./"}));
  Edits edits(ckpt);
  REQUIRE(edits.set("a", weights));
  const Checkpoint out = loaded(saved(edits));
  const Value a = out.root()["a"], b = out.root()["b"];
  CHECK(a.attr("tag").as_int().value() == 7);
  CHECK(a.attr("_metadata").same_object(b.attr("_metadata")));
  CHECK(a.attr("_metadata")["new"]["version"].as_int().value() == 3);
  CHECK_FALSE(a.attr("_metadata")["old"].exists());
  CHECK(b["old.w"].exists());
}

TEST_CASE("attributes of tensors, of Parameters and under a class of the program's") {
  Pickle p;
  p.empty_dict().mark();
  const auto state = [](Pickle& q) -> Pickle& { return q.empty_dict().mark().str("_backward_hooks").none().str("a").integer(1).str("b").vector("1", 2).op(Op::SETITEMS); };
  p.str("p").global("torch._utils", "_rebuild_parameter_with_state").mark().vector("0", 2).boolean(false).ordered_dict();
  state(p).tuple().reduce();
  p.op(Op::SETITEMS);
  const Checkpoint ckpt = load(source_over(torch_zip(p, {{"0", counting(2)}, {"1", counting(2)}}))).value();
  Edits edits(ckpt);
  REQUIRE(edits.set("p.a", 2));
  REQUIRE(edits.erase("p.b"));  // the second of those that are kept, the third of the state
  const Checkpoint out = loaded(saved(edits));
  CHECK(out.at("p.a").as_int().value() == 2);
  CHECK_FALSE(out.at("p.b").exists());
  CHECK(out.at("p").as_tensor().value().is_parameter());

  Edits kept(ckpt);
  REQUIRE(kept.keep(std::vector<std::string>{"p.b"}));
  const Checkpoint only = loaded(saved(kept));
  CHECK(only.at("p.b").exists());
  CHECK_FALSE(only.at("p.a").exists());
  REQUIRE(kept.cast("", DType::float16, {.everywhere = true}));
  const Checkpoint half = loaded(saved(kept));
  CHECK(half.at("p").as_tensor().value().dtype() == DType::float16);
  CHECK(half.at("p.b").as_tensor().value().dtype() == DType::float16);
}

TEST_CASE("the state of an object that is no dict is no place of its parts") {
  Pickle object;
  object.global("m", "C").empty_tuple().reduce().integer(1).empty_dict().str("a").integer(2).setitem().op(Op::TUPLE2).build();
  const Checkpoint ckpt = load(source_over(torch_zip(object, {}))).value();
  Edits edits(ckpt);
  CHECK(refusal(edits.erase("state")).find("the state of a C") != std::string::npos);
  REQUIRE(edits.erase("state.1.a"));
}

TEST_CASE("what is left out is told by the shortest names") {
  const std::vector<NameFate> names{{"head.fc.weight", true, 1, true}, {"x", true, 0, false}, {"head.fc.bias", true, 1, true}, {"body.a.w", true, 1, true}, {"body.b.w", false, 1, true},
                                    {"body.a.v", true, 2, false}, {"neck.w", true, 1, true}, {"necklace", false, 0, false}};
  const auto told = [&](std::size_t max) {
    const LeftOutList list = left_out(names, max);
    std::string out;
    for (const LeftOut& p : list.places) out += p.path + ":" + std::to_string(p.tensors) + (p.is_tensor ? "t " : " ");
    return out + "+" + std::to_string(list.more) + ":" + std::to_string(list.more_tensors);
  };
  CHECK(told(9) == "head.*:2 body.a.*:3 neck.w:1t x:0 +0:0");
  CHECK(told(1) == "head.*:2 +3:4");
}

TEST_CASE("every integer type") {
  const Checkpoint ckpt = training();
  Edits edits(ckpt);
  REQUIRE(edits.set("epoch", std::size_t{5}));
  REQUIRE(edits.set("pair", edits.tree().tuple({18'446'744'073'709'551'615ULL, INT64_MIN, static_cast<unsigned char>(200), std::uint64_t{1} << 63, 2L, 3UL})));
  const Checkpoint out = loaded(saved(edits));
  const Value root = out.root();
  CHECK(root["epoch"].as_int().value() == 5);
  CHECK(root["pair"][std::size_t{0}].as_big_int().value() == "18446744073709551615");
  CHECK(root["pair"][1U].as_int().value() == INT64_MIN);
  CHECK(root["pair"][2].as_int().value() == 200);
  CHECK(root["pair"][3].as_big_int().value() == "9223372036854775808");
  CHECK(root["pair"][5LL].as_int().value() == 3);
  check_code(root["pair"][UINT64_MAX].as_int(), ErrorKind::usage, ErrorCode::does_not_fit);
  static_assert(std::is_constructible_v<TreeItem, char> && std::is_constructible_v<TreeItem, wchar_t> && std::is_constructible_v<TreeItem, float>);
  static_assert(!std::is_constructible_v<TreeItem, int*> && !std::is_constructible_v<TreeItem, long double>);
}
