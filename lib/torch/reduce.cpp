// SPDX-License-Identifier: MIT
#include "torch/reduce.hpp"

#include "pickle/python_calls.hpp"
#include "support/try.hpp"
#include "tensor/dtype_table.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>

namespace brine {

namespace {

Error spent() { return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the pickle"); }

// Bytes per element of the storage: UntypedStorage counts bytes, and so do the dtypes that are written as one.
bool written_untyped(const TensorRecord& t) noexcept { return t.form == TensorForm::v3 || storage_class_name(t.dtype).empty(); }

bool has_view(const Ref& args) noexcept {
  if (args.kind != Kind::tuple) return false;
  const auto a = tuple_of(args).items();
  return !a.empty() && a[0].kind == Kind::storage && storage_of(a[0]).view;
}

TorchCall call_of(const TensorRecord& t) noexcept {
  return t.origin->callee.kind == Kind::global ? static_cast<TorchCall>(t.origin->callee.node->known) : TorchCall{};
}

// A call that gives a plain tensor and no more can be said as today's, and has to be where a storage is a part of another, which zips cannot say, or is cut.
bool replaceable(const TensorRecord& t, const ReduceOptions& options) noexcept {
  if (!strided_or_none(t).storage || t.form == TensorForm::parameter || is_quantised(t.dtype)) return false;
  const TorchCall call = call_of(t);
  const bool plain = call == TorchCall::rebuild_tensor || call == TorchCall::rebuild_tensor_v2 || call == TorchCall::rebuild_tensor_v3;
  if (!plain && call != TorchCall::tensor_class) return false;
  return !options.keep_calls || options.compact || has_view(t.origin->args) || (t.origin->first && has_view(t.origin->first->state));
}

// A Parameter or Variable as releases up to 0.4 wrote it, or with what PyTorch does not write again (hooks), around a plain tensor.
bool old_wrapper(const TensorRecord& t, const ReduceOptions& options) noexcept {
  if (options.keep_calls || t.form != TensorForm::parameter || !t.origin || !t.base || !strided_or_none(t).storage || is_quantised(t.dtype)) return false;
  const TorchCall call = call_of(t);
  if (call != TorchCall::parameter && call != TorchCall::variable && call != TorchCall::rebuild_parameter) return false;
  return t.base->form != TensorForm::parameter && (!t.base->origin || replaceable(*t.base, options));
}

}  // namespace

Result<void> TorchReduce::write_global(Emitter& out, std::string_view module, std::string_view name, std::uint16_t known) {
  if (known >= globals_.size()) globals_.resize(known + std::size_t{1});
  if (const auto entry = globals_[known]) return out.again(*entry), Result<void>();
  GlobalNode* first = out.graph().first(known);
  const Ref global = first ? make_node(Kind::global, first) : out.graph().first_global(module, name, known);
  if (global.kind == Kind::absent) return spent();
  BRINE_TRY(out.global(global));
  if (const std::uint32_t* entry = out.entry(global)) globals_[known] = *entry;
  return {};
}

Result<void> TorchReduce::empty_hooks(Emitter& out) {
  BRINE_TRY(write_global(out, "collections", "OrderedDict", static_cast<std::uint16_t>(PythonCall::ordered_dict)));
  out.begin();
  out.op(Op::EMPTY_TUPLE);
  out.op(Op::REDUCE);
  out.put();
  return {};
}

// What a compacted storage leaves out before its first element.
std::int64_t TorchReduce::shift(const StorageRecord& storage, DType dtype) const noexcept {
  const auto at = options_.compact ? reach_.find(&storage) : reach_.end();
  return at == reach_.end() || at->second.last < 0 ? 0 : at->second.first / static_cast<std::int64_t>(item_size(dtype));
}

void TorchReduce::see(const TensorRecord& t) {
  const Strided* s = t.as_strided();
  if (!s || !s->storage || t.numel() == 0) return;
  const auto item = static_cast<std::int64_t>(item_size(t.dtype));
  std::int64_t last = s->offset;
  for (std::size_t d = 0; d < t.ndim; ++d) last += (t.shape()[d] - 1) * t.stride()[d];
  Reach& reach = reach_[s->storage];
  reach.item = std::max(reach.item, item);
  reach.first = std::min(reach.first, s->offset * item);
  reach.last = std::max(reach.last, (last + 1) * item - 1);
}

void TorchReduce::surveyed() {
  surveying_ = false;
  storages_.clear();
  globals_.clear();
  storage_word_.reset();
  class_ = device_ = {};
  for (auto& [record, reach] : reach_) {  // old files view a storage as several dtypes
    reach.first -= reach.first % reach.item;
    const std::int64_t items = (reach.last - reach.first) / reach.item + 1;
    reach.last = std::min(reach.first + items * reach.item, static_cast<std::int64_t>(record->nbytes)) - 1;
  }
}

Result<bool> TorchReduce::tensor(Emitter& out, const Ref& ref, const Origin*& origin) {
  const TensorRecord& t = tensor_of(ref);
  const bool wrapper = old_wrapper(t, options_);
  if ((!t.origin && t.form == TensorForm::parameter && t.base) || (wrapper && t.parameter)) {
    if (t.requires_grad && !is_floating(t.dtype) && !is_complex(t.dtype))  // of a program's making: files are checked when they are read
      return Error(ErrorKind::usage, ErrorCode::wrong_dtype, "a parameter of dtype " + std::string(name(t.dtype)) + " cannot require gradients");
    BRINE_TRY(write_global(out, "torch._utils", "_rebuild_parameter", static_cast<std::uint16_t>(TorchCall::rebuild_parameter)));
    const TensorRecord* data = t.base;
    if (wrapper) {  // a tensor of its own, as Parameter.data is each time it is asked for
      auto* own = out.graph().arena().make<TensorRecord>(t);
      if (!own) return spent();
      own->base = nullptr;
      own->origin = nullptr;
      own->form = t.base->form;
      own->parameter = own->requires_grad = false;
      data = own;
    }
    out.tuple_begin(3);
    if (!out.parameter(ref, make_tensor_ref(data))) return spent();
    return true;
  }
  if (t.origin && !wrapper && !replaceable(t, options_) && (options_.keep_calls || !has_other_call(t))) {
    origin = t.origin;
    return false;
  }
  if (!is_plain(t)) {
    if (!(origin = call_of_kind(out.graph(), t))) return spent();
    return false;
  }
  const Strided* s = t.as_strided();
  if (!s || !s->storage) return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "cannot write a tensor without a storage");
  if (is_quantised(t.dtype)) return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "cannot write integers of a quantised dtype without scale and zero point");

