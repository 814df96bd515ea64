// SPDX-License-Identifier: MIT
// Edited containers: copies of those that change, one deep; all else is shared with what was read.
#include "state/edits.hpp"

#include "torch/access.hpp"

#include <algorithm>

namespace brine {

namespace {

using Change = Edits::Impl::Change;

/// All parts are null or of no kind where memory is spent.
class Copier {
 public:
  explicit Copier(Graph& graph) : graph_(graph) {}

  Ref copy(const Change& change) {
    switch (change.container.kind) {
      case Kind::dict: return dict(change);
      case Kind::list: return list(change);
      case Kind::tuple: return tuple(change);
      default: return object(change);
    }
  }

 private:
  // What is left of items, and what was added.
  std::vector<Ref> items(std::span<const Ref> from, const Change& change, Slot::Part part) const {
    std::vector<Ref> out;
    for (std::uint32_t i = 0; i < from.size(); ++i) {
      const auto at = change.values.find({part, i});
      const Ref& now = at == change.values.end() ? from[i] : at->second;
      if (now.kind != Kind::absent) out.push_back(now);
    }
    if (part == Slot::items && change.added.kind == Kind::list) {
      const auto added = list_of(change.added).items();
      out.insert(out.end(), added.begin(), added.end());
    }
    return out;
  }

  DictNode* fill(const DictNode& from, const Change& change, Slot::Part part) {
    auto* out = graph_.arena().make<DictNode>(from);
    const std::span<const Entry> added = part == Slot::items && change.added.kind == Kind::dict ? dict_of(change.added).entries() : std::span<const Entry>();
    auto* entries = graph_.arena().array<Entry>(from.size + added.size());
    if (!out || !entries) return nullptr;
    out->data = entries;
    for (std::uint32_t i = 0; i < from.size; ++i) {
      const auto at = change.values.find({part, i});
      const Ref& now = at == change.values.end() ? from.data[i].value : at->second;
      if (now.kind != Kind::absent) *entries++ = {from.data[i].key, now};
    }
    entries = std::copy(added.begin(), added.end(), entries);
    out->size = out->capacity = static_cast<std::uint32_t>(entries - out->data);
    out->index = nullptr;
    out->slots = 0;
    return out;
  }

  ListNode* fill(const ListNode& from, const Change& change, Slot::Part part) {
    const std::vector<Ref> now = items(from.items(), change, part);
    auto* out = graph_.arena().make<ListNode>(from);
    auto* data = graph_.arena().array<Ref>(now.size());
    if (!out || !data) return nullptr;
    std::copy(now.begin(), now.end(), data);
    out->data = data;
    out->size = out->capacity = static_cast<std::uint32_t>(now.size());
    return out;
  }

  // The call that makes the container gives it nothing any more: all items follow. But a Counter is made of a dict by Python itself.
  bool take_nothing(Node& node, const Ref& contents) {
    if (!node.origin || node.origin->given == 0) return true;
    auto* origin = graph_.arena().make<Origin>(*node.origin);
    if (!origin) return false;
    const auto old = tuple_of(origin->args).items();
    std::vector<Ref> args;
    if (node.made == Made::default_dict) args.assign(old.begin(), old.begin() + 1);
    if (node.made == Made::counter) args = {contents};
    if (node.made == Made::deque && old.size() > 1) args = {graph_.tuple({}), old[1]};
    origin->args = graph_.tuple(args);
    origin->given = node.made == Made::counter ? node.size : 0;
    node.origin = origin;
    return origin->args.kind != Kind::absent && std::none_of(args.begin(), args.end(), [](const Ref& r) { return r.kind == Kind::absent; });
  }

  Ref dict(const Change& change) {
    DictNode* out = fill(dict_of(change.container), change, Slot::items);
    if (!out) return {};
    Ref contents = graph_.dict();
    if (contents.kind == Kind::absent) return {};
    auto& plain = static_cast<DictNode&>(*contents.node);
    plain.data = out->data;
    plain.size = plain.capacity = out->size;
    return take_nothing(*out, contents) ? make_node(Kind::dict, out) : Ref{};
  }

  Ref list(const Change& change) {
    ListNode* out = fill(list_of(change.container), change, Slot::items);
    return out && take_nothing(*out, {}) ? make_node(Kind::list, out) : Ref{};
  }

  Ref tuple(const Change& change) {
    const Ref out = graph_.tuple(items(tuple_of(change.container).items(), change, Slot::items));
    if (out.kind != Kind::absent) out.node->flags = change.container.node->flags | kMemoised;
    return out;
  }

  Ref object(const Change& change) {
    auto* out = graph_.arena().make<ObjectNode>(object_of(change.container));
    if (!out) return {};
    if (out->list && !(out->list = fill(*out->list, change, Slot::list))) return {};
    if (out->dict && !(out->dict = fill(*out->dict, change, Slot::dict))) return {};
    return make_node(Kind::object, out);
  }

  Graph& graph_;
};

}  // namespace

Result<Edited> apply(const Edits& edits, Graph& scratch) {
  const Edits::Impl& impl = Access::impl(edits);
  if (impl.root.kind == Kind::absent) return Error(ErrorKind::usage, ErrorCode::missing_key, "the part to be edited does not exist");
  Edited out{impl.root, {}};
  Copier copier(scratch);
  for (const auto& [node, change] : impl.changes) {
    const Ref copy = copier.copy(change);
    if (copy.kind == Kind::absent) return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the edits");
    out.replaced.set(change.container, copy);
  }
  for (const auto& [record, now] : impl.cast) {
    Ref tensor;
    tensor.kind = Kind::tensor;
    tensor.pointer = record;
    out.replaced.set(tensor, now);
  }
  return out;
}

}  // namespace brine
