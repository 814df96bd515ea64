// SPDX-License-Identifier: MIT
#include "state/state_dict.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "module/module.hpp"
#include "pickle/python_calls.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "tensor/record.hpp"
#include "torch/access.hpp"
#include "torch/storages.hpp"
#include "torch/tensor_objects.hpp"

#include <algorithm>

namespace brine {

std::string_view StateDict::Impl::text(std::string_view name) {
  if (!texts) texts = std::make_shared<std::deque<std::string>>();
  return texts->emplace_back(name);
}

StateDict::Item StateDict::Impl::keep(std::string_view name, Kept value) {
  Item item{{name, Handles::tensor(nullptr, nullptr)}, static_cast<std::uint32_t>(kept.size()), false};
  if (stands_for_tensor(value.value))
    if (auto made = tensor_of_object(*value.graph, value.value, value.owner)) item.tensor = std::move(*made), item.is_tensor = true;
  kept.push_back(std::move(value));
  return item;
}

void StateDict::Impl::set(Item item) {
  const bool is_tensor = item.is_tensor;
  const std::uint32_t n = items.find(item.name);
  if (n == items.npos) {
    items.push(std::move(item));
  } else {
    tensors -= items[n].is_tensor;
    item.name = items[n].name;
    items[n] = std::move(item);
  }
  tensors += is_tensor;
}

StateDict::Item StateDict::Impl::take(std::uint32_t number) {
  Item out = items.take(number);
  tensors -= out.is_tensor;
  return out;
}

namespace {

/// A module's tensors as its state_dict() has them: detached, under names of their own.
struct Detached {
  std::shared_ptr<const void> owner;
  std::vector<NamedValue> values;
  std::vector<ModuleVersion> modules;
  std::vector<TensorRecord> records;
};

// torch.tensor(number), with PyTorch's dtype for it.
Result<Tensor> tensor_of_number(const Ref& number) {
  const auto scalar = [](const auto& value, DType dtype) { return Tensor::copy(std::as_bytes(std::span(&value, 1)), dtype, {}); };
  if (number.kind == Kind::floating) return scalar(static_cast<float>(number.floating), DType::float32);
  if (number.kind == Kind::boolean) return scalar(static_cast<std::uint8_t>(number.integer != 0), DType::bool_);
  return scalar(number.integer, DType::int64);
}

Result<void> fill_from_module(StateDict::Impl& impl, const Graph& graph, const Ref& module, std::shared_ptr<const void> owner, ModuleBudget& budget) {
  auto detached = std::make_shared<Detached>();
  detached->owner = std::move(owner);
  BRINE_TRY(module_tensors(graph, module, budget, detached->values, detached->modules, impl.notes));
  detached->records.reserve(detached->values.size());  // their addresses are kept
  impl.items.reserve(detached->values.size());
  for (const NamedValue& v : detached->values) {
    if (v.as == NamedValue::As::number) {
      BRINE_LET(made, tensor_of_number(v.value));
      impl.set({{v.name, std::move(*made)}});
      continue;
    }
    if (v.value.kind != Kind::tensor) {
      if (is_subtree(graph, v.value))  // PyTorch cannot detach() it
        return Error(ErrorKind::unsupported, ErrorCode::module_form,
                     "expected a tensor as the module's parameter or buffer " + in_quotes(v.name) + ", found " + escaped(class_name(v.value), 100));
      impl.set(impl.keep(v.name, {v.value, &graph, detached}));
      continue;
    }
    if (v.as == NamedValue::As::itself) {
      impl.set({{v.name, Handles::tensor(detached, &tensor_of(v.value))}});
      continue;
    }
    TensorRecord record = tensor_of(v.value);
    record.requires_grad = record.parameter = false;
    record.origin = nullptr;
    record.base = nullptr;
    if (record.form != TensorForm::v3) record.form = TensorForm::v2;
    detached->records.push_back(record);
    impl.set({{v.name, Handles::tensor(detached, &detached->records.back())}});
  }
  impl.has_metadata = true;
  for (const ModuleVersion& m : detached->modules) impl.metadata.set({m.name, {}, m.version, m.spectral_norm, m.module, &graph});
  impl.owners.push_back(std::move(detached));
  return {};
}

void fill_from_dict(StateDict::Impl& impl, const Graph& graph, const Ref& dict, std::shared_ptr<const void> owner) {
  impl.items.reserve(dict_of(dict).size);
  for (const Entry& e : dict_of(dict).entries()) {
    const std::string_view name = text_of(as_plain(e.key));
    if (e.value.kind == Kind::tensor) {
      impl.items.push({{name, Handles::tensor(owner, &tensor_of(e.value))}});
      ++impl.tensors;
    } else {
      StateDict::Item item = impl.keep(name, {e.value, &graph, owner});
      impl.tensors += item.is_tensor;
      impl.items.push(std::move(item));
    }
  }
  const Ref metadata = attribute(graph, dict, "_metadata");
  impl.has_metadata = metadata.kind == Kind::dict;
  if (impl.has_metadata)
    for (const Entry& e : dict_of(metadata).entries())
      if (e.key.kind == Kind::string) impl.metadata.push({text_of(e.key), e.value, 1, {}, {}, &graph});
  impl.source = dict;
  impl.owners.push_back(std::move(owner));
}

}  // namespace

Result<std::shared_ptr<StateDict::Impl>> make_state_dict(const Graph& graph, const Ref& weights, std::string path, std::shared_ptr<const void> owner,
                                                         ModuleBudget& budget) {
  auto impl = std::make_shared<StateDict::Impl>();
  impl->path = std::move(path);
  impl->graph = &graph;
  impl->file = graph.file;
  impl->from_module = weights.kind == Kind::object;
  if (!impl->from_module) fill_from_dict(*impl, graph, weights, std::move(owner));
  else BRINE_TRY(fill_from_module(*impl, graph, weights, std::move(owner), budget));
  return impl;
}

Ref make_ordered_dict(Graph& graph) {
  constexpr auto known = static_cast<std::uint16_t>(PythonCall::ordered_dict);
  GlobalNode* first = graph.first(known);
  const Ref cls = first ? make_node(Kind::global, first) : graph.first_global("collections", "OrderedDict", known);
  const Ref dict = graph.dict(Made::ordered_dict), none = graph.tuple({});
  if (cls.kind == Kind::absent || dict.kind == Kind::absent || none.kind == Kind::absent) return {};
  return graph.set_origin(*dict.node, {.callee = cls, .args = none, .kwargs = {}}) ? dict : Ref{};
}

Ref Words::one(Graph& graph, std::string_view v) {
  Ref& kept = interned_[std::string(v)];
  if (kept.kind != Kind::absent) return kept;
  const std::string_view own = graph.copy(v);
  if (!own.data()) return {};
  kept = make_text(own);
  if (v == "storage") graph.own_texts[kStorageText] = kept;
  if (v == "cpu") graph.own_texts[kCpuText] = kept;
  return kept;
}

Ref Words::single(Graph& graph, std::string_view v) {
  const auto lead = v.empty() ? 0u : static_cast<unsigned char>(v[0]);
  if (v.size() < 2 || (v.size() == 2 && lead >= 0xC2 && lead < 0xC4)) return one(graph, v);
  const std::string_view own = graph.copy(v);
  return own.data() ? make_text(own) : Ref{};
}

Ref Words::text(Graph& graph, std::string_view v) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto part = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || digit(c); };
  const bool identifier = !v.empty() && !digit(v[0]) && std::all_of(v.begin(), v.end(), part);
  return identifier ? one(graph, v) : single(graph, v);
}

