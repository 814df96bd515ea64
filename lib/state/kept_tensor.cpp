// SPDX-License-Identifier: MIT
#include "state/kept_tensor.hpp"

#include "graph/walk.hpp"
#include "tensor/record.hpp"
#include "torch/access.hpp"
#include "torch/tensor_objects.hpp"
#include "torch/torch_calls.hpp"

#include <brine/state_dict_tools.hpp>

namespace brine {

namespace {

constexpr std::size_t kDepth = 6, kSteps = 24;

struct Name {
  std::string_view module, name, kind;
};
constexpr Name kNames[] = {
    {"torch._utils", "_rebuild_sparse_tensor", "sparse"},
    {"torch._utils", "_rebuild_sparse_csr_tensor", "sparse"},
    {"torch._utils", "_rebuild_qtensor", "quantized"},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", "meta"},
    {"torch._utils", "_rebuild_nested_tensor", "nested"},
    {"torch.nested._internal.nested_tensor", "_rebuild_njt", "nested"},
    {"torch.nn.parameter", "UninitializedParameter", "uninitialized"},
    {"torch.nn.parameter", "UninitializedBuffer", "uninitialized"},
};

/// What a value says of the dtype of elements, if anything.
std::optional<DType> dtype_in(const Ref& value) noexcept {
  if (value.kind == Kind::tensor) return tensor_of(value).dtype;
  if (value.kind == Kind::storage) return storage_of(value).dtype;
  return dtype_of_global(value);
}

}  // namespace

std::string_view kept_tensor_call(const Ref& value) noexcept {
  const Origin* o = value.kind == Kind::object ? value.node->origin : nullptr;
  if (!o || o->callee.kind != Kind::global) return {};
  if (tensor_class(value) == TensorClass::distributed) return "distributed";
  const GlobalNode& callee = global_of(o->callee);
  for (const Name& row : kNames)
    if (row.name == callee.name && row.module == callee.module) return row.kind;
  const bool wrapper = callee.name == "_rebuild_parameter" || callee.name == "_rebuild_parameter_with_state";
  return callee.module == "torch._utils" && callee.name.starts_with("_rebuild_") && !wrapper ? "other" : "";
}

KeptTensor kept_tensor(const Ref& value) {
  KeptTensor out;
  if (value.kind != Kind::object && value.kind != Kind::tuple && value.kind != Kind::list) return out;
  bool any = false, floats = false;
  Walker walk(value, {}, kDepth);
  for (std::size_t i = 0; i < kSteps && walk.next(); ++i) {
    if (out.kind.empty()) out.kind = walk.value().kind == Kind::tensor && tensor_of(walk.value()).as_quantised() ? "quantized" : kept_tensor_call(walk.value());
    const auto dtype = dtype_in(walk.value());
    any |= dtype.has_value();
    floats |= dtype && (is_floating(*dtype) || is_complex(*dtype) || is_quantised(*dtype));
  }
  out.integers = any && !floats;
  return out;
}

std::string_view kept_tensor_kind(const Value& value) { return kept_tensor(Access::ref(value)).kind; }

}  // namespace brine
