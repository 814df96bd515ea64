// SPDX-License-Identifier: MIT
// Builds StateDict handles from what find.hpp and module.hpp found.
#pragma once

#include <brine/state_dict.hpp>

#include "graph/graph.hpp"
#include "support/budget.hpp"

#include <memory>
#include <string>

namespace brine {

/// The StateDict of a dict or module that is weights. `owner` keeps graph and names alive. Fails with: corrupt (module_cycle), limit.
Result<std::shared_ptr<const StateDict::Impl>> make_state_dict(const Graph& graph, const Ref& weights, std::string path, std::shared_ptr<const void> owner,
                                                               Budget& budget);

}  // namespace brine
