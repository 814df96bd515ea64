// SPDX-License-Identifier: MIT
// Where the weights of a checkpoint are: the rule of Checkpoint::state_dict(), and places by path.
#pragma once

#include "graph/graph.hpp"
#include "graph/path.hpp"

#include <brine/result.hpp>

#include <string_view>
#include <vector>

namespace brine {

struct Found {
  Ref value;
  Path place;
};

/// The weights at or below `from`. Fails with: usage (no_state_dict, several_state_dicts).
Result<Found> find_weights(const Graph& graph, const Ref& from, const Path& place);

/// One step down the tree: the nth child of a container, in the order of Children. The path to the container is the first `path` bytes of the whole.
struct WayStep {
  Ref container;
  std::uint32_t number = 0;
  std::size_t path = 0;
};
struct Way {
  std::vector<WayStep> steps;
  Ref value;  // absent: there is no such place
};

/// The way to the place that `brine ls --all` prints as `path`. Keys may hold dots themselves: every way to split the path is tried.
Way find_way(const Ref& root, std::string_view path);
inline Ref find_path(const Ref& root, std::string_view path) { return find_way(root, path).value; }

}  // namespace brine