  if (surveying_) see(t);
  const bool v3 = written_untyped(t), metadata = t.conj || t.neg;
  const std::size_t items = (v3 ? 7u : 6u) + metadata;
  if (auto ok = v3 ? write_global(out, "torch._utils", "_rebuild_tensor_v3", static_cast<std::uint16_t>(TorchCall::rebuild_tensor_v3))
                   : write_global(out, "torch._utils", "_rebuild_tensor_v2", static_cast<std::uint16_t>(TorchCall::rebuild_tensor_v2));
      !ok)
    return ok.error();
  out.tuple_begin(items);
  BRINE_TRY(persistent_id(out, *s->storage, t.dtype, v3, nullptr));
  out.integer(options_.compact && t.numel() == 0 ? 0 : s->offset - shift(*s->storage, t.dtype));
  out.tuple(t.shape());
  out.tuple(t.stride());
  out.boolean(t.requires_grad);
  BRINE_TRY(empty_hooks(out));
  if (v3)
    BRINE_TRY(write_global(out, "torch", name(t.dtype), static_cast<std::uint16_t>(kFirstDtype + static_cast<unsigned>(t.dtype))));
  if (metadata) {  // {'neg': True, 'conj': True}: only what is so, in the order of PyTorch's std::unordered_map
    out.begin();
    out.op(Op::EMPTY_DICT);
    out.put();
    if (t.conj && t.neg) out.op(Op::MARK);
    for (const auto& [word, on] : {std::pair("neg", t.neg), std::pair("conj", t.conj)}) {
      if (!on) continue;
      out.fresh_text(word);
      out.boolean(true);
    }
    out.op(t.conj && t.neg ? Op::SETITEMS : Op::SETITEM);
  }
  out.tuple_end(items);
  out.put();
  out.op(Op::REDUCE);
  out.put(&t);
  return true;
}

Result<void> TorchReduce::wrapper_tail(Emitter& out, const Ref& parameter) {
  const TensorRecord& t = tensor_of(parameter);
  out.boolean(t.requires_grad);
  BRINE_TRY(empty_hooks(out));
  out.tuple_end(3);
  out.put();
  out.op(Op::REDUCE);
  out.put(&t);
  return {};
}

}  // namespace brine
