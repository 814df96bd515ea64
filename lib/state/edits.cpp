// SPDX-License-Identifier: MIT
#include "state/edits.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

#include <limits>

namespace brine {

namespace {

Error spent() { return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the edits"); }

Error refused(std::string text, std::string_view path) {
  Error error(ErrorKind::usage, ErrorCode::bad_argument, std::move(text));
  return path.empty() ? std::move(error) : Error(std::move(error).at_path(std::string(path)));
}

constexpr const char* kSetAsWhole = "its weights were set as a whole; they are edited in that StateDict";

}  // namespace

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
  BRINE_LET(way, find(path));
  if (way->steps.empty()) {
    if (value.kind == Kind::absent) return refused("erase() takes a part of the checkpoint, not the whole", path);
    root = value;
    return {};
  }
  BRINE_LET(at, editable(*graph, way->steps.back(), path));
  const bool again = is_erased(*at);
  if (auto ok = put(*at, value, path); !ok || again || value.kind != Kind::absent) return ok;
  gone.push_back({way->value, {}, 0, static_cast<std::uint32_t>(paths.size())});
  paths.emplace_back(path);
  return {};
}

Result<void> Edits::Impl::put(const EditPlace& at, const Ref& value, std::string_view path) {
  if (value.kind != Kind::absent && (at.container.kind == Kind::set || at.container.kind == Kind::frozenset))
    return refused("a member of a set can be erased, but not replaced", path);
  Change& change = changes[at.container.node];
  if (change.whole.kind != Kind::absent) return refused(kSetAsWhole, path);
  change.container = at.container;
  change.owner = at.owner;
  change.values[at.slot] = value;
  return {};
}

bool Edits::Impl::is_erased(const EditPlace& at) const {
  const auto change = changes.find(at.container.node);
  if (change == changes.end()) return false;
  const auto value = change->second.values.find(at.slot);
  return value != change->second.values.end() && value->second.kind == Kind::absent;
}

Ref Edits::Impl::now(const Way& way) const {
  Ref value = way.value;
  if (!way.steps.empty()) {
    if (auto at = editable(*graph, way.steps.back(), "")) {
      const auto change = changes.find(at->container.node);
      if (change != changes.end())
        if (const auto put = change->second.values.find(at->slot); put != change->second.values.end()) value = put->second;
    }
  }
  if (is_container(value))
    if (const auto change = changes.find(value.node);
        change != changes.end() && value.kind == Kind::object && change->second.whole.kind != Kind::absent)
      value = change->second.whole;
  return value;
}

std::vector<Entry> Edits::Impl::items_now(const Ref& container) const {
  std::vector<Entry> out;
  const auto change = changes.find(container.node);
  const Change none{}, &edited = change == changes.end() ? none : change->second;
  if (container.kind == Kind::dict) {
    const auto entries = dict_of(edited.whole.kind == Kind::absent ? container : edited.whole).entries();
    out.assign(entries.begin(), entries.end());
  } else {
    for (const Ref& item : container.kind == Kind::list ? list_of(container).items() : tuple_of(container).items()) out.push_back({{}, item});
  }
  for (const auto& [slot, value] : edited.values) out[slot.index].value = value;
  if (edited.added.kind == Kind::dict) out.insert(out.end(), dict_of(edited.added).entries().begin(), dict_of(edited.added).entries().end());
  if (edited.added.kind == Kind::list)
    for (const Ref& item : list_of(edited.added).items()) out.push_back({{}, item});
  std::erase_if(out, [](const Entry& e) { return e.value.kind == Kind::absent; });
  return out;
}

Edits::Edits(const Checkpoint& checkpoint) : Edits(checkpoint, checkpoint.root()) {}
Edits::Edits(const Checkpoint& checkpoint, const Value& from) : impl_(std::make_unique<Impl>(checkpoint, from)) {}
Edits::~Edits() = default;
Edits::Edits(Edits&&) noexcept = default;
Edits& Edits::operator=(Edits&&) noexcept = default;
Tree& Edits::tree() & { return impl_->tree; }

Result<void> Edits::set(std::string_view path, const TreeItem& value) {
  return impl_->editing([&]() -> Result<void> {
    const Ref ref = Access::ref(impl_->tree.value(value));
    if (ref.kind == Kind::absent) return refused("expected a value to set, found an absent one", path);
    return impl_->put(path, ref);
  });
}

Result<void> Edits::add(std::string_view path, const TreeItem& key, const TreeItem& value) {
  return impl_->editing([&]() -> Result<void> {
    BRINE_LET(way, impl_->find(path));
    Ref target = way->value;
    if (target.kind == Kind::object) target = state_of(*target.node);
    const Entry entry{Access::ref(impl_->tree.value(key)), Access::ref(impl_->tree.value(value))};
    if (entry.value.kind == Kind::absent) return refused("expected a value to add, found an absent one", path);
    if (target.kind != Kind::list && target.kind != Kind::dict) return refused("expected a dict or a list to add to, found a " + class_name(way->value), path);
    Impl::Change& change = impl_->changes[target.node];
    if (change.whole.kind != Kind::absent) return refused(kSetAsWhole, path);
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
  return impl_->editing([&] { return impl_->put(path, {}); });
}

Result<void> Edits::erase(std::span<const std::string> paths) {
  for (const std::string& path : paths)
    BRINE_TRY(erase(path));
  return {};
}

}  // namespace brine
