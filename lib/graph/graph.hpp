// SPDX-License-Identifier: MIT
// Graph: owns everything one pickle holds. The machine makes it, rebuild adds to it, everybody else reads it.
//
// Strings are views into the pickle's bytes wherever they can be: the address of the text is the identity of the str. Makers return a
// Ref of kind `absent`, or false, when memory is spent; nothing else can go wrong in them.
#pragma once

#include "graph/arena.hpp"
#include "graph/keys.hpp"
#include "graph/node.hpp"
#include "support/pointer_map.hpp"
#include "support/text.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

class Graph {
 public:
  explicit Graph(Budget& budget);
  Graph(const Graph&) = delete;

  Arena& arena() noexcept { return arena_; }

  /// What keeps the graph alive, for the handles that are made from it; set once by the owner.
  void set_owner(std::weak_ptr<const void> owner) noexcept { owner_ = std::move(owner); }
  std::shared_ptr<const void> owner() const noexcept { return owner_.lock(); }

  /// Where it was read from, for messages; whoever keeps the graph alive keeps this.
  std::string_view file;
  /// What a text made of it may have.
  std::uint64_t text_bytes = brine::text_bytes(0);

  /// The first global of this known number, or null; the machine registers them.
  GlobalNode* first(std::uint16_t known) const noexcept;
  bool set_first(GlobalNode& global);

  /// For a graph that adds to another one: names and words are that one's.
  void inherit(const Graph& parent) {
    first_ = parent.first_;
    own_texts = parent.own_texts;
  }

  /// Texts of whoever reads the persistent ids, by numbers of theirs: one object each, which the user's own text may be, too.
  std::array<Ref, 2> own_texts;

  /// Tuples and globals are made as memoised: the machine, which knows better, takes that back until a put follows.
  Ref tuple(std::span<const Ref> items, Made made = Made::plain) noexcept;
  Ref list(std::span<const Ref> items = {}, Made made = Made::plain) noexcept;
  /// A set or frozenset: of equal items the first.
  Ref set_of(std::span<const Ref> items, Kind kind = Kind::set);
  Ref dict(Made made = Made::plain) noexcept;
  Ref bytes(std::string_view data, Kind kind = Kind::bytes) noexcept;  ///< borrows `data`
  Ref complex(double real, double imag) noexcept;
  Ref floating(double value) noexcept;  ///< a NaN gets a number of its own: it equals itself alone
  /// An int of the least bytes of its two's complement; of 64 bits or less too. Borrows `bytes` and `digits`, as which the file spells it.
  Ref big_int(std::string_view bytes, std::string_view digits = {}) noexcept;
  Ref global(std::string_view module, std::string_view name) noexcept;
  /// The same, as the first one of its number.
  Ref first_global(std::string_view module, std::string_view name, std::uint16_t known);
  Ref object(const Origin& origin);
  Ref scalar(const Origin& origin);  ///< an object with a ScalarNode
  /// A copy of `text` in the arena; its address is its own even when it is empty. Null data when memory is spent.
  std::string_view copy(std::string_view text) noexcept;

  Origin* set_origin(Node& node, const Origin& origin) noexcept;
  bool add_effect(Node& node, const Ref& setter, const Ref& state);
  bool add_effect(Origin& origin, const Ref& setter, const Ref& state) noexcept;

  /// What a walk costs beyond the nodes: it shows the items of an object's arguments and state as the object's own, once for each object that shares them.
  std::uint64_t shared_bytes() const noexcept;
  static constexpr std::uint64_t kSharedItem = 256;

  bool append(ListNode& list, std::span<const Ref> items) noexcept;
  bool reserve(ListNode& list, std::size_t items) noexcept;
  /// Drops the first items.
  static void drop_front(ListNode& list, std::uint32_t items) noexcept;
  /// Those that are not in it yet.
  bool add(SetNode& set, std::span<const Ref> items);
  /// The entry of the key, made without a value when it is not `there` yet. Null: no memory.
  Entry* entry(DictNode& dict, const Ref& key, bool& there);
  /// As Python's d[key] = value: an equal key stays, its value is replaced (`replaced` becomes true).
  bool set(DictNode& dict, const Ref& key, const Ref& value, bool& replaced);
  bool reserve(DictNode& dict, std::size_t entries);
  /// Room for the entries of an empty dict that the caller writes; no two of their keys are equal. Nothing can be found in it. Null: no memory.
  Entry* fill(DictNode& dict, std::size_t entries) noexcept;

  /// The entry of `key`, or null.
  const Entry* find(const DictNode& dict, const Ref& key) const;
  const Entry* find(const DictNode& dict, std::string_view key) const { return find(dict, make_text(key)); }

 private:
  bool share(const Ref& part, bool more);
  bool share_state(const Node& object, const Ref& state, bool more);
  const Entry* find(const DictNode& dict, const Ref& key, std::uint64_t hash) const;
  bool index_all(DictNode& dict);
  Arena arena_;
  Keys keys_;
  std::weak_ptr<const void> owner_;
  std::vector<GlobalNode*> first_;
  std::uint32_t nans_ = 0;
  struct Shared {
    const Node* part;
    std::uint64_t more;  // objects that have it, but for the first
  };
  std::vector<Shared> shared_;
  PointerMap shared_numbers_;
};

/// The value under an attribute name of an object's (or dict subclass's) state, or of what a tensor has kept of its own; or absent.
Ref attribute(const Graph& graph, const Ref& object, std::string_view name);

}  // namespace brine
