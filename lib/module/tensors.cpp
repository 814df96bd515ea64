// SPDX-License-Identifier: MIT
// nn.Module.state_dict(): what a module's state dict holds, by name; and the hooks and versions of its modules.
#include "graph/walk.hpp"
#include "module/module.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <unordered_set>

namespace brine {

namespace {

// Python runs these with the state dict it has made; brine runs nothing.
void note_hooks(const Graph& graph, const Ref& module, std::string_view prefix, Notes& notes) {
  const Ref hooks = module_part(graph, module, "_state_dict_hooks");
  if (hooks.kind != Kind::dict) return;
  for (const Entry& e : dict_of(hooks).entries()) {
    if (notes.full()) return;
    if (made_by(e.value, "torch.nn.utils.spectral_norm", "SpectralNormStateDictHook") || is_packed_weight_hook(e.value)) continue;
    const std::string hook = e.value.kind == Kind::global ? concat({global_of(e.value).module.substr(0, 200), ".", global_of(e.value).name.substr(0, 200)})
                                                          : qualified_class_name(e.value);
    const std::string_view path = prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
    notes.add(Note::Code::state_dict_hook, {.file = {}, .record = {}, .offset = {}, .opcode = {}, .path = std::string(path.substr(0, 1000))},
              (path.empty() ? std::string("the model") : "the module " + in_quotes(path)) + " has a hook, " + escaped(hook, 100) +
                  ", that Python runs on its state dict: there names and values may differ");
  }
}

// What an entry costs in a state dict and in Parameters::like() it, and a module there.
constexpr std::uint64_t kEntry = 512;

// Without the Parameter around it.
Ref detached(const Ref& value) noexcept {
  if (!made_by(value, "torch._utils", "_rebuild_parameter") && !made_by(value, "torch._utils", "_rebuild_parameter_with_state")) return value;
  const Ref& args = value.node->origin->args;
  return args.kind == Kind::tuple && tuple_of(args).size > 0 ? tuple_of(args).items()[0] : value;
}

}  // namespace

ModuleBudget::ModuleBudget(const Limits& limits, std::uint64_t pickle_bytes) noexcept
    : parts(limits.metadata_factor * pickle_bytes + 16 * limits.metadata_base, ErrorCode::metadata_too_large, "Limits::metadata_factor"),
      names(limits.names_factor * pickle_bytes + 4 * limits.metadata_base, ErrorCode::metadata_too_large, "Limits::names_factor") {}

// _state_dict_hooks holds SpectralNormStateDictHook objects, whose `fn` has name and dim.
std::vector<SpectralNormHook> spectral_norms(const Graph& graph, const Ref& module) {
  std::vector<SpectralNormHook> out;
  const Ref hooks = module_part(graph, module, "_state_dict_hooks");
  if (hooks.kind != Kind::dict) return out;
  for (const Entry& e : dict_of(hooks).entries()) {
    if (!made_by(e.value, "torch.nn.utils.spectral_norm", "SpectralNormStateDictHook")) continue;
    const Ref fn = attribute(graph, e.value, "fn"), name = attribute(graph, fn, "name"), dim = attribute(graph, fn, "dim");
    if (name.kind == Kind::string) out.push_back({text_of(name), dim.kind == Kind::integer && !(dim.flags & kBig) ? dim.integer : 0});
  }
  return out;
}

const std::vector<std::string_view>& NonPersistent::of(const Graph& graph, const Ref& module) {
  static const std::vector<std::string_view> none;
  const Ref set = module_part(graph, module, "_non_persistent_buffers_set");
  if ((set.kind != Kind::set && set.kind != Kind::list && set.kind != Kind::frozenset) || set.node->size == 0) return none;
  const auto [at, fresh] = known_.try_emplace(set.node);
  std::vector<std::string_view>& out = at->second;
  if (!fresh) return out;
  for (const Ref& r : list_of(set).items())
    if (r.kind == Kind::string) out.push_back(text_of(r));
  std::sort(out.begin(), out.end());
  return out;
}

Result<void> module_tensors(const Graph& graph, const Ref& module, ModuleBudget& budget, std::vector<NamedValue>& out, std::vector<ModuleVersion>& modules, Notes& notes) {
  struct Frame {
    Ref module;
    std::size_t child, prefix;  // next child; length of the prefix of its names
  };
  std::vector<Frame> stack;
  std::unordered_set<const Node*> inside;  // the modules of the stack
  std::string prefix;
  NonPersistent sets;
  // What is looked at is charged as well: modules, and the dicts they are made of, can be shared, and so met any number of times.
  const auto look_at = [&](const Ref& container) {
    return has_node(container) ? budget.parts.charge(8 * std::uint64_t{container.node->size}, "the parts of modules") : Result<void>();
  };
  // An entry, or a module, of this name below the present prefix.
  const auto pay = [&](std::size_t name) -> Result<void> {
    BRINE_TRY(budget.parts.charge(kEntry, "the list of a module's tensors"));
    if (budget.names.take(prefix.size() + name)) return {};
    return budget.names.exceeded(prefix.size() + name, concat({"the names of the model's tensors, in the module ",
                                                               in_quotes(prefix.substr(0, prefix.size() - !prefix.empty()), 100), ","}));
  };
  const auto add = [&](const Ref& names, const std::vector<std::string_view>& skipped) -> Result<void> {
    if (auto ok = look_at(names); !ok || names.kind != Kind::dict) return ok;
    for (const Entry& e : dict_of(names).entries()) {
      if (e.key.kind != Kind::string) continue;
      if (auto ok = pay(e.key.length); !ok) return ok;  // whatever it is: to look for it costs as much, and whoever describes the modules names what is None
      if (e.value.kind == Kind::none || std::binary_search(skipped.begin(), skipped.end(), text_of(e.key))) continue;
      out.push_back({prefix + std::string(text_of(e.key)), detached(e.value)});
    }
    return {};
  };
  const auto add_as = [&](std::string_view name, const Ref& value, NamedValue::As as) -> Result<void> {
    BRINE_TRY(pay(name.size()));
    out.push_back({prefix + std::string(name), value, as});
    return {};
  };
  const auto add_own = [&](const OwnValue& v, std::size_t first) -> Result<void> {
    if (v.in_place)
      for (NamedValue& buffer : std::span(out).subspan(first))
        if (std::string_view(buffer.name).substr(prefix.size()) == v.name) {
          buffer.value = v.value;
          buffer.as = NamedValue::As::itself;
          return {};
        }
    return add_as(v.name, v.value, v.number ? NamedValue::As::number : NamedValue::As::itself);
  };
  const auto add_packed_weights = [&](const Ref& m) -> Result<void> {
    BRINE_TRY(look_at(module_state(m)));
    for (const std::string_view name : packed_weights(m))
      BRINE_TRY(add_as(name, module_part(graph, m, name), NamedValue::As::itself));
    return {};
  };
  const auto own_form = [&](std::string_view cls) {
    const std::string name = prefix.empty() ? "the module" : "the module " + in_quotes(prefix.substr(0, prefix.size() - 1));
    return Error(ErrorKind::unsupported, ErrorCode::module_form,
                 name + " (" + escaped(cls, 100) + ") keeps its weights in a form of its own, of which only its code makes a state dict; what the file "
                 "holds of it is in the object tree (`brine show`)");
  };
  const auto enter = [&](const Ref& m) -> Result<void> {
    if (!inside.insert(m.node).second)
      return Error(ErrorKind::corrupt, ErrorCode::module_cycle, "the module " + in_quotes(prefix) + " contains itself");
    BRINE_TRY(pay(0));
    BRINE_TRY(look_at(module_part(graph, m, "_state_dict_hooks")));
    std::vector<std::string_view> norms;
    for (const SpectralNormHook& hook : spectral_norms(graph, m)) norms.push_back(hook.name);
    BRINE_TRY(budget.parts.charge(norms.size() * sizeof norms[0], "the list of a module's hooks"));
    const std::string cls = qualified_class_name(m);
    const std::string_view base = module_base(graph, m, cls);
    std::vector<OwnValue> own;
    if (!own_values(graph, m, base, own)) return own_form(cls);
    note_hooks(graph, m, prefix, notes);
    modules.push_back({prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1), module_version(base), m, std::move(norms)});
    if (module_wrapped(m).kind == Kind::absent) {
      const std::size_t first = out.size();
      BRINE_TRY(add(module_part(graph, m, "_parameters"), {}));
      BRINE_TRY(look_at(module_part(graph, m, "_non_persistent_buffers_set")));
      BRINE_TRY(add(module_part(graph, m, "_buffers"), sets.of(graph, m)));
      for (const OwnValue& v : own)
        BRINE_TRY(add_own(v, first));
      BRINE_TRY(look_at(module_part(graph, m, "_modules")));
    }
    stack.push_back({m, 0, prefix.size()});
    return {};
  };

  BRINE_TRY(enter(module));
  while (!stack.empty()) {
    Frame& top = stack.back();
    prefix.resize(top.prefix);
    const Ref inner = module_wrapped(top.module);
    const Entry wrapped{make_text("_orig_mod"), inner};
    const Ref own = module_part(graph, top.module, "_modules");
    const auto none = std::span<const Entry>();  // a quantised convolution
    const auto children = inner.kind != Kind::absent ? std::span(&wrapped, 1) : own.kind == Kind::dict ? dict_of(own).entries() : none;
    if (top.child == children.size()) {
      if (has_packed_weight_hook(graph, top.module))
        BRINE_TRY(add_packed_weights(top.module));
      inside.erase(top.module.node);
      stack.pop_back();
      continue;
    }
    const Entry& e = children[top.child++];
    if (e.key.kind != Kind::string) continue;
    if (e.value.kind == Kind::none) {
      BRINE_TRY(pay(e.key.length));
      continue;
    }
    prefix += text_of(e.key);
    prefix += '.';
    if (!is_module(graph, e.value)) return own_form(qualified_class_name(e.value));
    BRINE_TRY(enter(e.value));
  }
  return {};
}

}  // namespace brine
