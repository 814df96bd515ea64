// SPDX-License-Identifier: MIT
// Names, dispatch, and what is no tensor. The tensors are made in rebuild.cpp.
#include "torch/torch_calls.hpp"

#include "graph/walk.hpp"
#include "tensor/dtype_table.hpp"
#include "torch/attributes.hpp"
#include "torch/numpy.hpp"
#include "torch/tensor_objects.hpp"

#include <algorithm>

namespace brine {

namespace {

struct Name {
  std::string_view module, name;
  TorchCall call;
};
constexpr Name kNames[] = {
    {"torch._utils", "_rebuild_tensor_v2", TorchCall::rebuild_tensor_v2},
    {"torch._utils", "_rebuild_parameter", TorchCall::rebuild_parameter},
    {"torch._utils", "_rebuild_tensor_v3", TorchCall::rebuild_tensor_v3},
    {"torch._utils", "_rebuild_tensor", TorchCall::rebuild_tensor},
    {"torch._utils", "_rebuild_parameter_with_state", TorchCall::rebuild_parameter_with_state},
    {"torch._tensor", "_rebuild_from_type_v2", TorchCall::rebuild_from_type},
    {"torch._tensor", "_rebuild_from_type", TorchCall::rebuild_from_type},
    {"torch.tensor", "_rebuild_from_type", TorchCall::rebuild_from_type},  // torch.load knows the module by its old name, too
    {"torch.tensor", "_rebuild_from_type_v2", TorchCall::rebuild_from_type},
    {"torch._utils", "_rebuild_qtensor", TorchCall::rebuild_quantised},
    {"torch._utils", "_rebuild_sparse_tensor", TorchCall::rebuild_sparse},
    {"torch._utils", "_rebuild_sparse_csr_tensor", TorchCall::rebuild_sparse_csr},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", TorchCall::rebuild_meta},
    {"torch._utils", "_rebuild_nested_tensor", TorchCall::rebuild_nested},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", TorchCall::device_tensor},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", TorchCall::device_tensor},
    {"torch._utils", "_rebuild_xla_tensor", TorchCall::device_tensor},
    {"torch.nn.parameter", "Parameter", TorchCall::parameter},
    {"torch.autograd.variable", "Variable", TorchCall::variable},
    {"torch", "Size", TorchCall::size},
    {"torch", "device", TorchCall::device},
    {"torch.serialization", "_get_layout", TorchCall::layout},
    {"torch", "per_tensor_affine", TorchCall::per_tensor_affine},
    {"torch", "per_channel_affine", TorchCall::per_channel_affine},
};

// Classes whose attributes are PyTorch's, and no code of the writer's.
bool is_own_class(const Ref& type) noexcept {
  if (type.kind != Kind::global) return false;
  const GlobalNode& g = global_of(type);
  return (g.name == "Tensor" && (g.module == "torch" || g.module == "torch._tensor")) ||
         ((g.name == "Parameter" || g.name == "Buffer") && g.module == "torch.nn.parameter");
}

// A container, or the pair of two, that may not change any more: what is made of it would be another thing then.
void mark_read(const Ref& value) noexcept {
  if (is_container(value)) value.node->flags |= kRead;
  if (!is_tuple(value) || value.node->size != 2) return;
  for (const Ref& part : tuple_of(value).items())
    if (is_container(part)) part.node->flags |= kRead;
}

}  // namespace

std::uint16_t TorchCalls::known(std::string_view module, std::string_view name) const {
  if (module.starts_with("numpy")) return numpy_known(module, name);
  if (!module.starts_with("torch")) return 0;
  for (const Name& row : kNames)
    if (row.name == name && row.module == module) return static_cast<std::uint16_t>(row.call);
  if (module == "torch")
    if (const auto dtype = dtype_from_name(name)) return static_cast<std::uint16_t>(kFirstDtype + static_cast<unsigned>(*dtype));
  if (name.ends_with("Storage")) {
    if (is_untyped_storage_class(name)) return kUntypedStorage;
    const auto dtype = dtype_of_storage_class(name);
    const bool cuda = module == "torch.cuda";
    if (dtype && (cuda || module == "torch")) return static_cast<std::uint16_t>((cuda ? kFirstCudaStorage : kFirstStorage) + static_cast<unsigned>(*dtype));
  }
  if ((module == "torch" || module == "torch.cuda") && (name == "Tensor" || dtype_of_tensor_class(name)))
    return static_cast<std::uint16_t>(TorchCall::tensor_class);
  return 0;
}

std::optional<DType> dtype_of_global(const Ref& value) noexcept {
  if (value.kind != Kind::global || value.node->known < kFirstDtype || value.node->known >= kFirstStorage) return std::nullopt;
  return static_cast<DType>(value.node->known - kFirstDtype);
}

bool TorchCalls::is_class(std::uint16_t known) const {
  if (known >= kFirstNumpy) return numpy_is_class(known);
  if (known >= kFirstDtype) return known >= kFirstStorage;
  const auto call = static_cast<TorchCall>(known);
  return call >= TorchCall::parameter && call <= TorchCall::device;
}

Error TorchCalls::spent() const {
  return storages_.spent("the list of tensors");
}

