// SPDX-License-Identifier: MIT
// Every rebuild function that a release of PyTorch has written, one row each: what brine makes of it, proved by its elements or by what it was given.
// A row is named as in the format's reference, "Argument tuples"; where that lies beside the checkout, no function of it may lack a row here.
#include "support/torch_file.hpp"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>

using namespace brine;
using namespace brine::test;

namespace {

Pickle part() { return Pickle(0); }
Pickle call(std::string_view module, std::string_view name) {
  Pickle p = part();
  p.global(module, name).mark();
  return p;
}
Pickle utils(std::string_view name) { return call("torch._utils", name); }
/// The storage "0" of 2 elements, offset, size and stride.
Pickle& view(Pickle& p, std::string_view cls = "FloatStorage") { return p.storage(cls, "0", 2).integer(0).ints({2}).ints({1}); }
Pickle done(Pickle p) { return p.tuple().reduce(); }
std::string vector() { return part().vector("0", 2).unfinished(); }
Pickle longs(std::string_view key, std::initializer_list<std::int64_t> size) {
  std::vector<std::int64_t> stride(size.size(), 1);
  std::int64_t n = 1;
  for (const std::int64_t s : size) n *= s;
  Pickle p = utils("_rebuild_tensor_v2");
  p.storage("LongStorage", key, n).integer(0).ints(size);
  if (size.size() == 2) p.ints({size.begin()[1], 1});
  else p.ints({1});
  return done(p.boolean(false).ordered_dict());
}
/// numpy.array([0, 1], dtype=float32)
std::string array() {
  Pickle p = part();
  p.global("numpy.core.multiarray", "_reconstruct").global("numpy", "ndarray").ints({0}).op(Op::SHORT_BINBYTES, "b").op(Op::TUPLE3).reduce().mark().integer(1).ints({2});
  p.global("numpy", "dtype").str("f4").boolean(false).boolean(true).op(Op::TUPLE3).reduce().mark().integer(3).str("<").none().none().none().integer(-1).integer(-1).integer(0).tuple().build();
  return p.boolean(false).op(Op::SHORT_BINBYTES, counting(2)).tuple().build().unfinished();
}
Pickle from_type(std::string_view module, std::string_view name, const Pickle& func, const Pickle& args, const Pickle& state) {
  Pickle p = call(module, name);
  return done(p.raw(func.unfinished()).global("m", "Sub").raw(args.unfinished()).raw(state.unfinished()));
}
Pickle with_attribute(std::string_view name, const std::string& value) { return part().empty_dict().str(name).raw(value).setitem(); }
Pickle tensor_args() {
  Pickle p = part();
  p.mark();
  return view(p).boolean(false).ordered_dict().tuple();
}

/// "Parameter float32 [2] grad: 0 1", or what else it is.
std::string told(const Value& value) {
  const auto tensor = value.as_tensor();
  if (!tensor) return tensor.error().text();
  const Tensor& t = *tensor;
  std::string out = std::string(t.is_parameter() ? "Parameter " : "Tensor ") + std::string(name(t.dtype()));
  if (t.device() != "cpu") out += " " + std::string(t.device());
  if (t.layout() != Layout::strided) out += " " + std::string(name(t.layout()));
  if (t.is_quantized()) out += " " + std::string(name(t.qscheme().value()));
  if (t.is_conj()) out += " conj";
  if (t.is_neg()) out += " neg";
  if (t.requires_grad()) out += " grad";
  if (t.is_meta()) return out + " of " + std::to_string(t.numel());
  if (t.is_nested()) {
    for (const Tensor& c : t.unbind().value()) out += " [" + floats(c) + "]";
    return out;
  }
  std::vector<float> all(static_cast<std::size_t>(t.numel()));
  if (auto ok = t.to_dense(DType::float32, std::as_writable_bytes(std::span(all))); !ok) return ok.error().text();
  out += ":";
  for (const float v : all) out += " " + std::to_string(v).substr(0, std::to_string(v).find('.') + 2);
  return out;
}
std::string attribute(const Value& value) { return told(value) + "; inner " + told(value.attr("inner")); }
std::string kept(const Value& value) { return std::string(name(value.kind())) + " " + value.type_name() + ": " + told(value.attr("inner")); }
std::string uninitialised(const Value& value) { return value.type_name() + ", requires_grad " + (value.args()[0].as_bool().value() ? "True" : "False"); }
std::string stream(const Value& value) {
  const auto bytes = value.args()[0].as_bytes().value();
  const Checkpoint inner = load(Source::memory(bytes)).value();
  return value.type_name() + ": " + told(inner.root());
}
std::string generator(const Value& value) { return value.type_name() + " " + std::to_string(value.state()[0].as_int().value()) + ", state " + told(value.state()[2]); }

struct Row {
  std::string_view function, arguments;
  Pickle pickle;
  std::string_view what;
  std::function<std::string(const Value&)> proof = told;
};

std::vector<Row> rows() {
  using P = Pickle;
  const auto old_class = [](std::string_view name) {
    P p = call("torch", name);
    P& made = p.tuple().reduce().mark();
    return view(made).tuple().build();
  };
  const auto built = [](std::string_view module, std::string_view name, bool five) {
    P p = call(module, name);
    if (five) return p.tuple().reduce().mark().raw(vector()).none().ordered_dict().boolean(true).boolean(false).tuple().build();
    return p.raw(vector()).tuple().reduce().mark().boolean(true).boolean(false).ordered_dict().tuple().build();
  };
  const auto v2 = [](std::string_view cls) {
    P p = utils("_rebuild_tensor_v2");
    view(p, cls).boolean(false).ordered_dict();
    return p;
  };
  const auto device = [](std::string_view name, const std::string& data, std::string_view dtype) {
    return done(utils(name).raw(data).global("torch", dtype).str("xla:0").boolean(true));
  };
  const auto sparse = [](std::string_view name, std::string_view layout) { return utils(name).layout(layout).mark().raw(longs("c", {3}).unfinished()).raw(longs("p", {2}).unfinished()).raw(vector()).ints({2, 2}).tuple(); };
  P v1 = utils("_rebuild_tensor"), v3 = utils("_rebuild_tensor_v3"), quantised = part(), coo = utils("_rebuild_sparse_tensor"), nested = utils("_rebuild_nested_tensor"), wrapper = part(), njt = part(), gen = call("torch._C", "Generator");
  view(v1);
  v3.op(Op::MARK).str("storage").global("torch.storage", "UntypedStorage").str("0").str("cpu").integer(8).tuple().op(Op::BINPERSID).integer(0).ints({4}).ints({1}).boolean(false).ordered_dict().global("torch", "uint16");
  coo.layout("sparse_coo").mark().raw(longs("p2", {1, 2}).unfinished()).raw(vector()).ints({3}).boolean(false).tuple();
  nested.raw(vector()).raw(longs("p2", {2, 1}).unfinished()).raw(longs("ones", {2, 1}).unfinished()).raw(longs("p", {2}).unfinished());
  wrapper.mark().global("m", "Sub").global("torch", "float32").ints({2}).ints({1}).integer(0).layout("strided").global("torch", "device").str("cpu").op(Op::TUPLE1).reduce().boolean(false).tuple();
  njt.empty_dict().mark().str("values").raw(vector()).str("offsets").raw(longs("c", {3}).unfinished()).str("lengths").none().str("_ragged_idx").integer(1).op(Op::SETITEMS).op(Op::TUPLE1);
  gen.global("torch", "device").str("cpu").op(Op::TUPLE1).reduce().tuple().reduce().mark().integer(7).none().raw(vector()).tuple().build();
  const std::string legacy = legacy_stream(part().raw(Pickle(2).unfinished()).tensor({.numel = 2, .size = {2}, .stride = {1}, .legacy = true}), {{"0", counting(2)}});
  const P inner = with_attribute("inner", vector());
  return {
      {"torch._utils._rebuild_tensor", "storage, offset, size, stride", done(v1), "Tensor float32: 0.0 1.0"},
      {"torch._utils._rebuild_tensor_v2", "… requires_grad, hooks", done(v2("FloatStorage")), "Tensor float32: 0.0 1.0"},
      {"torch._utils._rebuild_tensor_v2", "… {'neg': True}", done(v2("FloatStorage").empty_dict().str("neg").boolean(true).setitem()), "Tensor float32 neg: -0.0 -1.0"},
      {"torch._utils._rebuild_tensor_v2", "… {'conj': True}", done(v2("ComplexFloatStorage").empty_dict().str("conj").boolean(true).setitem()), "Tensor complex64 conj: 0.0 2.0"},
      {"torch._utils._rebuild_tensor_v3", "… dtype", done(v3), "Tensor uint16: 0.0 0.0 0.0 16256.0"},
      {"torch._utils._rebuild_parameter", "T, requires_grad, hooks", done(utils("_rebuild_parameter").raw(vector()).boolean(true).ordered_dict()), "Parameter float32 grad: 0.0 1.0"},
      {"torch._utils._rebuild_parameter_with_state", "… state", done(utils("_rebuild_parameter_with_state").raw(vector()).boolean(true).ordered_dict().raw(inner.unfinished())), "Parameter float32 grad: 0.0 1.0; inner Tensor float32: 0.0 1.0", attribute},
      {"torch.nn.parameter.Parameter", "T, requires_grad", done(call("torch.nn.parameter", "Parameter").raw(vector()).boolean(false)), "Parameter float32: 0.0 1.0"},
      {"torch.nn.parameter.Parameter", "T, BUILD of 3", built("torch.nn.parameter", "Parameter", false), "Parameter float32 grad: 0.0 1.0"},
      {"torch.nn.parameter.Parameter", "BUILD of 5", built("torch.nn.parameter", "Parameter", true), "Parameter float32 grad: 0.0 1.0"},
      {"torch.autograd.variable.Variable", "T, BUILD of 3", built("torch.autograd.variable", "Variable", false), "Tensor float32 grad: 0.0 1.0"},
      {"torch.autograd.variable.Variable", "BUILD of 5", built("torch.autograd.variable", "Variable", true), "Tensor float32 grad: 0.0 1.0"},
      {"torch.FloatTensor", "BUILD of 4", old_class("FloatTensor"), "Tensor float32: 0.0 1.0"},
      {"torch.Tensor", "BUILD of 4", old_class("Tensor"), "Tensor float32: 0.0 1.0"},
      {"torch._utils._rebuild_qtensor", "… params, requires_grad, hooks", quantised.quantised("q", 2), "Tensor qint8 per_tensor_affine: 0.5 1.0"},
      {"torch._utils._rebuild_sparse_tensor", "layout, parts", done(coo), "Tensor float32 sparse_coo: 0.0 1.0 0.0"},
      {"torch._utils._rebuild_sparse_tensor", "layout, parts, by rows", done(sparse("_rebuild_sparse_tensor", "sparse_csr")), "Tensor float32 sparse_csr: 0.0 0.0 0.0 1.0"},
      {"torch._utils._rebuild_sparse_csr_tensor", "layout, parts", done(sparse("_rebuild_sparse_csr_tensor", "sparse_csr")), "Tensor float32 sparse_csr: 0.0 0.0 0.0 1.0"},
      {"torch._utils._rebuild_meta_tensor_no_storage", "dtype, size, stride, requires_grad", done(utils("_rebuild_meta_tensor_no_storage").global("torch", "float32").ints({2}).ints({1}).boolean(true)), "Tensor float32 meta grad of 2"},
      {"torch._utils._rebuild_nested_tensor", "buffer, sizes, strides, offsets", done(nested), "Tensor float32 [] [1]"},
      {"torch._utils._rebuild_xla_tensor", "array, dtype, device, requires_grad", device("_rebuild_xla_tensor", array(), "float32"), "Tensor float32 xla:0 grad: 0.0 1.0"},
      {"torch._utils._rebuild_device_tensor_from_numpy", "array, dtype, device, requires_grad", device("_rebuild_device_tensor_from_numpy", array(), "bfloat16"), "Tensor bfloat16 xla:0 grad: 0.0 1.0"},
      {"torch._utils._rebuild_device_tensor_from_cpu_tensor", "T, dtype, device, requires_grad", device("_rebuild_device_tensor_from_cpu_tensor", vector(), "float32"), "Tensor float32 grad: 0.0 1.0"},
      {"torch._utils._rebuild_wrapper_subclass", "in _rebuild_from_type_v2", from_type("torch._tensor", "_rebuild_from_type_v2", part().global("torch._utils", "_rebuild_wrapper_subclass"), wrapper, inner), "object torch._utils._rebuild_wrapper_subclass: Tensor float32: 0.0 1.0", kept},
      {"torch.tensor._rebuild_from_type", "func, type, args, dict", from_type("torch.tensor", "_rebuild_from_type", part().global("torch._utils", "_rebuild_tensor_v2"), tensor_args(), inner), "Tensor float32: 0.0 1.0; inner Tensor float32: 0.0 1.0", attribute},
      {"torch._tensor._rebuild_from_type", "func, type, args, dict", from_type("torch._tensor", "_rebuild_from_type", part().global("torch._utils", "_rebuild_tensor_v2"), tensor_args(), inner), "Tensor float32: 0.0 1.0; inner Tensor float32: 0.0 1.0", attribute},
      {"torch._tensor._rebuild_from_type_v2", "func, type, args, state", from_type("torch._tensor", "_rebuild_from_type_v2", part().global("torch._utils", "_rebuild_tensor_v2"), tensor_args(), inner), "Tensor float32: 0.0 1.0; inner Tensor float32: 0.0 1.0", attribute},
      {"torch.nested._internal.nested_tensor._rebuild_njt", "in _rebuild_from_type_v2", from_type("torch._tensor", "_rebuild_from_type_v2", part().global("torch.nested._internal.nested_tensor", "_rebuild_njt"), njt, part().empty_dict()), "Tensor float32 jagged [0] [1]"},
      {"torch.nn.parameter.UninitializedParameter", "requires_grad", done(call("torch.nn.parameter", "UninitializedParameter").boolean(true)), "torch.nn.parameter.UninitializedParameter, requires_grad True", uninitialised},
      {"torch.nn.parameter.UninitializedBuffer", "requires_grad", done(call("torch.nn.parameter", "UninitializedBuffer").boolean(false)), "torch.nn.parameter.UninitializedBuffer, requires_grad False", uninitialised},
      {"torch.storage._load_from_bytes", "a legacy stream", done(call("torch.storage", "_load_from_bytes").op(Op::BINBYTES, legacy)), "torch.storage._load_from_bytes: Tensor float32: 0.0 1.0", stream},
      {"torch._C.Generator", "device, BUILD of seed, offset, state", gen, "torch._C.Generator 7, state Tensor float32: 0.0 1.0", generator},
  };
}

/// All that the rows' tensors lie in.
const std::vector<StorageData> kStorages = {{"0", counting(2)}, {"q", std::string("\2\3", 2)}, {"c", elements<std::int64_t>({0, 1, 2})}, {"p", elements<std::int64_t>({0, 1})},
                                            {"p2", elements<std::int64_t>({0, 1})}, {"ones", elements<std::int64_t>({1, 1})}};

}  // namespace

