// SPDX-License-Identifier: MIT
// The state that a call gives a tensor: attribute by attribute, as torch._utils._set_obj_state sets it. What is PyTorch's own acts on the tensor or is
// refused; the rest is the user's, and is kept.
#pragma once

#include "graph/graph.hpp"

namespace brine {

/// Is it an attribute of Tensor or Parameter that is never one of an instance's own (data, grad, requires_grad, shape …)?
bool is_own_attribute(std::string_view name) noexcept;

/// Adds to `origin`, whose callee makes the tensor, what that keeps of a state. False: no memory.
bool keep_state(Graph& graph, Origin& origin, const Ref& state) noexcept;

}  // namespace brine
