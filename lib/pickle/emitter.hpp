// SPDX-License-Identifier: MIT
// Emitter: graph → pickle, byte for byte as CPython's C pickler writes it. The mirror of the machine: one loop with its own stack, so no
// nesting can overflow ours.
//
// What a pickler knows of identity, the graph knows by address: one node, or one text, is one object. Source: CPython Modules/_pickle.c.
#pragma once

#include "graph/graph.hpp"
#include "graph/replaced.hpp"
#include "pickle/output.hpp"
#include "pickle/python_calls.hpp"
#include "support/pointer_map.hpp"

#include <brine/result.hpp>

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace brine {

class Emitter;

/// How torch's own values are written: torch/reduce implements it.
class Leaves {
 public:
  virtual ~Leaves() = default;
  /// A tensor that is not in the memo. True: it was written whole, its put included. False: write the call `origin` for it.
  virtual Result<bool> tensor(Emitter& out, const Ref& tensor, const Origin*& origin) = 0;
  /// What follows the tensor of a parameter that Emitter::parameter began, up to its put.
  virtual Result<void> wrapper_tail(Emitter& out, const Ref& parameter) = 0;
  /// A storage: its persistent id and BINPERSID.
  virtual Result<void> storage(Emitter& out, const Ref& storage) = 0;
  /// So many values follow, most of which may be tensors: room can be made at once.
  virtual void expect(std::size_t values) = 0;
  /// The tensor will be written a few values from now: what it needs can be fetched into the cache.
  virtual void prefetch(const Emitter& out, const Ref& tensor) noexcept = 0;
};

class Emitter {
 public:
  /// `graph` makes what has to be made new (names of protocol 2's sets and bytes); `replaced` may be null; all are borrowed. Protocols 1 to 5.
  Emitter(Graph& graph, Leaves& leaves, int protocol, const Replaced* replaced = nullptr);

  /// The whole pickle. Fails with: usage (a value that this protocol cannot say), limit (memory).
  Result<Buffer> run(const Ref& root);

  // For Leaves: pieces that hold no containers, written at once.
  void op(Op v) { out_.op(v); }
  void begin() { out_.boundary(); }    ///< before an object that is written with op()
  void boolean(bool v);
  void integer(std::int64_t v);
  std::uint32_t text(const Ref& text);  ///< GET if this str object was written before; its memo entry
  std::uint32_t fresh_text(std::string_view v);  ///< a str object of its own; its memo entry, for again()
  void again(std::uint32_t entry) { out_.boundary(), get(entry); }  ///< the object of this memo entry
  Result<void> global(const Ref& global);
  const std::uint32_t* entry(const Ref& global) { return memo_.find(one(global_of(global))); }  ///< its memo entry, or null
  void tuple(std::span<const std::int64_t> values);  ///< of ints, an object of its own
  void put();                          ///< a memo entry for an object nobody refers to again
  void put(const void* identity);      ///< … or for this one
  void tuple_begin(std::size_t items);  ///< MARK where TUPLE will need one …
  void tuple_end(std::size_t items);    ///< … and TUPLE, TUPLE1 … TUPLE3; its put is the caller's
  Graph& graph() noexcept { return graph_; }
  PointerMap& memo() noexcept { return memo_; }  ///< where Leaves may number objects of its own kind, too
  const PointerMap& memo() const noexcept { return memo_; }
  int protocol() const noexcept { return out_.protocol(); }
  /// The tensor a parameter wraps is written next, and then the tail asked for. Only from Leaves::tensor.
  bool parameter(const Ref& parameter, const Ref& tensor);

 private:
  static constexpr std::uint32_t kBatch = 1000;

  enum class Step : std::uint8_t {
    tuple, list, dict, set, frozenset, list_items, dict_items,  // containers, exact or through an iterator
    call_args, call_kwargs, call_end, items, dict_part, effects, setter_call, persistent, wrapper_tail,
  };
  struct Frame {
    Step step;
    Ref ref;
    const Origin* origin = nullptr;
    const Effect* effect = nullptr;
    std::uint32_t at = 0, group = 0;
    bool value = false;
  };

  bool save(const Ref& ref);
  bool begin(const Ref& ref);
  /// From within begin(): what is written next, once that returns. Never a call: how deep calls lie in each other is the file's choice.
  bool follow(const Ref& ref) noexcept { return next_ = ref, has_next_ = true; }
  bool step();
  bool step_call();
  bool begin_partial(const Ref& ref, const Origin& origin);
  bool begin_call(const Ref& ref, const Origin& origin);
  bool enter_set(const Ref& set);
  /// Met among its own members: of those there is a new list then, as by Python.
  bool is_open_set(const Ref& r) const { return (r.kind == Kind::set || r.kind == Kind::frozenset) && !open_calls_.empty() && open_calls_.contains(r.node); }
  Error holds_itself(const Ref& ref);
  bool synthesise(const Ref& ref);
  bool save_sequence(Frame& f, std::span<const Ref> items, bool exact);
  bool save_entries(Frame& f, std::span<const Entry> entries, bool exact);
  bool native(const Ref& ref) const noexcept;
  void share_items(const Ref& container);

  /// A class is one object, also where two graphs name it.
  const Node* one(const GlobalNode& global);
  const Node* one_layout(const Ref& ref);
  Result<Python3Name> spelled(const GlobalNode& global) const;
  bool get(const void* identity);
  void get(std::uint32_t entry);
  void expect(std::size_t entries);
  void prefetch(std::span<const Entry> entries, std::size_t at) const noexcept;
  bool big_integer(const Ref& ref);
  void unicode(std::string_view v);
  void bytes(std::string_view v);
  bool fail(Error error) {
    if (!error_) error_ = std::move(error);  // the first one knows best
    return false;
  }
  bool spent() { return fail(Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the pickle")); }

  Graph& graph_;
  Leaves& leaves_;
  const Replaced* replaced_;
  Output out_;
  std::vector<Frame> stack_;
  PointerMap memo_;
  std::uint32_t memo_size_ = 0;
  std::unordered_map<std::string, Ref, KeyedHash> interned_;
  std::unordered_map<const Node*, std::uint32_t> open_calls_;  // containers whose arguments are being written; of sets, how many memo entries there were but for theirs
  std::unordered_set<const Node*> shared_;                     // persistent objects and tuples that stand in two places
  std::uint32_t sets_ = 0;                                // that were written as calls
  std::vector<const GlobalNode*> firsts_;  // by their known number
  std::unordered_map<std::string, const Node*, KeyedHash> layouts_;  // the first of each name
  std::optional<Error> error_;
  Ref next_;
  bool has_next_ = false;
};

inline void Emitter::get(std::uint32_t entry) {
  if (entry < 256) out_.op(Op::BINGET, static_cast<std::uint8_t>(entry));
  else out_.op(Op::LONG_BINGET, entry);
}

inline void Emitter::put() {
  if (protocol() >= 4) out_.op(Op::MEMOIZE);
  else if (memo_size_ < 256) out_.op(Op::BINPUT, static_cast<std::uint8_t>(memo_size_));
  else out_.op(Op::LONG_BINPUT, memo_size_);
  ++memo_size_;
}

inline void Emitter::tuple_begin(std::size_t items) {
  out_.boundary();
  if (items > 3 || (protocol() < 2 && items > 0)) op(Op::MARK);
}

inline void Emitter::tuple_end(std::size_t items) {
  if (items > 3 || protocol() < 2) op(Op::TUPLE);
  else op(items == 1 ? Op::TUPLE1 : items == 2 ? Op::TUPLE2 : Op::TUPLE3);
}

/// Where an object's identity lies: its node, its text, or its record.
inline const void* identity(const Ref& ref) noexcept { return ref.pointer; }

}  // namespace brine
