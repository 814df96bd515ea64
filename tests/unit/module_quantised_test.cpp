// SPDX-License-Identifier: MIT
// State dicts of quantised modules: what they add, in which order; what is not as PyTorch writes it is refused, and not given in part.
#include "support/torch_file.hpp"

#include <brine/module.hpp>
#include <brine/save.hpp>

#include <chrono>

using namespace brine;
using namespace brine::test;

namespace {

using Named = std::initializer_list<std::pair<std::string_view, Pickle>>;

Pickle part() { return Pickle(0); }
Pickle number(std::int64_t v) { return part().integer(v); }
Pickle real(double v) { return part().floating(v); }
Pickle dtype(std::string_view name) { return part().global("torch", name); }
Pickle weight(bool parameter = false) {
  Pickle p = part();
  if (parameter) p.global("torch._utils", "_rebuild_parameter").mark();
  p.tensor({.numel = 1, .size = {1}, .stride = {1}});
  return parameter ? p.boolean(true).ordered_dict().tuple().reduce() : p;
}
Pickle quantised() { return part().quantised("q", 4); }
Pickle tuple(std::initializer_list<Pickle> items) {
  Pickle p = part();
  p.mark();
  for (const Pickle& item : items) p.raw(item.unfinished());
  return p.tuple();
}
Pickle list(const Pickle& item) { return part().empty_list().raw(item.unfinished()).append(); }
Pickle items(Named named) {
  Pickle p = part();
  p.empty_dict().mark();
  for (const auto& [key, value] : named) p.str(key).raw(value.unfinished());
  return p.op(Op::SETITEMS);
}
Pickle object(std::string_view where, std::string_view cls, const Pickle& state) {
  return part().global(where, cls).empty_tuple().op(Op::NEWOBJ).raw(state.unfinished()).build();
}
Pickle module(std::string_view where, std::string_view cls, Named attributes, Named children = {}, Named buffers = {}) {
  Pickle p = part();
  p.empty_dict().mark().str("_parameters").empty_dict().str("_buffers").raw(items(buffers).unfinished()).str("_modules").raw(items(children).unfinished());
  for (const auto& [key, value] : attributes) p.str(key).raw(value.unfinished());
  return object(where, cls, p.op(Op::SETITEMS));
}
Pickle script(std::string_view cls, const Pickle& state) {
  return object("torch", "ScriptObject", tuple({state, part().str("__torch__.torch.classes.quantized." + std::string(cls))}));
}

constexpr std::string_view kLinear = "torch.ao.nn.quantized.modules.linear", kConv = "torch.nn.quantized.modules.conv",
                           kDynamic = "torch.nn.quantized.dynamic.modules.rnn", kEmbedding = "torch.ao.nn.quantized.modules.embedding_ops";

Pickle packed(const Pickle& unpacked) {
  return module(kLinear, "LinearPackedParams", {{"dtype", dtype("qint8")}, {"_packed_params", script("LinearPackedParamsBase", unpacked)}});
}
Pickle linear(const Pickle& scale, const Pickle& zero_point, const Pickle& inner) {
  return module(kLinear, "Linear", {{"scale", scale}, {"zero_point", zero_point}}, {{"_packed_params", inner}});
}
Pickle conv(std::initializer_list<Pickle> last) {
  Pickle p = part();
  p.mark();
  for (int i = 0; i < 10; ++i) p.integer(i);
  for (const Pickle& item : last) p.raw(item.unfinished());
  return object(kConv, "Conv2d", p.tuple());
}

Checkpoint checkpoint(const Pickle& root) { return open_zip(Pickle(2).raw(root.unfinished()), {{"0", counting(1)}, {"q", "abcd"}}); }

/// Tensors with their dtypes, then other values with their types, or the code.
std::string found(const Pickle& root) {
  const Checkpoint ckpt = checkpoint(root);
  const auto sd = ckpt.state_dict();
  if (!sd) return std::string(name(sd.error().code()));
  std::string out;
  for (const auto& [key, t] : *sd) out += std::string(key) + " " + std::string(name(t.dtype())) + (t.is_parameter() ? "* " : " ");
  out += "|";
  for (const auto& [key, value] : sd->others()) {
    const auto global = value.as_global();
    out += " " + std::string(key) + " " + (global ? "torch." + std::string(global->name) : value.type_name());
  }
  return out;
}

}  // namespace

