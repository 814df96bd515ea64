// SPDX-License-Identifier: MIT
#include "torch/reduce.hpp"

#include "graph/walk.hpp"
#include "pickle/python_calls.hpp"
#include "torch/dtype_table.hpp"
#include "torch/storages.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>

namespace brine {

namespace {

Error spent() { return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the pickle"); }

std::string class_of(DType dtype) { return std::string(storage_class_name(dtype)); }

// Bytes per element of the storage: UntypedStorage counts bytes, and so do the dtypes that are written as one.
bool written_untyped(const TensorRecord& t) noexcept { return t.form == TensorForm::v3 || storage_class_name(t.dtype).empty(); }

}  // namespace

Result<void> TorchReduce::write_global(Emitter& out, std::string_view module, std::string_view name, std::uint16_t known) {
  Ref& kept = globals_[known];
  if (kept.kind == Kind::absent) {
    GlobalNode* first = out.graph().first(known);
    kept = first ? make_node(Kind::global, first) : out.graph().global(module, name);
    if (kept.kind == Kind::absent) return spent();
  }
  return out.global(kept);
}

Result<void> TorchReduce::empty_hooks(Emitter& out) {
  if (auto ok = write_global(out, "collections", "OrderedDict", static_cast<std::uint16_t>(PythonCall::ordered_dict)); !ok) return ok;
  out.begin();
  out.op(Op::EMPTY_TUPLE);
  out.op(Op::REDUCE);
  out.put();
  return {};
}

// What a compacted storage leaves out before its first element.
std::int64_t TorchReduce::shift(const TensorRecord& t) const noexcept {
  const auto at = options_.compact ? reach_.find(t.storage) : reach_.end();
  return at == reach_.end() || at->second.last < 0 ? 0 : at->second.first / static_cast<std::int64_t>(item_size(t.dtype));
}

Result<void> TorchReduce::see(const Ref& root) {
  Walker walk(root);
  while (walk.next()) {
    const Ref& v = walk.value();
    if (v.kind == Kind::storage) {  // somebody holds the storage itself: all of it is wanted
      const StorageRef s = storage_of(v);
      reach_[s.record] = {0, static_cast<std::int64_t>(s.record->nbytes) - 1};
      continue;
    }
    if (v.kind != Kind::tensor || !tensor_of(v).storage || tensor_of(v).numel() == 0) continue;
    const TensorRecord& t = tensor_of(v);
    const auto item = static_cast<std::int64_t>(item_size(t.dtype));
    std::int64_t last = t.offset;
    for (std::size_t d = 0; d < t.ndim; ++d) last += (t.shape()[d] - 1) * t.stride()[d];
    Reach& reach = reach_[t.storage];
    reach.first = std::min(reach.first, t.offset * item);
    reach.last = std::max(reach.last, (last + 1) * item - 1);
  }
  return {};
}

Result<std::size_t> TorchReduce::number(Emitter& out, const StorageRecord& record) {
  const auto [at, added] = numbers_.try_emplace(&record, storages_.size());
  if (!added) return at->second;
  WrittenStorage written{{}, &record, 0, record.nbytes};
  if (options_.compact) {
    const auto reach = reach_.find(&record);
    if (reach == reach_.end() || reach->second.last < 0) written.nbytes = 0;
    else written.offset = static_cast<std::uint64_t>(reach->second.first), written.nbytes = static_cast<std::uint64_t>(reach->second.last - reach->second.first + 1);
  }
  if (options_.keep_keys && record.cls) {
    written.key = make_text(record.key);
  } else {
    const std::string_view key = out.graph().copy(std::to_string(storages_.size()));
    if (!key.data()) return spent();
    written.key = make_text(key);
  }
  storages_.push_back(written);
  return storages_.size() - 1;
}

// ('storage', class, key, location, count[, view]) and BINPERSID.
Result<void> TorchReduce::persistent_id(Emitter& out, const StorageRecord& record, DType dtype, bool untyped, const StorageView* view) {
  if (view) return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "a storage that is a part of another one cannot be written by itself");
  const auto n = number(out, record);
  if (!n) return n.error();
  const WrittenStorage& written = storages_[*n];
  out.tuple_begin(5);
  if (storage_word_.kind == Kind::absent) storage_word_ = out.graph().storage_word.kind == Kind::absent ? make_text(out.graph().copy("storage")) : out.graph().storage_word;
  out.text(storage_word_);

