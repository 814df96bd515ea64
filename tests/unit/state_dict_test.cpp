// SPDX-License-Identifier: MIT
// Where state_dict() looks: every branch of the rule; modules as PyTorch's state_dict() names them; what is refused, and quickly.
#include "support/torch_file.hpp"

#include <chrono>

using namespace brine;
using namespace brine::test;

namespace {

Pickle part() { return Pickle(0); }
/// One element of storage "0".
Pickle& one(Pickle& p, bool grad = false) { return p.tensor({.numel = 1, .size = {1}, .stride = {1}, .requires_grad = grad}); }
/// {name: tensor}
Pickle weights(std::string_view name = "w") {
  Pickle p = part();
  p.empty_dict().str(name);
  return one(p).setitem();
}
Pickle dict(std::initializer_list<std::pair<std::string_view, Pickle>> items) {
  Pickle p = part();
  p.empty_dict().mark();
  for (const auto& [key, value] : items) p.str(key).raw(value.unfinished());
  return p.op(Op::SETITEMS);
}
struct Parts {
  Pickle parameters = dict({}), buffers = dict({}), modules = dict({}), more = part();
};
/// An nn.Module of class my.Net.
Pickle module(const Parts& parts) {
  Pickle p = part();
  p.global("my", "Net").empty_tuple().op(Op::NEWOBJ).empty_dict().mark().str("_parameters").raw(parts.parameters.unfinished())
      .str("_buffers").raw(parts.buffers.unfinished());
  return p.str("_modules").raw(parts.modules.unfinished()).raw(parts.more.unfinished()).op(Op::SETITEMS).build();
}
Pickle parameter() {
  Pickle p = part();
  p.global("torch._utils", "_rebuild_parameter").mark();
  return one(p).boolean(true).ordered_dict().tuple().reduce();
}
Pickle tensor() {
  Pickle p = part();
  return one(p);
}

Checkpoint checkpoint(const Pickle& root) { return open_zip(Pickle(2).raw(root.unfinished()), {{"0", counting(1)}}); }
/// Place and names of the weights, or the code.
std::string found(const Checkpoint& ckpt, std::string_view path = "") {
  const auto sd = ckpt.state_dict(path);
  if (!sd) return std::string(name(sd.error().code()));
  std::string out = std::string(sd->path()) + (sd->from_module() ? " module:" : ":");
  for (const auto& [name, t] : *sd) out += " " + std::string(name);
  return out;
}
std::string found(const Pickle& root, std::string_view path = "") { return found(checkpoint(root), path); }

}  // namespace

TEST_CASE("the root: a dict with string keys that holds a tensor, and no dict, list or module") {
  CHECK(found(weights()) == ": w");
  CHECK(found(dict({{"w", tensor()}, {"n", part().integer(1)}, {"t", part().ints({1, 2})}, {"v", tensor()}})) == ": w v");
  CHECK(found(dict({{"w", tensor()}, {"a._extra_state", part().empty_dict()}, {"_extra_state", part().empty_list()}})) == ": w");
  CHECK(found(dict({{"w", tensor()}, {"d", part().empty_dict()}})) == "no_state_dict");
  CHECK(found(dict({{"w", tensor()}, {"l", part().empty_list()}})) == "no_state_dict");
  CHECK(found(dict({{"w", tensor()}, {"m", module({})}})) == "m module:");
  CHECK(found(part().empty_dict()) == "no_state_dict");
  Pickle keys = part();
  keys.empty_dict().integer(1);
  CHECK(found(one(keys).setitem()) == "no_state_dict");
}

TEST_CASE("a dict with _metadata is weights without any tensor") {
  CHECK(found(part().ordered_dict().empty_dict().str("_metadata").empty_dict().setitem().build()) == ":");
  CHECK(found(part().ordered_dict().empty_dict().str("other").empty_dict().setitem().build()) == "no_state_dict");
}

TEST_CASE("the known keys, in their order, four levels at most") {
  for (const std::string key :
       {"state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params_ema", "params", "ema"})
    CHECK(found(dict({{"epoch", part().integer(1)}, {key, weights()}, {"other", weights()}})) == key + ": w");
  CHECK(found(dict({{"ema", weights("e")}, {"model", weights("m")}, {"state_dict", weights("s")}})) == "state_dict: s");
  CHECK(found(dict({{"ema", weights("e")}, {"state_dict", dict({})}})) == "ema: e");
  CHECK(found(dict({{"model", dict({{"state_dict", weights()}})}, {"o", weights()}})) == "model.state_dict: w");
  Pickle nested = weights();
  for (int depth = 1; depth <= 4; ++depth) nested = dict({{"model", nested}, {"x", part().none()}});
  CHECK(found(nested) == "model.model.model.model: w");
  nested = dict({{"model", nested}, {"x", part().none()}});
  CHECK(found(nested) == "model.model.model.model.model: w");  // the fifth as the only value there
  CHECK(found(dict({{"model", nested}, {"x", part().none()}})) == "no_state_dict");
}

