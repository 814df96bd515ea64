// SPDX-License-Identifier: MIT
#include <brine/tree.hpp>

#include "bytes/guard.hpp"
#include "graph/big_int.hpp"
#include "graph/walk.hpp"
#include "pickle/python_calls.hpp"
#include "pickle/text_args.hpp"
#include "state/state_dict.hpp"
#include "support/memory.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"
#include "torch/torch_calls.hpp"

#include <limits>
#include <string>
#include <vector>

namespace brine {

struct Tree::Impl {
  Budget budget{std::numeric_limits<std::uint64_t>::max(), ErrorCode::out_of_memory};
  Graph graph{budget};
  Words words;
  std::vector<Tensor> tensors;
  std::vector<std::shared_ptr<const void>> owners;
  std::shared_ptr<const char> alive = std::make_shared<const char>();  // what the values' handles hold on to

  Impl() { graph.set_owner(std::weak_ptr<const void>(alive)); }

  /// The graph has nothing to give where memory is spent.
  static const Ref& made(const Ref& ref) {
    if (ref.kind == Kind::absent) throw_bad_alloc();
    return ref;
  }
  Value value(const Ref& ref) const { return Access::value(&graph, made(ref)); }

  std::string_view copy(std::string_view v) {
    const std::string_view copied = graph.copy(v);
    if (!copied.data()) throw_bad_alloc();
    return copied;
  }

  Ref tensor(const Tensor& t) {
    tensors.push_back(t);
    return make_tensor_ref(&Handles::record(t));
  }

