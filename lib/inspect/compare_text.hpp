// SPDX-License-Identifier: MIT
// What differs, in words.
#pragma once

#include <brine/array.hpp>
#include <brine/diff.hpp>

#include "graph/graph.hpp"
#include "tensor/record.hpp"

#include <string>

namespace brine {

/// "float32 [3, 4]", "3", "'text'", "dict (2)": escaped, short.
std::string brief(const Graph& graph, const Ref& value);
/// "3 -> 4"; of long texts that begin alike, where they part.
std::string change(const Graph& graph_a, const Ref& a, const Graph& graph_b, const Ref& b);
/// "[4] -> [7]", "largest difference 0.5, 1 of 5 elements".
std::string change(const TensorDifference& difference, const Tensor& a, const Tensor& b);
std::string change(const TensorDifference& difference, const Array& a, const Array& b);

}  // namespace brine
