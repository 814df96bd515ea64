// SPDX-License-Identifier: MIT
// Source: torch/nested/_internal/nested_tensor.py (_rebuild_njt), torch/distributed/tensor/_api.py and placement_types.py, 2.0 to 2.13.
#include "torch/tensor_objects.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "tensor/kinds.hpp"
#include "torch/access.hpp"
#include "torch/storages.hpp"

#include <brine/dtensor.hpp>

#include <algorithm>

namespace brine {

namespace {

constexpr std::size_t kMaxPlacements = 64;  // dimensions of a mesh: PyTorch's own limit of dimensions

Error wrong(std::string text) { return Error(ErrorKind::usage, ErrorCode::wrong_kind, std::move(text)); }

std::span<const Ref> arguments(const Ref& object) noexcept {
  const Ref& args = object.node->origin->args;
  return args.kind == Kind::tuple ? tuple_of(args).items() : std::span<const Ref>();
}

/// A jagged tensor with all that it refers to.
struct OwnJagged {
  TensorRecord record;
  Jagged body;
  std::shared_ptr<const void> owner;
};

// _rebuild_njt({'values': T, 'offsets': T, 'lengths': T or None, '_ragged_idx': int, 'requires_grad': bool, …})
Result<Tensor> jagged(const Graph& graph, const Ref& object, std::shared_ptr<const void> owner) {
  const auto args = arguments(object);
  if (args.size() != 1 || args[0].kind != Kind::dict) return corrupt("expected the parts of a jagged tensor as a dict");
  const auto part = [&](std::string_view name) {
    const Entry* e = graph.find(dict_of(args[0]), name);
    return e ? e->value : make_none();
  };
  const Ref values = part("values"), offsets = part("offsets"), lengths = part("lengths"), ragged = part("_ragged_idx"), grad = part("requires_grad");
  if (values.kind != Kind::tensor || offsets.kind != Kind::tensor || (lengths.kind != Kind::tensor && lengths.kind != Kind::none))
    return corrupt("expected values, offsets and lengths of a jagged tensor as tensors, found " + class_name(values) + ", " + class_name(offsets) + " and " + class_name(lengths));
  const auto dimension = ragged.kind == Kind::none ? std::optional<std::int64_t>(1) : int_of(ragged);
  if (!dimension || *dimension < 1) return corrupt("expected the ragged dimension of a jagged tensor as an int of 1 or above, found " + escaped(key_name(ragged, 40), 40));
  auto own = std::make_shared<OwnJagged>();
  own->body = {&tensor_of(values), &tensor_of(offsets), lengths.kind == Kind::none ? nullptr : &tensor_of(lengths), static_cast<std::size_t>(*dimension - 1)};
  BRINE_TRY(check_jagged(own->body));
  own->owner = std::move(owner);
  TensorRecord& record = own->record;
  record.set_body(&own->body);
  record.layout = Layout::jagged;
  record.dtype = own->body.values->dtype;
  record.dims = own->body.values->dims;  // so that it has as many elements
  record.ndim = own->body.values->ndim;
  record.requires_grad = grad.kind == Kind::boolean && grad.integer != 0;
  const Ref parameter = attribute(graph, object, "_is_param");
  record.parameter = parameter.kind == Kind::boolean && parameter.integer != 0;
  record.origin = object.node->origin->outer;  // taken out and saved, it is written as it was read
  const TensorRecord* made = &record;
  return Handles::tensor(std::move(own), made);
}

std::string_view class_of(const Ref& object) noexcept {
  const Origin* o = object.kind == Kind::object ? object.node->origin : nullptr;
  return o && o->callee.kind == Kind::global ? global_of(o->callee).name : std::string_view();
}

std::string value_text(const Ref& value) { return escaped(value.kind == Kind::string ? text_of(value) : std::string_view(key_name(value, 40)), 40); }

std::string placement_text(const Graph& graph, const Ref& placement) {
  const std::string_view cls = class_of(placement);
  const auto attr = [&](std::string_view name) { return value_text(attribute(graph, placement, name)); };
  if (cls == "Shard") return "Shard(dim=" + attr("dim") + ")";
  if (cls == "_StridedShard") return "_StridedShard(dim=" + attr("dim") + ", sf=" + attr("split_factor") + ")";
  if (cls == "Partial" || cls == "_Partial") return "Partial(" + attr("reduce_op") + ")";
  return escaped(cls.empty() ? class_name(placement) : std::string(cls), 40) + "()";
}

// Of these each process has what it has; of any other placement (Partial …) perhaps a summand.
bool keeps_elements(const Ref& placement) noexcept {
  const std::string_view cls = class_of(placement);
  return cls == "Shard" || cls == "_StridedShard" || cls == "Replicate";
}

// Of 2.9 on a mesh has _rank_map, before it mesh: the numbers of all its processes.
bool is_one_process(const Graph& graph, const Ref& mesh) noexcept {
  for (const std::string_view name : {"_rank_map", "mesh"})
    if (const Ref ranks = attribute(graph, mesh, name); ranks.kind == Kind::tensor) return tensor_of(ranks).numel() == 1;
  return false;
}

// _rebuild_wrapper_subclass(DTensor, dtype, size, …), and the attributes _local_tensor and _spec
Result<DTensor> distributed(const Graph& graph, const Ref& object, std::shared_ptr<const void> owner) {
  const auto args = arguments(object);
  const Ref local = attribute(graph, object, "_local_tensor"), spec = attribute(graph, object, "_spec");
  const Ref placements = attribute(graph, spec, "placements");
  if (args.size() < 3 || !is_tuple(args[2]) || local.kind != Kind::tensor || !is_tuple(placements)) return corrupt("expected the size, local tensor and placements of a DTensor");
  DTensor out{.local = Handles::tensor(std::move(owner), &tensor_of(local)), .shape = {}, .placements = {}};
  const auto sizes = tuple_of(args[2]).items(), of = tuple_of(placements).items();
  if (sizes.size() > Limits{}.dimensions || of.size() > kMaxPlacements)
    return corrupt("a DTensor of " + std::to_string(sizes.size()) + " dimensions and " + std::to_string(of.size()) + " placements");
  for (const Ref& size : sizes) {
    const auto value = int_of(size);
    if (!value) return corrupt("expected the size of a DTensor as ints of 64 bits, found " + class_name(size));
    out.shape.push_back(*value);
  }
  for (const Ref& placement : of) out.placements.push_back(placement_text(graph, placement));
  out.is_whole = std::ranges::equal(out.local.shape(), out.shape) &&
                 (std::all_of(of.begin(), of.end(), keeps_elements) || is_one_process(graph, attribute(graph, spec, "mesh")));
  return out;
}

std::string shard_text(const DTensor& d) {
  std::string out = d.is_whole ? "all " + shape_text(d.shape) : "a shard " + shape_text(d.local.shape()) + " of " + shape_text(d.shape);
  for (const std::string& placement : d.placements) out += ", " + placement;
  return out;
}

}  // namespace

TensorClass tensor_class(const Ref& value) noexcept {
  const Origin* o = value.kind == Kind::object ? value.node->origin : nullptr;
  if (!o || !o->outer || o->callee.kind != Kind::global) return TensorClass::none;
  const GlobalNode& callee = global_of(o->callee);
  if (callee.name == "_rebuild_njt") return callee.module == "torch.nested._internal.nested_tensor" ? TensorClass::jagged : TensorClass::none;
  if (callee.name != "_rebuild_wrapper_subclass" || callee.module != "torch._utils") return TensorClass::none;
  const auto args = arguments(value);
  if (args.empty() || args[0].kind != Kind::global || global_of(args[0]).name != "DTensor") return TensorClass::wrapper;
  const std::string_view module = global_of(args[0]).module;
  return module.starts_with("torch.distributed.tensor") || module.starts_with("torch.distributed._tensor") ? TensorClass::distributed : TensorClass::wrapper;
}

Result<Tensor> tensor_of_object(const Graph& graph, const Ref& object, std::shared_ptr<const void> owner) {
  switch (tensor_class(object)) {
    case TensorClass::jagged: return jagged(graph, object, std::move(owner));
    case TensorClass::distributed: {
      BRINE_LET(found, distributed(graph, object, std::move(owner)));
      if (found->is_whole) return std::move(found->local);
      return wrong("expected a tensor, found " + shard_text(*found) + ": DTensor::of() gives it; the others are in the files of the other processes");
    }
    case TensorClass::wrapper: {
      const auto args = arguments(object);
      const bool named = !args.empty() && args[0].kind == Kind::global;
      return wrong("expected a tensor, found one of a wrapper subclass" +
                   (named ? " (" + escaped(global_of(args[0]).module, 100) + "." + escaped(global_of(args[0]).name, 100) + ")" : std::string()) +
                   ": attr() gives the tensors that it is made of");
    }
    case TensorClass::none: break;
  }
  return wrong("expected a tensor, found " + escaped(qualified_class_name(object), 100));
}

std::string shard_text(const Graph& graph, const Ref& object) {
  if (tensor_class(object) != TensorClass::distributed) return {};
  const auto found = distributed(graph, object, nullptr);
  return found ? shard_text(*found) : found.error().text();
}

Result<DTensor> DTensor::of(const Value& value) {
  return guarded("a DTensor", [&]() -> Result<DTensor> {
    const Graph* graph = Access::graph(value);
    if (tensor_class(Access::ref(value)) != TensorClass::distributed) return Access::refusal(value, "a DTensor");
    auto found = distributed(*graph, Access::ref(value), graph->owner());
    if (!found) return std::move(found).error().at_path(value.path()).in_file(graph->file);
    return found;
  });
}

}  // namespace brine