TEST_CASE("each rebuild function makes what its row says") {
  for (const Row& row : rows()) {
    CAPTURE(row.function);
    CAPTURE(row.arguments);
    const bool complex = row.arguments.find("conj") != row.arguments.npos;  // 0 and 2 + 2i
    const Checkpoint ckpt = open_file(torch_zip(Pickle(4).raw(row.pickle.unfinished()), complex ? std::vector<StorageData>{{"0", elements<float>({0, 0, 2, 2})}} : kStorages));
    CHECK(row.proof(ckpt.root()) == row.what);
  }
}

TEST_CASE("no function of the format's reference lacks a row") {
  const char* shared = std::getenv("BRINE_SHARED");
  std::ifstream reference(shared ? std::string(shared) + "/FORMAT.md" : std::string());
  std::set<std::string_view> names;
  for (const Row& row : rows()) names.insert(row.function);
  bool inside = false;
  std::size_t found = 0;
  for (std::string line; std::getline(reference, line);) {
    if (line.starts_with("### ")) inside = line.starts_with("### 3.1 ");
    if (!inside || !line.starts_with("| `")) continue;
    // `module name` of the first column; / `name` for another of the same module
    std::string module;
    const std::string cell = line.substr(2, line.find(" | ") - 2);
    for (std::size_t at = 0, end = 0; (at = cell.find('`', end)) != cell.npos; ++end) {
      end = cell.find('`', at + 1);
      REQUIRE(end != cell.npos);
      std::string text = cell.substr(at + 1, end - at - 1);
      if (const std::size_t blank = text.find(' '); blank != text.npos) module = text.substr(0, blank), text = text.substr(blank + 1);
      const std::string function = module + "." + text;
      CAPTURE(function);
      CHECK(names.contains(function));
      ++found;
    }
  }
  if (found == 0) MESSAGE("BRINE_SHARED has no FORMAT.md: only the rows themselves were looked at");
  else CHECK(found > 15);
}
