// SPDX-License-Identifier: MIT
// Attributes that a file sets on a tensor when it is made: the state of _rebuild_parameter_with_state and _rebuild_from_type_v2, attribute by
// attribute, as torch._utils._set_obj_state sets it; and a rebuild function's metadata. PyTorch's own act on the tensor or are refused; the rest is the
// user's, and is kept.
#pragma once

#include "graph/graph.hpp"
#include "tensor/record.hpp"

#include <brine/result.hpp>

namespace brine {

/// Is it an attribute of Tensor or Parameter that is never one of an instance's own (data, grad, requires_grad, shape …)?
bool is_own_attribute(std::string_view name) noexcept;

/// Sets each attribute of `state` (a dict, or the pair of __dict__ and __slots__) as setattr() would. False: the tensor's class may do anything with
/// it. `plain`: the class is one of torch's own, whose read-only names are refused. Marks what it has read (kRead).
/// Fails with: corrupt (tensor_arguments: what PyTorch refuses), limit.
Result<bool> set_attributes(Graph& graph, TensorRecord& record, const Ref& state, bool plain);

/// Adds to `origin`, whose callee makes the tensor, what that keeps of a state. False: no memory.
bool keep_state(Graph& graph, Origin& origin, const Ref& state);

/// conj and neg, by the keys of a rebuild function's last argument: being there counts. False: nobody knows what the argument is.
/// Fails with: corrupt (tensor_arguments).
Result<bool> set_metadata(Graph& graph, TensorRecord& record, const Ref& metadata);

/// As PyTorch has it: "only Tensors of floating point and complex dtype can require gradients".
Result<void> check_grad(const TensorRecord& record);

}  // namespace brine
