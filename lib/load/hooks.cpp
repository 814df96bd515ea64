// SPDX-License-Identifier: MIT
#include "load/hooks.hpp"

#include "support/text.hpp"
#include "support/try.hpp"

namespace brine {

namespace {

using Impl = Parameters::Impl;

class Hooks {
 public:
  Hooks(const Impl& model, std::uint32_t module, bool assign, LoadKeys& keys)
      : model_(model), module_(model.modules[module]), number_(module), assign_(assign), keys_(keys) {}

  Result<Hooked> run() {
    if (module_.options().kind == ModuleKind::instance_norm && !model_.tracks_running_stats(module_)) refuse_running_stats();
    if (is_batch_norm())
      BRINE_TRY(keep_counter());
    for (const SpectralNorm& norm : module_.options().spectral_norm)
      BRINE_TRY(solve_spectral_norm(norm));
    if (module_.description().given) {
      for (const std::string& name : module_.options().weight_norm) rename_weight_norm(name);
    } else if (const std::uint32_t list = model_.modules_by_name.find(number_, "parametrizations"); list != Impl::kNone) {
      for (const std::uint32_t child : model_.modules[list].children)
        if (model_.own(child, "original0") != Impl::kNone && model_.own(child, "original1") != Impl::kNone)
          rename_weight_norm(model_.modules[child].name.substr(model_.modules[list].name.size() + 1));
    }
    return std::move(out_);
  }

 private:
  std::string name_in(std::string_view leaf) const { return model_.name_in(number_, leaf); }
  bool has(std::string_view leaf) const { return model_.own(number_, leaf) != Impl::kNone; }

  // torch/nn/modules/instancenorm.py
  void refuse_running_stats() {
    if (keys_.version(module_.name)) return;
    std::string names;
    for (const std::string_view leaf : {"running_mean", "running_var"})
      if (const std::string name = name_in(leaf); keys_.pop(name)) names += concat({names.empty() ? "\"" : " and \"", name, "\""});
    if (names.empty()) return;
    const std::string_view given = module_.options().class_name, cls = given.empty() ? "InstanceNorm" : given;
    out_.problem = {ErrorCode::unexpected_running_stats,
                    std::string(module_.name),
                    concat({"Unexpected running stats buffer(s) ", names, " for ", cls,
                            " with track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, "
                            "this may be expected because ",
                            cls,
                            " does not track running stats by default since 0.4.0. Please remove these keys from state_dict. If the "
                            "running stats are actually needed, instead set track_running_stats=True in ",
                            cls, " to enable them. See the documentation of ", cls, " for details."}),
                    {},
                    {}};
  }

  bool is_batch_norm() const {
    if (module_.description().given) return module_.options().kind != ModuleKind::plain && model_.tracks_running_stats(module_);
    return has("running_mean") && has("running_var") && has("num_batches_tracked");
  }

  // torch/nn/modules/batchnorm.py: a norm saved before its counter was
  Result<void> keep_counter() {
    const std::string counter = name_in("num_batches_tracked");
    if (keys_.find(counter) || keys_.version(module_.name).value_or(0) >= 2) return {};
    const std::uint32_t own = model_.own(number_, "num_batches_tracked");
    if (own != Impl::kNone && !(assign_ && model_.entry(own).meta)) return out_.keeps_counter = true, Result<void>();
    static constexpr std::int64_t kZero = 0;
    auto zero = Tensor::copy(std::span(&kZero, 1), {});
    if (!zero) return std::move(zero).error();
    keys_.set(counter, std::move(*zero));
    return {};
  }

  // torch/nn/utils/spectral_norm.py: SpectralNormLoadStateDictPreHook
  Result<void> solve_spectral_norm(const SpectralNorm& norm) {
    const auto version = keys_.spectral_norm_version(module_.name, norm.name);
    if (version && *version >= 1) return {};
    const std::string weight = name_in(norm.name), orig = weight + "_orig", u = weight + "_u", v = weight + "_v";
    if (!version && keys_.find(orig) && keys_.find(u) && keys_.find(v) && !keys_.find(weight)) return {};  // of today, without its metadata
    const std::size_t before = out_.missing.size();
    for (const std::string& name : {orig, weight, u})
      if (!keys_.find(name)) out_.missing.push_back(name);
    if (out_.missing.size() > before) return {};
    auto solved = keys_.spectral_norm_v(keys_.find(orig).tensor, keys_.find(weight).tensor, keys_.find(u).tensor, norm.dim);
    if (!solved) return std::move(solved).error().at_path(weight);
    keys_.pop(weight);
    keys_.set(v, std::move(*solved));
    return {};
  }

  // torch/nn/utils/parametrizations.py: _weight_norm_compat_hook
  void rename_weight_norm(std::string_view name) {
    const std::string g = name_in(concat({name, "_g"})), v = name_in(concat({name, "_v"}));
    if (!keys_.find(g) || !keys_.find(v)) return;
    const LoadKey original0 = keys_.pop(g), original1 = keys_.pop(v);
    keys_.set(name_in(concat({"parametrizations.", name, ".original0"})), original0);
    keys_.set(name_in(concat({"parametrizations.", name, ".original1"})), original1);
  }

  const Impl& model_;
  const Impl::Module& module_;
  const std::uint32_t number_;
  const bool assign_;
  LoadKeys& keys_;
  Hooked out_;
};

}  // namespace

Result<Hooked> run_hooks(const Impl& model, std::uint32_t module, bool assign, LoadKeys& keys) {
  return Hooks(model, module, assign, keys).run();
}

}  // namespace brine
