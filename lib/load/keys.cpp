// SPDX-License-Identifier: MIT
#include "load/keys.hpp"

#include "load/spectral_norm.hpp"
#include "support/text.hpp"
#include "tensor/record.hpp"

#include <algorithm>

namespace brine {

namespace {

std::optional<std::int64_t> integer(const Ref& value) noexcept {
  if (value.kind != Kind::integer || (value.flags & kBig)) return std::nullopt;
  return value.integer;
}

}  // namespace

const StateDict::Impl::ModuleInfo* LoadKeys::module(std::string_view name) const noexcept {
  const std::uint32_t n = state_.metadata.find(name);
  return n == state_.metadata.npos ? nullptr : &state_.metadata[n];
}

LoadKey LoadKeys::original(std::string_view name) const {
  const std::uint32_t n = state_.items.find(name);
  if (n == state_.items.npos) return {};
  const StateDict::Item& item = state_.items[n];
  return {item.is_tensor ? &item.tensor : nullptr, item.is_tensor ? nullptr : state_.kept_of(item)};
}

LoadKey LoadKeys::find(std::string_view name) const {
  const auto edit = edits_.find(name);
  return edit == edits_.end() ? original(name) : edit->second.key;
}

LoadKeys::Edit& LoadKeys::edit(std::string_view name, bool last) {
  auto at = edits_.find(name);
  if (at == edits_.end()) at = edits_.emplace(name, Edit{{}, last}).first;
  if (last) added_.push_back(at->first);
  return at->second;
}

void LoadKeys::set(std::string_view name, LoadKey key) {
  const bool last = !find(name);
  Edit& e = edit(name, last);
  e = {key, last || e.last};
}

LoadKey LoadKeys::pop(std::string_view name) {
  const LoadKey key = find(name);
  if (!key) return key;
  Edit& e = edit(name, false);
  if (e.last) std::erase(added_, name);
  e.key = {};
  return key;
}

std::vector<std::string_view> LoadKeys::names() const {
  std::vector<std::string_view> out;
  out.reserve(state_.items.size() + added_.size());
  for (const StateDict::Item& item : state_.items) {
    const auto edit = edits_.find(item.name);
    if (edit == edits_.end() || (edit->second.key && !edit->second.last)) out.push_back(item.name);
  }
  out.insert(out.end(), added_.begin(), added_.end());
  return out;
}

Result<Tensor> LoadKeys::spectral_norm_v(const Tensor* weight_orig, const Tensor* weight, const Tensor* u, std::int64_t dim) {
  const auto view = [](const Tensor* t) {
    if (!t) return View{};
    const TensorRecord& r = Handles::record(*t);
    return View(strided_or_none(r).storage, strided_or_none(r).offset, r.dims, r.neg);
  };
  const std::tuple key(view(weight_orig), view(weight), view(u), dim);
  if (const auto at = solved_.find(key); at != solved_.end()) return at->second;
  auto made = old_spectral_norm_v(weight_orig, weight, u, dim);
  if (made) solved_.emplace(key, *made);
  return made;
}

Ref LoadKeys::metadata(std::string_view module, std::string_view key) const {
  const auto* m = this->module(module);
  if (!m || m->value.kind != Kind::dict) return {};
  const Entry* e = m->graph->find(dict_of(m->value), key);
  return e ? e->value : Ref{};
}

std::optional<std::int64_t> LoadKeys::version(std::string_view module) const {
  const auto* m = this->module(module);
  if (!m) return std::nullopt;
  return m->value.kind == Kind::dict ? integer(metadata(module, "version")) : m->version;
}

bool LoadKeys::assign_to_params_buffers(std::string_view module) const {
  const Ref value = metadata(module, "assign_to_params_buffers");
  return (value.kind == Kind::boolean || value.kind == Kind::integer) && value.integer != 0;
}

std::optional<std::int64_t> LoadKeys::spectral_norm_version(std::string_view module, std::string_view parameter) const {
  const auto* m = this->module(module);
  if (!m) return std::nullopt;
  const auto& norms = m->spectral_norm;  // of a module saved whole, which is given the version of today
  if (std::ranges::find(norms, parameter) != norms.end()) return 1;
  const Ref versions = metadata(module, "spectral_norm");
  if (versions.kind != Kind::dict) return std::nullopt;
  const Entry* e = m->graph->find(dict_of(versions), concat({parameter, ".version"}));
  return e ? integer(e->value) : std::nullopt;
}

}  // namespace brine
