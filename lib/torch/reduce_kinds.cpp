// SPDX-License-Identifier: MIT
// The calls that today's torch.save writes for tensors that are not plainly strided, as values: the emitter writes them as any call.
// Source: torch/_tensor.py (_reduce_ex_internal).
#include "torch/reduce.hpp"

#include "pickle/python_calls.hpp"
#include "torch/storages.hpp"
#include "torch/torch_calls.hpp"

#include <vector>

namespace brine {

namespace {

/// Makes values in the graph of what is written; once one could not be made, all is absent.
class Values {
 public:
  explicit Values(Graph& graph) : graph_(graph) {}

  Ref global(std::string_view module, std::string_view name, std::uint16_t known = 0) {
    if (GlobalNode* first = known ? graph_.first(known) : nullptr) return make_node(Kind::global, first);
    return known ? graph_.first_global(module, name, known) : graph_.global(module, name);
  }
  /// A part of which PyTorch makes a new tensor object each time it is asked for it. The others it keeps, with what a detached tensor shares.
  Ref part(const TensorRecord& t) {
    auto* own = graph_.arena().make<TensorRecord>(t);
    return own ? make_tensor_ref(own) : Ref{};
  }
  Ref tuple(std::initializer_list<Ref> items, Made made = Made::plain) {
    for (const Ref& item : items)
      if (item.kind == Kind::absent) return {};
    return graph_.tuple({items.begin(), items.size()}, made);
  }
  Ref dict(std::initializer_list<std::pair<const char*, Ref>> items) {
    const Ref out = graph_.dict();
    bool replaced = false, ok = out.kind != Kind::absent;
    for (const auto& [name, value] : items)
      ok = ok && value.kind != Kind::absent && graph_.set(static_cast<DictNode&>(*out.node), make_text(name), value, replaced);
    return ok ? out : Ref{};
  }
  Ref ints(std::span<const std::int64_t> values, Made made = Made::plain) {
    std::vector<Ref> items;
    for (const std::int64_t v : values) items.push_back(make_int(v));
    return graph_.tuple(items, made);
  }
  /// `value` as what the call makes.
  Ref called(const Ref& value, const Ref& callee, const Ref& args) {
    if (value.kind == Kind::absent || callee.kind == Kind::absent || args.kind == Kind::absent) return {};
    return graph_.set_origin(*value.node, {.callee = callee, .args = args, .kwargs = {}}) ? value : Ref{};
  }
  Ref size(std::span<const std::int64_t> shape) {
    return called(ints(shape, Made::size), global("torch", "Size", static_cast<std::uint16_t>(TorchCall::size)), tuple({ints(shape)}));
  }
  Ref hooks() {
    return called(graph_.dict(Made::ordered_dict), global("collections", "OrderedDict", static_cast<std::uint16_t>(PythonCall::ordered_dict)), graph_.tuple({}));
  }
  Ref layout(Layout of) {
    const std::string_view text = graph_.copy("torch." + std::string(name(of)));
    if (!text.data()) return {};
    const Ref word = make_text(text);
    return called(graph_.tuple(std::span(&word, 1), Made::layout), global("torch.serialization", "_get_layout", static_cast<std::uint16_t>(TorchCall::layout)), tuple({word}));
  }

