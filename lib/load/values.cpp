// SPDX-License-Identifier: MIT
// Values of a state dict that are no plain tensors, and what PyTorch calls them.
#include "load/load_state_dict.hpp"

#include "support/text.hpp"
#include "tensor/dtype_table.hpp"

#include <cctype>

namespace brine {

std::string scalar_type(DType dtype) {
  const std::string_view storage = storage_class_name(dtype);
  if (!storage.empty()) return std::string(storage.substr(0, storage.size() - std::string_view("Storage").size()));
  if (dtype == DType::complex32) return "ComplexHalf";
  std::string out(name(dtype));
  const auto upper = [&](std::size_t i) { out[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[i]))); };
  upper(0);
  if (out.starts_with("Uint")) upper(1);
  return out;
}

// Of old, torch.FloatTensor; the dispatcher's own name for all others.
std::string tensor_type(DType dtype, bool sparse) {
  const std::string scalar = scalar_type(dtype), cls = concat({scalar, "Tensor"});
  const bool of_old = dtype_of_tensor_class(cls) == dtype && dtype != DType::bfloat16 && dtype != DType::bool_;
  if (of_old) return concat({sparse ? "torch.sparse." : "torch.", cls});
  return concat({sparse ? "SparseCPU" : is_quantised(dtype) ? "QuantizedCPU" : "CPU", scalar, "Type"});
}

bool is_uninitialised(const Value& value) {
  const auto callee = value.callee().as_global();
  return callee && callee->module == "torch.nn.parameter" && callee->name.starts_with("Uninitialized");
}

}  // namespace brine
