// SPDX-License-Identifier: MIT
#include "state/load_keys.hpp"

#include "support/text.hpp"
#include "torch/access.hpp"

#include <algorithm>

namespace brine {

namespace {

std::optional<std::int64_t> integer(const Ref& value) noexcept {
  if (value.kind != Kind::integer || (value.flags & kBig)) return std::nullopt;
  return value.integer;
}

}  // namespace

LoadKeys::LoadKeys(const StateDict& state) : state_(*Access::impl(state)) {
  for (const StateDict::Impl::Other& o : state_.others) others_.emplace(o.name, &o.value);
  for (const StateDict::Impl::ModuleInfo& m : state_.metadata) modules_.emplace(m.name, &m);
}

LoadKey LoadKeys::original(std::string_view name) const {
  if (const std::uint32_t i = state_.find(name); i != HashIndex::npos) return {&state_.entries[i].tensor, nullptr};
  const auto at = others_.find(name);
  return {nullptr, at == others_.end() ? nullptr : at->second};
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

Value LoadKeys::value(const Ref& other) const { return Access::value(state_.graph, other); }

std::vector<std::string_view> LoadKeys::names() const {
  std::vector<std::string_view> out;
  out.reserve(state_.entries.size() + state_.others.size() + added_.size());
  const auto put = [&](std::string_view name) {
    const auto edit = edits_.find(name);
    if (edit == edits_.end() || (edit->second.key && !edit->second.last)) out.push_back(name);
  };
  std::size_t other = 0;
  for (std::size_t i = 0; i <= state_.entries.size(); ++i) {
    for (; other < state_.others.size() && state_.others[other].before == i; ++other) put(state_.others[other].name);
    if (i < state_.entries.size()) put(state_.entries[i].name);
  }
  out.insert(out.end(), added_.begin(), added_.end());
  return out;
}

Ref LoadKeys::metadata(std::string_view module, std::string_view key) const {
  const auto at = modules_.find(module);
  if (at == modules_.end() || at->second->value.kind != Kind::dict) return {};
  const Entry* e = state_.graph->find(dict_of(at->second->value), key);
  return e ? e->value : Ref{};
}

std::optional<std::int64_t> LoadKeys::version(std::string_view module) const {
  const auto at = modules_.find(module);
  if (at == modules_.end()) return std::nullopt;
  return at->second->value.kind == Kind::dict ? integer(metadata(module, "version")) : at->second->version;
}

bool LoadKeys::assign_to_params_buffers(std::string_view module) const {
  const Ref value = metadata(module, "assign_to_params_buffers");
  return (value.kind == Kind::boolean || value.kind == Kind::integer) && value.integer != 0;
}

std::optional<std::int64_t> LoadKeys::spectral_norm_version(std::string_view module, std::string_view parameter) const {
  const auto at = modules_.find(module);
  if (at == modules_.end()) return std::nullopt;
  const auto& norms = at->second->spectral_norm;  // of a module saved whole, which is given the version of today
  if (std::ranges::find(norms, parameter) != norms.end()) return 1;
  const Ref versions = metadata(module, "spectral_norm");
  if (versions.kind != Kind::dict) return std::nullopt;
  const Entry* e = state_.graph->find(dict_of(versions), concat({parameter, ".version"}));
  return e ? integer(e->value) : std::nullopt;
}

}  // namespace brine