 private:
  Graph& graph_;
};

}  // namespace

// A sparse tensor as a release of another time wrote it: _rebuild_sparse_csr_tensor went with 2.0, and nothing before that reads what stands for it.
bool TorchReduce::has_other_call(const TensorRecord& t) const noexcept {
  if (!t.as_sparse() || !t.origin || t.origin->callee.kind != Kind::global || t.origin->args.kind != Kind::tuple) return false;
  const auto call = static_cast<TorchCall>(t.origin->callee.node->known);
  const auto args = tuple_of(t.origin->args).items();
  if (t.layout == Layout::sparse_csr) return call == (options_.before_2_1 ? TorchCall::rebuild_sparse : TorchCall::rebuild_sparse_csr);
  return call == TorchCall::rebuild_sparse && t.layout == Layout::sparse_coo && args.size() == 2 && is_tuple(args[1]) && tuple_of(args[1]).size != (options_.before_2_1 ? 3u : 4u);
}

const Origin* TorchReduce::call_of_kind(Graph& graph, const TensorRecord& t) {
  Values values(graph);
  const auto utils = [&](std::string_view name, TorchCall call) { return values.global("torch._utils", name, static_cast<std::uint16_t>(call)); };
  Ref callee, args;
  if (const Quantised* q = t.as_quantised()) {
    callee = utils("_rebuild_qtensor", TorchCall::rebuild_quantised);
    const bool whole = q->scheme == QScheme::per_tensor_affine;
    const Ref scheme = whole ? values.global("torch", "per_tensor_affine", static_cast<std::uint16_t>(TorchCall::per_tensor_affine))
                             : values.global("torch", "per_channel_affine", static_cast<std::uint16_t>(TorchCall::per_channel_affine));  // of float qparams, too
    const Ref params = whole ? values.tuple({scheme, make_float(q->scale), make_int(q->zero_point)})
                             : values.tuple({scheme, make_tensor_ref(q->scales), make_tensor_ref(q->zero_points), make_int(q->axis)});
    args = values.tuple({make_storage_ref(q->storage, t.dtype, false), make_int(q->offset), values.ints(t.shape()),
                         values.ints(t.stride()), params, make_bool(t.requires_grad), values.hooks()});
  } else if (const Sparse* s = t.as_sparse()) {
    callee = options_.before_2_1 && t.layout == Layout::sparse_csr ? utils("_rebuild_sparse_csr_tensor", TorchCall::rebuild_sparse_csr)
                                                                   : utils("_rebuild_sparse_tensor", TorchCall::rebuild_sparse);
    Ref& layout = layouts_[static_cast<std::size_t>(t.layout)];
    if (layout.kind == Kind::absent) layout = values.layout(t.layout);
    const Ref size = values.size(t.shape());
    const Ref indices = values.part(*s->indices), numbers = values.part(*s->values);
    const Ref data = s->plain ? values.tuple({indices, values.part(*s->plain), numbers, size})
                : options_.before_2_1 ? values.tuple({indices, numbers, size})
                                      : values.tuple({indices, numbers, size, make_bool(s->coalesced)});
    args = values.tuple({layout, data});
  } else if (const Nested* n = t.as_nested()) {
    callee = utils("_rebuild_nested_tensor", TorchCall::rebuild_nested);
    args = values.tuple({values.part(*n->buffer), make_tensor_ref(n->sizes), make_tensor_ref(n->strides), make_tensor_ref(n->offsets)});
  } else if (const Jagged* j = t.as_jagged()) {
    constexpr std::string_view module = "torch.nested._internal.nested_tensor";
    if (rebuild_jagged_.kind == Kind::absent) rebuild_jagged_ = values.global(module, "_rebuild_njt"), jagged_class_ = values.global(module, "NestedTensor");
    callee = values.global("torch._tensor", "_rebuild_from_type_v2", static_cast<std::uint16_t>(TorchCall::rebuild_from_type));
    const Ref lengths = j->lengths ? make_tensor_ref(j->lengths) : make_none();
    const Ref arguments = values.dict({{"values", make_tensor_ref(j->values)},
                                       {"offsets", make_tensor_ref(j->offsets)},
                                       {"lengths", lengths},
                                       {"_ragged_idx", make_int(static_cast<std::int64_t>(j->ragged) + 1)},
                                       {"_metadata_cache", values.dict({})},
                                       {"requires_grad", make_bool(t.requires_grad)}});
    args = values.tuple({rebuild_jagged_, jagged_class_, values.tuple({arguments}), values.dict({})});
  } else if (t.is_meta()) {
    callee = utils("_rebuild_meta_tensor_no_storage", TorchCall::rebuild_meta);
    args = values.tuple({values.global("torch", name(t.dtype), static_cast<std::uint16_t>(kFirstDtype + static_cast<unsigned>(t.dtype))),
                         values.ints(t.shape()), values.ints(t.stride()), make_bool(t.requires_grad)});
  }
  if (callee.kind == Kind::absent || args.kind == Kind::absent) return nullptr;
  return graph.arena().make<Origin>(Origin{.callee = callee, .args = args, .kwargs = {}});
}

}  // namespace brine
