// SPDX-License-Identifier: MIT
// Which key goes where, in the order of torch.nn.Module._load_from_state_dict (PyTorch 2.13).
#include "state/load_state_dict.hpp"

#include "support/text.hpp"
#include "torch/access.hpp"

#include <algorithm>

namespace brine {

namespace {

using Impl = Parameters::Impl;

/// A key of the state dict: a tensor, or a value that is none.
struct Key {
  std::string_view name;
  const Tensor* tensor = nullptr;
  const Ref* other = nullptr;
};

/// type(value), as Python prints it: objects that functions make have the class that these return.
std::string python_type(const Value& value) {
  if (const auto global = value.as_global())
    return global->module == "torch" && dtype_from_name(global->name) ? "torch.dtype" : value.type_name();
  const auto callee = value.callee().as_global();
  if (!callee || !callee->module.starts_with("numpy.")) return value.type_name();
  if (callee->name == "_reconstruct")
    if (const auto cls = value.args()[0].as_global()) return concat({cls->module, ".", cls->name});
  if (callee->name != "scalar") return value.type_name();
  const std::string_view type = value.args()[0].args()[0].as_string().value_or("");  // "f8": kind and bytes
  const std::string_view kind = type.starts_with('f') ? "float" : type.starts_with('i') ? "int" : type.starts_with('u') ? "uint" : "";
  if (kind.empty() || type.size() != 2) return value.type_name();
  return concat({"numpy.", kind, std::to_string((type[1] - '0') * 8)});
}

/// What the walk finds of the state dict's keys at one module.
struct Strays {
  std::vector<std::string_view> unexpected;
  bool extra_state = false;
};

class Planner {
 public:
  Planner(const Impl& model, const StateDict& state, const LoadStateDictOptions& options)
      : model_(model), state_(state), options_(options) {}

  LoadPlan run() {
    for (const StateDict::Impl::Other& o : Access::impl(state_)->others) others_.emplace(o.name, &o.value);
    strays_.resize(model_.modules.size());
    sort_keys();
    std::vector<std::uint32_t> stack{0};
    while (!stack.empty()) {
      const std::uint32_t m = stack.back();
      stack.pop_back();
      const Impl::Module& module = model_.modules[m];
      if (module.options.kind == ModuleKind::none) continue;
      enter(m, strays_[m]);
      stack.insert(stack.end(), module.children.rbegin(), module.children.rend());
    }
    return std::move(plan_);
  }

 private:
  // Gives every key that no entry takes to the module at which PyTorch calls it unexpected.
  void sort_keys() {
    const StateDict::Impl& state = *Access::impl(state_);
    std::size_t other = 0;
    for (std::size_t i = 0; i <= state.entries.size(); ++i) {
      for (; other < state.others.size() && state.others[other].before == i; ++other) sort_key(state.others[other].name);
      if (i < state.entries.size()) sort_key(state.entries[i].name);
    }
  }

  void sort_key(std::string_view key) {
    std::uint32_t module = 0;
    std::size_t at = 0;
    for (std::size_t dot; (dot = key.find('.', at)) != std::string_view::npos; at = dot + 1) {
      const std::uint32_t child = Impl::find(model_.modules_by_name, module, key.substr(at, dot - at));
      if (child == Impl::kNone) return strays_[module].unexpected.push_back(key);
      if (model_.modules[child].options.kind == ModuleKind::none) return;  // a child that is None: nobody looks below
      module = child;
    }
    const std::string_view leaf = key.substr(at);
    if (leaf == "_extra_state") {
      strays_[module].extra_state = true;
      return;
    }
    const std::uint32_t item = Impl::find(model_.items_by_name, module, leaf);
    if (item == Impl::kNone || !model_.items[item].persistent) strays_[module].unexpected.push_back(key);
  }

  Key find(std::string_view name) const {
    Key key{name, state_.find(name), nullptr};
    if (key.tensor) return key;
    const auto at = others_.find(name);
    if (at != others_.end()) key.other = at->second;
    return key;
  }

  std::string name_in(std::uint32_t module, std::string_view leaf) const {
    return module == 0 ? std::string(leaf) : concat({model_.modules[module].name, ".", leaf});
  }

  bool has_own(std::uint32_t module, std::string_view leaf) const {
    const std::uint32_t item = Impl::find(model_.items_by_name, module, leaf);
    return item != Impl::kNone && model_.items[item].persistent;
  }

  bool is_batch_norm(std::uint32_t m) const {
    const Impl::Module& module = model_.modules[m];
    if (module.described) return module.options.kind != ModuleKind::plain && model_.tracks_running_stats(module);
    return has_own(m, "running_mean") && has_own(m, "running_var") && has_own(m, "num_batches_tracked");
  }

