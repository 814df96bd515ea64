// SPDX-License-Identifier: MIT
// Objects that stand for tensors: jagged nested tensors, DTensors, wrapper subclasses; tensors out of numpy arrays. From files and by hand, in state
// dicts, and with arguments that lie.
#include "support/saved.hpp"
#include "support/torch_file.hpp"

#include <brine/make_tensor.hpp>

using namespace brine;
using namespace brine::test;

namespace {

Pickle part() { return Pickle(0); }
Pickle root(const Pickle& p) { return Pickle(4).raw(p.unfinished()); }
Pickle longs(std::string_view key, std::int64_t n, std::string_view cls = "LongStorage") { return part().tensor({.cls = cls, .key = key, .numel = n, .size = {n}, .stride = {1}}); }

/// The object of _rebuild_from_type_v2(func, cls, args, state).
Pickle from_type(std::string_view module, std::string_view name, std::string_view cls, const Pickle& args, const Pickle& state) {
  const std::size_t dot = cls.rfind('.');
  Pickle p = part();
  return p.global("torch._tensor", "_rebuild_from_type_v2").mark().global(module, name).global(cls.substr(0, dot), cls.substr(dot + 1)).raw(args.unfinished()).raw(state.unfinished()).tuple().reduce();
}

struct JaggedParts {
  Pickle values = part().tensor({.key = "v", .numel = 6, .size = {3, 2}, .stride = {2, 1}}), offsets = longs("o", 3), lengths = part().none();
  std::int64_t ragged = 1;
};
Pickle jagged(const JaggedParts& parts) {
  Pickle p = part();
  p.empty_dict().put(9).mark().str("values").raw(parts.values.unfinished()).str("offsets").raw(parts.offsets.unfinished()).str("lengths").raw(parts.lengths.unfinished());
  p.str("_ragged_idx").integer(parts.ragged).op(Op::SETITEMS).op(Op::TUPLE1);
  return from_type("torch.nested._internal.nested_tensor", "_rebuild_njt", "torch.nested._internal.nested_tensor.NestedTensor", p, part().empty_dict());
}
std::string file(const Pickle& pickle, std::initializer_list<std::int64_t> offsets, std::initializer_list<std::int64_t> lengths = {}) {
  std::vector<StorageData> storages = {{"v", counting(6)}, {"o", elements<std::int64_t>(offsets)}};
  if (lengths.size()) storages.push_back({"l", elements<std::int64_t>(lengths)});
  return torch_zip(root(pickle), storages);
}
std::string components(const Tensor& t) {
  const auto all = t.unbind();
  if (!all) return std::string(name(all.error().code()));
  std::string out;
  for (const Tensor& c : *all) out += "[" + floats(c) + "]";
  return out;
}
Tensor tensor_of(const std::string& bytes) { return root_tensor(open_file(bytes)); }

/// A DTensor of this size over a local [2, 3]: placements are (class, name of its number, number).
struct Placement {
  std::string_view cls, key;
  std::int64_t dim = 0;
};
Pickle distributed(std::initializer_list<std::int64_t> size, const Placement& placement, std::int64_t ranks = 1) {
  Pickle args = part(), state = part();
  args.mark().global("torch.distributed.tensor", "DTensor").global("torch", "float32").ints(size).ints({3, 1}).integer(0).layout("strided").global("torch", "device").str("cpu").op(Op::TUPLE1).reduce().boolean(false).tuple();
  const auto object = [&](std::string_view module, std::string_view cls) -> Pickle& { return state.global(module, cls).empty_tuple().op(Op::NEWOBJ); };
  state.none().empty_dict().mark().str("_local_tensor").tensor({.key = "v", .numel = 6, .size = {2, 3}, .stride = {3, 1}}).str("_spec");
  object("torch.distributed.tensor._dtensor_spec", "DTensorSpec").empty_dict().mark().str("mesh");
  object("torch.distributed.device_mesh", "DeviceMesh").empty_dict().str("mesh").raw(longs("m", ranks, "IntStorage").unfinished()).setitem().build().str("placements");
  object("torch.distributed.tensor.placement_types", placement.cls).empty_dict();
  if (!placement.key.empty()) state.str(placement.key).integer(placement.dim).setitem();
  state.build().op(Op::TUPLE1).op(Op::SETITEMS).build().op(Op::SETITEMS).op(Op::TUPLE2);
  return from_type("torch._utils", "_rebuild_wrapper_subclass", "torch.distributed.tensor.DTensor", args, state);
}
std::string dtensor_file(const Pickle& pickle, std::size_t ranks = 1) { return torch_zip(root(pickle), {{"v", counting(6)}, {"m", std::string(4 * ranks, '\0')}}); }
/// {'w': object, 'b': tensor of 3}
Pickle dict_of(const Pickle& object) { return part().empty_dict().mark().str("w").raw(object.unfinished()).str("b").raw(part().tensor({.key = "v", .numel = 6, .size = {3}, .stride = {1}}).unfinished()).op(Op::SETITEMS); }

}  // namespace

