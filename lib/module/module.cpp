// SPDX-License-Identifier: MIT
#include "module/module.hpp"

#include "graph/walk.hpp"
#include "torch/tensor_objects.hpp"

namespace brine {

namespace {

Ref first_argument(const Ref& object) noexcept {
  const Ref& args = object.node->origin->args;
  return args.kind == Kind::tuple && tuple_of(args).size > 0 ? tuple_of(args).items()[0] : Ref{};
}

bool is_extra_state(std::string_view key) noexcept {
  constexpr std::string_view last = "_extra_state";
  return key.ends_with(last) && (key.size() == last.size() || key[key.size() - last.size() - 1] == '.');  // not rfind: a key can be long, and of many dicts
}

}  // namespace

bool made_by(const Ref& object, std::string_view module, std::string_view name) noexcept {
  const Origin* o = object.kind == Kind::object ? object.node->origin : nullptr;
  return o && o->callee.kind == Kind::global && global_of(o->callee).name == name && global_of(o->callee).module == module;
}

Ref module_state(const Ref& module) noexcept {
  const Ref state = state_of(*module.node);
  return state.kind == Kind::absent && made_by(module, "torch.fx.graph_module", "reduce_graph_module") ? first_argument(module) : state;
}

Ref module_part(const Graph& graph, const Ref& module, std::string_view name) noexcept {
  const Ref state = module_state(module);
  if (state.kind != Kind::dict) return {};
  const Entry* e = graph.find(dict_of(state), name);
  return e ? e->value : Ref{};
}

Ref module_wrapped(const Ref& module) noexcept {
  return made_by(module, "torch._dynamo.eval_frame", "OptimizedModule") ? first_argument(module) : Ref{};
}

GlobalName module_class(const Graph& graph, const Ref& module) noexcept {
  const Origin* o = module.kind == Kind::object ? module.node->origin : nullptr;
  if (!o || o->callee.kind != Kind::global) return {};
  if (!made_by(module, "torch.fx.graph_module", "reduce_graph_module")) return {global_of(o->callee).module, global_of(o->callee).name};
  const Ref name = module_part(graph, module, "_graphmodule_cls_name");  // since 1.12
  return {"torch.fx.graph_module", name.kind == Kind::string ? text_of(name) : std::string_view("GraphModule")};
}

bool is_module(const Graph& graph, const Ref& value) noexcept {
  if (value.kind != Kind::object) return false;
  if (const Ref inner = module_wrapped(value); inner.kind == Kind::object && !made_by(inner, "torch._dynamo.eval_frame", "OptimizedModule"))
    return is_module(graph, inner);
  if (is_quantised_conv(value)) return true;
  for (const std::string_view name : {"_parameters", "_buffers", "_modules"})
    if (module_part(graph, value, name).kind != Kind::dict) return false;
  return true;
}

bool is_subtree(const Graph& graph, const Ref& value) noexcept {
  return value.kind == Kind::dict || (value.kind == Kind::list && value.node->made != Made::deque) || is_module(graph, value);
}

bool is_weights_dict(const Graph& graph, const Ref& value) noexcept {
  if (value.kind != Kind::dict) return false;
  bool weights = attribute(graph, value, "_metadata").kind != Kind::absent;
  for (const Entry& e : dict_of(value).entries()) {
    const Ref& key = as_plain(e.key);
    if (key.kind != Kind::string) return false;
    if (e.value.kind == Kind::tensor || stands_for_tensor(e.value)) weights = true;
    if (is_subtree(graph, e.value) && !is_extra_state(text_of(key))) return false;
  }
  return weights;
}

std::vector<Entry> module_children(const Graph& graph, const Ref& module) {
  std::vector<Entry> out;
  if (const Ref inner = module_wrapped(module); inner.kind != Kind::absent) {
    if (is_module(graph, inner)) out.push_back({make_text("_orig_mod"), inner});
    return out;
  }
  const Ref children = module_part(graph, module, "_modules");
  if (children.kind == Kind::dict)
    for (const Entry& e : dict_of(children).entries())
      if (is_module(graph, e.value)) out.push_back(e);
  return out;
}

}  // namespace brine