Called TorchCalls::call(const CallSite& site, const Ref& callee, const Ref& args) {
  if (callee.node->known >= kFirstNumpy) {
    const Ref object = numpy_object(site, callee, args);
    return object.kind != Kind::absent ? Called(object) : Called(spent());
  }
  if (callee.node->known >= kFirstDtype) return std::nullopt;
  switch (static_cast<TorchCall>(callee.node->known)) {
    case TorchCall::rebuild_tensor: return rebuild_tensor(site, callee, args, TensorForm::v1);
    case TorchCall::rebuild_tensor_v2: return rebuild_tensor(site, callee, args, TensorForm::v2);
    case TorchCall::rebuild_tensor_v3: return rebuild_tensor(site, callee, args, TensorForm::v3);
    case TorchCall::rebuild_parameter: return rebuild_parameter(site, callee, args, false);
    case TorchCall::rebuild_parameter_with_state: return rebuild_parameter(site, callee, args, true);
    case TorchCall::rebuild_from_type: return rebuild_from_type(site, callee, args);
    case TorchCall::rebuild_quantised: return rebuild_quantised(site, callee, args);
    case TorchCall::rebuild_sparse:
    case TorchCall::rebuild_sparse_csr: return rebuild_sparse(site, callee, args);
    case TorchCall::rebuild_meta: return rebuild_meta(site, callee, args);
    case TorchCall::rebuild_nested: return rebuild_nested(site, callee, args);
    case TorchCall::device_tensor: return device_tensor(site, callee, args);
    case TorchCall::parameter: return parameter_class(site, callee, args, true);
    case TorchCall::variable: return parameter_class(site, callee, args, false);
    case TorchCall::tensor_class: return tensor_class(site, callee, args);
    case TorchCall::size: {
      const auto a = tuple_of(args).items();
      if (a.size() != 1 || !is_tuple(a[0])) return std::nullopt;
      for (const Ref& item : tuple_of(a[0]).items())
        if (item.kind != Kind::integer && item.kind != Kind::boolean && item.kind != Kind::object)
          return Error(ErrorKind::corrupt, ErrorCode::tensor_arguments, "expected the items of a torch.Size as ints, found " + class_name(item));
      return marked_tuple(site, callee, args, Made::size);
    }
    case TorchCall::device: return marked_tuple(site, callee, args, Made::device);
    case TorchCall::layout: return marked_tuple(site, callee, args, Made::layout);
    case TorchCall::per_tensor_affine:
    case TorchCall::per_channel_affine: break;
  }
  return std::nullopt;
}

Called TorchCalls::persistent(Graph& graph, const Ref& id) { return ids_.resolve({graph, storages_, class_ids_, limits_}, id); }

Called TorchCalls::marked_tuple(const CallSite& site, const Ref& callee, const Ref& args, Made made) {
  Graph& graph = site.graph();
  const Ref value = graph.tuple(made == Made::size ? tuple_of(tuple_of(args).items()[0]).items() : tuple_of(args).items(), made);
  if (value.kind == Kind::absent || !graph.set_origin(*value.node, {.callee = callee, .args = args, .kwargs = {}, .how = site.how()})) return spent();
  return value;
}

// The value is func(*args): the type is a class of the writer's, and the state its Python attributes. A func that brine does not know stays an
// object of its own, so that what it was given can be found.
Called TorchCalls::rebuild_from_type(const CallSite& site, const Ref& callee, const Ref& args) {
  Graph& graph = site.graph();
  Ref func = callee, inner = args;
  constexpr std::size_t max = 16;  // PyTorch nests two
  std::size_t depth = 0;
  struct Level {
    Ref type, state;
    bool sets;  // the older function fills __dict__, which sets nothing
  } levels[max];  // the outermost first, which is set last
  while (func.kind == Kind::global && func.node->known == static_cast<std::uint16_t>(TorchCall::rebuild_from_type)) {
    const auto a = tuple_of(inner).items();
    if (a.size() != 4 || !is_tuple(a[2]) || depth == max)
      return Error(ErrorKind::corrupt, ErrorCode::tensor_arguments, "_rebuild_from_type_v2 takes (function, type, arguments, state)");
    levels[depth++] = {a[1], a[3], global_of(func).name == "_rebuild_from_type_v2"};
    func = a[0];
    inner = a[2];
  }
  Origin outer{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  const auto keep_states = [&](Origin& origin) {
    bool ok = true;
    for (std::size_t i = depth; i-- > 0;) ok = ok && keep_state(graph, origin, levels[i].state);
    return ok;
  };
  if (func.kind == Kind::global && func.node->known >= kFirstForeign && func.node->known < kFirstNumpy) {
    Called value = call(CallSite(graph, How::reduce, nullptr), func, inner);
    if (!value || (*value && (*value)->kind != Kind::tensor)) return value;
    if (*value) {
      TensorRecord record = tensor_of(**value);
      bool all_known = true;
      for (std::size_t i = depth; i-- > 0 && all_known;) {
        if (!levels[i].sets) continue;
        const auto known = set_attributes(graph, record, levels[i].state, is_own_class(levels[i].type));
        if (!known) return known.error();
        all_known = *known || !is_own_class(levels[i].type);
      }
      outer.kept = record.origin ? record.origin->kept : nullptr;
      if (all_known) return keep_states(outer) ? keep(graph, record, &outer) : Called(spent());
    }
  }
  const Ref object = graph.object({.callee = func, .args = inner, .kwargs = {}});
  if (object.kind == Kind::absent || !(object.node->origin->outer = graph.arena().make<Origin>(outer)) || !keep_states(*object.node->origin)) return spent();
  if (stands_for_tensor(object)) {
    for (std::size_t i = 0; i < depth; ++i) mark_read(levels[i].state);
    for (const Ref& arg : tuple_of(inner).items()) mark_read(arg);
  }
  return object;
}

}  // namespace brine
