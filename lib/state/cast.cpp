// SPDX-License-Identifier: MIT
#include "state/cast.hpp"

#include "state/kept_tensor.hpp"
#include "support/text.hpp"
#include "tensor/dtype_table.hpp"
#include "tensor/lazy_bits.hpp"
#include "torch/storages.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace brine {

namespace {

Error spent() { return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the cast tensors"); }

bool is_call(const Ref& callee, TorchCall call) noexcept {
  return callee.kind == Kind::global && callee.node->known == static_cast<std::uint16_t>(call);
}

bool is_tensor_call(const Ref& callee) noexcept {
  return is_call(callee, TorchCall::rebuild_tensor) || is_call(callee, TorchCall::rebuild_tensor_v2) || is_call(callee, TorchCall::rebuild_tensor_v3);
}

TensorForm form_of(DType dtype) noexcept { return storage_class_name(dtype).empty() ? TensorForm::v3 : TensorForm::v2; }

}  // namespace

CastMemory::CastMemory() : budget(std::numeric_limits<std::uint64_t>::max(), ErrorCode::out_of_memory), graph(budget) {}

Caster::Caster(DType to, const CastOptions& options) : to_(to), lossy_(options.lossy) { memory_->report = options.report; }

bool Caster::changes(const TensorRecord& t) const noexcept {
  if (t.dtype == to_ || t.as_quantised() || (t.as_strided() && !t.as_strided()->storage)) return false;
  return is_floating(t.dtype) || (is_complex(t.dtype) && (lossy_ || is_complex(to_)));
}

namespace {

constexpr std::size_t kMaxNames = 20;

CastReport::Kept& of_kind(std::vector<CastReport::Kept>& all, std::string_view kind) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& k) { return k.kind == kind; });
  return at != all.end() ? *at : all.emplace_back(CastReport::Kept{kind, 0, {}});
}

}  // namespace

void Caster::pass(std::string_view name, const Ref& value) {
  std::string_view kind;
  if (value.kind == Kind::tensor) {
    if (tensor_of(value).as_quantised()) kind = "quantized";
    else if (is_complex(tensor_of(value).dtype) && !changes(tensor_of(value)) && tensor_of(value).dtype != to_) kind = "complex";
  } else if (const KeptTensor kept = kept_tensor(value); !kept.integers) {
    kind = kept.kind;
  }
  if (kind.empty()) return;
  auto& kept = of_kind(kept_, kind);
  if (kept.count++ < kMaxNames) kept.names.push_back(printable(name, 200));
}

void Caster::report() {
  auto& counts = *memory_->report.counts();
  counts.tensors += changed_;
  const std::lock_guard guard(counts.lock);
  for (auto& more : kept_) {
    auto& kept = of_kind(counts.kept, more.kind);
    kept.count += more.count;
    for (std::string& name : more.names)
      if (kept.names.size() < kMaxNames) kept.names.push_back(std::move(name));
  }
}

// A parameter wraps a tensor, which may be a parameter: from the innermost outwards.
Result<const TensorRecord*> Caster::cast(const TensorRecord& t) {
  const bool fresh = !done_.contains(&t);
  std::vector<const TensorRecord*> wrappers;
  const TensorRecord* inner = &t;
  while (inner->form == TensorForm::parameter && inner->base && !done_.contains(inner)) {
    wrappers.push_back(inner);
    inner = inner->base;
  }
  auto made = cast_data(*inner);
  while (made && !wrappers.empty()) {
    const TensorRecord& old = *wrappers.back();
    wrappers.pop_back();
    const TensorRecord* base = *made;
    if (base == old.base) {
      made = done_[&old] = &old;
      continue;
    }
    if (!old.same_body(*old.base) || old.dtype != old.base->dtype || old.conj != old.base->conj || old.neg != old.base->neg)
      return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "cannot cast a Parameter whose state gives it other data than it wraps");
    auto* record = memory_->graph.arena().make<TensorRecord>(old);
    if (!record) return spent();
    record->take_body(*base);
    record->dtype = base->dtype;
    record->conj = base->conj;
    record->neg = base->neg;
    record->base = base;
    record->requires_grad = old.requires_grad && (is_floating(to_) || is_complex(to_));
    if (old.origin && (is_call(old.origin->callee, TorchCall::rebuild_parameter_with_state) || is_call(old.origin->callee, TorchCall::rebuild_from_type))) {
      if (!(record->origin = call(old, *record, base))) return spent();
    } else {  // as today's PyTorch writes it
      record->origin = nullptr;
      if (!old.parameter) record->form = form_of(to_), record->base = nullptr;
    }
    made = done_[&old] = record;
  }
  changed_ += fresh && made && *made != &t;
  return made;
}