TEST_CASE("else the only value that is weights: of a dict, a list, a tuple") {
  CHECK(found(dict({{"something", weights()}, {"epoch", part().integer(1)}})) == "something: w");
  CHECK(found(part().empty_list().raw(weights().unfinished()).append()) == "0: w");
  CHECK(found(part().integer(3).raw(weights().unfinished()).op(Op::TUPLE2)) == "1: w");
  CHECK(found(part().global("m", "C").empty_tuple().reduce()) == "no_state_dict");
  CHECK(found(tensor()) == "no_state_dict");
  CHECK(found(part().integer(1)) == "no_state_dict");
}

TEST_CASE("several: an error that lists them; a path chooses") {
  const Checkpoint ckpt = checkpoint(dict({{"g", weights("a")}, {"d", weights("b")}, {"n", part().integer(1)}}));
  const Error several = check_code(ckpt.state_dict(), ErrorKind::usage, ErrorCode::several_state_dicts);
  CHECK(several.text() == "there are several state dicts: g, d; choose one, as with state_dict('g') or --at g");
  CHECK(found(ckpt, "d") == "d: b");
  CHECK(found(ckpt, "n") == "no_state_dict");
  const Error missing = check_code(ckpt.state_dict("x"), ErrorKind::usage, ErrorCode::missing_key);
  CHECK(missing.place().file == "m.pth");
  CHECK(found(checkpoint(dict({{"outer", dict({{"model", weights()}})}})), "outer") == "outer.model: w");
}

TEST_CASE("notes: a part of the file, placeholders, what is no model's weights, a module that keeps nothing") {
  const auto notes = [](const Pickle& p) {
    std::string out;
    const StateDict state = checkpoint(p).state_dict().value();
    for (const Note& n : state.notes()) out += std::string(name(n.code)) + ": " + n.text.substr(0, n.text.find(':')) + "\n";
    return out;
  };
  const auto empty = [] { return part().tensor({.numel = 1, .size = {0}, .stride = {1}}); };
  CHECK(notes(dict({{"w", tensor()}})).empty());
  CHECK(notes(dict({{"decoder", weights()}, {"more", dict({{"a", dict({{"b", tensor()}, {"c", part().empty_dict()}})}})}})) == "part_of_file: 1 more tensor outside 'decoder'\n");
  CHECK(notes(dict({{"w", empty()}, {"v", empty()}})) == "placeholders: 2 of 2 tensors have the shape [0]\n");
  CHECK(notes(dict({{"w", empty()}, {"v", tensor()}})).empty());
  CHECK(notes(module({})) == "nothing_kept: the module my.Net has neither parameters nor buffers; what a state_dict() of its own gives is code, and not in the file\n");
}

TEST_CASE("none: the error says what there is instead") {
  const std::string advice = "; brine ls --all or tensors() lists every tensor, brine show or print() the tree, --at or state_dict(PATH) takes another place";
  const auto text = [](const Pickle& p) {
    return check_code(checkpoint(p).state_dict(), ErrorKind::usage, ErrorCode::no_state_dict).text();
  };
  CHECK(text(dict({{"epoch", part().integer(1)}, {"opt", part().empty_dict()}})) ==
        "there are no weights here, but a dict with 'epoch' (int), 'opt' (dict)" + advice);
  CHECK(text(tensor()) == "there are no weights here, but one tensor, not a dict of them" + advice);
  CHECK(text(part().empty_dict()) == "there are no weights here, but an empty dict" + advice);
  CHECK(text(part().global("my", "Net").empty_tuple().op(Op::NEWOBJ)) == "there are no weights here, but an object of class my.Net" + advice);
}

