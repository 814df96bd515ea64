// SPDX-License-Identifier: MIT
// Where the weights of a checkpoint are: the rule of Checkpoint::state_dict(), and places by path.
#pragma once

#include "graph/graph.hpp"

#include <brine/result.hpp>

#include <string>
#include <string_view>

namespace brine {

struct Found {
  Ref value;
  std::string path;
};

/// The weights at or below `from`. Fails with: usage (no_state_dict, several_state_dicts).
Result<Found> find_weights(const Graph& graph, const Ref& from, std::string path);

/// The place that `brine ls --all` prints as `path`, or absent. Keys may hold dots themselves: every way to split the path is tried.
Ref find_path(const Ref& root, std::string_view path);

}  // namespace brine
