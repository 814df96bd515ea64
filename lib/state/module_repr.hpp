// SPDX-License-Identifier: MIT
// What Python prints between a module's parentheses: extra_repr() of torch's own layers.
#pragma once

#include "graph/graph.hpp"

#include <string>

namespace brine {

/// "in_features=3, out_features=2, bias=True"; empty for classes brine does not know.
std::string module_arguments(const Graph& graph, const Ref& module);

}  // namespace brine
