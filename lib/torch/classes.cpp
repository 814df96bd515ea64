// SPDX-License-Identifier: MIT
// What the classes of PyTorch and numpy are called that the graph knows by number.
#include "graph/classes.hpp"
#include "tensor/record.hpp"

namespace brine {

ClassWords words_of(Made made) noexcept {
  switch (made) {
    case Made::size: return {"torch", "Size"};
    case Made::device: return {"torch", "device"};
    case Made::layout: return {"torch", "layout"};
    case Made::array: return {"numpy", "ndarray"};
    case Made::plain:
    case Made::ordered_dict:
    case Made::default_dict:
    case Made::counter:
    case Made::deque:
    case Made::scalar:
    case Made::array_dtype: break;
  }
  return {};
}

ClassWords tensor_words(std::uint16_t tag) noexcept { return tag == kParameterTag ? ClassWords{"torch.nn.parameter", "Parameter"} : ClassWords{"torch", "Tensor"}; }

const ClassWords kStorageWords{"torch.storage", "TypedStorage"}, kValueWords{"torch", "dtype"};
const std::string_view kValueModule = "torch";

}  // namespace brine
