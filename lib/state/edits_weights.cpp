// SPDX-License-Identifier: MIT
// Edits of weights: a StateDict set where it was, and casts.
#include "state/edits.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "state/kept_tensor.hpp"
#include "state/state_dict.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <unordered_set>

namespace brine {

namespace {

Error spent() { return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the edits"); }

struct Weight {
  std::string name;
  Ref value;
};

/// The parameters and buffers of a module and of all its children.
std::vector<Weight> module_weights(const Ref& module) {
  std::vector<Weight> out;
  std::unordered_set<const Node*> tables;
  Walker walk(module);
  while (walk.next()) {
    const auto& child = walk.child();
    if (walk.value().kind != Kind::dict || child.key.kind != Kind::string || (text_of(child.key) != "_parameters" && text_of(child.key) != "_buffers") ||
        !tables.insert(walk.value().node).second)
      continue;
    for (const Entry& e : dict_of(walk.value()).entries())
      if (e.value.kind == Kind::tensor || is_container(e.value)) out.push_back({key_name(e.key, 100), e.value});
  }
  return out;
}

/// Every tensor below; those kept as objects, and what is in them, as one.
std::vector<Weight> all_tensors(const Ref& from, bool named) {
  std::vector<Weight> out;
  Walker walk(from);
  while (walk.next()) {
    const bool kept = !kept_tensor_call(walk.value()).empty();
    if (kept) walk.skip();
    const bool tensor = walk.value().kind == Kind::tensor, told = kept || (tensor && tensor_of(walk.value()).as_quantised());  // as not cast
    if (kept || tensor) out.push_back({named ? walk.path() : told ? walk.path(200) : std::string(), walk.value()});
  }
  return out;
}

}  // namespace

bool Edits::Impl::refill_items(const Ref& old, const Ref& now) {
  const auto from = dict_of(now).entries();
  auto* whole = made.arena().make<DictNode>();
  auto* entries = made.arena().array<Entry>(from.size());
  if (!whole || !entries) return false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Entry* known = graph->find(dict_of(old), from[i].key);
    entries[i] = {known ? known->key : from[i].key, from[i].value};
  }
  whole->data = entries;
  whole->size = whole->capacity = static_cast<std::uint32_t>(from.size());
  Change& change = changes[old.node] = {};
  change.container = old;
  change.whole = make_node(Kind::dict, whole);
  return true;
}

Result<void> Edits::Impl::refill(const Ref& old, const Ref& now, const Graph& now_graph) {
  if (!refill_items(old, now)) return spent();
  const Ref was = attribute(*graph, old, "_metadata"), is = attribute(now_graph, now, "_metadata");
  if (is.kind == Kind::dict && was.kind == Kind::dict) {
    const bool same = std::ranges::equal(dict_of(was).entries(), dict_of(is).entries(), [](const Entry& a, const Entry& b) {
      return same_object(a.value, b.value) && a.key.kind == Kind::string && b.key.kind == Kind::string && text_of(a.key) == text_of(b.key);
    });
    return same || refill_items(was, is) ? Result<void>() : spent();
  }
  if (is.kind != Kind::absent && state_of(*old.node).kind == Kind::absent && old.node->made == Made::ordered_dict) changes[old.node].attributes = state_of(*now.node);
  if (is.kind == Kind::absent && was.kind != Kind::absent) {
    const Way way = find_way(old, "_metadata");
    if (auto at = editable(*graph, way.steps.back(), "_metadata")) return put(*at, {}, "_metadata");
  }
  return {};
}

// A container is edited for all places that hold it, as d.clear() and d.update() do.
Result<void> Edits::set(std::string_view path, const StateDict& weights) {
  return impl_->editing([&]() -> Result<void> {
    BRINE_LET(way, impl_->find(path));
    BRINE_LET(value, impl_->tree.state_dict(weights));
    const Ref& old = way->value;
    const Ref dict = Access::ref(*value);
    if (!is_container(old) || old.kind == Kind::set || old.kind == Kind::frozenset) return impl_->put(path, dict);
    if (old.node == dict.node) return impl_->changes.erase(old.node), Result<void>();
    const StateDict::Impl& state = *StateDictAccess::impl(weights);
    if (old.kind == Kind::dict) return impl_->refill(old, dict, state.source.kind != Kind::absent ? *state.graph : *Access::graph(*value));
    auto& change = impl_->changes[old.node] = {};
    change.container = old;
    change.whole = dict;
    return {};
  });
}

Result<void> Edits::cast(std::string_view path, DType dtype) {
  return impl_->editing([&] { return cast(path, dtype, CastOptions()); });
}

Result<void> Edits::cast(std::string_view path, DType dtype, const CastOptions& options) {
  return impl_->editing([&]() -> Result<void> {
    BRINE_LET(way, impl_->find(path));
    const Ref value = impl_->now(*way);
    std::vector<Weight> found;
    if (options.everywhere) found = all_tensors(value, options.glob != "*");
    else if (value.kind == Kind::tensor) found.push_back({"", value});
    else if (value.kind == Kind::object) found = module_weights(value);
    else if (value.kind == Kind::dict || value.kind == Kind::list || value.kind == Kind::tuple)
      for (const Entry& e : impl_->items_now(value)) found.push_back({e.key.kind == Kind::string ? std::string(text_of(e.key).substr(0, 4096)) : std::string(), e.value});
    Caster caster(dtype, options);
    std::unordered_map<const void*, Ref> cast;
    for (const auto& [name, item] : found) {
      if (!matches_glob(options.glob, name)) continue;
      caster.pass(name, item);
      if (item.kind != Kind::tensor || cast.contains(item.pointer)) continue;
      const auto before = impl_->cast.find(item.pointer);
      auto made = caster.cast(before == impl_->cast.end() ? tensor_of(item) : tensor_of(before->second));
      if (!made) return name.empty() ? std::move(made).error() : Error(std::move(made).error().at_path(name));
      if (*made != item.pointer) cast[item.pointer] = make_tensor_ref(*made);
    }
    for (const auto& [from, to] : cast) impl_->cast[from] = to;
    impl_->owners.push_back(caster.memory());
    caster.report();
    return {};
  });
}

}  // namespace brine
