// SPDX-License-Identifier: MIT
// Which key goes where, in the order of torch.nn.Module._load_from_state_dict (PyTorch 2.13).
#include "load/load_state_dict.hpp"

#include "load/hooks.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <brine/dtensor.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace brine {

namespace {

using Impl = Parameters::Impl;

/// What there is to know of a module before its entries are looked at.
struct Visit {
  Hooked hooked;
  std::vector<std::string_view> unexpected;
  bool extra_state = false;
};

class Planner {
 public:
  Planner(const Impl& model, const StateDict& state, const LoadStateDictOptions& options)
      : model_(model), keys_(state), options_(options) {}

  Result<LoadPlan> run() {
    const std::vector<std::uint32_t> order = pre_order();
    for (const std::uint32_t m : order) {
      BRINE_LET(hooked, run_hooks(model_, m, assigns(m), keys_));
      if (!hooked->missing.empty() || hooked->problem || hooked->keeps_counter) visits_[m].hooked = std::move(*hooked);
    }
    for (const std::string_view name : keys_.names()) sort_key(name);
    for (const std::uint32_t m : order)
      BRINE_TRY(enter(m));
    return std::move(plan_);
  }

 private:
  // Modules as PyTorch walks them; not those that are None.
  std::vector<std::uint32_t> pre_order() const {
    std::vector<std::uint32_t> out, stack{0};
    while (!stack.empty()) {
      const std::uint32_t m = stack.back();
      stack.pop_back();
      const Impl::Module& module = model_.modules[m];
      if (module.options().kind == ModuleKind::none) continue;
      out.push_back(m);
      stack.insert(stack.end(), module.children.rbegin(), module.children.rend());
    }
    return out;
  }

  bool assigns(std::uint32_t m) const {
    return options_.assign || (options_.assign_as_saved && keys_.assign_to_params_buffers(model_.modules[m].name));
  }

  // Gives a key that no entry takes to the module at which PyTorch calls it unexpected.
  void sort_key(std::string_view key) {
    std::uint32_t module = 0;
    std::size_t at = 0;
    for (std::size_t dot; (dot = key.find('.', at)) != std::string_view::npos; at = dot + 1) {
      const std::uint32_t child = model_.modules_by_name.find(module, key.substr(at, dot - at));
      if (child == Impl::kNone) return visits_[module].unexpected.push_back(key);
      if (model_.modules[child].options().kind == ModuleKind::none) return;  // a child that is None: nobody looks below
      module = child;
    }
    const std::string_view leaf = key.substr(at);
    if (leaf == "_extra_state") visits_[module].extra_state = true;
    else if (model_.own(module, leaf) == Impl::kNone && !std::ranges::binary_search(model_.modules[module].description().others, leaf))
      visits_[module].unexpected.push_back(key);
  }

  Result<void> enter(std::uint32_t m) {
    const Impl::Module& module = model_.modules[m];
    Visit nothing;
    const auto visited = visits_.find(m);
    Visit& visit = visited == visits_.end() ? nothing : visited->second;
    LoadReport& report = plan_.report;
    if (visit.hooked.problem) report.problems.push_back(std::move(*visit.hooked.problem));
    for (std::string& key : visit.hooked.missing) report.missing_keys.push_back(std::move(key));
    const bool assign = assigns(m);
    const std::uint32_t kept = visit.hooked.keeps_counter ? model_.own(m, "num_batches_tracked") : Impl::kNone;
    for (const auto* list : {&module.parameters, &module.buffers})
      for (const std::uint32_t i : *list) {
        if (const LoadKey key = keys_.find(model_.items[i].name)) {
          BRINE_TRY(take(i, key, assign));
        } else if (i != kept) {
          report.missing_keys.push_back(model_.items[i].name);
        }
      }

    for (const std::string_view leaf : module.description().others)  // PyTorch stops at the first one that is not there
      if (std::string name = model_.name_in(m, leaf); !keys_.find(name)) report.missing_keys.push_back(std::move(name));

    if (module.options().extra_state || visit.extra_state) {
      auto& list = !visit.extra_state           ? report.missing_keys
                   : module.options().extra_state ? report.extra_state_keys
                                                : report.unexpected_keys;
      list.push_back(model_.name_in(m, "_extra_state"));
    }
    report.unexpected_keys.insert(report.unexpected_keys.end(), visit.unexpected.begin(), visit.unexpected.end());
    return {};
  }

