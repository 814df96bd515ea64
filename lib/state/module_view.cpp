// SPDX-License-Identifier: MIT
#include <brine/module.hpp>

#include "graph/walk.hpp"
#include "state/module.hpp"
#include "state/module_repr.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"
#include "torch/record.hpp"

namespace brine {

Result<Module> Module::of(const Value& value) {
  if (!Access::graph(value) || !value.exists()) return Error(ErrorKind::usage, ErrorCode::wrong_kind, "there is no value here");
  const Ref& ref = Access::ref(value);
  if (is_module(*Access::graph(value), ref)) return Module(value);
  std::string text = "this is no model but " + brine::class_name(ref);
  if (is_weights_dict(*Access::graph(value), ref))
    text = "this is a state dict (" + qualified_class_name(ref) + "), the weights only, not a model: build the model and load_state_dict() them into it; only "
           "torch.save(model) saves a model whole";
  return Error(ErrorKind::usage, ErrorCode::wrong_kind, std::move(text)).at_path(value.path());
}

std::string Module::class_name() const { return module_class_name(*Access::graph(value_), Access::ref(value_)); }

bool Module::training() const { return attribute("training").as_bool().value_or(false); }

std::vector<std::pair<std::string, Tensor>> Module::tensors(std::string_view part) const {
  std::vector<std::pair<std::string, Tensor>> out;
  const Graph& graph = *Access::graph(value_);
  const Ref list = module_part(graph, Access::ref(value_), part);
  if (list.kind != Kind::dict) return out;
  for (const Entry& e : dict_of(list).entries())
    if (e.value.kind == Kind::tensor) out.emplace_back(key_name(e.key), Handles::tensor(graph.owner(), &tensor_of(e.value)));
  return out;
}

std::vector<std::pair<std::string, Tensor>> Module::parameters() const { return tensors("_parameters"); }
std::vector<std::pair<std::string, Tensor>> Module::buffers() const { return tensors("_buffers"); }

std::vector<std::pair<std::string, Module>> Module::children() const {
  std::vector<std::pair<std::string, Module>> out;
  const Graph* graph = Access::graph(value_);
  for (const auto& [name, child] : module_children(*graph, Access::ref(value_))) {
    std::string path = value_.path();
    if (!path.empty()) path += '.';
    out.emplace_back(name, Module(Access::value(graph, child, path + name)));
  }
  return out;
}

std::string Module::repr(std::size_t most) const { return module_repr(*Access::graph(value_), Access::ref(value_), most); }

}  // namespace brine
