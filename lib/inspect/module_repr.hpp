// SPDX-License-Identifier: MIT
// How Python prints a module: the words for its class (module_table), its arguments (module_arguments), and the tree (module_repr).
#pragma once

#include "graph/graph.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

struct ClassText {
  std::string name;        // what Python prints for the class: "Linear", "QuantizedLinear"
  std::string_view words;  // its arguments, in the language of module_table.cpp; empty for classes brine does not know
};
ClassText class_text(const GlobalName& cls);

/// extra_repr(): lines, mostly one or none. Every line is bounded, and there are `max` at the most.
std::vector<std::string> module_arguments(const Graph& graph, const Ref& module, std::string_view words, std::size_t max);

/// str(value), or repr(value), of plain Python values, escaped and bounded; nothing where brine cannot say what Python would.
std::optional<std::string> python_text(const Ref& value, bool repr);

/// repr(module), see Module::repr.
std::string module_repr(const Graph& graph, const Ref& module, std::size_t max);

}  // namespace brine
