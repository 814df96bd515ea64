// SPDX-License-Identifier: MIT
#include "torch/attributes.hpp"

#include "graph/walk.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <iterator>

namespace brine {

namespace {

// Of dicts: read before, and no name in it that acts.
constexpr std::uint8_t kActsNot = kSpelled;
// Of dicts: read before as metadata, neither conj nor neg in it.
constexpr std::uint8_t kNoBits = kBig;

// The data descriptors of torch.nn.Parameter, 1.13 to 2.13; sorted. What setting one does, measured on both: __class__ and __dict__ can be set, but
// what would become of the tensor then is not to be told from the file.
enum class Set : std::uint8_t { refused, acts, nothing };
struct Own {
  std::string_view name;
  Set set = Set::refused;
};
constexpr Own kOwn[] = {
    {"H"}, {"T"}, {"__class__"}, {"__cuda_array_interface__"}, {"__dict__"}, {"__weakref__"}, {"_backward_hooks", Set::nothing}, {"_base"}, {"_cdata"},
    {"_grad", Set::acts}, {"_grad_fn", Set::acts}, {"_has_symbolic_sizes_strides"}, {"_post_accumulate_grad_hooks", Set::nothing}, {"_python_dispatch"},
    {"_version"}, {"data", Set::acts}, {"device"}, {"dtype"}, {"grad", Set::acts}, {"grad_dtype", Set::acts}, {"grad_fn"}, {"imag"}, {"is_cpu"},
    {"is_cuda"}, {"is_ipu"}, {"is_leaf"}, {"is_maia"}, {"is_meta"}, {"is_mkldnn"}, {"is_mps"}, {"is_mtia"}, {"is_nested"}, {"is_ort"},
    {"is_quantized"}, {"is_sparse"}, {"is_sparse_csr"}, {"is_vulkan"}, {"is_xla"}, {"is_xpu"}, {"itemsize"}, {"layout"}, {"mH"}, {"mT"}, {"name"},
    {"names", Set::nothing}, {"nbytes"}, {"ndim"}, {"output_nr"}, {"real"}, {"requires_grad", Set::acts}, {"retains_grad"}, {"shape"},
    {"volatile", Set::nothing},
};
static_assert(std::is_sorted(std::begin(kOwn), std::end(kOwn), [](const Own& a, const Own& b) { return a.name < b.name; }));

const Own* find_own(std::string_view name) noexcept {
  const auto at = std::lower_bound(std::begin(kOwn), std::end(kOwn), name, [](const Own& own, std::string_view n) { return own.name < n; });
  return at == std::end(kOwn) || at->name != name ? nullptr : at;
}

// Python's bool(value), of what the graph knows.
bool is_false(const Ref& value) noexcept {
  switch (value.kind) {
    case Kind::absent: case Kind::none: return true;
    case Kind::boolean: return value.integer == 0;
    case Kind::integer: return !is_big(value) && value.integer == 0;
    case Kind::floating: return value.floating == 0;
    case Kind::string: return value.length == 0;
    case Kind::bytes: case Kind::bytearray: case Kind::list: case Kind::tuple: case Kind::dict: case Kind::set: case Kind::frozenset:
      return value.node->size == 0;
    default: return false;
  }
}

Error refusal(std::string_view name, const Ref& value) {
  return corrupt("the attribute " + in_quotes(name, 60) + " of a tensor is set to a value of class " + escaped(class_name(value), 100) + ", which PyTorch refuses");
}

// The tensor's memory, dtype, shape and bits are those of another one from now on; whether it is a Parameter and wants gradients stays.
Result<void> set_data(TensorRecord& record, const TensorRecord& data) {
  record.take_data(data);
  return check_grad(record);
}

Result<void> set_attribute(TensorRecord& record, std::string_view name, const Ref& value) {
  if (name == "data") {
    if (value.kind != Kind::tensor) return refusal(name, value);
    return set_data(record, read_tensor(value));
  }
  if (name == "requires_grad") {
    if (value.kind != Kind::boolean) return refusal(name, value);
    record.requires_grad = value.integer != 0;
    return check_grad(record);
  }
  if (name == "grad_dtype") return value.kind == Kind::none || value.kind == Kind::global ? Result<void>() : refusal(name, value);
  if (name == "_grad_fn") return value.kind == Kind::none && !record.requires_grad ? Result<void>() : refusal(name, value);
  if (value.kind == Kind::none || value.kind == Kind::object) return {};  // a gradient; a sparse one, say, is an object here
  if (value.kind != Kind::tensor) return refusal(name, value);
  const TensorRecord& grad = tensor_of(value);
  if (grad.dtype != record.dtype || !std::ranges::equal(grad.shape(), record.shape()))
    return corrupt("the attribute " + in_quotes(name, 60) + " of a tensor is a gradient of another dtype or shape, which PyTorch refuses");
  return {};
}

Result<void> set_all(Graph& graph, TensorRecord& record, const Ref& state, bool plain) {
  if (state.node->flags & kActsNot) return {};
  bool acts = false;
  // The same dict can be given to any number of tensors.
  if (!graph.arena().charge(8 * std::size_t{state.node->size})) return Error(ErrorKind::limit, ErrorCode::metadata_too_large, "the attributes of tensors are too many");
  for (const Entry& e : dict_of(state).entries()) {
    if (e.key.kind != Kind::string) return corrupt("the name of a tensor's attribute is a value of class " + escaped(class_name(e.key), 100) + ", not a str");
    const std::string_view name = text_of(e.key);
    const Own* own = find_own(name);
    if (!own || own->set == Set::nothing) continue;
    acts = true;
    if (own->set == Set::acts) {
      BRINE_TRY(set_attribute(record, name, e.value));
    } else if (plain || name == "real" || name == "imag" || name == "__class__" || name == "__dict__") {
      return corrupt("the attribute " + in_quotes(name, 60) + " of a tensor is set, which PyTorch refuses");
    }
  }
  if (!acts) state.node->flags |= kActsNot;
  return {};
}

// Of a jagged tensor, whose arguments say the same.
constexpr std::string_view kJagged[] = {"_lengths", "_metadata_cache", "_offsets", "_values"};

bool is_jagged(const Ref& callee) noexcept {
  return callee.kind == Kind::global && global_of(callee).module == "torch.nested._internal.nested_tensor" && global_of(callee).name == "_rebuild_njt";
}

// The dict itself, or one without PyTorch's own; of no kind when memory is spent.
Ref users_own(Graph& graph, const Ref& dict, bool jagged) {
  if (dict.kind != Kind::dict) return dict;
  const auto entries = dict_of(dict).entries();
  const auto is_own = [&](const Entry& e) {
    if (e.key.kind != Kind::string) return false;
    const std::string_view name = text_of(e.key);
    return is_own_attribute(name) || (jagged && std::binary_search(std::begin(kJagged), std::end(kJagged), name));
  };
  if (!graph.arena().charge(entries.size() * Graph::kSharedItem)) return {};  // many calls may be given the same one
  if (std::none_of(entries.begin(), entries.end(), is_own)) return dict;
  const Ref out = graph.dict();
  bool replaced = false, ok = out.kind != Kind::absent;
  for (const Entry& e : entries) ok = ok && (is_own(e) || graph.set(static_cast<DictNode&>(*out.node), e.key, e.value, replaced));
  return ok ? out : Ref{};
}

}  // namespace

bool is_own_attribute(std::string_view name) noexcept { return find_own(name) != nullptr; }

Result<void> check_grad(const TensorRecord& record) {
  if (!record.requires_grad || is_floating(record.dtype) || is_complex(record.dtype)) return {};
  return corrupt("a tensor of dtype " + std::string(name(record.dtype)) + " cannot require gradients");
}

Result<bool> set_attributes(Graph& graph, TensorRecord& record, const Ref& state, bool plain) {
  const auto pair = is_tuple(state) ? tuple_of(state).items() : std::span<const Ref>();
  if (is_tuple(state) && pair.size() != 2) {
    if (!plain) return false;
    return corrupt("the state of a tensor is a tuple of " + std::to_string(pair.size()) + " items; PyTorch takes two");
  }
  for (const Ref& part : is_tuple(state) ? pair : std::span(&state, 1)) {
    if (is_container(part)) part.node->flags |= kRead;  // an empty one, too: with `data` it would mean something else
    if (is_false(part)) continue;
    if (part.kind == Kind::object || (part.kind != Kind::dict && !plain)) return false;
    if (part.kind != Kind::dict) return corrupt("the state of a tensor is a value of class " + escaped(class_name(part), 100) + ", not a dict");
    BRINE_TRY(set_all(graph, record, part, plain));
  }
  return true;
}

Result<bool> set_metadata(Graph& graph, TensorRecord& record, const Ref& metadata) {
  if (is_container(metadata)) metadata.node->flags |= kRead;  // an empty one, too: with `neg` it would mean something else
  if (is_false(metadata)) return true;
  if (metadata.kind == Kind::object) return false;
  if (metadata.kind != Kind::dict) return corrupt("the metadata of a tensor is a value of class " + escaped(class_name(metadata), 100) + ", not a dict");
  if (metadata.node->flags & kNoBits) return true;
  for (const Entry& e : dict_of(metadata).entries()) {
    const std::string_view key = e.key.kind == Kind::string ? text_of(e.key) : e.key.kind == Kind::bytes ? bytes_of(e.key).text() : std::string_view();
    if (e.key.kind != Kind::string && e.key.kind != Kind::bytes)
      return corrupt("a key of a tensor's metadata is a value of class " + escaped(class_name(e.key), 100) + ", not a str");
    if (e.value.kind >= Kind::string && e.value.kind <= Kind::global)
      return corrupt("the metadata " + in_quotes(key, 60) + " of a tensor is a value of class " + escaped(class_name(e.value), 100) + ", not a bool");
    if (key == "conj") record.conj = true;
    if (key == "neg") record.neg = true;
  }
  if (!record.conj && !record.neg) metadata.node->flags |= kNoBits;
  if (!graph.arena().charge(8 * std::size_t{metadata.node->size})) return Error(ErrorKind::limit, ErrorCode::metadata_too_large, "the metadata of tensors is too much");
  return true;
}

bool keep_state(Graph& graph, Origin& origin, const Ref& state) {
  if (state.kind == Kind::none) return true;
  const bool jagged = is_jagged(origin.callee);
  Ref kept = users_own(graph, state, jagged);
  if (is_tuple(state) && tuple_of(state).size == 2) {  // of the object and of its slots
    const auto halves = tuple_of(state).items();
    const Ref own[] = {users_own(graph, halves[0], jagged), users_own(graph, halves[1], jagged)};
    if (own[0].kind == Kind::absent || own[1].kind == Kind::absent) return false;
    if (!same_object(own[0], halves[0]) || !same_object(own[1], halves[1])) kept = graph.tuple(own);
  }
  auto* last = graph.arena().make<Effect>();
  if (kept.kind == Kind::absent || !last) return false;
  last->state = kept;
  Effect** at = &origin.kept;  // what an inner call has kept was set before
  while (*at) at = &(*at)->next;
  *at = last;
  return true;
}

}  // namespace brine
