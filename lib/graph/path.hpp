// SPDX-License-Identifier: MIT
// Paths: places of the tree as chains of steps, which share their beginnings and are spelled when somebody asks. A step costs the same however
// long its key or its path is; no text of the file is copied until it is spelled.
#pragma once

#include "graph/node.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace brine {

/// How a container names one of its children.
struct Step {
  Ref key = {};                // of dict items and attributes; absent for positions
  const char* prefix = "";     // "args.", "kwargs."; "state" (then neither key nor position counts)
  std::uint32_t position = 0;  // of positions
  bool whole = false;          // the prefix is all of it
};

/// "weight", "3", "args.0". Strings as they are; None, bool, int, float, bytes and tuples as Python's repr, cut where they are longer than
/// honest keys; others <TypeName>.
std::string step_name(const Step& step);
/// Is it the step's name that `text` starts with, and is this all, or does a dot follow? Then its length, else npos.
std::size_t match_step(const Step& step, std::string_view text);

/// A step on the way to a place. Lives as long as the steps behind it.
struct PathStep {
  PathStep(const PathStep* before, const Step& step);
  const PathStep* parent;   // null: this is the first
  const PathStep* crossing; // the first on the way whose path is longer than kHead; null: none is
  std::uint64_t size : 63;  // bytes of the path
  bool owned : 1;           // it keeps alive the one before it
  Step step;
  static constexpr std::uint64_t kHead = 2048;
};

/// The place of a handle; null is the root. Aliases whatever owns the steps.
using Path = std::shared_ptr<const PathStep>;

/// One step further; the new step owns `before`. Chains of any length are let go of without recursion.
Path step_from(const Path& before, const Step& step);
/// A place whose path is this text, or one whose step is; a copy of it is kept.
Path place_of(std::string path);
Path step_from(const Path& before, std::string step);

inline std::uint64_t path_size(const PathStep* last) noexcept { return last ? last->size : 0; }
/// The path: all of it when it has no more than `max` bytes, else without its middle, which is "…" then. Costs what is spelled. Above 4,096,
/// `max` is all or nothing: a longer path is cut to 4,096.
std::string spell(const PathStep* last, std::size_t max = 4096);

/// Steps of many places that share their beginnings.
class PathTree {
 public:
  explicit PathTree(Path from) : from_(std::move(from)) {}
  const PathStep* root() const noexcept { return from_.get(); }
  const PathStep* add(const PathStep* before, const Step& step) { return &steps_.emplace_back(before, step); }
  /// What the keys are of, where places outlive it.
  void keep_alive(std::shared_ptr<const void> owner) noexcept { owner_ = std::move(owner); }

 private:
  Path from_;
  std::deque<PathStep> steps_;
  std::shared_ptr<const void> owner_;
};

}  // namespace brine
