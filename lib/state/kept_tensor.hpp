// SPDX-License-Identifier: MIT
// Tensors that brine keeps as objects: which kind they are.
#pragma once

#include "graph/node.hpp"

#include <string_view>

namespace brine {

struct KeptTensor {
  std::string_view kind;  // "sparse", "quantized", "meta", "nested", "distributed", "uninitialized", "other"; empty: it is no tensor
  bool integers = false;  // all that it says of its elements is that they are integers or bools
};

/// The kind of this very object, or empty.
std::string_view kept_tensor_call(const Ref& value) noexcept;

/// Of an object, without the Parameter around it. A tuple or list is what the first tensor in it is: packed weights. Looks at a few values only.
KeptTensor kept_tensor(const Ref& value);

}  // namespace brine