  void enter(std::uint32_t m, Strays& strays) {
    const Impl::Module& module = model_.modules[m];
    LoadReport& report = plan_.report;
    if (module.options.kind == ModuleKind::instance_norm && !model_.tracks_running_stats(module)) refuse_running_stats(m, strays);

    // A norm saved before its counter was: the counter keeps its value, as if it had been there.
    std::string counter;
    if (is_batch_norm(m)) {
      counter = name_in(m, "num_batches_tracked");
      const Key key = find(counter);
      if (key.tensor || key.other || state_.version(module.name).value_or(0) >= 2) counter.clear();
      else if (!has_own(m, "num_batches_tracked")) strays.unexpected.push_back(keep(std::move(counter))), counter.clear();
    }

    for (const auto* list : {&module.parameters, &module.buffers})
      for (const std::uint32_t i : *list) {
        const Key key = find(model_.items[i].name);
        if (key.tensor || key.other) take(i, key);
        else if (model_.items[i].name != counter) report.missing_keys.push_back(model_.items[i].name);
      }

    if (module.options.extra_state || strays.extra_state) {
      auto& list = !strays.extra_state          ? report.missing_keys
                   : module.options.extra_state ? report.extra_state_keys
                                                : report.unexpected_keys;
      list.push_back(name_in(m, "_extra_state"));
    }
    report.unexpected_keys.insert(report.unexpected_keys.end(), strays.unexpected.begin(), strays.unexpected.end());
  }

  void refuse_running_stats(std::uint32_t m, Strays& strays) {
    const Impl::Module& module = model_.modules[m];
    if (state_.version(module.name)) return;
    std::string names;
    for (const std::string_view leaf : {"running_mean", "running_var"}) {
      const std::string name = name_in(m, leaf);
      const Key key = find(name);
      if (!key.tensor && !key.other) continue;
      names += concat({names.empty() ? "\"" : " and \"", name, "\""});
      std::erase(strays.unexpected, name);
    }
    if (names.empty()) return;
    const std::string_view given = module.options.class_name, cls = given.empty() ? "InstanceNorm" : given;
    plan_.report.problems.push_back(
        {ErrorCode::unexpected_running_stats,
         std::string(module.name),
         concat({"Unexpected running stats buffer(s) ", names, " for ", cls,
                 " with track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, "
                 "this may be expected because ",
                 cls,
                 " does not track running stats by default since 0.4.0. Please remove these keys from state_dict. If the "
                 "running stats are actually needed, instead set track_running_stats=True in ",
                 cls, " to enable them. See the documentation of ", cls, " for details."}),
         {},
         {}});
  }

  void take(std::uint32_t number, const Key& key) {
    const Impl::Item& item = model_.items[number];
    LoadReport::Problem problem{ErrorCode::size_mismatch, item.name, {}, {item.shape().begin(), item.shape().end()}, {}};
    std::optional<ObjectTensor> object;
    if (!key.tensor) {
      const Value value = Access::value(Access::impl(state_)->graph, *key.other);
      object = object_tensor(value, item.dtype);
      if (!object) {
        problem.code = ErrorCode::not_a_tensor;
        problem.text =
            concat({"While copying the parameter named \"", key.name,
                    "\", expected torch.Tensor or Tensor-like object from checkpoint but received <class '", python_type(value), "'>"});
        plan_.report.problems.push_back(std::move(problem));
        return;
      }
    }
    std::span<const std::int64_t> shape = key.tensor ? key.tensor->shape() : std::span<const std::int64_t>(object->shape);
    const bool scalar = item.shape().empty() && shape.size() == 1 && shape[0] == 1;  // one element of one dimension, as 0.3 saved numbers
    if (scalar) shape = {};
    problem.checkpoint_shape.assign(shape.begin(), shape.end());
    if (!std::ranges::equal(shape, item.shape())) {
      problem.text = concat({"size mismatch for ", key.name, ": copying a param with shape ", size_text(shape),
                             " from checkpoint, the shape in current model is ", size_text(item.shape()), "."});
      (options_.skip_mismatched ? plan_.report.skipped : plan_.report.problems).push_back(std::move(problem));
      return;
    }
    std::optional<std::string> refusal;
    if (options_.assign) {
      if (object) refusal = "brine keeps this kind of tensor as an object and cannot assign it";
      else if (item.requires_grad && !is_floating(key.tensor->dtype()) && !is_complex(key.tensor->dtype()))
        refusal = key.tensor->is_parameter() ? "only Tensors of floating point dtype can require gradients"
                                             : "Only Tensors of floating point and complex dtype can require gradients";
    } else if (item.meta && !options_.dry_run) {
      return;  // as PyTorch: a copy to the meta device is none
    } else if (object) {
      refusal = std::move(object->refusal);
    } else {
      refusal = copy_refusal(item, *key.tensor);
    }
    if (refusal) {
      problem.code = ErrorCode::copy_refused;
      problem.text = concat({"While copying the parameter named \"", key.name, "\", whose dimensions in the model are ",
                             size_text(item.shape()), " and whose dimensions in the checkpoint are ", size_text(shape),
                             ", an exception occurred : (", python_repr(*refusal), ",)."});
      plan_.report.problems.push_back(std::move(problem));
      return;
    }
    plan_.copies.push_back({number, scalar ? first_element(*key.tensor) : *key.tensor});
  }

  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  const Impl& model_;
  const StateDict& state_;
  const LoadStateDictOptions& options_;
  std::map<std::string_view, const Ref*> others_;
  std::vector<Strays> strays_;
  std::deque<std::string> kept_;
  LoadPlan plan_;
};

}  // namespace

LoadPlan plan_load(const Impl& model, const StateDict& state, const LoadStateDictOptions& options) {
  return Planner(model, state, options).run();
}

}  // namespace brine
