// SPDX-License-Identifier: MIT
// Walker: the only traversal of a graph. Its own stack, so no depth of nesting can overflow ours; a container met again is not entered again,
// so cycles end and shared containers do not multiply.
#pragma once

#include "graph/graph.hpp"
#include "graph/path.hpp"

#include <string>
#include <unordered_set>
#include <vector>

namespace brine {

/// The children of one container, in the pickle's order, as `brine ls --all` names them:
///   dict         its items, then, of a subclass, the attributes of its state
///   list, tuple, set, frozenset   its items by position
///   object       args.0 …, kwargs.name, list items, dict items, then its state: a dict's items, or a (dict or None, dict or None)
///                pair's, or "state" when it is anything else
///   tensor       what it has kept of a state, likewise: attributes that are none of PyTorch's own
///   numpy array  of one of objects its items, row-major; of others nothing
class Children {
 public:
  Children() = default;
  explicit Children(const Ref& container) noexcept;

  struct Child : Step {
    Ref value;
  };
  /// The next child; false after the last.
  bool next(Child& out) noexcept;
  /// The child that was given last. Requires: one was.
  Child last() const noexcept {
    Children again = *this;
    --again.at_;
    Child out;
    again.next(out);
    return out;
  }

 private:
  bool positions(std::span<const Ref> items, const char* prefix, Child& out) noexcept;
  bool entries(const Ref& dict, const char* prefix, Child& out) noexcept;
  bool attributes(const Ref& state, std::uint32_t part, Child& out) noexcept;

  static constexpr std::uint32_t kKept = 7;
  Ref container_;
  const Effect* kept_ = nullptr;
  std::uint32_t part_ = 0, at_ = 0;
};

/// A key as a step of a path names it (path.hpp). A text of the file longer than `max` may be cut: for those who cut it anyhow.
std::string key_name(const Ref& key, std::size_t max = SIZE_MAX);
/// The items of a tuple, of whatever class: "(2, 3)".
std::string tuple_text(const Ref& tuple, std::size_t max = SIZE_MAX);

/// Python's class name of a value, without ("OrderedDict") or with ("collections.OrderedDict") its module. Module and name are cut after 255
/// bytes each, and end in "…" then: a file can refer to a long one any number of times.
std::string class_name(const Ref& value);
std::string qualified_class_name(const Ref& value);

class Walker {
 public:
  explicit Walker(const Ref& from, Path place = {}, std::size_t most_depth = SIZE_MAX);

  /// Moves to the next value; the first is `from` itself. False at the end.
  bool next();

  const Ref& value() const noexcept { return value_; }
  /// Spelled when it is asked for: keys can be long, and paths deep.
  std::string path(std::size_t max = 4096);
  /// The present place; lives as long as any of this walk's is kept.
  Path place();
  void keep_alive(std::shared_ptr<const void> owner) noexcept { tree_->keep_alive(std::move(owner)); }
  const Children::Child& child() const noexcept { return child_; }  ///< how the parent names it
  std::size_t depth() const noexcept { return depth_; }
  /// The value is a container that was met before (or lies too deep) and will not be entered.
  bool again() const noexcept { return again_; }
  /// Do not enter the present value.
  void skip() noexcept { enter_ = false; }

 private:
  struct Frame {
    Children children;
    const PathStep* step;  // of the container; of none above steps_made_
  };
  const PathStep* container_step();
  std::vector<Frame> stack_;
  std::unordered_set<const Node*> seen_;
  std::shared_ptr<PathTree> tree_;
  std::size_t steps_made_ = 0;  // of the stack
  Ref value_;
  Children::Child child_;
  std::size_t depth_ = 0, most_depth_;
  bool started_ = false, again_ = false, enter_ = true;
};

}  // namespace brine