TEST_CASE("a linear layer: two tensors of its numbers, what the packed weights unpack to, and the versions") {
  const Pickle root = linear(real(0.1), number(-7), packed(tuple({quantised(), weight()})));
  CHECK(found(root) == "scale float32 zero_point int64 | _packed_params.dtype torch.qint8 _packed_params._packed_params tuple");
  const StateDict sd = checkpoint(root).state_dict().value();  // the checkpoint is gone
  CHECK(sd.version("") == 3);
  CHECK(sd.version("_packed_params") == 3);
  float scale = 0;
  std::int64_t zero_point = 0;
  REQUIRE(sd.at("scale").value().copy_to(DType::float32, std::as_writable_bytes(std::span(&scale, 1))));
  REQUIRE(sd.at("zero_point").value().copy_to(DType::int64, std::as_writable_bytes(std::span(&zero_point, 1))));
  CHECK(scale == 0.1f);
  CHECK(zero_point == -7);
  CHECK(sd.at("scale").value().shape().empty());
  CHECK(found(module(kDynamic, "LSTM", {}, {{"_all_weight_values", module("torch.nn.modules.container", "ModuleList", {}, {{"0",
        module(kDynamic, "PackedParameter", {{"param", script("CellParamsBase", number(1))}})}})}})) == "| _all_weight_values.0.param torch.ScriptObject");
}

TEST_CASE("what is between the tensors stays there when it is saved") {
  const StateDict sd = checkpoint(linear(real(1), number(0), packed(tuple({weight(), part().none()})))).state_dict().value();
  std::vector<std::byte> bytes;
  REQUIRE(save(sd, Sink::memory(bytes)));
  const auto again = load(Source::memory(bytes));
  REQUIRE(again);
  std::string names;
  for (auto [key, value] : again->root().items()) names += std::string(key.as_string().value()) + " ";
  CHECK(names == "scale zero_point _packed_params.dtype _packed_params._packed_params ");
  CHECK(again->root().attr("_metadata")["_packed_params"]["version"].as_int().value() == 3);
}

TEST_CASE("a convolution's state is a tuple; its bias stays a Parameter, or None") {
  CHECK(found(conv({quantised(), weight(), real(1), number(0), part().boolean(true)})) == "weight qint8 bias float32 scale float32 zero_point int64 |");
  CHECK(found(conv({quantised(), weight(true), real(1), number(0), part().boolean(true)})) == "weight qint8 bias float32* scale float32 zero_point int64 |");
  const Pickle none = conv({quantised(), part().none(), real(1), number(0), part().boolean(true)});
  CHECK(found(none) == "weight qint8 scale float32 zero_point int64 | bias NoneType");
  CHECK(found(module("my", "Net", {}, {{"a", none}, {"b", module("my", "Net", {}, {}, {{"w", weight()}})}})) ==
        "a.weight qint8 a.scale float32 a.zero_point int64 b.w float32 | a.bias NoneType");
  const Checkpoint ckpt = checkpoint(none);
  CHECK(Module::of(ckpt.root()).value().training());
  CHECK(Module::of(ckpt.root()).value().children().empty());
}

TEST_CASE("embeddings, cells, reference modules, functionals") {
  const auto embedding = [](const Pickle& state) {
    const Pickle inner = module(kEmbedding, "EmbeddingPackedParams", {{"dtype", dtype("quint8")}, {"_packed_weight", script("EmbeddingPackedParamsBase", state)}});
    return module(kEmbedding, "Embedding", {}, {{"_packed_params", inner}});
  };
  CHECK(found(embedding(tuple({number(1), list(quantised()), part().empty_list(), list(number(8))}))) ==
        "_packed_params._packed_weight qint8 | _packed_params.dtype torch.quint8");
  CHECK(found(embedding(tuple({number(1), part().empty_list(), part().empty_list(), list(number(8))}))) == "module_form");
  CHECK(found(module(kDynamic, "GRUCell", {{"_packed_weight_hh", number(1)}, {"_packed_weight_ih", number(2)}})) == "| _packed_weight_ih int _packed_weight_hh int");
  CHECK(found(module("torch.ao.nn.quantized.reference.modules.linear", "Linear", {{"weight_qscheme", dtype("per_tensor_affine")}, {"weight_dtype", dtype("quint8")}}, {},
                     {{"weight_scale", weight()}})) == "weight_scale float32 | weight_qscheme torch.per_tensor_affine weight_dtype torch.quint8");
  CHECK(found(module("torch.ao.nn.quantized.modules.functional_modules", "QFunctional", {{"scale", real(1)}, {"zero_point", number(0)}})) == "scale float32 zero_point int64 |");
}

TEST_CASE("a class of the writer's own is the quantised one it inherits") {
  const Pickle inner = packed(tuple({quantised(), weight()}));
  const StateDict sd = checkpoint(module("my", "Linear", {{"scale", real(1)}, {"zero_point", number(0)}}, {{"_packed_params", inner}})).state_dict().value();
  CHECK(sd.contains("scale"));
  CHECK(sd.version("") == 3);
  CHECK(found(module("my", "Linear", {{"scale", part().str("large")}}, {{"_packed_params", inner}})) == "| _packed_params.dtype torch.qint8 _packed_params._packed_params tuple");
}

