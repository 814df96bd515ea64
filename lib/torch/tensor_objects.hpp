// SPDX-License-Identifier: MIT
// Objects that stand for tensors: jagged nested tensors and DTensors, whose classes are Python's. They stay objects, so that everything that they are
// made of can be found, and are written as they were read; as tensors they are read when somebody asks.
#pragma once

#include "graph/graph.hpp"
#include "tensor/record.hpp"

#include <memory>

namespace brine {

enum class TensorClass : std::uint8_t { none, jagged, distributed, wrapper };  // wrapper: any other _rebuild_wrapper_subclass

/// By its call alone, which may be given anything.
TensorClass tensor_class(const Ref& value) noexcept;

/// May tensor_of_object() give a tensor?
inline bool stands_for_tensor(const Ref& value) noexcept {
  const TensorClass cls = tensor_class(value);
  return cls == TensorClass::jagged || cls == TensorClass::distributed;
}

/// The jagged tensor, or the local tensor of a DTensor that is all of it. `owner` keeps the graph alive. Looks at no element.
/// Fails with: usage (wrong_kind: another object, or a shard), corrupt (tensor_arguments).
Result<Tensor> tensor_of_object(const Graph& graph, const Ref& object, std::shared_ptr<const void> owner);

/// "a shard [2, 4] of [4, 4], Shard(dim=0)", or "all [4, 4], …": what this file has of a DTensor; empty of what is none.
std::string shard_text(const Graph& graph, const Ref& object);

}  // namespace brine
