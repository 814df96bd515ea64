// SPDX-License-Identifier: MIT
// Edited containers: copies of those that change, one deep; all else is shared with what was read.
#include "state/edits.hpp"

#include "torch/access.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>
#include <unordered_set>

namespace brine {

namespace {

using Change = Edits::Impl::Change;

/// All parts are null or of no kind where memory is spent.
class Copier {
 public:
  explicit Copier(Graph& graph) : graph_(graph) {}

  /// `stateless`: nothing is left of its attributes, and Python then writes none.
  Ref copy(const Change& change, bool stateless) {
    Ref out;
    switch (change.container.kind) {
      case Kind::dict: out = dict(change); break;
      case Kind::list: out = list(change); break;
      case Kind::set: case Kind::frozenset: out = set(change); break;
      case Kind::tuple: out = tuple(change); break;
      default: out = change.whole.kind == Kind::absent ? object(change) : change.whole; break;
    }
    return out.kind == Kind::absent || !stateless || drop_state(*out.node) ? out : Ref{};
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
    if (change.whole.kind == Kind::dict) return refilled(out, change);
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

  // All items of another dict.
  DictNode* refilled(DictNode* out, const Change& change) {
    if (!out) return nullptr;
    const DictNode& whole = dict_of(change.whole);
    out->data = whole.data;
    out->size = out->capacity = whole.size;
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
    if (!take_nothing(*out, contents)) return {};
    if (change.attributes.kind == Kind::absent) return make_node(Kind::dict, out);
    out->origin = graph_.arena().make<Origin>(*out->origin);
    return out->origin && graph_.add_effect(*out->origin, {}, change.attributes) ? make_node(Kind::dict, out) : Ref{};
  }

  Ref list(const Change& change) {
    ListNode* out = fill(list_of(change.container), change, Slot::items);
    return out && take_nothing(*out, {}) ? make_node(Kind::list, out) : Ref{};
  }

  // Made anew, as it has no attributes.
  Ref set(const Change& change) {
    const std::vector<Ref> now = items(list_of(change.container).items(), change, Slot::items);
    return graph_.set_of(now, change.container.kind);
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

  // Without the BUILD of its attributes.
  bool drop_state(Node& node) {
    auto* origin = graph_.arena().make<Origin>(*node.origin);
    if (!origin) return false;
    origin->first = origin->last = origin->built = nullptr;
    for (const Effect* e = node.origin->first; e; e = e->next)
      if (e != node.origin->built && !graph_.add_effect(*origin, e->setter, e->state)) return false;
    node.origin = origin;
    return true;
  }

  Graph& graph_;
};

/// All items of a dict are erased, and none came.
bool is_empty(const Change& change) {
  return change.container.kind == Kind::dict && change.whole.kind == Kind::absent && change.added.kind == Kind::absent && change.values.size() == change.container.node->size &&
         std::all_of(change.values.begin(), change.values.end(), [](const auto& v) { return v.second.kind == Kind::absent; });
}

/// As it is written without attributes: a Parameter, or a plain tensor. Null: in no other way.
const TensorRecord* without_attributes(const TensorRecord& t, Graph& graph, bool& spent) {
  const auto is = [](const Ref& callee, TorchCall call) { return callee.kind == Kind::global && callee.node->known == static_cast<std::uint16_t>(call); };
  const auto args = t.origin && !t.origin->outer && t.origin->args.kind == Kind::tuple ? tuple_of(t.origin->args).items() : std::span<const Ref>();
  if (args.size() != 4 || args[3].kind != Kind::dict) return nullptr;
  const bool parameter = is(t.origin->callee, TorchCall::rebuild_parameter_with_state);
  const bool plain = is(t.origin->callee, TorchCall::rebuild_from_type) && is(args[1], TorchCall::tensor_class) && global_of(args[1]).name == "Tensor" &&
                     (is(args[0], TorchCall::rebuild_tensor_v2) || is(args[0], TorchCall::rebuild_tensor_v3));
  if (!plain && !(parameter && t.base)) return nullptr;
  auto* record = graph.arena().make<TensorRecord>(t);
  spent = !record;
  if (record) record->origin = nullptr;
  return record;
}

}  // namespace

Result<Edited> apply(const Edits& edits, Graph& scratch) {
  const Edits::Impl& impl = EditsAccess::impl(edits);
  if (impl.root.kind == Kind::absent) return Error(ErrorKind::usage, ErrorCode::missing_key, "the part to be edited does not exist");
  const Error spent(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the edits");
  Edited out{impl.root, {}};
  Copier copier(scratch);
  std::unordered_set<const Node*> stateless;
  for (const auto& [node, change] : impl.changes) {
    const Ref& owner = change.owner;
    if (owner.kind == Kind::absent || !is_empty(change)) continue;
    if (owner.kind == Kind::tensor) {
      const auto cast = impl.cast.find(owner.pointer);
      bool no_memory = false;
      const TensorRecord* bare = without_attributes(cast == impl.cast.end() ? tensor_of(owner) : tensor_of(cast->second), scratch, no_memory);
      if (no_memory) return spent;
      if (bare) out.replaced.set(owner, make_tensor_ref(bare));
    } else if (const Effect* built = owner.node->origin ? owner.node->origin->built : nullptr;
               built && built->setter.kind == Kind::absent && same_object(built->state, change.container)) {
      stateless.insert(owner.node);
      if (impl.changes.contains(owner.node)) continue;
      Change nothing;
      nothing.container = owner;
      const Ref copy = copier.copy(nothing, true);
      if (copy.kind == Kind::absent) return spent;
      out.replaced.set(owner, copy);
    }
  }
  for (const auto& [node, change] : impl.changes) {
    const Ref copy = copier.copy(change, stateless.contains(node));
    if (copy.kind == Kind::absent) return spent;
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