TEST_CASE("jagged: an object in the tree, a nested tensor to who asks") {
  const Checkpoint ckpt = open_file(file(jagged({}), {0, 1, 3}));
  CHECK(ckpt.root().kind() == Kind::object);
  CHECK(tensor_list(ckpt) == "args.0.values float32 [3 2 ]\nargs.0.offsets int64 [3 ]\n");
  const Tensor t = root_tensor(ckpt);
  CHECK(t.is_nested());
  CHECK(t.layout() == Layout::jagged);
  CHECK(t.shape().empty());
  CHECK(t.dtype() == DType::float32);
  CHECK(t.numel() == 6);
  CHECK(components(t) == "[0 1][2 3 4 5]");
  const Tensor second = t.unbind().value()[1];
  CHECK(second.storage() == t.values().value().storage());
  CHECK(second.storage_offset() == 2);
  CHECK(t.parts().value().size() == 2);
  check_code(t.data<float>(), ErrorKind::usage, ErrorCode::wrong_layout);
  check_code(t.indices(), ErrorKind::usage, ErrorCode::wrong_layout);
  CHECK(components(tensor_of(file(jagged({.ragged = 2}), {0, 0, 2}))) == "[][0 1 2 3 4 5]");
  CHECK(components(tensor_of(file(jagged({.lengths = longs("l", 2)}), {0, 1, 3}, {1, 1}))) == "[0 1][2 3]");
}

TEST_CASE("jagged: offsets and lengths that lie are refused when they are looked at, arguments that lie when the tensor is asked for") {
  for (const auto& offsets : {std::initializer_list<std::int64_t>{0, 1, 2}, {0, 4, 3}, {1, 2, 3}, {0, -1, 3}, {0, 1, INT64_MAX}, {INT64_MIN, 0, 3}})
    CHECK(components(tensor_of(file(jagged({}), offsets))) == "tensor_bounds");
  for (const auto& lengths : {std::initializer_list<std::int64_t>{1, 3}, {-1, 1}, {INT64_MAX, 1}, {3, 1}, {1, INT64_MIN}})
    CHECK(components(tensor_of(file(jagged({.lengths = longs("l", 2)}), {0, 1, 3}, lengths))) == "tensor_bounds");
  const auto refused = [](const JaggedParts& parts) {
    const Checkpoint ckpt = open_file(file(jagged(parts), {0, 1, 3}));
    check_code(ckpt.root().as_tensor(), ErrorKind::corrupt, ErrorCode::tensor_arguments);
    CHECK_FALSE(ckpt.tensors().empty());  // the parts that there are stay where they are
    CHECK(saved(ckpt.root()).size() > 0);
  };
  refused({.ragged = 0});
  refused({.ragged = 3});
  refused({.ragged = INT64_MIN});
  refused({.values = part().none()});
  refused({.values = part().quantised("v", 24)});
  refused({.offsets = part().integer(3)});
  refused({.offsets = part().tensor({.cls = "DoubleStorage", .key = "o", .numel = 3, .size = {3}, .stride = {1}})});
  refused({.offsets = part().tensor({.cls = "LongStorage", .key = "o", .numel = 3, .size = {}, .stride = {}})});
  refused({.offsets = part().tensor({.cls = "LongStorage", .key = "o", .numel = 3, .size = {0}, .stride = {1}})});
  refused({.lengths = longs("o", 3)});
  refused({.values = part().tensor({.key = "v", .numel = 6, .size = {}, .stride = {}})});
  // More components than anybody can hold.
  const Tensor many = tensor_of(file(jagged({.offsets = part().tensor({.cls = "LongStorage", .key = "o", .numel = 3, .size = {1'000'000'000'000}, .stride = {0}})}), {0, 1, 3}));
  CHECK(components(many) == "copy_too_large");
}