Result<Ref> state_dict_value(const StateDict& state, Graph& scratch, Words& words) {
  const StateDict::Impl& impl = *StateDictAccess::impl(state);
  if (impl.source.kind != Kind::absent) return impl.source;
  const Error spent(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the state dict");
  const Ref out = make_ordered_dict(scratch);
  Entry* entry = out.kind == Kind::absent ? nullptr : scratch.fill(static_cast<DictNode&>(*out.node), impl.items.size());
  if (!entry) return spent;
  bool replaced = false, ok = true;
  const auto put = [&](const Ref& dict, const Ref& key, const Ref& value) {
    ok = ok && key.kind != Kind::absent && value.kind != Kind::absent && scratch.set(static_cast<DictNode&>(*dict.node), key, value, replaced);
  };
  // A parameter of the root is called by the attribute's own str; all other names are put together of several, module names cut out of them.
  const auto name = [&](std::string_view v) { return words.text(scratch, v); };
  const auto add = [&](const Ref& key, const Ref& value) {
    ok = ok && key.kind != Kind::absent && value.kind != Kind::absent;
    *entry++ = {key, value};
  };
  for (const StateDict::Item& item : impl.items) {
    const StateDict::Impl::Kept* kept = impl.kept_of(item);
    add(name(item.name), kept ? kept->value : make_tensor_ref(&Handles::record(item.tensor)));
  }
  if (!ok) return spent;
  static_cast<DictNode&>(*out.node).size = static_cast<std::uint32_t>(entry - dict_of(out).data);
  if (!impl.has_metadata) return out;

  const Ref metadata = make_ordered_dict(scratch), attributes = scratch.dict();
  const Ref version = name("version");
  ok = metadata.kind != Kind::absent && attributes.kind != Kind::absent;
  for (const auto& m : impl.metadata) {
    Ref info = m.value;
    if (info.kind == Kind::absent) {
      info = scratch.dict();
      ok = ok && info.kind != Kind::absent && scratch.set(static_cast<DictNode&>(*info.node), version, make_int(m.version), replaced);
      if (ok && !m.spectral_norm.empty()) {
        const Ref norms = scratch.dict();
        for (const std::string_view norm : m.spectral_norm)
          if (norms.kind != Kind::absent) put(norms, name(std::string(norm) + ".version"), make_int(1));
        if (ok) put(info, name("spectral_norm"), norms);
      }
    }
    if (ok) put(metadata, words.single(scratch, m.name), info);
  }
  if (ok) put(attributes, name("_metadata"), metadata);
  if (!ok || !scratch.add_effect(*out.node, {}, attributes)) return spent;
  return out;
}

StateDict::StateDict() : impl_(std::make_shared<Impl>()) {}
std::size_t StateDict::size() const noexcept { return impl_->tensors; }
StateDict::Iterator StateDict::begin() const noexcept { return {impl_->items.data(), impl_->items.data_end()}; }
StateDict::Iterator StateDict::end() const noexcept { return {impl_->items.data_end(), impl_->items.data_end()}; }
std::string_view StateDict::path() const& noexcept { return impl_->path; }
bool StateDict::from_module() const noexcept { return impl_->from_module; }

const Tensor* StateDict::find(std::string_view name) const& noexcept {
  const std::uint32_t n = impl_->items.find(name);
  return n == impl_->items.npos || !impl_->items[n].is_tensor ? nullptr : &impl_->items[n].tensor;
}

Result<Tensor> StateDict::at(std::string_view name) const {
  return guarded("a state dict", [&]() -> Result<Tensor> {
    if (const Tensor* found = find(name)) return *found;
    return Error(ErrorKind::usage, ErrorCode::missing_key, "the state dict has no " + in_quotes(name)).in_file(impl_->file);
  });
}

std::vector<std::pair<std::string_view, Value>> StateDict::others() const& {
  std::vector<std::pair<std::string_view, Value>> out;
  for (const Item& item : impl_->items)
    if (const Impl::Kept* kept = impl_->kept_of(item); kept && !item.is_tensor)
      out.emplace_back(item.name, Access::value(kept->graph, kept->value, step_from(nullptr, {.key = make_text(item.name)})));
  return out;
}

std::span<const Note> StateDict::notes() const& noexcept { return impl_->notes.list(); }

std::optional<std::int64_t> StateDict::version(std::string_view module) const {
  const std::uint32_t n = impl_->metadata.find(module);
  if (n == impl_->metadata.npos) return std::nullopt;
  const Impl::ModuleInfo& m = impl_->metadata[n];
  if (m.value.kind != Kind::dict) return m.version;
  const brine::Entry* e = m.graph->find(dict_of(m.value), "version");
  if (e && e->value.kind == Kind::integer && !(e->value.flags & kBig)) return e->value.integer;
  return std::nullopt;
}

}  // namespace brine
