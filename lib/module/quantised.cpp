// SPDX-License-Identifier: MIT
// The quantised modules of PyTorch: what their _save_to_state_dict() adds to parameters and buffers. Source: torch/ao/nn/**/quantized of 1.13 and 2.13.
#include "module/module.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace brine {

namespace {

// A word for each value, in order:
//   x     the attribute x as it is
//   #x    torch.tensor(x): the attribute is a number
//   (x    what the packed weights of a linear layer unpack to: (weight, bias)
//   [x    what those of an embedding do: the weight
//   =x    the very tensor x, undetached, where the buffer x would stand: under two names of the module it is one object
//   /x    nothing, but the child x must be there: it holds the weights
struct Row {
  std::string_view classes, words;
};

constexpr std::string_view kConvs = "weight bias #scale #zero_point", kLinears = "#scale #zero_point /_packed_params";

constexpr Row kReference[] = {
    {"Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Embedding EmbeddingBag", "weight_qscheme weight_dtype"},
    {"RNNCell LSTMCell GRUCell", ""},
};
constexpr Row kDynamic[] = {
    {"LSTM GRU", "/_all_weight_values"},
    {"RNNCell LSTMCell GRUCell", "_packed_weight_ih _packed_weight_hh"},
    {"PackedParameter", "param"},
};
constexpr Row kQuantised[] = {
    {"Linear LinearReLU LinearLeakyReLU LinearTanh", kLinears},
    {"LinearPackedParams", "dtype (_packed_params"},
    {"Conv1d Conv2d Conv3d ConvReLU1d ConvReLU2d ConvReLU3d ConvAdd2d ConvAddReLU2d ConvTranspose1d ConvTranspose2d ConvTranspose3d", kConvs},
    {"Embedding EmbeddingBag", "/_packed_params"},
    {"EmbeddingPackedParams", "dtype [_packed_weight"},
    {"QFunctional", "#scale #zero_point"},
};
constexpr Row kObservers[] = {{"HistogramObserver", "=min_val =max_val"}};
constexpr Row kFake[] = {{"FakeQuantize FusedMovingAvgObsFakeQuantize", "=scale =zero_point"}};
// By the class's module; the first that fits.
struct Family {
  std::string_view part;
  std::span<const Row> rows[2] = {};
};
constexpr Family kFamilies[] = {
    {".sparse.quantized.", {}},  // their packed weights are kept as blocks, which only their code puts together
    {".quantized.reference.", {kReference}},
    {".quantized._reference.", {kReference}},
    {".quantized.dynamic.", {kDynamic, kQuantised}},
    {".quantized.", {kQuantised}},
    {".quantization.observer.", {kObservers}},
    {".quantization.fake_quantize.", {kFake}},
};
// Of the rest the classes that begin so are not known.
constexpr std::string_view kOwnForm[] = {"Conv", "Linear", "Embedding", "RNNCell", "LSTMCell", "GRUCell", "QFunctional", "PackedParameter"};

// The state of a quantised convolution is a tuple.
constexpr std::string_view kConvState[] = {"in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "transposed", "output_padding",
                                           "groups", "padding_mode", "weight", "bias", "scale", "zero_point", "training"};

bool has_name(std::string_view names, std::string_view name) noexcept {
  for (std::size_t at = 0; (at = names.find(name, at)) != std::string_view::npos; at += name.size())
    if ((at == 0 || names[at - 1] == ' ') && (at + name.size() == names.size() || names[at + name.size()] == ' ')) return true;
  return false;
}

// The state of a torch.ScriptObject of that class: (state, class name).
Ref script_state(const Ref& object, std::string_view cls) noexcept {
  if (!made_by(object, "torch", "ScriptObject")) return {};
  const Ref state = state_of(*object.node);
  if (state.kind != Kind::tuple || tuple_of(state).size != 2) return {};
  const auto parts = tuple_of(state).items();
  return parts[1].kind == Kind::string && text_of(parts[1]) == cls ? parts[0] : Ref{};
}

Ref unpacked_linear(const Ref& packed) noexcept {
  const Ref pair = script_state(packed, "__torch__.torch.classes.quantized.LinearPackedParamsBase");
  return pair.kind == Kind::tuple && tuple_of(pair).size == 2 ? pair : Ref{};
}

// (version, [weight], [], [bits])
Ref unpacked_embedding(const Ref& packed) noexcept {
  const Ref state = script_state(packed, "__torch__.torch.classes.quantized.EmbeddingPackedParamsBase");
  if (state.kind != Kind::tuple || tuple_of(state).size != 4) return {};
  const Ref tensors = tuple_of(state).items()[1];
  return tensors.kind == Kind::list && tensors.node->size == 1 ? list_of(tensors).items()[0] : Ref{};
}

bool is_number(const Ref& value) noexcept {
  return value.kind == Kind::floating || value.kind == Kind::boolean || (value.kind == Kind::integer && !(value.flags & kBig));
}

// False: the file has not what the word needs.
bool add_word(const Graph& graph, const Ref& module, std::string_view word, std::vector<OwnValue>& out) {
  const char sign = word[0];
  if (sign == '#' || sign == '(' || sign == '[' || sign == '=' || sign == '/') word.remove_prefix(1);
  if (sign == '/') {
    const Ref children = module_part(graph, module, "_modules");
    const Entry* child = children.kind == Kind::dict ? graph.find(dict_of(children), word) : nullptr;
    return child && is_module(graph, child->value);
  }
  Ref value = is_quantised_conv(module) ? quantised_conv_attribute(module, word) : module_part(graph, module, word);
  if (sign == '=')
    if (const Ref buffers = module_part(graph, module, "_buffers"); buffers.kind == Kind::dict)
      if (const Entry* e = graph.find(dict_of(buffers), word)) value = e->value;
  if (sign == '(') value = unpacked_linear(value);
  if (sign == '[') value = unpacked_embedding(value);
  if (value.kind == Kind::absent || (sign == '#' && !is_number(value))) return false;
  out.push_back({word, value, sign == '#', sign == '='});
  return true;
}

bool add_words(const Graph& graph, const Ref& module, std::string_view words, std::vector<OwnValue>& out) {
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    if (!add_word(graph, module, words.substr(0, end), out)) return false;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return true;
}

}  // namespace

