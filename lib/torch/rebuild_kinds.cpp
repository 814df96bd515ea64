// SPDX-License-Identifier: MIT
// Quantised, sparse, nested and meta tensors from their calls. Each keeps its call, so that it is written as it was read.
// Source: torch/_utils.py of 1.3 to 2.14, torch/_tensor.py (_reduce_ex_internal).
#include "torch/torch_calls.hpp"

#include "graph/walk.hpp"
#include "support/errors.hpp"
#include "support/try.hpp"
#include "tensor/kinds.hpp"
#include "torch/attributes.hpp"

#include <algorithm>

namespace brine {

namespace {

std::optional<double> number_of(const Ref& r) noexcept {
  if (r.kind == Kind::floating) return r.floating;
  const auto integer = int_of(r);
  return integer ? std::optional(static_cast<double>(*integer)) : std::nullopt;
}

Error count(const Ref& callee, std::span<const Ref> args) { return corrupt(std::string(global_of(callee).name) + " has " + std::to_string(args.size()) + " arguments"); }

/// torch.per_tensor_affine …
std::optional<QScheme> scheme_of(const Ref& value) noexcept {
  if (value.kind != Kind::global || global_of(value).module != "torch") return std::nullopt;
  for (const QScheme scheme : {QScheme::per_tensor_affine, QScheme::per_channel_affine, QScheme::per_channel_affine_float_qparams})
    if (global_of(value).name == name(scheme)) return scheme;
  return std::nullopt;
}

/// torch.sparse_coo …, as _get_layout('torch.sparse_coo') gives it.
std::optional<Layout> layout_of(const Ref& value) noexcept {
  if (value.kind != Kind::tuple || value.node->made != Made::layout || value.node->size != 1) return std::nullopt;
  const Ref& text = tuple_of(value).items()[0];
  if (text.kind != Kind::string || !text_of(text).starts_with("torch.")) return std::nullopt;
  for (const Layout layout : {Layout::sparse_coo, Layout::sparse_csr, Layout::sparse_csc, Layout::sparse_bsr, Layout::sparse_bsc})
    if (text_of(text).substr(6) == name(layout)) return layout;
  return std::nullopt;
}

bool all_tensors(std::span<const Ref> values) noexcept {
  return std::all_of(values.begin(), values.end(), [](const Ref& v) { return v.kind == Kind::tensor; });
}

}  // namespace

// The record with its call, and the wish that this says.
Called TorchCalls::keep_with_call(const CallSite& site, const Ref& callee, const Ref& args, TensorRecord& record, const Ref& requires_grad) {
  if (requires_grad.kind != Kind::boolean) return corrupt("expected requires_grad as a bool, found " + class_name(requires_grad));
  record.requires_grad = requires_grad.integer != 0;
  BRINE_TRY(check_grad(record));
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  return keep(site.graph(), record, &origin);
}

// Numbers that stand in the pickle as a list, as a tensor.
Result<const TensorRecord*> TorchCalls::numbers(Graph& graph, const Ref& list, DType dtype) {
  const std::size_t n = list.node->size, item = item_size(dtype);
  list.node->flags |= kRead;
  auto* data = reinterpret_cast<std::byte*>(graph.arena().array<double>(std::max<std::size_t>(n, 1)));  // of any dtype here
  auto* storage = graph.arena().make<StorageRecord>();
  auto* dims = graph.arena().array<std::int64_t>(2);
  auto* out = graph.arena().make<TensorRecord>();
  if (!data || !storage || !dims || !out) return spent();
  for (std::size_t i = 0; i < n; ++i) {
    const Ref& value = list_of(list).items()[i];
    const auto integer = int_of(value);
    const auto number = number_of(value);
    if (!number || (dtype == DType::int64 && !integer)) return corrupt("expected a list of numbers, found " + class_name(value));
    const double wide = *number;
    if (dtype == DType::int64) std::copy_n(reinterpret_cast<const std::byte*>(&*integer), item, data + i * item);
    else BRINE_TRY(convert(DType::float64, std::as_bytes(std::span(&wide, 1)), dtype, {data + i * item, item}));
  }
  storage->device = "cpu";
  storage->nbytes = n * item;
  storage->data = data;
  storage->dtype = dtype;
  storage->found = true;
  dims[0] = static_cast<std::int64_t>(n);
  dims[1] = 1;
  out->set_body(Strided{storage, 0});
  out->dims = dims;
  out->ndim = 1;
  out->dtype = dtype;
  return out;
}

// (storage, offset, size, stride, (scheme, …), requires_grad, hooks)
Called TorchCalls::rebuild_quantised(const CallSite& site, const Ref& callee, const Ref& args) {
  const auto a = tuple_of(args).items();
  if (a.size() != 7) return count(callee, a);
  if (a[0].kind == Kind::object || !is_tuple(a[4])) return std::nullopt;
  Graph& graph = site.graph();
  TensorRecord record;
  Dims dims;
  BRINE_TRY(place(record, dims, a.first(4), std::nullopt, true));
  const auto params = tuple_of(a[4]).items();
  const auto scheme = params.empty() ? std::nullopt : scheme_of(params[0]);
  if (!scheme) return std::nullopt;
  Quantised q;
  static_cast<Strided&>(q) = *record.as_strided();
  q.scheme = *scheme;
  if (q.scheme == QScheme::per_tensor_affine) {
    const auto scale = params.size() == 3 ? number_of(params[1]) : std::nullopt;
    const auto zero_point = params.size() == 3 ? int_of(params[2]) : std::nullopt;
    if (!scale || !zero_point) return corrupt("expected a scale and a zero point as numbers");
    q.scale = *scale, q.zero_point = *zero_point;
  } else {
    const auto axis = params.size() == 4 ? int_of(params[3]) : std::nullopt;
    if (!axis) return corrupt("expected scales, zero points and an axis");
    q.axis = *axis;
    const bool lists = params[1].kind == Kind::list && params[2].kind == Kind::list;
    if (!lists && !all_tensors(params.subspan(1, 2))) return std::nullopt;
    const bool floats = q.scheme == QScheme::per_channel_affine_float_qparams;
    for (const auto& [value, kept, dtype] : {std::tuple(params[1], &q.scales, floats ? DType::float32 : DType::float64),
                                             std::tuple(params[2], &q.zero_points, floats ? DType::float32 : DType::int64)}) {
      if (lists) {
        const auto made = numbers(graph, value, dtype);
        if (!made) return made.error();
        *kept = *made;
      } else {
        *kept = &read_tensor(value);
      }
    }
    // Files name both schemes alike: the zero points tell.
    if (q.zero_points->dtype == DType::float32) q.scheme = QScheme::per_channel_affine_float_qparams;
  }
  BRINE_TRY(check_quantised(record, q));
  const auto* body = graph.arena().make<Quantised>(q);
  if (!body) return spent();
  record.set_body(body);
  return keep_with_call(site, callee, args, record, a[5]);
}

// (layout, (indices, values, size[, is_coalesced])), or (layout, (compressed indices, plain indices, values, size))
Called TorchCalls::rebuild_sparse(const CallSite& site, const Ref& callee, const Ref& args) {
  const auto a = tuple_of(args).items();
  if (a.size() != 2) return count(callee, a);
  const auto layout = layout_of(a[0]);
  if (!layout || !is_tuple(a[1])) return std::nullopt;
  const auto data = tuple_of(a[1]).items();
  const bool coo = *layout == Layout::sparse_coo;
  if (coo ? data.size() != 3 && data.size() != 4 : data.size() != 4)
    return corrupt("expected the parts of a " + std::string(name(*layout)) + " tensor, found " + std::to_string(data.size()));
  const std::size_t tensors = coo ? 2 : 3;
  if (!all_tensors(data.first(tensors))) return std::nullopt;
  Graph& graph = site.graph();
  Dims dims;
  const auto ndim = sizes(dims, data[tensors], nullptr);
  if (!ndim) return ndim.error();
  std::fill_n(dims.values + *ndim, *ndim, 0);
  auto* body = graph.arena().make<Sparse>(&read_tensor(data[0]), coo ? nullptr : &read_tensor(data[1]), &read_tensor(data[tensors - 1]));
  if (!body) return spent();
  // Where it is not said, PyTorch takes what has no two values to be in order.
  body->coalesced = coo && body->values->ndim > 0 && body->values->shape()[0] < 2;
  if (coo && data.size() == 4 && data[3].kind != Kind::none) {
    if (data[3].kind != Kind::boolean) return corrupt("expected is_coalesced as a bool, found " + class_name(data[3]));
    body->coalesced = data[3].integer != 0;
  }
  TensorRecord record;
  record.layout = *layout;
  record.dtype = body->values->dtype;
  record.requires_grad = body->values->requires_grad;
  record.dims = dims.values;
  record.ndim = static_cast<std::uint8_t>(*ndim);
  BRINE_TRY(check_sparse(record, *body));
  record.set_body(body);
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  return keep(graph, record, &origin);
}

// (dtype, size, stride, requires_grad)
Called TorchCalls::rebuild_meta(const CallSite& site, const Ref& callee, const Ref& args) {
  const auto a = tuple_of(args).items();
  if (a.size() != 4) return count(callee, a);
  const auto dtype = dtype_of_global(a[0]);
  if (!dtype) return std::nullopt;
  TensorRecord record;
  record.dtype = *dtype;
  Dims dims;
  const auto ndim = sizes(dims, a[1], &a[2]);
  if (!ndim) return ndim.error();
  BRINE_TRY(check_strided({*dtype, {dims.values, *ndim}, {dims.values + *ndim, *ndim}, 0, INT64_MAX}, limits_));
  record.dims = dims.values;
  record.ndim = static_cast<std::uint8_t>(*ndim);
  record.set_meta();
  return keep_with_call(site, callee, args, record, a[3]);
}

// (buffer, sizes, strides, offsets), the offsets of 1.13 and 2.0 as a list
Called TorchCalls::rebuild_nested(const CallSite& site, const Ref& callee, const Ref& args) {
  const auto a = tuple_of(args).items();
  if (a.size() != 4) return count(callee, a);
  if (!all_tensors(a.first(3)) || (a[3].kind != Kind::tensor && a[3].kind != Kind::list)) return std::nullopt;
  Graph& graph = site.graph();
  const TensorRecord* offsets = nullptr;
  if (a[3].kind == Kind::list) {
    const auto made = numbers(graph, a[3], DType::int64);
    if (!made) return made.error();
    offsets = *made;
  } else {
    offsets = &read_tensor(a[3]);
  }
  const auto* body = graph.arena().make<Nested>(&read_tensor(a[0]), &read_tensor(a[1]), &read_tensor(a[2]), offsets);
  if (!body) return spent();
  BRINE_TRY(check_nested(*body));
  TensorRecord record;
  record.dtype = body->buffer->dtype;
  record.requires_grad = body->buffer->requires_grad;
  record.dims = body->buffer->dims;  // so that it has as many elements
  record.ndim = 1;
  record.set_body(body);
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  return keep(graph, record, &origin);
}

}  // namespace brine