  Result<void> take(std::uint32_t number, const LoadKey& key, bool assign) {
    const Impl::Item& named = model_.items[number];
    const auto shaped = shaped_.find(named.same);
    const Impl::Item& own = shaped == shaped_.end() ? model_.items[named.same] : shaped->second;
    if (!key.tensor) {
      const Value value = Access::value(key.other->graph, key.other->value);
      if (const auto d = DTensor::of(value)) return refuse_shard(named.name, own, *d);
      return is_uninitialised(value) ? take_shapeless(own) : refuse_value(named.name, own, value.type_name());
    }
    std::span<const std::int64_t> shape = key.tensor->shape();
    const Impl::Item& item = own.shapeless ? give_shape(named.same, shape) : own;
    const bool scalar = item.shape().empty() && shape.size() == 1 && shape[0] == 1;  // one element of one dimension, as 0.3 saved numbers
    if (scalar) shape = {};
    LoadReport::Problem problem{
        ErrorCode::size_mismatch, named.name, {}, {item.shape().begin(), item.shape().end()}, {shape.begin(), shape.end()}};
    const bool ragged = key.tensor->is_nested() && !item.kind.nested;  // it has no shape, and is none of the model's
    if (!ragged && !std::ranges::equal(shape, item.shape())) {
      problem.text = concat({"size mismatch for ", named.name, ": copying a param with shape ", "torch.Size(", shape_text(shape), ")",
                             " from checkpoint, the shape in current model is ", "torch.Size(", shape_text(item.shape()), ")", "."});
      (options_.skip_mismatched ? plan_.report.skipped : plan_.report.problems).push_back(std::move(problem));
      return {};
    }
    std::optional<std::string> refusal;
    if (ragged) {
      refusal = copy_refusal(item, *key.tensor);
    } else if (assign) {
      if (item.requires_grad && !is_floating(key.tensor->dtype()) && !is_complex(key.tensor->dtype()))
        refusal = key.tensor->is_parameter() ? "only Tensors of floating point dtype can require gradients"
                                             : "Only Tensors of floating point and complex dtype can require gradients";
    } else if (item.meta && (!options_.dry_run || (item.kind.no_data && (!key.tensor->is_sparse() || key.tensor->layout() == Layout::sparse_coo)))) {
      return {};  // as PyTorch: a copy to the meta device is none
    } else {
      refusal = copy_refusal(item, *key.tensor);
    }
    if (!refusal) {
      plan_.copies.push_back({number, scalar ? first_element(*key.tensor) : *key.tensor, assign});
      return {};
    }
    problem.code = ErrorCode::copy_refused;
    problem.text =
        concat({"While copying the parameter named \"", named.name, "\", whose dimensions in the model are ", "torch.Size(", shape_text(item.shape()),
                ")", " and whose dimensions in the checkpoint are ", ragged ? "ragged" : concat({"torch.Size(", shape_text(shape), ")"}),
                ", an exception occurred : (", python_repr(*refusal), ",)."});
    plan_.report.problems.push_back(std::move(problem));
    return {};
  }

  // PyTorch would ask the other processes for what is not here.
  Result<void> refuse_shard(const std::string& name, const Impl::Item& item, const DTensor& d) {
    plan_.report.problems.push_back({ErrorCode::copy_refused,
                                     name,
                                     concat({"While copying the parameter named \"", name, "\", whose dimensions in the model are ", "torch.Size(",
                                             shape_text(item.shape()), ") and whose dimensions in the checkpoint are torch.Size(",
                                             shape_text(d.shape), "), an exception occurred : ('the file has a shard of it, torch.Size(",
                                             shape_text(d.local.shape()), "); the others are in the files of the other processes',)."}),
                                     {item.shape().begin(), item.shape().end()},
                                     {d.shape.begin(), d.shape.end()}});
    return {};
  }

  // A value that is no tensor. Of one for a lazy entry PyTorch asks the shape before it looks what it is.
  Result<void> refuse_value(const std::string& name, const Impl::Item& item, const std::string& type) {
    if (item.shapeless && !type.starts_with("numpy."))
      return Error(ErrorKind::usage, ErrorCode::not_a_tensor,
                   concat({"'", std::string_view(type).substr(type.rfind('.') + 1), "' object has no attribute 'shape'"}));
    plan_.report.problems.push_back(
        {ErrorCode::not_a_tensor,
         name,
         concat({"While copying the parameter named \"", name,
                 "\", expected torch.Tensor or Tensor-like object from checkpoint but received <class '", type, "'>"}),
         {item.shape().begin(), item.shape().end()},
         {}});
    return {};
  }

  // A lazy module's tensor without a shape: nothing to take for one that is alike, an exception for all others.
  static Result<void> take_shapeless(const Impl::Item& item) {
    if (item.shapeless) return {};
    return Error(ErrorKind::usage, ErrorCode::copy_refused,
                 "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when "
                 "trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before "
                 "accessing their attributes.");
  }

  // A lazy entry as it will be, once its first name has been met.
  const Impl::Item& give_shape(std::uint32_t number, std::span<const std::int64_t> shape) {
    Impl::Item item = model_.items[number];
    item.take_shape(shape);
    return shaped_.emplace(number, std::move(item)).first->second;
  }

  const Impl& model_;
  LoadKeys keys_;
  const LoadStateDictOptions& options_;
  std::unordered_map<std::uint32_t, Visit> visits_;  // of modules of which there is something to say
  std::map<std::uint32_t, Impl::Item> shaped_;
  LoadPlan plan_;
};

}  // namespace

Result<LoadPlan> plan_load(const Impl& model, const StateDict& state, const LoadStateDictOptions& options) {
  return Planner(model, state, options).run();
}

}  // namespace brine
