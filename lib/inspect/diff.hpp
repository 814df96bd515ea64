// SPDX-License-Identifier: MIT
// The parts of diff(): weights by name, and what files hold beside the object that is read.
#pragma once

#include "inspect/compare.hpp"

namespace brine {

/// Compares by name. `trees` compares the trees that the two are of, or is null. `versions`: compare `_metadata`, too.
/// Fails with: io, corrupt, limit; the path names the entry.
Result<StateDiff> compare_states(const StateDict& a, const StateDict& b, TensorComparer& tensors, Sharing& sharing, const DiffOptions& options, Comparer* trees,
                                 bool versions);

/// Adds to `out` how the files differ in what is no part of the object: records of an archive that nothing refers to, its comment; what follows the
/// object in the source, as objects where both have such, else as bytes. Fails with: io, corrupt, limit.
Result<void> compare_files(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options, Comparison& out);

}  // namespace brine
