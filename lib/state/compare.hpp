// SPDX-License-Identifier: MIT
// Compares two trees, pair by pair, with its own stack. Every container and object is entered once: linear in both, however they are shared.
#pragma once

#include "graph/walk.hpp"
#include "state/compare_tensors.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace brine {

/// Which values were met together. Mutable objects must be the same pair wherever they are met; of values, equal pairs are not looked at again.
class Pairs {
 public:
  enum class Met : std::uint8_t { first, again, otherwise };
  /// Two objects with an identity.
  Met objects(const void* a, const void* b);
  /// Two values: from now on they, and what they were met with before, are taken for equal (a difference has then been told).
  Met values(const void* a, const void* b);

 private:
  std::uint32_t number(const void* key);
  std::uint32_t root(std::uint32_t i) noexcept;
  PointerMap a_, b_, values_;
  std::uint32_t objects_ = 0;
  std::vector<std::uint32_t> parent_;
};

/// Are two texts of the files the same? Each is looked at once or twice, however often it is met.
class Texts {
 public:
  bool same(std::string_view a, std::string_view b);

 private:
  struct Text {
    std::uint64_t hash;
    std::uint32_t equal;  // another text that is the same, or itself
  };
  const std::uint64_t seed_ = random_seed();
  PointerMap numbers_;
  std::vector<Text> texts_;
};

class Comparer {
 public:
  Comparer(const Graph& a, const Graph& b, TensorComparer& tensors, const DiffOptions& options)
      : a_(a), b_(b), tensors_(tensors), options_(options) {}

  /// The weights: of two dicts the items are left out, of two modules the tensors of `state_a`; of one of each only the weights can be compared.
  void leave_out(const Ref& a, const Ref& b, const StateDict& state_a);

  /// Adds what differs below this pair, which stands at `at` (borrowed), to the result. Fails with: io, corrupt, limit.
  Result<void> compare(const Ref& a, const Ref& b, std::string_view at = {});
  /// Adds what one tree holds (the other is absent), but for the weights.
  Result<void> compare_rest(const Ref& a, const Ref& b);

  Comparison& result() noexcept { return result_; }

 private:
  struct Step {  // how a pair is named by the containers that hold it
    Ref key;
    std::uint32_t position = 0;
    const char* prefix = "";
    bool whole = false;  // prefix is the name
  };
  struct Frame {
    Ref a, b;
    Step via;
    const Effect *effect_a = nullptr, *effect_b = nullptr;
    std::uint32_t part = 0, at = 0, at_b = 0, matched = 0, by_place = 0;
    bool key_told = false;
  };
  struct Child {
    Ref a, b;
    Step step;
    bool transparent = false;  // what it holds are the attributes of what holds it
  };

  Result<void> run();
  Result<void> visit(const Child& pair);
  void enter(const Child& pair, std::uint32_t part = 0);
  bool next(Frame& frame, Child& out);
  bool next_effect(Frame& frame, Child& out);
  bool next_of_object(Frame& frame, Child& out);
  bool next_position(Frame& frame, std::span<const Ref> a, std::span<const Ref> b, const char* prefix, Child& out);
  bool next_entry(Frame& frame, const DictNode& a, const DictNode& b, const char* prefix, Child& out);
  bool next_member(Frame& frame, Child& out);
  bool next_of_tensor(Frame& frame, Child& out);
  void compare_members(const Child& pair);

  bool same_scalar(const Ref& a, const Ref& b);
  bool same_key(const Ref& a, const Ref& b);
  Result<void> compare_tensors(const Child& pair);
  Result<void> compare_storages(const Child& pair);
  void differ(Difference::Kind kind, const Step& step, std::string text);
  std::string path(const Step& step) const;

  const Graph &a_, &b_;
  TensorComparer& tensors_;
  const DiffOptions& options_;
  Comparison result_;
  Pairs pairs_;
  Texts texts_;
  std::deque<Frame> stack_;
  std::string_view base_;
  Ref weights_a_, weights_b_;
  bool told_ = false;                 // that the weights are a module and a dict
  bool modules_ = false;              // both weights are whole modules
  std::vector<std::tuple<const void*, std::int64_t, const void*>> known_;  // a's tensors that were compared by name: storage, offset, dims
};

/// "float32 [3, 4]", "3", "'text'", "dict (2)": escaped, short.
std::string brief(const Ref& value);

}  // namespace brine