  Result<void> ok;
  if (record.cls && record.untyped == untyped && (untyped || record.dtype == dtype)) ok = out.global(make_node(Kind::global, const_cast<GlobalNode*>(record.cls)));
  else if (untyped) ok = write_global(out, "torch.storage", "UntypedStorage", kUntypedStorage);
  else ok = write_global(out, "torch", class_of(dtype), static_cast<std::uint16_t>(kFirstStorage + static_cast<unsigned>(dtype)));
  if (!ok) return ok;

  if (options_.keep_keys && !record.key_shared) out.fresh_text(text_of(written.key));
  else out.text(written.key);
  // The constants cpu, mps and meta are one object each; a device with a number is spelled anew by the backend every time.
  if (record.device == "cpu" || record.device == "mps" || record.device == "meta") {
    if (cpu_word_.kind == Kind::absent || text_of(cpu_word_) != record.device) cpu_word_ = make_text(record.device);
    out.text(record.cls ? make_text(record.device) : cpu_word_);
  } else if (record.device.empty()) {
    if (cpu_word_.kind == Kind::absent) cpu_word_ = make_text(out.graph().copy("cpu"));
    out.text(cpu_word_);
  } else {
    out.fresh_text(record.device);
  }
  out.integer(static_cast<std::int64_t>(written.nbytes / (untyped ? 1 : item_size(dtype))));
  out.tuple_end(5);
  out.put();
  out.op(Op::BINPERSID);
  return {};
}

Result<void> TorchReduce::storage(Emitter& out, const Ref& storage) {
  const StorageRef s = storage_of(storage);
  return persistent_id(out, *s.record, s.dtype, s.untyped, s.view);
}

Result<bool> TorchReduce::tensor(Emitter& out, const Ref& ref, const Origin*& origin) {
  const TensorRecord& t = tensor_of(ref);
  if (t.form == TensorForm::parameter && !t.origin && t.base) {
    if (auto ok = write_global(out, "torch._utils", "_rebuild_parameter", static_cast<std::uint16_t>(TorchCall::rebuild_parameter)); !ok) return ok.error();
    out.tuple_begin(3);
    if (!out.parameter(ref, make_tensor_ref(t.base))) return spent();
    return true;
  }
  if (t.origin && !options_.compact) {
    origin = t.origin;
    return false;
  }
  if (!t.storage) return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "a tensor without a storage cannot be written");
  if (is_quantised(t.dtype)) return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "a quantised tensor cannot be written without its call");

  const bool v3 = written_untyped(t), metadata = t.conj || t.neg;
  const std::size_t items = (v3 ? 7u : 6u) + metadata;
  if (auto ok = v3 ? write_global(out, "torch._utils", "_rebuild_tensor_v3", static_cast<std::uint16_t>(TorchCall::rebuild_tensor_v3))
                   : write_global(out, "torch._utils", "_rebuild_tensor_v2", static_cast<std::uint16_t>(TorchCall::rebuild_tensor_v2));
      !ok)
    return ok.error();
  out.tuple_begin(items);
  if (auto ok = persistent_id(out, *t.storage, t.dtype, v3, nullptr); !ok) return ok.error();
  out.integer(t.numel() == 0 && options_.compact ? 0 : t.offset - shift(t));
  out.tuple(t.shape());
  out.tuple(t.stride());
  out.boolean(t.requires_grad);
  if (auto ok = empty_hooks(out); !ok) return ok.error();
  if (v3)
    if (auto ok = write_global(out, "torch", name(t.dtype), static_cast<std::uint16_t>(kFirstDtype + static_cast<unsigned>(t.dtype))); !ok) return ok.error();
  if (metadata) {  // {'conj': True}, {'neg': True}: only what is so
    out.begin();
    out.op(Op::EMPTY_DICT);
    out.put();
    if (t.conj && t.neg) out.op(Op::MARK);
    for (const auto& [word, on] : {std::pair("conj", t.conj), std::pair("neg", t.neg)}) {
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

Result<void> TorchReduce::parameter_tail(Emitter& out, const Ref& parameter) {
  const TensorRecord& t = tensor_of(parameter);
  out.boolean(t.requires_grad);
  if (auto ok = empty_hooks(out); !ok) return ok;
  out.tuple_end(3);
  out.put();
  out.op(Op::REDUCE);
  out.put(&t);
  return {};
}

}  // namespace brine