  Ref global(std::uint16_t known, std::string_view module, std::string_view name) {
    if (GlobalNode* first = graph.first(known)) return make_node(Kind::global, first);
    return graph.first_global(module, copy(name), known);
  }
};

Tree::Tree() : impl_(std::make_unique<Impl>()) {}
Tree::~Tree() = default;
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(Tree&&) noexcept = default;

Value Tree::value(const TreeItem& item) & {
  struct Visitor {
    Impl& impl;
    Ref operator()(std::monostate) const { return make_none(); }
    Ref operator()(bool v) const { return make_bool(v); }
    Ref operator()(std::int64_t v) const { return make_int(v); }
    Ref operator()(std::uint64_t v) const {
      if (v <= INT64_MAX) return make_int(static_cast<std::int64_t>(v));
      const std::string digits = std::to_string(v);
      return Impl::made(impl.graph.big_int(impl.copy(int_from_decimal(digits)), impl.copy(digits)));
    }
    Ref operator()(double v) const { return impl.graph.floating(v); }
    Ref operator()(std::string_view v) const { return Impl::made(impl.words.text(impl.graph, v)); }
    Ref operator()(const Tensor& v) const { return impl.tensor(v); }
    Ref operator()(const Value& v) const {
      const Graph* from = Access::graph(v);
      if (from && from != &impl.graph) impl.owners.push_back(from->owner());
      return Access::ref(v);
    }
  };
  return Access::value(&impl_->graph, std::visit(Visitor{*impl_}, item.item_));  // an absent Value stays one
}

Value Tree::bytes(std::span<const std::byte> data) & {
  return impl_->value(impl_->graph.bytes(impl_->copy({reinterpret_cast<const char*>(data.data()), data.size()})));
}

Value Tree::big_int(std::string_view decimal) & {
  const auto parsed = parse_int(decimal);
  if (!parsed) return {};
  if (!parsed->big) return impl_->value(make_int(parsed->value));
  if (decimal.size() > kMaxDecimalDigits) return {};
  return impl_->value(impl_->graph.big_int(impl_->copy(int_from_decimal(decimal)), impl_->copy(decimal)));
}

Value Tree::complex(double real, double imag) & { return impl_->value(impl_->graph.complex(real, imag)); }
Value Tree::dict() & { return impl_->value(impl_->graph.dict()); }
Value Tree::ordered_dict() & { return impl_->value(make_ordered_dict(impl_->graph)); }

namespace {
template <class Items>
std::vector<Ref> refs(Tree& tree, const Items& items) {
  std::vector<Ref> out;
  for (const TreeItem& item : items) out.push_back(Access::ref(tree.value(item)));
  return out;
}
}  // namespace

Value Tree::list(std::initializer_list<TreeItem> items) & { return impl_->value(impl_->graph.list(refs(*this, items))); }
Value Tree::tuple(std::initializer_list<TreeItem> items) & { return tuple(std::span(items.begin(), items.size())); }
Value Tree::set(std::initializer_list<TreeItem> items) & { return set(std::span(items.begin(), items.size())); }
Value Tree::tuple(std::span<const TreeItem> items) & { return impl_->value(impl_->graph.tuple(refs(*this, items))); }

Value Tree::set(std::span<const TreeItem> items) & {
  return impl_->value(impl_->graph.set_of(refs(*this, items)));
}

Value Tree::size(Shape shape) & {
  std::vector<Ref> items;
  for (const std::int64_t s : shape) items.push_back(make_int(s));
  Graph& graph = impl_->graph;
  const Ref made = graph.tuple(items, Made::size), plain = graph.tuple(items), args = graph.tuple({&plain, 1});
  const Ref callee = impl_->global(static_cast<std::uint16_t>(TorchCall::size), "torch", "Size");
  if (made.kind == Kind::absent || plain.kind == Kind::absent || args.kind == Kind::absent || callee.kind == Kind::absent ||
      !graph.set_origin(*made.node, {.callee = callee, .args = args, .kwargs = {}}))
    throw_bad_alloc();
  return impl_->value(made);
}

Value Tree::dtype(DType dtype) & {
  return impl_->value(impl_->global(static_cast<std::uint16_t>(kFirstDtype + static_cast<unsigned>(dtype)), "torch", name(dtype)));
}

Value Tree::parameter(const Tensor& tensor, bool requires_grad) & {
  const Ref base = impl_->tensor(tensor);
  // What a Parameter wraps is a tensor object of its own, each time it is asked for.
  const TensorRecord& t = tensor_of(base);
  auto* data = impl_->graph.arena().make<TensorRecord>(t.form == TensorForm::parameter && t.base ? *t.base : t);
  auto* record = impl_->graph.arena().make<TensorRecord>(t);
  if (!data || !record) throw_bad_alloc();
  if (!data->origin) data->requires_grad = false;
  record->base = data;
  record->form = TensorForm::parameter;
  record->parameter = true;
  record->requires_grad = requires_grad;
  record->origin = nullptr;
  return impl_->value(make_tensor_ref(record));
}

Result<Value> Tree::state_dict(const StateDict& state) & {
  return guarded("a tree", [&]() -> Result<Value> {
    BRINE_LET(value, state_dict_value(state, impl_->graph, impl_->words));
    const auto& impl = *StateDictAccess::impl(state);
    impl_->owners.insert(impl_->owners.end(), impl.owners.begin(), impl.owners.end());
    impl_->owners.push_back(StateDictAccess::impl(state));
    return impl_->value(*value);
  });
}

Result<void> Tree::set(const Value& dict, const TreeItem& key, const TreeItem& item) {
  return guarded("a tree", [&]() -> Result<void> {
    const Ref& target = Access::ref(dict);
    if (target.kind != Kind::dict || Access::graph(dict) != &impl_->graph)
      return Error(ErrorKind::usage, ErrorCode::wrong_kind, "items are set on dicts that this Tree made, not on " + class_name(target));
    bool replaced = false;
    const Ref k = Access::ref(value(key)), v = Access::ref(value(item));
    if (impl_->graph.set(static_cast<DictNode&>(*target.node), k, v, replaced)) return {};
    return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the tree");
  });
}

Result<void> Tree::append(const Value& list, const TreeItem& item) {
  return guarded("a tree", [&]() -> Result<void> {
    const Ref& target = Access::ref(list);
    if (target.kind != Kind::list || Access::graph(list) != &impl_->graph)
      return Error(ErrorKind::usage, ErrorCode::wrong_kind, "items are appended to lists that this Tree made, not to " + class_name(target));
    const Ref v = Access::ref(value(item));
    if (impl_->graph.append(static_cast<ListNode&>(*target.node), {&v, 1})) return {};
    return Error(ErrorKind::limit, ErrorCode::out_of_memory, "no memory for the tree");
  });
}

}  // namespace brine