TEST_CASE("a module: parameters, buffers, children, depth first; None skipped; detached") {
  const Pickle child = module({.parameters = dict({{"weight", parameter()}, {"bias", part().none()}})});
  const Pickle root =
      module({.parameters = dict({{"p", parameter()}}),
              .buffers = dict({{"b", tensor()}, {"none", part().none()}}),
              .modules = dict({{"0", child}, {"gone", part().none()}, {"sub", module({.modules = dict({{"deep", child}})})}})});
  const Checkpoint ckpt = checkpoint(root);
  CHECK(found(ckpt) == " module: p b 0.weight sub.deep.weight");
  const StateDict sd = ckpt.state_dict().value();
  CHECK_FALSE(sd.at("p").value().requires_grad());
  CHECK_FALSE(sd.at("p").value().is_parameter());
  CHECK(ckpt.at("_parameters.p").as_tensor().value().requires_grad());
  CHECK(sd.at("p").value().storage() == sd.at("0.weight").value().storage());
  CHECK(floats(sd.at("sub.deep.weight").value()) == "0");
  check_code(sd.at("q"), ErrorKind::usage, ErrorCode::missing_key);
  CHECK(sd.find("p") == &sd.begin()->tensor);
  CHECK(found(checkpoint(dict({{"model", root}})), "") == "model module: p b 0.weight sub.deep.weight");
}

TEST_CASE("non-persistent buffers are left out, as a set or as Python 2's call of one") {
  const auto buffers = dict({{"kept", tensor()}, {"hidden", tensor()}});
  Pickle set = part();
  set.str("_non_persistent_buffers_set").global("__builtin__", "set").empty_list().str("hidden").append().op(Op::TUPLE1).reduce();
  CHECK(found(module({.buffers = buffers, .more = set})) == " module: kept");
  Pickle set4 = part();
  set4.str("_non_persistent_buffers_set").op(Op::EMPTY_SET).mark().str("hidden").op(Op::ADDITEMS);
  CHECK(found(module({.buffers = buffers, .more = set4})) == " module: kept");
  CHECK(found(module({.buffers = buffers})) == " module: kept hidden");
}

TEST_CASE("a module met by two names has both; one that contains itself is an error") {
  Pickle shared = part();
  shared.raw(module({.parameters = dict({{"w", tensor()}})}).unfinished()).put(9);
  CHECK(found(module({.modules = dict({{"a", shared}, {"b", part().get(9)}})})) == " module: a.w b.w");
  Pickle cycle = part();
  cycle.global("my", "Net").empty_tuple().op(Op::NEWOBJ).put(9).empty_dict().mark().str("_parameters").empty_dict().str("_buffers")
      .empty_dict();
  cycle.str("_modules").raw(dict({{"me", part().get(9)}}).unfinished()).op(Op::SETITEMS).build();
  CHECK(checkpoint(cycle).state_dict().error().kind() == ErrorKind::corrupt);
  CHECK(found(cycle) == "module_cycle");
}

TEST_CASE("a part of a model that keeps its weights otherwise: an error, not a state dict without it") {
  const Pickle odd = part().global("my", "Odd").empty_tuple().op(Op::NEWOBJ).integer(1).build();
  const Pickle holder = module({.modules = dict({{"a", module({.parameters = dict({{"w", tensor()}})})}, {"b", odd}})});
  const Error error = check_code(checkpoint(dict({{"model", holder}, {"n", part().integer(1)}})).state_dict(), ErrorKind::unsupported, ErrorCode::module_form);
  CHECK(error.text() == "the module 'b' (my.Odd) keeps its weights in a form of its own, of which only its code makes a state dict; what the file holds of it "
                        "is in the object tree (`brine show`)");
  CHECK(error.place().path == "model");
  const auto of_class = [](std::string_view where, std::string_view cls) {
    Pickle p = part();
    p.global(where, cls).empty_tuple().op(Op::NEWOBJ);
    return found(p.raw(dict({{"_parameters", dict({{"w", tensor()}})}, {"_buffers", dict({})}, {"_modules", dict({})}}).unfinished()).build());
  };
  CHECK(of_class("torch.ao.nn.quantized.modules.linear", "Linear") == "module_form");
  CHECK(of_class("torch.ao.nn.quantized.modules.activation", "ReLU6") == " module: w");
  CHECK(of_class("my.quantized.modules", "Linear") == " module: w");
  CHECK(found(module({.modules = dict({{"a", part().none()}})})) == " module:");
}

