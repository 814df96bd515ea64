// SPDX-License-Identifier: MIT
// Module::repr: the words of the table, what old files lack, folding, and its bounds. The texts are PyTorch 2.13's.
#include "support/torch_file.hpp"

#include <brine/module.hpp>

#include <chrono>

using namespace brine;
using namespace brine::test;

namespace {

Pickle part() { return Pickle(0); }
Pickle items(std::initializer_list<std::pair<std::string_view, Pickle>> list) {
  Pickle p = part();
  p.empty_dict().mark();
  for (const auto& [key, value] : list) p.str(key).raw(value.unfinished());
  return p.op(Op::SETITEMS);
}
using Named = std::initializer_list<std::pair<std::string_view, Pickle>>;

/// A module of this class: own attributes, children, parameters.
Pickle module(std::string_view where, std::string_view cls, Named attributes = {}, Named children = {}, Named parameters = {}) {
  Pickle p = part();
  p.global(where, cls).empty_tuple().op(Op::NEWOBJ).empty_dict().mark();
  p.str("_parameters").raw(items(parameters).unfinished()).str("_buffers").empty_dict().str("_modules").raw(items(children).unfinished());
  for (const auto& [key, value] : attributes) p.str(key).raw(value.unfinished());
  return p.op(Op::SETITEMS).build();
}
Pickle conv(Named attributes, Named parameters = {}) { return module("torch.nn.modules.conv", "Conv2d", attributes, {}, parameters); }
Pickle layer(std::string_view cls, Named attributes = {}) { return module("torch.nn.modules.activation", cls, attributes); }
Pickle container(std::string_view cls, Named children) { return module("torch.nn.modules.container", cls, {}, children); }
Pickle number(std::int64_t v) { return part().integer(v); }
Pickle ints(std::initializer_list<std::int64_t> v) { return part().ints(v); }
Pickle text(std::string_view v) { return part().str(v); }
Pickle yes(bool v) { return part().boolean(v); }
Pickle nothing() { return part().none(); }
Pickle weight() { return part().tensor({.numel = 6, .size = {2, 3}, .stride = {3, 1}}); }

std::string repr(const Pickle& root, std::size_t max = 100'000) {
  const Checkpoint ckpt = open_zip(Pickle(2).raw(root.unfinished()), {{"0", counting(6)}});
  const auto m = Module::of(ckpt.root());
  REQUIRE(m);
  return m->repr(max);
}

}  // namespace

TEST_CASE("arguments: as extra_repr() gives them, defaults left out") {
  CHECK(repr(conv({{"in_channels", number(3)}, {"out_channels", number(4)}, {"kernel_size", ints({3, 1})}, {"stride", ints({1, 1})}, {"padding", ints({0, 0})},
                   {"dilation", ints({1, 2})}, {"output_padding", ints({0, 0})}, {"groups", number(1)}, {"padding_mode", text("zeros")}},
                  {{"bias", nothing()}})) == "Conv2d(3, 4, kernel_size=(3, 1), stride=(1, 1), dilation=(1, 2), bias=False)");
  CHECK(repr(layer("ReLU", {{"inplace", yes(true)}})) == "ReLU(inplace=True)");
  CHECK(repr(layer("ReLU", {{"inplace", yes(false)}})) == "ReLU()");
  CHECK(repr(layer("GELU", {{"approximate", text("none")}})) == "GELU(approximate='none')");
  CHECK(repr(layer("LeakyReLU", {{"negative_slope", part().floating(1e-5)}, {"inplace", number(0)}})) == "LeakyReLU(negative_slope=1e-05)");
  CHECK(repr(module("torch.nn.modules.upsampling", "Upsample", {{"size", ints({2})}, {"scale_factor", nothing()}, {"mode", text("nearest")}})) ==
        "Upsample(size=(2,), mode='nearest')");
  CHECK(repr(module("torch.nn.modules.linear", "Linear", {{"in_features", number(3)}, {"out_features", number(2)}}, {}, {{"weight", weight()}, {"bias", weight()}})) ==
        "Linear(in_features=3, out_features=2, bias=True)");
}

