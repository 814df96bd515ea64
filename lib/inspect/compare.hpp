// SPDX-License-Identifier: MIT
// Compares two trees, pair by pair, with its own stack. Every container and object is entered once: linear in both, however they are shared.
//
// compare.cpp and compare_leaves.cpp say what of a pair is told, compare_children.cpp which pairs a pair of containers gives, compare_objects.cpp which
// one of objects or tensors does.
#pragma once

#include "graph/walk.hpp"
#include "inspect/compare_arrays.hpp"
#include "inspect/compare_matching.hpp"
#include "inspect/compare_met.hpp"
#include "inspect/compare_sharing.hpp"
#include "inspect/compare_tensors.hpp"

#include <brine/state_dict.hpp>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace brine {

/// The weights of one tree, which are compared by name.
struct Weights {
  Ref value;
  std::string place;                 // its path
  std::vector<const void*> holders;  // the containers that it lies in
};

class Comparer {
 public:
  /// All are borrowed. What is shared with values that others compare is in `sharing`.
  Comparer(const Graph& a, const Graph& b, TensorComparer& tensors, Sharing& sharing, const DiffOptions& options)
      : a_(a), b_(b), tensors_(tensors), sharing_(sharing), options_(options), arrays_(a, b, tensors, texts_) {}
  Comparer(const Comparer&) = delete;

  /// The weights that were compared by name, as these state dicts: a dict's items are not told again, of a module's tensors only what state dicts have
  /// not. Of a module and a dict only the weights can be compared. They stand for each other: wherever one of them is, the other must be.
  void set_weights(Weights a, Weights b, const StateDict& state_a, const StateDict& state_b);

  /// Adds what differs below this pair, which stands at `at` (borrowed), to the result. Fails with: io, corrupt, limit.
  Result<void> compare(const Ref& a, const Ref& b, std::string_view at = {});

  bool is_graphs(const Graph* a, const Graph* b) const noexcept { return a == &a_ && b == &b_; }
  Comparison& result() noexcept { return result_; }

 private:
  struct Frame {
    Ref a, b;
    Step via;  // how what holds the pair names it
    const Effect *effect_a = nullptr, *effect_b = nullptr;
    std::uint32_t part = 0, at = 0, at_b = 0;
    bool key_told = false;
    bool named = false;                  // the dicts that are the weights
    std::unique_ptr<Matching> matching;  // of keys that are not the same in the same places
  };
  struct Child {
    Ref a, b;
    Step step;
    bool transparent = false;  // what it holds are the attributes of what holds it
    bool base = false;         // the tensor that a Parameter wraps: the same memory
  };

  // compare.cpp
  Result<void> run();
  Result<void> visit(const Child& pair);
  void visit_one(const Child& pair);
  Result<void> visit_weights(const Child& pair);
  Result<void> visit_containers(const Child& pair);
  bool is_first(const Ref& a, const Ref& b, const Step& step);
  Frame& enter(const Child& pair);
  bool enter_holder(const Child& pair);
  /// `text()` is asked for where it is kept.
  template <class Text>
  void differ(Difference::Kind kind, const Step& step, Text&& text) {
    if (result_.differing++ < options_.max) result_.differences.push_back({kind, path(step, kMaxPath), text()});
  }
  std::string path(const Step& last, std::size_t max) const;

  // compare_leaves.cpp
  bool same_scalar(const Ref& a, const Ref& b);
  bool is_named(const TensorRecord& a, const TensorRecord& b) const noexcept;
  Result<void> visit_tensors(const Child& pair);
  Result<void> visit_storages(const Child& pair);
  void visit_source(const Ref& a, const Ref& b, const Step& step);

  // compare_children.cpp
  bool next(Frame& frame, Child& out);
  bool next_alone(Frame& frame, Child& out);
  bool next_position(Frame& frame, std::span<const Ref> a, std::span<const Ref> b, const char* prefix, Child& out);
  bool next_entry(Frame& frame, const DictNode& a, const DictNode& b, Child& out);
  bool next_member(Frame& frame, Child& out);
  std::unique_ptr<Matching> match_members(const Child& pair);
  bool same_key(const Ref& a, const Ref& b);
  bool same_keys(const DictNode& a, const DictNode& b);

  // compare_objects.cpp
  bool next_of_object(Frame& frame, Child& out);
  bool next_of_tensor(Frame& frame, Child& out);
  bool next_effect(Frame& frame, Child& out);

  static constexpr std::size_t kMaxPath = 4096;
  using Memory = std::tuple<const void*, std::int64_t, const void*>;  // of a tensor: storage, offset, dims
  static Memory memory(const TensorRecord& t) noexcept { return {strided_or_none(t).storage, strided_or_none(t).offset, t.dims}; }

  const Graph &a_, &b_;
  TensorComparer& tensors_;
  Sharing& sharing_;
  const DiffOptions& options_;
  Comparison result_;
  Texts texts_;
  ArrayComparer arrays_;
  Matcher matcher_;
  Partners objects_;
  Compared compared_;
  std::deque<Frame> stack_;
  std::string_view base_;
  Weights weights_a_, weights_b_;
  std::vector<std::pair<Memory, Memory>> named_;  // tensors that were compared by name
  bool modules_ = false;                          // both weights are whole modules
  bool told_ = false;                             // that the weights are a module and a dict
};

/// Has the tensor's call more to say than its elements: a class, attributes, hooks?
bool has_extras(const TensorRecord& tensor) noexcept;

}  // namespace brine
