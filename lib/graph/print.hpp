// SPDX-License-Identifier: MIT
// A graph as indented text: bounded, cycle-safe, every text of the file escaped.
#pragma once

#include "graph/graph.hpp"

#include <functional>
#include <string>

namespace brine {

struct PrintBounds {
  std::uint64_t depth, nodes, per_container;
  std::uint64_t bytes = std::uint64_t{1} << 20;  // of text; the line that reaches it is the last
};

/// `describe` says in one line what a tensor, a storage, one of numpy's objects, or an object that another call made is.
std::string print(const Ref& from, const PrintBounds& bounds, const std::function<std::string(const Ref&)>& describe);

/// One value in one line, as Python would print it, cut when long: 3, 'text', None, OrderedDict (12), torch.nn.Linear …
std::string summary(const Ref& value);

}  // namespace brine
