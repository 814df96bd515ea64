// SPDX-License-Identifier: MIT
#include <brine/module.hpp>

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "module/module.hpp"
#include "support/text.hpp"
#include "tensor/record.hpp"
#include "torch/access.hpp"

namespace brine {

Result<Module> Module::of(const Value& value) {
  return guarded("a module", [&]() -> Result<Module> {
    if (!Access::graph(value) || !value.exists()) return Error(ErrorKind::usage, ErrorCode::wrong_kind, "there is no value here");
    const Ref& ref = Access::ref(value);
    if (is_module(*Access::graph(value), ref)) return Module(value);
    std::string text = "expected a model, found " + escaped(brine::class_name(ref)), found = "only torch.save(model) saves a model whole";
    if (is_weights_dict(*Access::graph(value), ref))
      text = "this is a state dict (" + qualified_class_name(ref) + "), the weights only, not a model: build the model and load_state_dict() them into it";
    else if (ref.kind == Kind::dict || ref.kind == Kind::list || ref.kind == Kind::tuple)
      for (auto [children, child] = std::pair(Children(ref), Children::Child()); children.next(child);)
        if (is_module(*Access::graph(value), child.value)) {
          found = "a model is at " + escaped(spell(step_from(Access::place(value), child).get()));
          break;
        }
    text += "; " + found;
    return Error(ErrorKind::usage, ErrorCode::wrong_kind, std::move(text)).at_path(value.path());
  });
}

std::string Module::class_name() const {
  const GlobalName cls = module_class(*Access::graph(value_), Access::ref(value_));
  return cls.name.empty() ? value_.type_name() : concat({cls.module, ".", cls.name});
}

bool Module::training() const {
  const Ref& module = Access::ref(value_);
  const Ref own = is_quantised_conv(module) ? quantised_conv_attribute(module, "training") : Ref{};
  return own.kind == Kind::boolean ? own.integer != 0 : attribute("training").as_bool().value_or(false);
}

std::vector<std::pair<std::string_view, Tensor>> Module::tensors(std::string_view part) const {
  std::vector<std::pair<std::string_view, Tensor>> out;
  const Graph& graph = *Access::graph(value_);
  const Ref list = module_part(graph, Access::ref(value_), part);
  if (list.kind != Kind::dict) return out;
  for (const Entry& e : dict_of(list).entries())
    if (e.key.kind == Kind::string && e.value.kind == Kind::tensor) out.emplace_back(text_of(e.key), Handles::tensor(graph.owner(), &tensor_of(e.value)));
  return out;
}

std::vector<std::pair<std::string_view, Tensor>> Module::parameters() const { return tensors("_parameters"); }
std::vector<std::pair<std::string_view, Tensor>> Module::buffers() const { return tensors("_buffers"); }

std::vector<std::pair<std::string_view, Module>> Module::children() const {
  std::vector<std::pair<std::string_view, Module>> out;
  const Graph* graph = Access::graph(value_);
  for (const Entry& e : module_children(*graph, Access::ref(value_)))
    if (e.key.kind == Kind::string) out.emplace_back(text_of(e.key), Module(Access::value(graph, e.value, step_from(Access::place(value_), {.key = e.key}))));
  return out;
}

}  // namespace brine