TEST_CASE("a model with a dict, a list or a module for a parameter or a buffer: an error") {
  const Pickle dict_for_w = module({.parameters = dict({{"v", tensor()}, {"w", dict({})}})});
  const Error error = check_code(checkpoint(module({.modules = dict({{"a", dict_for_w}})})).state_dict(), ErrorKind::unsupported, ErrorCode::module_form);
  CHECK(error.text() == "expected a tensor as the module's parameter or buffer 'a.w', found dict");
  CHECK(found(module({.buffers = dict({{"b", part().empty_list()}})})) == "module_form");
  CHECK(found(module({.buffers = dict({{"b", module({})}})})) == "module_form");
}

TEST_CASE("a model's sparse and quantised parameters are among its tensors; what is no tensor to brine is among its other values, without the Parameter") {
  const auto wrapped = [](const Pickle& data, bool grad) {
    return part().global("torch._utils", "_rebuild_parameter").mark().raw(data.unfinished()).boolean(grad).ordered_dict().tuple().reduce();
  };
  Pickle sparse = part();
  sparse.global("torch._utils", "_rebuild_sparse_tensor").layout("sparse_coo").mark();
  sparse.tensor({.cls = "LongStorage", .key = "i", .numel = 1, .size = {1, 1}, .stride = {1, 1}}).vector("v", 1).ints({3}).boolean(false).tuple().op(Op::TUPLE2).reduce();
  const Pickle odd = part().global("torch._utils", "_rebuild_of_tomorrow").empty_tuple().reduce();
  const Pickle root = module({.parameters = dict({{"s", wrapped(sparse, true)}, {"q", part().quantised("q", 2)}, {"o", wrapped(odd, true)}, {"n", part().none()}}), .buffers = dict({{"b", odd}})});
  const auto sd = open_zip(Pickle(2).raw(root.unfinished()), {{"i", elements<std::int64_t>({2})}, {"v", counting(1)}, {"q", "ab"}}).state_dict();
  REQUIRE(sd);
  REQUIRE(sd->size() == 2);
  CHECK(sd->find("s")->layout() == Layout::sparse_coo);
  CHECK(sd->find("s")->indices().has_value());
  CHECK_FALSE(sd->find("s")->is_parameter());  // detached
  CHECK(sd->find("q")->q_scale().value() == 0.5);
  const auto others = sd->others();
  REQUIRE(others.size() == 2);
  CHECK(others[0].first == "o");
  CHECK(others[0].second.type_name() == "torch._utils._rebuild_of_tomorrow");
  CHECK(others[1].first == "b");
  CHECK(sd->notes().empty());
}

TEST_CASE("hooks of a model's state dict are noted") {
  Pickle hooks = part();
  hooks.str("_state_dict_hooks").ordered_dict().integer(1).global("my", "hook").setitem();
  const auto inner = module({.parameters = dict({{"w", tensor()}}), .more = hooks});
  const auto sd = checkpoint(module({.modules = dict({{"a", inner}})})).state_dict();
  REQUIRE(sd);
  REQUIRE(sd->notes().size() == 1);
  CHECK(sd->notes()[0].code == Note::Code::state_dict_hook);
  CHECK(sd->notes()[0].place.path == "a");
  CHECK(sd->notes()[0].text == "the module 'a' has a hook, my.hook, that Python runs on its state dict: there names and values may differ");
}

TEST_CASE("exponential sharing meets a limit, quickly") {
  Pickle p = part();
  p.raw(module({.parameters = dict({{"w", tensor()}})}).unfinished()).put(0).op(Op::POP_MARK);
  Pickle whole = part();
  whole.mark().raw(p.unfinished());
  for (std::uint8_t i = 0; i < 40; ++i)
    whole.mark().raw(module({.modules = dict({{"a", part().get(i)}, {"b", part().get(i)}})}).unfinished())
        .put(static_cast<std::uint8_t>(i + 1)).op(Op::POP_MARK);
  whole.get(40);
  const auto start = std::chrono::steady_clock::now();
  const Checkpoint ckpt = checkpoint(whole);
  check_code(ckpt.state_dict(), ErrorKind::limit, ErrorCode::metadata_too_large);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("100,000 names: in order, and found") {
  Pickle p = part();
  p.empty_dict().mark();
  p.str("n0");
  one(p).put(1);
  for (int i = 1; i < 100'000; ++i) p.str("n" + std::to_string(i)).get(1);
  const StateDict sd = checkpoint(p.op(Op::SETITEMS)).state_dict().value();
  CHECK(sd.size() == 100'000);
  CHECK(std::next(sd.begin(), 77'777)->name == "n77777");
  CHECK(sd.contains("n99999"));
  CHECK_FALSE(sd.contains("n100000"));
}