Result<const TensorRecord*> Caster::cast_data(const TensorRecord& t) {
  if (const auto at = done_.find(&t); at != done_.end()) return at->second;
  if (!changes(t)) return done_[&t] = &t;
  const bool number = is_floating(to_) || is_complex(to_);
  if (!convertible(t.dtype, to_) || (!number && !lossy_))
    return Error(ErrorKind::usage, ErrorCode::wrong_dtype,
                 std::string(name(t.dtype)) + " to " + std::string(name(to_)) + (convertible(t.dtype, to_) ? " loses every fraction" : ": PyTorch has no such conversion"));
  if (!t.as_strided()) {
    auto made = cast_kind(t);
    if (made) done_[&t] = *made;
    return made;
  }
  auto* record = memory_->graph.arena().make<TensorRecord>(t);
  if (!record) return spent();
  record->conj = t.conj && is_complex(to_);  // the real part is the same
  record->neg = t.neg && number && can_be_negative(to_);  // of integers -x would not be the same: not all have a sign, and none is symmetric
  const StorageRecord* made = storage(t, t.neg && !record->neg);
  if (!made) return spent();
  record->set_body({made, t.as_strided()->offset});
  record->dtype = to_;
  record->requires_grad = t.requires_grad && number;
  record->form = form_of(to_);
  record->origin = nullptr;
  if (t.origin && is_call(t.origin->callee, TorchCall::rebuild_from_type) && !(record->origin = call(t, *record, nullptr))) return spent();
  return done_[&t] = record;
}

// What is sparse or nested by its values, which are strided; what has no data by its dtype alone. All are written as today's PyTorch does.
Result<const TensorRecord*> Caster::cast_kind(const TensorRecord& t) {
  Arena& arena = memory_->graph.arena();
  if (t.origin && !t.as_jagged() && is_call(t.origin->callee, TorchCall::rebuild_from_type))
    return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "cannot cast a tensor of a class of the writer's own that is not strided");
  auto* record = arena.make<TensorRecord>(t);
  if (!record) return spent();
  record->origin = nullptr;
  record->dtype = to_;
  record->requires_grad = t.requires_grad && (is_floating(to_) || is_complex(to_));
  if (const Sparse* s = t.as_sparse()) {
    auto values = cast_data(*s->values);
    if (!values) return values;
    auto* body = arena.make<Sparse>(s->indices, s->plain, *values);
    if (!body) return spent();
    body->coalesced = s->coalesced;
    record->set_body(body);
  } else if (const Nested* n = t.as_nested()) {
    auto buffer = cast_data(*n->buffer);
    if (!buffer) return buffer;
    const auto* body = arena.make<Nested>(*buffer, n->sizes, n->strides, n->offsets);
    if (!body) return spent();
    record->set_body(body);
  } else if (const Jagged* j = t.as_jagged()) {
    auto values = cast_data(*j->values);
    if (!values) return values;
    const auto* body = arena.make<Jagged>(*values, j->offsets, j->lengths, j->ragged);
    if (!body) return spent();
    record->set_body(body);
  }
  return record;
}

