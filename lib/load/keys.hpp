// SPDX-License-Identifier: MIT
// The state dict as load_state_dict sees it: PyTorch works on a shallow copy, which the modules' own loaders and hooks edit.
#pragma once

#include "state/state_dict.hpp"
#include "torch/access.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace brine {

/// A key's value: a tensor, or a value that is none; null for neither: there is no such key.
struct LoadKey {
  const Tensor* tensor = nullptr;
  const StateDict::Impl::Kept* other = nullptr;
  explicit operator bool() const noexcept { return tensor || other; }
};

/// Edits lie over the dict and cost nothing where there are none. Borrows the dict.
class LoadKeys {
 public:
  explicit LoadKeys(const StateDict& state) : state_(*StateDictAccess::impl(state)) {}

  LoadKey find(std::string_view name) const;
  /// As Python's: a name that is there keeps its place, others come last.
  void set(std::string_view name, LoadKey key);
  void set(std::string_view name, Tensor tensor) { set(name, LoadKey{&made_.emplace_back(std::move(tensor)), nullptr}); }
  LoadKey pop(std::string_view name);

  std::vector<std::string_view> names() const;

  /// old_spectral_norm_v(), once for the same three tensors: a module may have many names.
  Result<Tensor> spectral_norm_v(const Tensor* weight_orig, const Tensor* weight, const Tensor* u, std::int64_t dim);

  // `_metadata` of one module.
  std::optional<std::int64_t> version(std::string_view module) const;
  bool assign_to_params_buffers(std::string_view module) const;
  std::optional<std::int64_t> spectral_norm_version(std::string_view module, std::string_view parameter) const;

 private:
  struct Edit {
    LoadKey key;
    bool last;  // not where the dict has the name: after all others
  };
  LoadKey original(std::string_view name) const;
  const StateDict::Impl::ModuleInfo* module(std::string_view name) const noexcept;
  Edit& edit(std::string_view name, bool last);
  Ref metadata(std::string_view module, std::string_view key) const;

  const StateDict::Impl& state_;
  std::map<std::string, Edit, std::less<>> edits_;
  std::vector<std::string_view> added_;  // keys of edits_
  std::deque<Tensor> made_;
  using View = std::tuple<const void*, std::int64_t, const void*, bool>;  // storage, offset, shape and stride, negated
  std::map<std::tuple<View, View, View, std::int64_t>, Tensor> solved_;
};

}  // namespace brine