TEST_CASE("what the file lacks has the default of __setstate__, or is left out; what is no plain value, too") {
  CHECK(repr(layer("Softmax")) == "Softmax(dim=None)");
  CHECK(repr(layer("ReLU")) == "ReLU()");
  CHECK(repr(conv({})) == "Conv2d()");
  CHECK(repr(conv({{"in_channels", number(3)}, {"padding", text("same")}})) == "Conv2d(3, padding=same)");
  CHECK(repr(layer("PReLU", {{"num_parameters", part().global("os", "system")}})) == "PReLU()");
  CHECK(repr(layer("PReLU", {{"num_parameters", weight()}})) == "PReLU()");
  CHECK(repr(layer("GLU", {{"dim", part().empty_list()}})) == "GLU(dim=[])");
}

TEST_CASE("classes: torch's by their module; others by name only; quantised ones by PyTorch's name for them") {
  CHECK(repr(module("my", "Linear", {{"in_features", number(3)}})) == "Linear()");
  CHECK(repr(module("torch.optim.swa_utils", "Linear", {{"in_features", number(3)}})) == "Linear()");
  CHECK(repr(module("torch.nn.qat.modules.linear", "Linear", {{"in_features", number(3)}})) == "Linear(in_features=3)");
  CHECK(repr(module("torch.nn.quantized.modules.linear", "Linear", {{"in_features", number(3)}})) == "QuantizedLinear(in_features=3)");
  CHECK(repr(module("torch.ao.nn.quantized.dynamic.modules.rnn", "GRU", {{"input_size", number(3)}})) == "DynamicQuantizedGRU(3)");
  CHECK(repr(module("torch.nn.quantized.modules", "DeQuantize")) == "DeQuantize()");
  CHECK(repr(module("torch.ao.nn.quantized.reference.modules.linear", "Linear")) == "QuantizedLinear(Reference)()");
  CHECK(repr(module("torchvision.ops.misc", "FrozenBatchNorm2d", {{"eps", number(0)}}, {}, {{"weight", weight()}})) == "FrozenBatchNorm2d(2, eps=0)");
}

TEST_CASE("ModuleList folds equal neighbours; other containers do not") {
  const Pickle relu = layer("ReLU"), tanh = layer("Tanh");
  CHECK(repr(container("ModuleList", {{"0", relu}, {"1", relu}, {"2", tanh}, {"x", relu}})) == "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n  (3): ReLU()\n)");
  CHECK(repr(container("Sequential", {{"0", relu}, {"1", relu}})) == "Sequential(\n  (0): ReLU()\n  (1): ReLU()\n)");
  const Pickle inner = container("Sequential", {{"a", relu}});
  CHECK(repr(container("ModuleList", {{"0", inner}, {"1", inner}})) == "ModuleList(\n  (0-1): 2 x Sequential(\n    (a): ReLU()\n  )\n)");
  CHECK(repr(container("ModuleList", {})) == "ModuleList()");
}

TEST_CASE("children that are None, and objects that are no modules as brine knows them") {
  const Pickle object = part().global("my", "Odd").empty_tuple().reduce();
  CHECK(repr(container("Sequential", {{"a", nothing()}, {"b", object}, {"c", number(1)}})) == "Sequential(\n  (a): None\n  (b): Odd(…)\n  (c): int …\n)");
}

