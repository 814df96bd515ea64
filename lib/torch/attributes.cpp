// SPDX-License-Identifier: MIT
#include "torch/attributes.hpp"

#include <algorithm>
#include <iterator>

namespace brine {

namespace {

// The data descriptors of torch.nn.Parameter, up to 2.13; sorted.
constexpr std::string_view kOwn[] = {
    "H", "T", "__class__", "__cuda_array_interface__", "__dict__", "__weakref__", "_backward_hooks", "_base", "_cdata", "_grad", "_grad_fn",
    "_has_symbolic_sizes_strides", "_post_accumulate_grad_hooks", "_python_dispatch", "_version", "data", "device", "dtype", "grad", "grad_dtype",
    "grad_fn", "imag", "is_cpu", "is_cuda", "is_ipu", "is_leaf", "is_maia", "is_meta", "is_mkldnn", "is_mps", "is_mtia", "is_nested",
    "is_quantized", "is_sparse", "is_sparse_csr", "is_vulkan", "is_xla", "is_xpu", "itemsize", "layout", "mH", "mT", "name", "names", "nbytes",
    "ndim", "output_nr", "real", "requires_grad", "retains_grad", "shape", "volatile",
};
static_assert(std::is_sorted(std::begin(kOwn), std::end(kOwn)));

// Of a jagged tensor, whose arguments say the same.
constexpr std::string_view kJagged[] = {"_lengths", "_metadata_cache", "_offsets", "_values"};

bool is_jagged(const Ref& callee) noexcept {
  return callee.kind == Kind::global && global_of(callee).module == "torch.nested._internal.nested_tensor" && global_of(callee).name == "_rebuild_njt";
}

// The dict itself, or one without PyTorch's own; of no kind when memory is spent.
Ref users_own(Graph& graph, const Ref& dict, bool jagged) noexcept {
  if (dict.kind != Kind::dict) return dict;
  const auto entries = dict_of(dict).entries();
  const auto is_own = [&](const Entry& e) {
    if (e.key.kind != Kind::string) return false;
    const std::string_view name = text_of(e.key);
    return is_own_attribute(name) || (jagged && std::binary_search(std::begin(kJagged), std::end(kJagged), name));
  };
  if (!graph.arena().charge(entries.size() * sizeof(Entry))) return {};  // many calls may be given the same one
  if (std::none_of(entries.begin(), entries.end(), is_own)) return dict;
  const Ref out = graph.dict();
  bool replaced = false, ok = out.kind != Kind::absent;
  for (const Entry& e : entries) ok = ok && (is_own(e) || graph.set(static_cast<DictNode&>(*out.node), e.key, e.value, replaced));
  return ok ? out : Ref{};
}

}  // namespace

bool is_own_attribute(std::string_view name) noexcept { return std::binary_search(std::begin(kOwn), std::end(kOwn), name); }

bool keep_state(Graph& graph, Origin& origin, const Ref& state) noexcept {
  if (state.kind == Kind::none) return true;
  const bool jagged = is_jagged(origin.callee);
  Ref kept = users_own(graph, state, jagged);
  if (state.kind == Kind::tuple && tuple_of(state).size == 2) {  // of the object and of its slots
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