TEST_CASE("what a jagged tensor was made of cannot change any more") {
  const auto late = jagged({});
  check_load(file(part().mark().raw(late.unfinished()).get(9).str("_ragged_idx").integer(2).setitem().tuple(), {0, 1, 3}), ErrorKind::unsupported, ErrorCode::pickle_target);
}

TEST_CASE("jagged: taken out, made by hand, as a Parameter, cast: saved and read again, the same") {
  const Checkpoint from = open_file(file(jagged({.lengths = longs("l", 2)}), {0, 1, 3}, {1, 1}));
  const Tensor taken = root_tensor(from);
  const std::vector<std::int32_t> offsets = {0, 1, 3};
  const std::vector<float> values = {1, 2, 3};
  const Tensor made = nested_tensor_from_jagged(Tensor::copy(std::span(values), {3}).value(), Tensor::copy(std::span(offsets), {3}).value()).value();
  Tree tree;
  StateDict state;
  state.insert("w", made);
  REQUIRE(state.cast(DType::float64));
  const Checkpoint again = loaded(saved(tree.list({taken, made, taken, tree.parameter(made), state.at("w").value()})));
  CHECK(components(again.root()[0].as_tensor().value()) == "[0 1][2 3]");
  CHECK(again.root()[0].same_object(again.root()[2]));
  CHECK(components(again.root()[1].as_tensor().value()) == "[1][2 3]");
  CHECK(components(again.root()[4].as_tensor().value()) == "[1][2 3]");
  CHECK(again.root()[4].as_tensor().value().dtype() == DType::float64);
  check_code(nested_tensor_from_jagged(made.values().value(), made.values().value()), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  check_code(nested_tensor_from_jagged(made.values().value(), made.values().value(), {}, 0), ErrorKind::usage, ErrorCode::bad_argument);
}

TEST_CASE("a DTensor that is all here is its local tensor, and says how it was placed") {
  const Checkpoint ckpt = open_file(dtensor_file(distributed({2, 3}, {"Shard", "dim", 0})));
  const DTensor d = DTensor::of(ckpt.root()).value();
  CHECK(d.is_whole);
  CHECK(d.shape == std::vector<std::int64_t>{2, 3});
  CHECK(d.placements == std::vector<std::string>{"Shard(dim=0)"});
  CHECK(floats(root_tensor(ckpt)) == "0 1 2 3 4 5");
  CHECK(floats(ckpt.root().attr("_local_tensor").as_tensor().value()) == "0 1 2 3 4 5");
  CHECK(ckpt.print().starts_with("torch._utils._rebuild_wrapper_subclass, a DTensor: all [2, 3], Shard(dim=0)\n"));
  for (const auto& [cls, ranks] : {std::pair("Replicate", 2), std::pair("Partial", 1)}) {
    const Checkpoint other = open_file(dtensor_file(distributed({2, 3}, {cls, ""}, ranks), static_cast<std::size_t>(ranks)));
    CHECK(DTensor::of(other.root()).value().is_whole);
  }
  check_code(DTensor::of(ckpt.root().attr("_local_tensor")), ErrorKind::usage, ErrorCode::wrong_kind);
}

TEST_CASE("a shard, or a summand, is never taken for the whole") {
  for (const Pickle& pickle : {distributed({4, 3}, {"Shard", "dim", 0}, 2), distributed({2, 3}, {"Partial", "", 0}, 2), distributed({2}, {"Shard", "dim", 0}, 2), distributed({2, 3}, {"Unheard", "", 0}, 2)}) {
    const Checkpoint ckpt = open_file(dtensor_file(dict_of(pickle), 2));
    CHECK_FALSE(DTensor::of(ckpt.root()["w"]).value().is_whole);
    const Error e = check_code(ckpt.root()["w"].as_tensor(), ErrorKind::usage, ErrorCode::wrong_kind);
    CHECK(e.text().find("a shard [2, 3] of [") != std::string::npos);
    const StateDict state = ckpt.state_dict().value();
    CHECK(state.size() == 1);
    REQUIRE(state.others().size() == 1);
    CHECK(kept_tensor_kind(state.others()[0].second) == "distributed");
    Parameters mine;
    mine.add_meta("w", DType::float32, {2, 3});
    mine.add_meta("b", DType::float32, {3});
    const auto report = load_state_dict(mine, state, {.dry_run = true});
    REQUIRE_FALSE(report);
    CHECK(report.error().found<LoadReport>()->problems.at(0).text.find("the file has a shard of it, torch.Size([2, 3])") != std::string::npos);
  }
  const Checkpoint none = open_file(dtensor_file(from_type("torch._utils", "_rebuild_wrapper_subclass", "m.X", part().mark().global("torch.distributed.tensor", "DTensor").tuple(), part().empty_dict())));
  check_code(none.root().as_tensor(), ErrorKind::corrupt, ErrorCode::tensor_arguments);
}

TEST_CASE("in a state dict they are tensors, and are saved as the objects that they are") {
  for (const bool nested : {true, false}) {
    const std::string bytes = nested ? file(dict_of(jagged({})), {0, 1, 3}) : dtensor_file(dict_of(distributed({2, 3}, {"Shard", "dim", 0})));
    const Checkpoint ckpt = open_file(bytes);
    StateDict state = ckpt.state_dict().value();
    CHECK(state.size() == 2);
    CHECK(state.others().empty());
    REQUIRE(state.find("w"));
    CHECK(state.find("w")->is_nested() == nested);
    const Tensor bias = state.at("b").value();
    StateDict other;
    other.merge(state);
    other.add_prefix("m.");
    REQUIRE(other.rename("m.w", "w"));
    CHECK(other.size() == 2);
    const Checkpoint again = loaded(saved(other));
    CHECK(again.root()["w"].kind() == Kind::object);
    StateDict back = again.state_dict().value();
    CHECK(back.find("w")->is_nested() == nested);
    CHECK(back.strip_prefix("m.") == 1);
    CHECK(diff(state, back).value().differing.empty());
    other.insert("w", bias);
    const Checkpoint replaced = loaded(saved(other));
    CHECK(replaced.root()["w"].kind() == Kind::tensor);
    Parameters meta;
    meta.add_meta("w", DType::float32, {2, 3});
    meta.add_meta("b", DType::float32, {3});
    const auto planned = load_state_dict(meta, state, {.dry_run = true});
    CHECK(planned.has_value() != nested);
    if (nested) CHECK(planned.error().found<LoadReport>()->problems.at(0).text.ends_with("in the checkpoint are ragged, an exception occurred : ('brine does not copy nested tensors: unbind() gives the tensors in it',)."));
    if (nested) continue;
    std::vector<float> room(6), other_room(3);
    Parameters mine;
    mine.add("w", std::span(room), {2, 3});
    mine.add("b", std::span(other_room), {3});
    REQUIRE(load_state_dict(mine, state));
    CHECK(room[5] == 5);
  }
}

TEST_CASE("a wrapper subclass, a Parameter, a tensor: what they are made of by attribute") {
  const Pickle inner = part().empty_dict().mark().str("a").vector("v", 6).str("b").integer(7).op(Op::SETITEMS);
  const Pickle args = part().mark().global("m", "Two").global("torch", "float32").ints({6}).ints({1}).integer(0).none().none().boolean(false).tuple();
  const Checkpoint two = open_file(dtensor_file(from_type("torch._utils", "_rebuild_wrapper_subclass", "m.Two", args, inner)));
  CHECK(two.root().attr("a").as_tensor().value().numel() == 6);
  CHECK(two.root().attr("b").as_int().value() == 7);
  CHECK(two.root().state()["b"].as_int().value() == 7);
  CHECK_FALSE(two.root().attr("c").exists());
  CHECK(check_code(two.root().as_tensor(), ErrorKind::usage, ErrorCode::wrong_kind).text().find("m.Two") != std::string::npos);
  Pickle parameter = part();
  parameter.global("torch._utils", "_rebuild_parameter_with_state").mark().vector("v", 6).boolean(true).ordered_dict().raw(inner.unfinished()).tuple().reduce();
  const Checkpoint p = open_file(dtensor_file(parameter));
  CHECK(root_tensor(p).is_parameter());
  CHECK(p.root().attr("a").as_tensor().value().numel() == 6);
  CHECK(p.root().attr("b").path() == "b");
}
