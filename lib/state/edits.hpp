// SPDX-License-Identifier: MIT
// What is behind Edits: the changes of each container, by the place of what changes in it; and what they come to when the whole is written.
#pragma once

#include <brine/edits.hpp>

#include "bytes/guard.hpp"
#include "graph/graph.hpp"
#include "graph/replaced.hpp"
#include "state/cast.hpp"
#include "state/find.hpp"

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brine {

/// Where a value stands in the container that is copied to change it.
struct Slot {
  enum Part : std::uint8_t { items, list, dict } part = items;  // an object has a list and a dict beside its state
  std::uint32_t index = 0;
  auto operator<=>(const Slot&) const = default;
};

/// A place that can be edited.
struct EditPlace {
  Ref container;
  Slot slot;
  Ref owner = {};  // whose attributes the container holds; of no kind: it is no such dict
};
/// The place of a container's nth child. Fails with: usage (bad_argument: it cannot be edited), at `path`.
Result<EditPlace> editable(const Graph& graph, const WayStep& step, std::string_view path);

struct Edits::Impl {
  struct Change {
    Ref container;
    Ref whole;                   // a dict: of a dict all its items from now on; of an object, what stands in its place
    std::map<Slot, Ref> values;  // absent: erased
    Ref added;                   // a dict or list of what comes behind
    Ref owner;                   // as of EditPlace
    Ref attributes;              // a dict: of one that had none
  };
  struct Gone {
    Ref value, container;  // the container and which of its children; of no kind: `parent` is the path itself
    std::uint32_t number = 0, parent = 0;
  };

  Checkpoint checkpoint;
  Ref root;
  const Graph* graph;
  Budget budget;
  Graph made;  // what stands in the place of what was read
  Tree tree;
  std::unordered_map<const Node*, Change> changes;
  std::unordered_map<const void*, Ref> cast;  // tensors
  std::vector<std::shared_ptr<const void>> owners;
  std::vector<std::string> paths;
  std::vector<Gone> gone;

  Impl(const Checkpoint& checkpoint, const Value& from);
  /// What `work` returns, an Error with the checkpoint's name.
  template <class Work>
  Result<void> editing(Work&& work) {
    return guarded("edits", [&]() -> Result<void> {
      Result<void> done = work();
      if (done || checkpoint.file().empty()) return done;
      return std::move(done).error().in_file(checkpoint.file());
    });
  }
  Result<Way> find(std::string_view path) const;
  bool is_erased(const EditPlace& at) const;
  /// The value there, after the edits so far.
  Ref now(const Way& way) const;
  /// The items of a dict, list or tuple, after the edits so far; those of lists and tuples have no keys.
  std::vector<Entry> items_now(const Ref& container) const;
  Result<void> put(std::string_view path, const Ref& value);
  Result<void> put(const EditPlace& at, const Ref& value, std::string_view path);
  /// All items of `old` become those of `now`, whose attributes `now_graph` can look up; `_metadata` likewise.
  Result<void> refill(const Ref& old, const Ref& now, const Graph& now_graph);
  bool refill_items(const Ref& old, const Ref& now);
  Result<void> erase_all_but(const Ref& container, std::uint32_t path, const std::vector<std::uint32_t>& kept);
};

struct EditsAccess {
  static const Edits::Impl& impl(const Edits& edits) noexcept { return *edits.impl_; }
};

/// What is to be written, in the end: the root, and what stands for what; made in `scratch`.
struct Edited {
  Ref root;
  Replaced replaced;
};
Result<Edited> apply(const Edits& edits, Graph& scratch);

}  // namespace brine
