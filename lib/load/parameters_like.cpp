// SPDX-License-Identifier: MIT
// Parameters::like: a model of which there is only a file.
#include "graph/walk.hpp"
#include "load/parameters.hpp"
#include "module/module.hpp"
#include "state/state_dict.hpp"
#include "tensor/record.hpp"
#include "torch/access.hpp"
#include "torch/tensor_objects.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace brine {

namespace {

class Likeness {
 public:
  Likeness(const StateDict& state, Parameters& out)
      : state_(state), from_(*StateDictAccess::impl(state)), out_(out), impl_(ParametersAccess::impl(out)) {}

  void run() {
    for (const StateDict::Impl::ModuleInfo& m : from_.metadata) {
      const std::uint32_t number = impl_.module_of(impl_.texts.emplace_back(m.name));
      if (m.module.kind != Kind::absent) describe(number, m.module, *m.graph);
    }
    for (const auto& [name, tensor] : state_) {
      if (leaf_of(name) == "_extra_state") expect_extra_state(name);
      else if (!out_.contains(name)) add_like(name, tensor, {});
    }
    for (const StateDict::Item& item : from_.items)
      if (from_.kept_of(item) && leaf_of(item.name) == "_extra_state") expect_extra_state(item.name);
  }

 private:
  void add_like(std::string_view name, const Tensor& tensor, const EntryOptions& options) {
    out_.add_meta(name, tensor.dtype(), tensor.shape(), options);
    const TensorRecord& record = Handles::record(tensor);
    if (!impl_.fault) {
      const Sparse* sparse = record.as_sparse();
      impl_.items.back().kind = {record.layout, sparse && sparse->plain ? sparse->plain->numel() : 0, tensor.is_nested(), tensor.is_meta()};
    }
    if (impl_.fault || tensor.numel() == 0) return;
    impl_.items.back().lies_in = strided_or_none(record).storage;
    impl_.items.back().lies_at = strided_or_none(record).offset;
  }

  void expect_extra_state(std::string_view name) {
    impl_.modules[impl_.module_of(parent_of(impl_.texts.emplace_back(name)))].describe().options.extra_state = true;
  }

  // A module of a model that was saved whole.
  void describe(std::uint32_t number, const Ref& module, const Graph& graph) {
    Parameters::Impl::Module& m = impl_.modules[number];
    const std::string full = qualified_class_name(module), cls = full.substr(full.rfind('.') + 1);
    const std::string_view eager = std::string_view(cls).substr(cls.starts_with("Lazy") ? 4 : 0);
    const bool instance = eager.starts_with("InstanceNorm"), batch = eager.starts_with("BatchNorm") || eager == "SyncBatchNorm";
    if ((instance || batch) && (full.starts_with("torch.nn.") || full.starts_with("torch.ao.nn."))) {
      Parameters::Impl::Description& d = m.describe();
      d.given = true;
      d.options.kind = instance ? ModuleKind::instance_norm : ModuleKind::batch_norm;
      d.options.class_name = cls;
      const Ref track = attribute(graph, module, "track_running_stats");
      if (track.kind == Kind::boolean) d.options.track_running_stats = track.integer != 0;
    }
    std::set<std::pair<const char*, std::int64_t>> hooks;  // one that is there twice does nothing the second time
    for (const SpectralNormHook& hook : spectral_norms(graph, module)) {
      if (!hooks.emplace(hook.name.data(), hook.dim).second) continue;
      if (hook.name.size() > hook_names_left_) {
        if (!impl_.fault) impl_.fault = Error(ErrorKind::limit, ErrorCode::metadata_too_large, "the names of parameters under spectral_norm sum to more than 4 MiB");
        break;
      }
      hook_names_left_ -= hook.name.size();
      m.describe().options.spectral_norm.push_back({std::string(hook.name), hook.dim});
    }

    const auto first = firsts_.emplace(module.node, number).first->second;  // the module's first name
    add(number, first, module_part(graph, module, "_parameters"), false, {});
    add(number, first, module_part(graph, module, "_buffers"), true, sets_.of(graph, module));
    expect_others(m, module, graph, full);
    const Ref children = module_part(graph, module, "_modules");
    if (children.kind != Kind::dict) return;
    for (const Entry& e : dict_of(children).entries())
      if (e.key.kind == Kind::string && e.value.kind == Kind::none)
        out_.module(impl_.name_in(number, text_of(e.key)), {.kind = ModuleKind::none});
  }

  // A quantised module's own loader takes what its state dict has, whatever it is.
  void expect_others(Parameters::Impl::Module& m, const Ref& module, const Graph& graph, const std::string& full) {
    std::vector<OwnValue> own;
    own_values(graph, module, module_base(graph, module, full), own);
    for (const OwnValue& v : own)
      if (v.value.kind != Kind::tensor && !v.number) m.describe().others.push_back(impl_.texts.emplace_back(v.name));
    // A quantised graph's hook gives more than its loader takes: that looks at the whole names, and only for those that begin so.
    if (m.name.empty() && has_packed_weight_hook(graph, module))
      for (const std::string_view name : packed_weights(module))
        if (name.starts_with("_packed_weight")) m.describe().others.push_back(impl_.texts.emplace_back(name));
    if (!m.description().others.empty()) std::ranges::sort(m.describe().others);
  }

  void add(std::uint32_t number, std::uint32_t first, const Ref& tensors, bool buffer, const std::vector<std::string_view>& skipped) {
    if (tensors.kind != Kind::dict) return;
    for (const Entry& e : dict_of(tensors).entries()) {
      if (e.key.kind != Kind::string || std::ranges::binary_search(skipped, text_of(e.key))) continue;
      const std::string name = impl_.name_in(number, text_of(e.key));
      if (out_.contains(name)) continue;  // a name with dots can be that of another
      if (const Tensor* t = e.value.kind == Kind::tensor || stands_for_tensor(e.value) ? state_.find(name) : nullptr)
        add_like(name, *t, {.requires_grad = e.value.kind == Kind::tensor ? tensor_of(e.value).requires_grad : t->requires_grad(), .buffer = buffer});
      else if (is_uninitialised(e.value))
        out_.add_lazy(name, DType::float32, {.buffer = buffer});
      else continue;
      if (number == first) continue;
      const std::uint32_t same = impl_.own(first, text_of(e.key)), item = impl_.own(number, text_of(e.key));
      if (same != Parameters::Impl::kNone && item != Parameters::Impl::kNone) impl_.items[item].same = impl_.items[same].same;
    }
  }

  static bool is_uninitialised(const Ref& value) {
    return value.kind == Kind::object && qualified_class_name(value).starts_with("torch.nn.parameter.Uninitialized");
  }

  const StateDict& state_;
  const StateDict::Impl& from_;
  Parameters& out_;
  Parameters::Impl& impl_;
  std::unordered_map<const Node*, std::uint32_t> firsts_;
  NonPersistent sets_;
  std::size_t hook_names_left_ = 4 << 20;  // a module of many names has its hooks' names as often
};

}  // namespace

Parameters Parameters::like(const StateDict& state) {
  Parameters out;
  Likeness(state, out).run();
  return out;
}

}  // namespace brine