TEST_CASE("ParameterList and ParameterDict: a line for each") {
  const auto list = [](Named attributes, Named parameters) { return module("torch.nn.modules.container", "ParameterList", attributes, {}, parameters); };
  CHECK(repr(list({{"_size", number(2)}, {"1", text("x")}}, {{"0", weight()}})) ==
        "ParameterList(\n    (0): Tensor containing: [torch.float32 of size 2x3]\n    (1): Object of type: str\n)");
  CHECK(repr(list({}, {{"0", weight()}})) == "ParameterList(  (0): Tensor containing: [torch.float32 of size 2x3])");  // before 1.12
  CHECK(repr(list({{"_size", number(std::int64_t{1} << 62)}}, {})) == "ParameterList()");
  CHECK(repr(module("torch.nn.modules.container", "ParameterDict", {{"_keys", items({{"w", nothing()}})}}, {}, {{"w", weight()}})) ==
        "ParameterDict(  (w): Tensor containing: [torch.FloatTensor of size 2x3])");
}

TEST_CASE("what is no model says where one is") {
  const auto refusal = [](const Pickle& root) {
    const Checkpoint ckpt = open_zip(Pickle(2).raw(root.unfinished()), {{"0", counting(6)}});
    return check_code(Module::of(ckpt.root()), ErrorKind::usage, ErrorCode::wrong_kind).text();
  };
  CHECK(refusal(items({{"epoch", number(1)}, {"net", layer("ReLU")}})) == "expected a model, found dict; a model is at net");
  CHECK(refusal(items({{"epoch", number(1)}})) == "expected a model, found dict; only torch.save(model) saves a model whole");
  CHECK(refusal(items({{"w", weight()}})).starts_with("this is a state dict (dict), the weights only, not a model"));
}

TEST_CASE("names of the file's choice are escaped") {
  CHECK(repr(module("m", "A", {}, {{"b\x1b", module("m", "B")}})) == "A(\n  (b\\x1b): B()\n)");
  CHECK(repr(layer("GELU", {{"approximate", text("\x1b")}})) == "GELU(approximate='\\x1b')");
}

namespace {

/// depth modules, each with the next as child under all of these names.
std::string nested(std::string_view cls, std::size_t depth, std::initializer_list<std::string_view> names, std::size_t max = 100'000) {
  Pickle p = part();
  for (std::size_t i = 0; i < depth; ++i) p.global("torch.nn.modules.container", cls).empty_tuple().op(Op::NEWOBJ).empty_dict().mark().str("_modules");
  p.empty_dict();
  for (std::size_t i = 0; i < depth; ++i) {
    p.str("_parameters").empty_dict().str("_buffers").empty_dict().op(Op::SETITEMS).build();
    if (i + 1 == depth) break;
    // the child lies on top of its parent's key: put, pop, and under its names
    p.op(Op::LONG_BINPUT, i).op(Op::POP).empty_dict().mark();
    for (const auto& name : names) p.str(name).op(Op::LONG_BINGET, i);
    p.op(Op::SETITEMS);
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string out = repr(p, max);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  return out;
}

}  // namespace

TEST_CASE("bounds: shared modules would be exponential text, deep ones quadratic") {
  const std::string folded = nested("ModuleList", 50, {"0", "1"});
  CHECK(folded.starts_with("ModuleList(\n  (0-1): 2 x ModuleList(\n"));
  CHECK(folded.size() < 10'000);
  const std::string cut = nested("ModuleDict", 50, {"a", "b"}, 1000);
  CHECK(cut.find("…") != std::string::npos);
  CHECK(cut.size() < 300'000);
  const std::string deep = nested("Sequential", 30'000, {"0"});
  CHECK(deep.find("…") != std::string::npos);
  CHECK(deep.size() < 100'000);
}

TEST_CASE("a module inside itself") {
  Pickle p = part();
  p.global("m", "A").empty_tuple().op(Op::NEWOBJ).put(1).empty_dict().mark().str("_parameters").empty_dict().str("_buffers").empty_dict().str("_modules");
  p.empty_dict().str("me").get(1).setitem().op(Op::SETITEMS).build();
  CHECK(repr(p) == "A(\n  (me): …\n)");
}
