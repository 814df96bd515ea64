// SPDX-License-Identifier: MIT
// Values of a state dict that are no plain tensors, and what PyTorch calls them.
#include "state/load_state_dict.hpp"

#include "support/text.hpp"
#include "torch/dtype_table.hpp"

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

std::string python_type(const Value& value) {
  if (const auto global = value.as_global())
    return global->module == "torch" && dtype_from_name(global->name) ? "torch.dtype" : value.type_name();
  const auto callee = value.callee().as_global();
  if (!callee || !callee->module.starts_with("numpy.")) return value.type_name();
  if (callee->name == "_reconstruct")
    if (const auto cls = value.args()[0].as_global()) return concat({cls->module, ".", cls->name});
  if (callee->name != "scalar") return value.type_name();
  const std::string_view type = value.args()[0].args()[0].as_string().value_or("");  // "f8": kind and bytes
  const std::string_view kind = type.starts_with('f') ? "float" : type.starts_with('i') ? "int" : type.starts_with('u') ? "uint" : "";
  if (kind.empty() || type.size() != 2) return value.type_name();
  return concat({"numpy.", kind, std::to_string((type[1] - '0') * 8)});
}

bool is_uninitialised(const Value& value) {
  const auto callee = value.callee().as_global();
  return callee && callee->module == "torch.nn.parameter" && callee->name.starts_with("Uninitialized");
}

}  // namespace brine