TEST_CASE("a quantised graph's hook adds its packed weights behind all else, sorted") {
  Pickle hooks = part();
  hooks.ordered_dict().integer(1).global("torch.ao.quantization.fx._lower_to_native_backend", "_save_packed_weight").setitem();
  const Pickle kept = script("LinearPackedParamsBase", number(1));
  const Pickle root = module("torch.fx.graph_module", "GraphModule", {{"_state_dict_hooks", hooks}, {"b_packed_weight_0", kept}, {"a_packed_weight_0", kept}, {"c_packed_weight_0", number(1)}},
                             {{"inner", module("my", "Net", {}, {}, {{"w", weight()}})}});
  CHECK(found(root) == "inner.w float32 | a_packed_weight_0 torch.ScriptObject b_packed_weight_0 torch.ScriptObject");
  CHECK(checkpoint(root).state_dict().value().notes().empty());
}

TEST_CASE("an observer's own tensors stand where its buffers do, undetached") {
  const auto observer = [](Named attributes, Named buffers) { return module("torch.ao.quantization.observer", "HistogramObserver", attributes, {}, buffers); };
  CHECK(found(observer({}, {{"min_val", weight()}, {"max_val", weight(true)}, {"histogram", weight()}})) == "min_val float32 max_val float32* histogram float32 |");
  CHECK(found(observer({{"min_val", part().none()}, {"max_val", part().none()}}, {{"histogram", weight()}})) == "histogram float32 | min_val NoneType max_val NoneType");
  CHECK(found(observer({}, {{"histogram", weight()}})) == "module_form");
}

TEST_CASE("Parameters::like: a quantised module takes its other values, and misses them") {
  const StateDict model = checkpoint(linear(real(1), number(0), packed(tuple({quantised(), weight()})))).state_dict().value();
  Parameters target = Parameters::like(model);
  LoadStateDictOptions dry;
  dry.dry_run = true;
  CHECK(load_state_dict(target, model, dry));
  StateDict less = model;
  less.erase("_packed_params.dtype");
  const auto missing = load_state_dict(target, less, dry);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().found<LoadReport>()->missing_keys == std::vector<std::string>{"_packed_params.dtype"});
  const StateDict plain = checkpoint(module("my", "Net", {}, {{"_packed_params", module("my", "Net", {})}}, {{"scale", weight()}, {"zero_point", weight()}})).state_dict().value();
  Parameters other = Parameters::like(plain);
  const auto unexpected = load_state_dict(other, model, dry);
  REQUIRE_FALSE(unexpected);
  CHECK(unexpected.error().found<LoadReport>()->unexpected_keys.size() == 2);
}

TEST_CASE("what is not as PyTorch writes it is refused whole") {
  const Pickle good = packed(tuple({quantised(), weight()}));
  CHECK(found(linear(part().str("1"), number(0), good)) == "module_form");
  CHECK(found(linear(real(1), part().none(), good)) == "module_form");
  CHECK(found(linear(real(1), number(0), module("my", "Net", {}))) == "scale float32 zero_point int64 |");  // a child of another class: as it says
  CHECK(found(module(kLinear, "Linear", {{"scale", real(1)}, {"zero_point", number(0)}})) == "module_form");
  CHECK(found(linear(real(1), number(0), packed(number(1)))) == "module_form");
  CHECK(found(linear(real(1), number(0), packed(tuple({weight()})))) == "module_form");
  CHECK(found(module(kLinear, "LinearPackedParams", {{"dtype", dtype("qint8")}, {"_packed_params", tuple({quantised(), weight()})}})) == "module_form");
  CHECK(found(module(kLinear, "LinearPackedParams", {{"_packed_params", script("LinearPackedParamsBase", tuple({quantised(), weight()}))}})) == "module_form");
  CHECK(found(module(kDynamic, "LSTM", {})) == "module_form");
  CHECK(found(module("torch.ao.nn.sparse.quantized.linear", "Linear", {{"scale", real(1)}, {"zero_point", number(0)}}, {{"_packed_params", good}})) == "module_form");
  CHECK(found(module(kConv, "ConvUnheardOf", {})) == "module_form");
  CHECK(found(conv({quantised(), weight(), part().none(), number(0), part().boolean(true)})) == "module_form");
  CHECK(found(module("my", "Net", {}, {{"a", conv({quantised(), weight(), real(1)})}})) == "module_form");
}

TEST_CASE("numbers that are shared over and over meet a limit, quickly") {
  Pickle whole = part();
  whole.mark().raw(linear(real(1), number(0), packed(tuple({quantised(), weight()}))).unfinished()).put(0).op(Op::POP_MARK);
  for (std::uint8_t i = 0; i < 40; ++i)
    whole.mark().raw(module("my", "Net", {}, {{"a", part().get(i)}, {"b", part().get(i)}}).unfinished()).put(static_cast<std::uint8_t>(i + 1)).op(Op::POP_MARK);
  whole.get(40);
  const auto start = std::chrono::steady_clock::now();
  check_code(checkpoint(whole).state_dict(), ErrorKind::limit, ErrorCode::metadata_too_large);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}
