// SPDX-License-Identifier: MIT
// What a state dict is beside being one: a part of the file, placeholders, a random generator's state. StateDict::notes() says it.
#pragma once

#include "state/state_dict.hpp"

namespace brine {

/// Adds the notes on the state dict of these weights, at `place` of the tree under `root`.
void note_what_it_is(const Ref& root, const Ref& weights, const std::string& place, StateDict::Impl& state);

/// What PyTorch Geometric saves of a dataset.
bool is_geometric_dataset(const Graph& graph, const Ref& root) noexcept;

/// ('MT19937', array, …): numpy's random generator.
bool is_numpy_generator(const Ref& value) noexcept;

}  // namespace brine