const StorageRecord* Caster::storage(const TensorRecord& t, bool negate) {
  const StorageRecord& source = *t.as_strided()->storage;
  const bool swap = is_swapped(t);
  const StorageRecord*& kept = storages_[{&source, {t.dtype, swap, negate}}];
  if (kept) return kept;
  auto* made = memory_->graph.arena().make<CastStorage>();
  if (!made) return nullptr;
  made->source = &source;
  made->from = t.dtype;
  made->swap = swap;
  made->negate = negate;
  made->counts = memory_->report.counts();
  made->key = source.key;
  made->device = source.device;
  made->nbytes = source.nbytes / item_size(t.dtype) * item_size(to_);
  made->dtype = to_;
  made->reader = &memory_->reader;
  made->packed = made->found = true;  // it lies nowhere
  return kept = made;
}

Ref Caster::callee(std::uint16_t known, std::string_view module, std::string_view name) {
  GlobalNode* first = memory_->graph.first(known);
  return first ? make_node(Kind::global, first) : memory_->graph.first_global(module, name, known);
}

// {'neg': True}
Ref Caster::only_neg() {
  const Ref dict = memory_->graph.dict();
  bool replaced = false;
  return dict.kind != Kind::absent && memory_->graph.set(static_cast<DictNode&>(*dict.node), make_text("neg"), make_bool(true), replaced) ? dict : Ref{};
}

// The same call with the cast tensor's storage, or the cast tensor that a parameter wraps; the other arguments as they are. A class of the
// program's stands around it: _rebuild_from_type_v2(func, type, args, state), which may be func again.
const Origin* Caster::call(const TensorRecord& t, const TensorRecord& cast, const TensorRecord* base) {
  Graph& graph = memory_->graph;
  std::vector<Ref> around;  // the arguments of each _rebuild_from_type_v2, the outermost first
  Ref func = t.origin->callee, args = t.origin->args;
  while (is_call(func, TorchCall::rebuild_from_type)) {
    around.push_back(args);
    const auto a = tuple_of(args).items();
    func = a[0], args = a[2];
  }
  const auto items = tuple_of(args).items();
  std::vector<Ref> now(items.begin(), items.end());
  if (base) {
    if (now.empty()) return nullptr;
    now[0] = make_tensor_ref(base);
    if (now.size() > 1 && !cast.requires_grad) now[1] = make_bool(false);
  } else if (is_tensor_call(func)) {
    const bool was_v3 = is_call(func, TorchCall::rebuild_tensor_v3), v3 = cast.form == TensorForm::v3;
    const auto dtype = static_cast<std::uint16_t>(kFirstDtype + static_cast<unsigned>(cast.dtype));
    now[0] = make_storage_ref(cast.as_strided()->storage, cast.dtype, v3);
    if (now.size() > 4 && !cast.requires_grad) now[4] = make_bool(false);
    if (was_v3) now.erase(now.begin() + 6);
    while (v3 && now.size() < 6) now.push_back(now.size() == 4 ? make_bool(false) : make_none());
    if (v3) now.insert(now.begin() + 6, callee(dtype, "torch", name(cast.dtype)));
    if (const std::size_t metadata = v3 ? 7 : 6; now.size() > metadata && (t.conj != cast.conj || t.neg != cast.neg)) {
      now.resize(metadata);
      if (cast.neg) now.push_back(only_neg());  // conj is gone
    }
    if (was_v3 != v3)
      func = v3 ? callee(static_cast<std::uint16_t>(TorchCall::rebuild_tensor_v3), "torch._utils", "_rebuild_tensor_v3")
                : callee(static_cast<std::uint16_t>(TorchCall::rebuild_tensor_v2), "torch._utils", "_rebuild_tensor_v2");
  }
  if (std::any_of(now.begin(), now.end(), [](const Ref& r) { return r.kind == Kind::absent; })) return nullptr;
  Ref tuple = graph.tuple(now);
  for (auto a = around.rbegin(); a != around.rend(); ++a) {
    if (tuple.kind == Kind::absent || func.kind == Kind::absent) return nullptr;
    const auto old = tuple_of(*a).items();
    tuple = graph.tuple(std::array<Ref, 4>{func, old[1], tuple, old[3]});
    func = t.origin->callee;
  }
  auto* origin = graph.arena().make<Origin>(*t.origin);
  if (!origin || tuple.kind == Kind::absent) return nullptr;
  origin->callee = func;
  origin->args = tuple;
  return origin;
}

}  // namespace brine
