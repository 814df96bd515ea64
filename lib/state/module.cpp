// SPDX-License-Identifier: MIT
#include "state/module.hpp"

#include "graph/walk.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <unordered_set>

namespace brine {

namespace {

bool made_by(const Ref& object, std::string_view module, std::string_view name) noexcept {
  const Origin* o = object.kind == Kind::object ? object.node->origin : nullptr;
  return o && o->callee.kind == Kind::global && global_of(o->callee).name == name && global_of(o->callee).module == module;
}

Ref first_argument(const Ref& object) noexcept {
  const Ref& args = object.node->origin->args;
  return args.kind == Kind::tuple && tuple_of(args).size > 0 ? tuple_of(args).items()[0] : Ref{};
}

// The names that old spectral_norm has hooked: _state_dict_hooks holds SpectralNormStateDictHook objects, whose `fn` has a name.
std::vector<std::string_view> spectral_norms(const Graph& graph, const Ref& module) {
  std::vector<std::string_view> out;
  const Ref hooks = module_part(graph, module, "_state_dict_hooks");
  if (hooks.kind != Kind::dict) return out;
  for (const Entry& e : dict_of(hooks).entries()) {
    if (!made_by(e.value, "torch.nn.utils.spectral_norm", "SpectralNormStateDictHook")) continue;
    const Ref name = attribute(graph, attribute(graph, e.value, "fn"), "name");
    if (name.kind == Kind::string) out.push_back(text_of(name));
  }
  return out;
}

bool is_extra_state(std::string_view key) noexcept {
  const auto dot = key.rfind('.');
  return (dot == std::string_view::npos ? key : key.substr(dot + 1)) == "_extra_state";
}

// The names in a set, sorted. Not a hash table: its keys would be the file's choice.
std::vector<std::string_view> names_in(const Ref& set) {
  std::vector<std::string_view> out;
  if (set.kind != Kind::set && set.kind != Kind::list && set.kind != Kind::frozenset) return out;
  for (const Ref& r : list_of(set).items())
    if (r.kind == Kind::string) out.push_back(text_of(r));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Ref module_part(const Graph& graph, const Ref& module, std::string_view name) noexcept {
  Ref state = state_of(*module.node);
  if (state.kind == Kind::absent && made_by(module, "torch.fx.graph_module", "reduce_graph_module")) state = first_argument(module);
  if (state.kind != Kind::dict) return {};
  const Entry* e = graph.find(dict_of(state), name);
  return e ? e->value : Ref{};
}

Ref module_wrapped(const Ref& module) noexcept {
  return made_by(module, "torch._dynamo.eval_frame", "OptimizedModule") ? first_argument(module) : Ref{};
}

std::string module_class_name(const Graph& graph, const Ref& module) {
  if (!made_by(module, "torch.fx.graph_module", "reduce_graph_module")) return qualified_class_name(module);
  const Ref name = module_part(graph, module, "_graphmodule_cls_name");  // since 1.12
  return "torch.fx.graph_module." + (name.kind == Kind::string ? std::string(text_of(name)) : "GraphModule");
}

bool is_module(const Graph& graph, const Ref& value) noexcept {
  if (value.kind != Kind::object) return false;
  if (const Ref inner = module_wrapped(value); inner.kind == Kind::object && !made_by(inner, "torch._dynamo.eval_frame", "OptimizedModule"))
    return is_module(graph, inner);
  for (const std::string_view name : {"_parameters", "_buffers", "_modules"})
    if (module_part(graph, value, name).kind != Kind::dict) return false;
  return true;
}

bool is_weights_dict(const Graph& graph, const Ref& value) noexcept {
  if (value.kind != Kind::dict) return false;
  bool weights = attribute(graph, value, "_metadata").kind != Kind::absent;
  for (const Entry& e : dict_of(value).entries()) {
    if (e.key.kind != Kind::string) return false;
    if (e.value.kind == Kind::tensor) weights = true;
    const bool tree = e.value.kind == Kind::dict || (e.value.kind == Kind::list && e.value.node->made != Made::deque) || is_module(graph, e.value);
    if (tree && !is_extra_state(text_of(e.key))) return false;
  }
  return weights;
}

std::vector<std::pair<std::string, Ref>> module_children(const Graph& graph, const Ref& module) {
  std::vector<std::pair<std::string, Ref>> out;
  if (const Ref inner = module_wrapped(module); inner.kind != Kind::absent) {
    if (is_module(graph, inner)) out.emplace_back("_orig_mod", inner);
    return out;
  }
  const Ref children = module_part(graph, module, "_modules");
  if (children.kind == Kind::dict)
    for (const Entry& e : dict_of(children).entries())
      if (is_module(graph, e.value)) out.emplace_back(key_name(e.key), e.value);
  return out;
}

Result<void> module_tensors(const Graph& graph, const Ref& module, Budget& budget, std::vector<NamedTensor>& out, std::vector<ModuleVersion>& modules) {
  struct Frame {
    Ref module;
    std::size_t child, prefix;  // next child; length of the prefix of its names
  };
  std::vector<Frame> stack;
  std::unordered_set<const Node*> inside;  // the modules of the stack
  std::string prefix;
  // What is looked at is charged as well: modules, and the dicts they are made of, can be shared, and so met any number of times.
  const auto look_at = [&](const Ref& container) { return has_node(container) ? budget.charge(8 * std::uint64_t{container.node->size}, "the parts of modules") : Result<void>(); };
  const auto add = [&](const Ref& names, const Ref& skip) -> Result<void> {
    for (const Ref& part : {names, skip})
      if (auto ok = look_at(part); !ok) return ok;
    const auto skipped = names_in(skip);
    for (const Entry& e : dict_of(names).entries()) {
      if (e.value.kind != Kind::tensor || e.key.kind != Kind::string || std::binary_search(skipped.begin(), skipped.end(), text_of(e.key))) continue;
      if (auto ok = budget.charge(sizeof(NamedTensor) + prefix.size() + e.key.length, "the list of a module's tensors"); !ok) return ok;
      out.push_back({prefix + std::string(text_of(e.key)), &tensor_of(e.value)});
    }
    return {};
  };
  const auto enter = [&](const Ref& m) -> Result<void> {
    if (!inside.insert(m.node).second)
      return Error(ErrorKind::corrupt, ErrorCode::module_cycle, "the module " + brine::quoted(prefix) + " contains itself");
    if (auto ok = budget.charge(sizeof(Frame) + sizeof(ModuleVersion) + prefix.size(), "the list of a module's children"); !ok) return ok;
    if (auto ok = look_at(module_part(graph, m, "_state_dict_hooks")); !ok) return ok;
    auto norms = spectral_norms(graph, m);
    if (auto ok = budget.charge(norms.size() * sizeof norms[0], "the list of a module's hooks"); !ok) return ok;
    const std::string cls = qualified_class_name(m);
    if (auto ok = budget.charge(cls.size(), "the names of modules' classes"); !ok) return ok;
    modules.push_back({prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1), module_version(cls), std::move(norms)});
    if (module_wrapped(m).kind == Kind::absent) {
      if (auto ok = add(module_part(graph, m, "_parameters"), {}); !ok) return ok;
      if (auto ok = add(module_part(graph, m, "_buffers"), module_part(graph, m, "_non_persistent_buffers_set")); !ok) return ok;
      if (auto ok = look_at(module_part(graph, m, "_modules")); !ok) return ok;
    }
    stack.push_back({m, 0, prefix.size()});
    return {};
  };

  if (auto ok = enter(module); !ok) return ok;
  while (!stack.empty()) {
    Frame& top = stack.back();
    prefix.resize(top.prefix);
    const Ref inner = module_wrapped(top.module);
    const Entry wrapped{make_text("_orig_mod"), inner};
    const auto children = inner.kind != Kind::absent ? std::span(&wrapped, 1) : dict_of(module_part(graph, top.module, "_modules")).entries();
    if (top.child == children.size()) {
      inside.erase(top.module.node);
      stack.pop_back();
      continue;
    }
    const Entry& e = children[top.child++];
    if (e.key.kind != Kind::string || !is_module(graph, e.value)) continue;
    prefix += text_of(e.key);
    prefix += '.';
    if (auto ok = enter(e.value); !ok) return ok;
  }
  return {};
}

}  // namespace brine