bool is_quantised_conv(const Ref& value) noexcept {
  const Origin* o = value.kind == Kind::object ? value.node->origin : nullptr;
  if (!o || o->callee.kind != Kind::global || !global_of(o->callee).name.starts_with("Conv")) return false;
  const std::string_view module = global_of(o->callee).module.substr(0, 200);
  const Ref state = state_of(*value.node);
  return state.kind == Kind::tuple && tuple_of(state).size == std::size(kConvState) && module.starts_with("torch.") &&
         module.find(".quantized.") != std::string_view::npos;
}

Ref quantised_conv_attribute(const Ref& conv, std::string_view name) noexcept {
  const auto at = static_cast<std::size_t>(std::find(std::begin(kConvState), std::end(kConvState), name) - std::begin(kConvState));
  return at < std::size(kConvState) ? tuple_of(state_of(*conv.node)).items()[at] : Ref{};
}

// A class of the writer's own that has what torch's have: it inherits them, or it could not be loaded.
std::string_view module_base(const Graph& graph, const Ref& module, std::string_view qualified_class) noexcept {
  if (qualified_class.starts_with("torch.") || qualified_class.starts_with("torchvision.")) return qualified_class;
  const Ref children = module_part(graph, module, "_modules");
  const Entry* packed = children.kind == Kind::dict ? graph.find(dict_of(children), "_packed_params") : nullptr;
  if (!packed) return qualified_class;
  const bool linear = made_by(packed->value, "torch.ao.nn.quantized.modules.linear", "LinearPackedParams") ||
                      made_by(packed->value, "torch.nn.quantized.modules.linear", "LinearPackedParams");
  if (!linear || !is_number(module_part(graph, module, "scale")) || !is_number(module_part(graph, module, "zero_point"))) return qualified_class;
  return module_part(graph, module, "version").kind == Kind::absent ? "torch.nn.quantized.modules.linear.Linear"
                                                                    : "torch.nn.quantized.dynamic.modules.linear.Linear";
}

bool is_packed_weight_hook(const Ref& hook) noexcept {
  return hook.kind == Kind::global && global_of(hook).name == "_save_packed_weight" && global_of(hook).module.starts_with("torch.");
}

bool has_packed_weight_hook(const Graph& graph, const Ref& module) noexcept {
  const Ref hooks = module_part(graph, module, "_state_dict_hooks");
  return hooks.kind == Kind::dict && std::ranges::any_of(dict_of(hooks).entries(), [](const Entry& e) { return is_packed_weight_hook(e.value); });
}

// In the order of dir(), which sorts.
std::vector<std::string_view> packed_weights(const Ref& module) {
  std::vector<std::string_view> out;
  for (const Entry& e : dict_of(module_state(module)).entries())
    if (e.key.kind == Kind::string && text_of(e.key).find("_packed_weight") != std::string_view::npos && made_by(e.value, "torch", "ScriptObject"))
      out.push_back(text_of(e.key));
  std::sort(out.begin(), out.end());
  return out;
}

bool own_values(const Graph& graph, const Ref& module, std::string_view qualified_class, std::vector<OwnValue>& out) {
  const auto dot = qualified_class.rfind('.');
  if (!qualified_class.starts_with("torch.") || dot == std::string_view::npos) return true;
  const std::string_view name = qualified_class.substr(dot + 1), where = qualified_class.substr(0, std::min<std::size_t>(dot + 1, 200));
  if (name == "RemoteModule") return false;
  for (const Family& family : kFamilies) {
    if (where.find(family.part) == std::string_view::npos) continue;
    for (const auto rows : family.rows)
      for (const Row& row : rows)
        if (has_name(row.classes, name)) return add_words(graph, module, row.words, out);
    return std::none_of(std::begin(kOwnForm), std::end(kOwnForm), [&](std::string_view start) { return name.starts_with(start); });
  }
  return true;
}

}  // namespace brine
