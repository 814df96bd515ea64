// SPDX-License-Identifier: MIT
// Tensors from their calls. Every argument is checked before it is used; the view itself by check_strided.
// Source of the forms: torch/_utils.py, torch/_tensor.py, torch/nn/parameter.py and torch/tensor.py of 0.1.10 to 2.14.
#include "torch/torch_calls.hpp"

#include "graph/walk.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/try.hpp"
#include "tensor/dtype_table.hpp"
#include "tensor/kinds.hpp"
#include "tensor/lazy_bits.hpp"
#include "torch/attributes.hpp"

#include <algorithm>

namespace brine {

namespace {

// Nobody but the call refers to it, so that it can be made anew.
bool is_own(const Ref& r) noexcept { return r.kind != Kind::tuple || r.node->size == 0 || !(r.node->flags & kFetched); }

// OrderedDict() as torch.save writes it for backward hooks: nothing in it, nobody else's.
bool is_empty_hooks(const Ref& r) noexcept {
  return r.kind == Kind::dict && r.node->made == Made::ordered_dict && r.node->size == 0 && r.node->origin && !r.node->origin->first &&
         !(r.node->flags & kFetched) && tuple_of(r.node->origin->args).size == 0;
}

// A call that could be canonical is written with the memo entries of one, or saving once more would add them. Picklers give each of these one.
void memoise(const Ref& args, std::span<const Ref> parts) noexcept {
  args.node->flags |= kMemoised;
  for (const Ref& part : parts)
    if (part.kind == Kind::tuple || part.kind == Kind::dict) part.node->flags |= kMemoised;
}

Result<bool> flag(const Ref& r, const char* what) {
  if (r.kind == Kind::boolean) return r.integer != 0;
  return corrupt("expected " + std::string(what) + " as a bool, found " + class_name(r));
}

}  // namespace

// A copy of the record, and of its dims, in the graph; with an origin where the call is not the canonical one.
Called TorchCalls::keep(Graph& graph, const TensorRecord& record, const Origin* origin) {
  auto* kept = graph.arena().make<TensorRecord>(record);
  if (kept) kept->read = false;
  auto* dims = graph.arena().array<std::int64_t>(record.ndim * std::size_t{2});
  if (!kept || !dims) return spent();
  std::copy_n(record.dims, record.ndim * std::size_t{2}, dims);
  kept->dims = dims;
  if (origin && !(kept->origin = graph.arena().make<Origin>(*origin))) return spent();
  return make_tensor_ref(kept);
}

// The numbers of a size, and of a stride; how many dimensions there are.
Result<std::size_t> TorchCalls::sizes(Dims& dims, const Ref& size, const Ref* stride) const {
  if (!is_tuple(size) || (stride && !is_tuple(*stride)))
    return corrupt("expected size and stride as tuples, found " + class_name(size) + (stride ? " and " + class_name(*stride) : ""));
  const auto s = tuple_of(size).items(), t = stride ? tuple_of(*stride).items() : std::span<const Ref>();
  const std::uint64_t max = std::min<std::uint64_t>(limits_.dimensions, Dims::kMax);
  if (s.size() > max || t.size() > max)
    return Error(ErrorKind::limit, ErrorCode::too_many_dimensions, std::to_string(std::max(s.size(), t.size())) + " dimensions; Limits::dimensions is " + std::to_string(max));
  for (std::size_t i = 0; i < s.size() + t.size(); ++i) {
    const Ref& item = i < s.size() ? s[i] : t[i - s.size()];
    const auto value = int_of(item);
    if (!value) return corrupt("expected a " + std::string(i < s.size() ? "size" : "stride") + " as ints of 64 bits, found " + class_name(item));
    dims.values[i] = *value;
  }
  if (stride && s.size() != t.size())  // as check_strided() says it
    return check_strided({DType::uint8, {dims.values, s.size()}, {dims.values + s.size(), t.size()}, 0, 0}, limits_).error();
  return s.size();
}

// Fills storage, dtype, offset and dims of the record from (storage, offset, size, stride); the dims are in `dims`. `packs`: it becomes a quantised
// tensor, of which several elements may share a byte; of any other each has its own.
Result<void> TorchCalls::place(TensorRecord& record, Dims& dims, std::span<const Ref> a, std::optional<DType> dtype, bool packs) {
  if (a[0].kind != Kind::storage) return corrupt("expected the tensor's storage, found " + class_name(a[0]));
  const StorageRef storage = storage_of(a[0]);
  if (!dtype) dtype = storage.dtype;  // of untyped ones uint8, as in PyTorch
  const auto offset = int_of(a[1]);
  if (!offset) return corrupt("expected the storage offset as an int of 64 bits, found " + class_name(a[1]));
  const auto ndim = sizes(dims, a[2], &a[3]);
  if (!ndim) return ndim.error();
  const std::span<const std::int64_t> size(dims.values, *ndim), stride(dims.values + *ndim, *ndim);

  const auto item = static_cast<std::int64_t>(item_size(*dtype));
  const std::int64_t numel = storage.view ? storage.view->numel : static_cast<std::int64_t>(storage.record->nbytes) / item;
  if (storage.view && item_size(storage.dtype) != item_size(*dtype)) return corrupt("the dtype is not that of the storage it is a view of");
  const std::int64_t packed = packs ? values_per_byte(*dtype) : 1;
  if (packed != 1 && (*offset != 0 || !is_contiguous(size, stride)))
    return Error(ErrorKind::unsupported, ErrorCode::tensor_arguments, "a view of a tensor of " + std::string(name(*dtype)) + ", whose elements share bytes");
  BRINE_TRY(check_strided({*dtype, size, stride, *offset, packed == 1 ? numel : checked_multiply(numel, packed).value_or(INT64_MAX)}, limits_));
  const auto from_root = checked_add(*offset, storage.view ? storage.view->offset : std::int64_t{0});
  if (!from_root) return corrupt("the storage offset overflows");

  const auto swapped_by = [](DType t) { return item_size(t) / (is_complex(t) ? 2 : 1); };
  const StorageRecord& whole = *storage.record;
  if (!whole.untyped && (record.form == TensorForm::v3 ? 1 : swapped_by(*dtype)) != swapped_by(whole.dtype)) whole.mixed = true;
  record.set_body({&whole, *from_root});
  record.dtype = *dtype;
  record.ndim = static_cast<std::uint8_t>(*ndim);
  record.unset = false;
  record.dims = dims.values;
  return {};
}

Called TorchCalls::rebuild_tensor(const CallSite& site, const Ref& callee, const Ref& args, TensorForm form) {
  const auto a = tuple_of(args).items();
  const std::size_t min = form == TensorForm::v1 ? 4 : form == TensorForm::v2 ? 6 : 7, max = form == TensorForm::v1 ? 4 : min + 1;
  if (a.size() < min || a.size() > max)
    return corrupt(std::string(global_of(callee).name) + " takes " + std::to_string(min) + " to " + std::to_string(max) + " arguments, not " + std::to_string(a.size()));

  if (a[0].kind == Kind::object && a[0].node->origin->how != How::persistent) return std::nullopt;  // torch.storage._load_from_bytes(…), or any other call that may give a storage
  TensorRecord record;
  record.form = form;
  std::optional<DType> dtype;
  bool canonical = form != TensorForm::v1 && a.size() == min && site.how() == How::reduce && is_own(args) && is_own(a[2]) && is_own(a[3]);
  if (form != TensorForm::v1) {
    const auto requires_grad = flag(a[4], "requires_grad");
    if (!requires_grad) return requires_grad.error();
    record.requires_grad = *requires_grad;
    if (a[5].kind != Kind::dict && a[5].kind != Kind::none) return corrupt("expected the backward hooks as a dict, found " + class_name(a[5]));
    canonical = canonical && is_empty_hooks(a[5]) && a[4].kind == Kind::boolean;
    if (form == TensorForm::v3) {
      canonical = canonical && a[6].kind == Kind::global;
      dtype = dtype_of_global(a[6]);
      if (!dtype) return corrupt("expected one of PyTorch's dtypes, found " + (a[6].kind == Kind::global ? std::string(global_of(a[6]).name) : class_name(a[6])));
    }
    if (a.size() == max) {
      const auto known = set_metadata(site.graph(), record, a.back());
      if (!known) return known.error();
      if (!*known) return std::nullopt;
    }
  }
  Dims dims;
  BRINE_TRY(place(record, dims, a.first(4), dtype));
  if (record.conj && !is_complex(record.dtype)) return corrupt("expected a complex tensor to conjugate, found dtype " + std::string(name(record.dtype)));
  if (record.neg && !can_be_negative(record.dtype)) return corrupt("expected a tensor of numbers to negate, found dtype " + std::string(name(record.dtype)));
  BRINE_TRY(check_grad(record));
  if (!canonical) {
    if (form != TensorForm::v1) memoise(args, a.subspan(2));
    const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
    return keep(site.graph(), record, &origin);
  }
  site.release_arguments();  // all that matters has been copied out of them
  return keep(site.graph(), record, nullptr);
}

Called TorchCalls::rebuild_parameter(const CallSite& site, const Ref& callee, const Ref& args, bool with_state) {
  const auto a = tuple_of(args).items();
  if (a.size() != (with_state ? 4u : 3u)) return corrupt(std::string(global_of(callee).name) + " has " + std::to_string(a.size()) + " arguments");
  if (a[0].kind != Kind::tensor) return std::nullopt;  // a parameter of a kind that is kept as an object
  const auto requires_grad = flag(a[1], "requires_grad");
  if (!requires_grad) return requires_grad.error();
  TensorRecord record = read_tensor(a[0]);
  record.base = &tensor_of(a[0]);
  record.form = TensorForm::parameter;
  record.parameter = true;
  record.requires_grad = *requires_grad;
  record.origin = nullptr;
  BRINE_TRY(check_grad(record));
  if (with_state) {
    const auto known = set_attributes(site.graph(), record, a[3], true);
    if (!known) return known.error();
    if (!*known) return std::nullopt;
  }
  Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  if (with_state && !keep_state(site.graph(), origin, a[3])) return spent();
  const bool canonical = !with_state && is_empty_hooks(a[2]) && site.how() == How::reduce && is_own(args) && a[1].kind == Kind::boolean;
  if (!canonical && !with_state) memoise(args, a.subspan(1));
  return keep(site.graph(), record, canonical ? nullptr : &origin);
}

// Parameter(data[, requires_grad]) of 0.4, or Parameter(data) / Parameter() and a BUILD before; Variable likewise.
Called TorchCalls::parameter_class(const CallSite& site, const Ref& callee, const Ref& args, bool parameter) {
  const auto a = tuple_of(args).items();
  TensorRecord record;
  record.unset = a.empty();
  if (!a.empty()) {
    if (a[0].kind != Kind::tensor || a.size() > 2) return std::nullopt;
    record = read_tensor(a[0]);
    record.base = &tensor_of(a[0]);
  }
  record.form = TensorForm::parameter;
  record.parameter = parameter;
  record.requires_grad = parameter;
  if (a.size() == 2) {
    const auto requires_grad = flag(a[1], "requires_grad");
    if (!requires_grad) return requires_grad.error();
    record.requires_grad = *requires_grad;
    BRINE_TRY(check_grad(record));
  }
  // PyTorch of today refuses integers here; that of 2017 had them, and took the wish back by a BUILD.
  if (a.size() == 1 && !is_floating(record.dtype) && !is_complex(record.dtype)) record.requires_grad = false;
  static constexpr std::int64_t kEmpty[] = {0, 1};
  if (record.unset) record.dims = kEmpty, record.ndim = 1;
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  return keep(site.graph(), record, &origin);
}

// torch.FloatTensor() and a BUILD with its storage: 0.1.x.
Called TorchCalls::tensor_class(const CallSite& site, const Ref& callee, const Ref& args) {
  if (tuple_of(args).size != 0) return std::nullopt;
  static constexpr std::int64_t kEmpty[] = {0, 1};
  TensorRecord record;
  record.form = TensorForm::old_class;
  record.dtype = dtype_of_tensor_class(global_of(callee).name).value_or(DType::float32);
  record.dims = kEmpty;
  record.ndim = 1;
  record.unset = true;
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  return keep(site.graph(), record, &origin);
}

Result<void> TorchCalls::build(Graph& graph, const Ref& tensor, const Ref& state) {
  auto& record = const_cast<TensorRecord&>(tensor_of(tensor));  // ours, and not yet shared
  const auto s = is_tuple(state) ? tuple_of(state).items() : std::span<const Ref>();
  const bool wrapper = record.form == TensorForm::parameter && record.origin;
  if (record.read) return Error(ErrorKind::unsupported, ErrorCode::pickle_target, "this tensor was the argument of a call before; it may not change after that");
  if (record.form == TensorForm::old_class && record.unset && s.size() == 4) {
    Dims dims;
    TensorRecord data = record;
    BRINE_TRY(place(data, dims, s, std::nullopt));
    const auto kept = keep(graph, data, nullptr);
    if (!kept) return kept.error();
    record = tensor_of(**kept);
  } else if (wrapper && !record.unset && s.size() == 3) {  // (requires_grad, volatile, backward_hooks)
    const auto requires_grad = flag(s[0], "requires_grad");
    if (!requires_grad) return requires_grad.error();
    record.requires_grad = *requires_grad;
    BRINE_TRY(check_grad(record));
  } else if (wrapper && s.size() == 5 && s[0].kind == Kind::tensor) {  // (data, grad, backward_hooks, requires_grad, volatile)
    const auto requires_grad = flag(s[3], "requires_grad");
    if (!requires_grad) return requires_grad.error();
    TensorRecord data = read_tensor(s[0]);
    data.base = &tensor_of(s[0]);
    data.origin = record.origin;
    data.form = record.form;
    data.parameter = record.parameter;
    data.requires_grad = *requires_grad;
    data.read = false;
    BRINE_TRY(check_grad(data));
    record = data;
  } else {
    return Error(ErrorKind::corrupt, ErrorCode::pickle_target, "cannot set the state of a tensor");
  }
  return graph.add_effect(*const_cast<Origin*>(record.origin), {}, state) ? Result<void>() : spent();
}

}  // namespace brine
