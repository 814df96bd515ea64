// SPDX-License-Identifier: MIT
#include "state/edits.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "state/module.hpp"
#include "state/state_dict.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace brine {

namespace {

Error spent() { return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the edits"); }

Error refused(std::string text, std::string_view path) {
  Error error(ErrorKind::usage, ErrorCode::bad_argument, std::move(text));
  return path.empty() ? std::move(error) : Error(std::move(error).at_path(std::string(path)));
}

Result<std::pair<Ref, Slot>> refusal(std::string text, std::string_view path) { return refused(std::move(text), path); }

/// The parameters and buffers of a module and of all its children.
std::vector<Ref> module_tensors(const Ref& module) {
  std::vector<Ref> out;
  std::unordered_set<const Node*> tables;
  Walker walk(module);
  while (walk.next()) {
    const auto& child = walk.child();
    if (walk.value().kind == Kind::dict && child.key.kind == Kind::string && (text_of(child.key) == "_parameters" || text_of(child.key) == "_buffers") &&
        tables.insert(walk.value().node).second)
      for (const Entry& e : dict_of(walk.value()).entries())
        if (e.value.kind == Kind::tensor) out.push_back(e.value);
  }
  return out;
}

}  // namespace

Result<std::pair<Ref, Slot>> editable(const WayStep& step, std::string_view path) {
  const Ref& c = step.container;
  std::uint32_t n = step.number;
  const auto in = [&](const Ref& container, Slot::Part part = Slot::items) { return std::pair(container, Slot{part, n}); };
  // True: the child is one of these; else it comes so many later.
  const auto among = [&](std::size_t size) { return n < size || (n -= static_cast<std::uint32_t>(size), false); };
  switch (c.kind) {
    case Kind::list: return in(c);
    case Kind::tuple:
      if (c.node->made != Made::plain || c.node->origin) return refusal("expected a place that can be edited, found an item of a " + class_name(c), path);
      return in(c);
    case Kind::dict:
      if (among(c.node->size)) return in(c);
      break;
    case Kind::object: {
      const Origin& o = *c.node->origin;
      const std::size_t given = (o.args.kind == Kind::tuple && o.how != How::persistent ? tuple_of(o.args).size : 0) + (o.kwargs.kind == Kind::dict ? o.kwargs.node->size : 0);
      if (among(given)) return refusal("expected a place that can be edited, found what a " + class_name(c) + " was made with", path);
      if (object_of(c).list && among(object_of(c).list->size)) return in(c, Slot::list);
      if (object_of(c).dict && among(object_of(c).dict->size)) return in(c, Slot::dict);
      break;
    }
    default: return refusal("expected a place that can be edited, found a member of a " + class_name(c), path);
  }
  const Ref state = state_of(*c.node);
  const auto halves = state.kind == Kind::tuple ? tuple_of(state).items() : std::span<const Ref>(&state, 1);
  for (const Ref& half : halves) {
    if (half.kind != Kind::dict) continue;
    if (among(half.node->size)) return in(half);
  }
  return refusal("expected a place that can be edited, found the state of a " + class_name(c), path);
}

Edits::Impl::Impl(const Checkpoint& from, const Value& value)
    : checkpoint(from), root(Access::ref(value)), graph(Access::graph(from.root())), budget(std::numeric_limits<std::uint64_t>::max(), ErrorCode::out_of_memory), made(budget) {
  made.inherit(*graph);
}

Result<Way> Edits::Impl::find(std::string_view path) const {
  if (root.kind == Kind::absent) return Error(ErrorKind::usage, ErrorCode::missing_key, "the part to be edited does not exist");
  Way way = find_way(root, path);
  if (way.value.kind == Kind::absent) return Error(ErrorKind::usage, ErrorCode::missing_key, "there is no place " + in_quotes(path));
  return way;
}

Result<void> Edits::Impl::put(std::string_view path, const Ref& value) {
  auto way = find(path);
  if (!way) return std::move(way).error();
  if (way->steps.empty()) {
    if (value.kind == Kind::absent) return refused("the whole cannot be erased", path);
    root = value;
    return {};
  }
  auto at = editable(way->steps.back(), path);
  if (!at) return std::move(at).error();
  Change& change = changes[at->first.node];
  change.container = at->first;
  change.values[at->second] = value;
  if (value.kind == Kind::absent) {
    gone.push_back({way->value, {}, 0, static_cast<std::uint32_t>(paths.size())});
    paths.emplace_back(path);
  }
  return {};
}

Edits::Edits(const Checkpoint& checkpoint) : Edits(checkpoint, checkpoint.root()) {}
Edits::Edits(const Checkpoint& checkpoint, const Value& from) : impl_(std::make_unique<Impl>(checkpoint, from)) {}
Edits::~Edits() = default;
Edits::Edits(Edits&&) noexcept = default;
Edits& Edits::operator=(Edits&&) noexcept = default;
Tree& Edits::tree() { return impl_->tree; }

Result<void> Edits::set(std::string_view path, const TreeItem& value) {
  return guarded("edits", [&]() -> Result<void> {
    const Ref ref = Access::ref(impl_->tree.value(value));
    if (ref.kind == Kind::absent) return refused("an absent value cannot be set", path);
    return impl_->put(path, ref);
  });
}

Result<void> Edits::set(std::string_view path, const StateDict& weights) {
  return guarded("edits", [&]() -> Result<void> {
    auto way = impl_->find(path);
    if (!way) return std::move(way).error();
    auto value = impl_->tree.state_dict(weights);
    if (!value) return std::move(value).error();
    Ref dict = Access::ref(*value);
    const Ref& old = way->value;
    if (old.kind == Kind::dict && old.node != dict.node) {
      auto* own = impl_->made.arena().make<DictNode>(dict_of(dict));
      auto* entries = impl_->made.arena().array<Entry>(dict_of(dict).size);
      if (!own || !entries) return spent();
      std::copy_n(dict_of(dict).data, own->size, entries);
      for (std::uint32_t i = 0; i < own->size; ++i)
        if (const Entry* known = impl_->graph->find(dict_of(old), entries[i].key)) entries[i].key = known->key;
      own->data = entries;
      own->index = nullptr;
      own->capacity = own->size;
      own->slots = 0;
      if (old.node->made == Made::plain && !old.node->origin) own->made = Made::plain, own->origin = nullptr;
      dict.node = own;
    }
    return impl_->put(path, dict);
  });
}

Result<void> Edits::add(std::string_view path, const TreeItem& key, const TreeItem& value) {
  return guarded("edits", [&]() -> Result<void> {
    auto way = impl_->find(path);
    if (!way) return std::move(way).error();
    Ref target = way->value;
    if (target.kind == Kind::object) target = state_of(*target.node);
    const Entry entry{Access::ref(impl_->tree.value(key)), Access::ref(impl_->tree.value(value))};
    if (entry.value.kind == Kind::absent) return refused("an absent value cannot be added", path);
    if (target.kind != Kind::list && target.kind != Kind::dict) return refused("expected a dict or a list to add to, found a " + class_name(way->value), path);
    Impl::Change& change = impl_->changes[target.node];
    change.container = target;
    if (change.added.kind == Kind::absent) change.added = target.kind == Kind::list ? impl_->made.list() : impl_->made.dict();
    if (change.added.kind == Kind::absent) return spent();
    if (target.kind == Kind::list) return impl_->made.append(static_cast<ListNode&>(*change.added.node), {&entry.value, 1}) ? Result<void>() : spent();
    bool there = impl_->made.find(dict_of(change.added), entry.key) != nullptr;
    if (const Entry* known = impl_->graph->find(dict_of(target), entry.key)) {
      const auto at = change.values.find({Slot::items, static_cast<std::uint32_t>(known - dict_of(target).data)});
      there = there || at == change.values.end() || at->second.kind != Kind::absent;
    }
    if (there) return refused("there is an item of that key already", path);
    return impl_->made.set(static_cast<DictNode&>(*change.added.node), entry.key, entry.value, there) ? Result<void>() : spent();
  });
}

Result<void> Edits::erase(std::string_view path) {
  return guarded("edits", [&] { return impl_->put(path, {}); });
}

Result<void> Edits::erase(std::span<const std::string> paths) {
  for (const std::string& path : paths)
    if (auto ok = erase(path); !ok) return ok;
  return {};
}

Result<void> Edits::Impl::erase_all_but(const Ref& container, std::uint32_t path, const std::vector<std::uint32_t>& kept) {
  if (container.kind == Kind::set || container.kind == Kind::frozenset) return {};
  Children children(container);
  Children::Child child;
  std::size_t next = 0;
  const std::size_t items = container.kind == Kind::dict ? container.node->size : SIZE_MAX;  // attributes of a dict stay
  for (std::uint32_t number = 0; children.next(child) && number < items; ++number) {
    if (next < kept.size() && kept[next] == number) {
      ++next;
      continue;
    }
    if (*child.prefix) continue;  // what an object was made with
    auto at = editable({container, number, 0}, paths[path]);
    if (!at) return std::move(at).error();
    Change& change = changes[at->first.node];
    change.container = at->first;
    change.values[at->second] = {};
    gone.push_back({child.value, container, number, path});
  }
  return {};
}

Result<void> Edits::keep(std::span<const std::string> kept) {
  return guarded("edits", [&]() -> Result<void> {
    // Each container on the way to what is kept, and which of its children are on one.
    struct Passed {
      Ref container;
      std::uint32_t path;
      std::vector<std::uint32_t> children;
    };
    std::vector<Passed> passed;
    std::unordered_map<const Node*, std::size_t> numbers;
    std::unordered_set<const Node*> whole;  // kept with all that is in them
    for (const std::string& path : kept) {
      auto way = impl_->find(path);
      if (!way) return std::move(way).error();
      if (has_node(way->value)) whole.insert(way->value.node);
      for (const WayStep& step : way->steps) {
        const auto [at, fresh] = numbers.try_emplace(step.container.node, passed.size());
        if (fresh) {
          passed.push_back({step.container, static_cast<std::uint32_t>(impl_->paths.size()), {}});
          impl_->paths.push_back(path.substr(0, step.path));
        }
        passed[at->second].children.push_back(step.number);
      }
    }
    for (Passed& p : passed) {
      if (whole.contains(p.container.node)) continue;
      std::sort(p.children.begin(), p.children.end());
      p.children.erase(std::unique(p.children.begin(), p.children.end()), p.children.end());
      if (auto ok = impl_->erase_all_but(p.container, p.path, p.children); !ok) return ok;
    }
    return {};
  });
}

Result<void> Edits::cast(std::string_view path, DType dtype) {
  return guarded("edits", [&] { return cast(path, dtype, CastOptions()); });
}

Result<void> Edits::cast(std::string_view path, DType dtype, const CastOptions& options) {
  return guarded("edits", [&]() -> Result<void> {
    auto way = impl_->find(path);
    if (!way) return std::move(way).error();
    Ref value = way->value;
    if (way->steps.empty()) {
      value = impl_->root;
    } else if (auto at = editable(way->steps.back(), path)) {
      const auto change = impl_->changes.find(at->first.node);
      if (change != impl_->changes.end())
        if (const auto now = change->second.values.find(at->second); now != change->second.values.end()) value = now->second;
    }
    std::vector<std::pair<std::string_view, Ref>> found;
    if (value.kind == Kind::tensor) found.emplace_back("", value);
    if (value.kind == Kind::object)
      for (const Ref& tensor : module_tensors(value)) found.emplace_back("", tensor);
    if (value.kind == Kind::dict)
      for (const Entry& e : dict_of(value).entries())
        if (e.value.kind == Kind::tensor) found.emplace_back(e.key.kind == Kind::string ? text_of(e.key) : std::string_view(), e.value);
    if (value.kind == Kind::list || value.kind == Kind::tuple)
      for (const Ref& item : value.kind == Kind::list ? list_of(value).items() : tuple_of(value).items())
        if (item.kind == Kind::tensor) found.emplace_back("", item);
    Caster caster(dtype, options);
    std::unordered_map<const void*, Ref> cast;
    for (const auto& [name, tensor] : found) {
      if (!matches_glob(options.glob, name) || cast.contains(tensor.pointer)) continue;
      const auto before = impl_->cast.find(tensor.pointer);
      auto made = caster.cast(before == impl_->cast.end() ? tensor_of(tensor) : tensor_of(before->second));
      if (!made) return name.empty() ? std::move(made).error() : Error(std::move(made).error().at_path(std::string(name)));
      if (*made != tensor.pointer) cast[tensor.pointer] = make_tensor_ref(*made);
    }
    for (const auto& [from, to] : cast) impl_->cast[from] = to;
    impl_->owners.push_back(caster.memory());
    return {};
  });
}

std::vector<Edits::LeftOut> Edits::left_out(std::size_t most, std::size_t& more) const {
  constexpr std::size_t longest = 200;
  std::vector<LeftOut> out;
  for (std::size_t i = 0; i < std::min(most, impl_->gone.size()); ++i) {
    const Impl::Gone& gone = impl_->gone[i];
    std::string path = impl_->paths[gone.parent];
    if (gone.container.kind != Kind::absent) {
      Children children(gone.container);
      Children::Child child;
      for (std::uint32_t n = 0; n <= gone.number; ++n) children.next(child);
      path += (path.empty() ? "" : ".") + step_name(child);
    }
    std::size_t tensors = 0;
    if (is_container(gone.value)) {
      Walker walk(gone.value);
      while (walk.next()) tensors += walk.value().kind == Kind::tensor;
    }
    out.push_back({printable(path, longest), tensors});
  }
  more = impl_->gone.size() - out.size();
  return out;
}

}  // namespace brine
