// SPDX-License-Identifier: MIT
// Which pairs a pair of objects gives, and a pair of tensors beyond their elements.
#include "inspect/compare.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>

namespace brine {

namespace {

constexpr std::size_t kLevels = 32, kExtras = kLevels + 3;  // twice 16 calls, as many as brine reads

std::span<const Ref> items_of(const Ref& tuple) noexcept { return tuple.kind == Kind::tuple ? tuple_of(tuple).items() : std::span<const Ref>(); }

TorchCall call_of(const Ref& callee) noexcept { return callee.kind == Kind::global ? static_cast<TorchCall>(callee.node->known) : TorchCall{}; }

struct Extra {
  const char* name = "";
  Ref value;
  bool attributes = false;
};

Extra some(const char* name, std::span<const Ref> from, std::size_t at, bool attributes = false) noexcept {
  if (at >= from.size() || from[at].kind == Kind::none || (from[at].kind == Kind::dict && from[at].node->size == 0)) return {};  // None and nothing are one
  return {name, from[at], attributes};
}

/// The innermost call of a chain of _rebuild_from_type_v2(func, type, args, state) that is at most `max` long.
struct Call {
  Ref callee, args;
  Call inner(std::size_t max) const noexcept {
    Call out = *this;
    for (auto a = items_of(args); max > 0 && call_of(out.callee) == TorchCall::rebuild_from_type && a.size() == 4; --max, a = items_of(out.args)) out = {a[0], a[2]};
    return out;
  }
};

/// The class (i even) or the attributes (i odd) of number i/2 of such a chain, the outermost first.
Extra from_type(const Origin* origin, std::size_t i) noexcept {
  if (!origin) return {};
  const Call call = Call{origin->callee, origin->args}.inner(i / 2);
  return call_of(call.callee) != TorchCall::rebuild_from_type ? Extra{} : i % 2 == 0 ? some("type", items_of(call.args), 1) : some("state", items_of(call.args), 3, true);
}

/// Number i of what a tensor's call says beyond its elements.
Extra extra_of(const TensorRecord& t, std::size_t i) noexcept {
  if (!t.origin || i < kLevels) return from_type(t.origin, i);
  const Call call = Call{t.origin->callee, t.origin->args}.inner(kLevels);
  const TorchCall known = call_of(call.callee);
  const bool by_build = known == TorchCall::parameter || known == TorchCall::variable;  // up to 0.4: ([data, grad, | requires_grad, volatile,] hooks …)
  const bool is_tensor = known == TorchCall::rebuild_tensor_v2 || known == TorchCall::rebuild_tensor_v3;
  const bool is_parameter = known == TorchCall::rebuild_parameter || known == TorchCall::rebuild_parameter_with_state;
  const auto args = items_of(call.args), built = by_build && t.origin->built ? items_of(t.origin->built->state) : std::span<const Ref>();
  switch (i - kLevels) {
    case 0: return by_build ? some("_backward_hooks", built, 2) : is_tensor ? some("_backward_hooks", args, 5) : is_parameter ? some("_backward_hooks", args, 2) : Extra{};
    case 1: return known == TorchCall::rebuild_parameter_with_state ? some("state", args, 3, true) : Extra{};
    case 2: return built.size() == 5 ? some("grad", built, 1) : Extra{};
    default: return {};
  }
}

template <class Child>
bool give(const Extra& a, const Extra& b, Child& out) {
  out = {a.value, b.value, {.prefix = a.value.kind == Kind::absent ? b.name : a.name, .whole = true}, a.attributes && b.attributes};
  return a.value.kind != Kind::absent || b.value.kind != Kind::absent;
}

}  // namespace

bool has_extras(const TensorRecord& tensor) noexcept { return tensor.origin || (tensor.base && (tensor.base->origin || tensor.base->base)); }

bool Comparer::next_of_tensor(Frame& frame, Child& out) {
  const TensorRecord &x = tensor_of(frame.a), &y = tensor_of(frame.b);
  while (frame.at < kExtras) {
    const std::size_t i = frame.at++;
    if (give(extra_of(x, i), extra_of(y, i), out)) return true;
  }
  if (frame.at++ > kExtras || !((x.base && has_extras(*x.base)) || (y.base && has_extras(*y.base)))) return false;
  out = {make_tensor_ref(x.base), make_tensor_ref(y.base), {.prefix = "data", .whole = true}, false, x.base && y.base};
  return true;
}

bool Comparer::next_of_object(Frame& frame, Child& out) {
  const ObjectNode &a = object_of(frame.a), &b = object_of(frame.b);
  for (;; ++frame.part, frame.at = frame.at_b = 0) {
    switch (frame.part) {
      case 0:
        if (a.origin->callee.kind == Kind::global || a.origin->callee.kind == Kind::absent || frame.at++) break;
        out = {a.origin->callee, b.origin->callee, {.prefix = "callee", .whole = true}};
        return true;
      case 1: {
        const Ref &x = a.origin->args, &y = b.origin->args;
        if (x.kind == Kind::tuple && y.kind == Kind::tuple) {
          if (frame.at == 0 && tuple_of(x).size != tuple_of(y).size)
            differ(Difference::Kind::value, {.prefix = "args", .whole = true},
                   [&] { return std::to_string(tuple_of(x).size) + " items -> " + std::to_string(tuple_of(y).size) + " items"; });
          if (next_position(frame, tuple_of(x).items(), tuple_of(y).items(), "args.", out)) return true;
        } else if ((x.kind != Kind::absent || y.kind != Kind::absent) && frame.at++ == 0) {
          out = {x, y, {.prefix = "args", .whole = true}};
          return true;
        }
        break;
      }
      case 2: {
        const Ref &x = a.origin->kwargs, &y = b.origin->kwargs;
        if ((x.kind == Kind::absent && y.kind == Kind::absent) || frame.at++) break;
        out = {x, y, {.prefix = "kwargs", .whole = true}};
        return true;
      }
      case 3: {
        const auto items = [](const ObjectNode& o) { return o.list ? o.list->items() : std::span<const Ref>(); };
        if (frame.at == 0 && items(a).size() != items(b).size())
          differ(Difference::Kind::value, {.prefix = "items", .whole = true},
                 [&] { return std::to_string(items(a).size()) + " items -> " + std::to_string(items(b).size()) + " items"; });
        if (next_position(frame, items(a), items(b), "", out)) return true;
        break;
      }
      case 4: {
        static const DictNode empty{};
        if (next_entry(frame, a.dict ? *a.dict : empty, b.dict ? *b.dict : empty, out)) return true;
        break;
      }
      case 5:
        if (a.origin->how == How::newobj_ex || (!a.origin->outer && !b.origin->outer)) break;  // functools.partial's says the same as the object
        for (; frame.at < kLevels; ++frame.at)
          if (give(from_type(a.origin->outer, frame.at), from_type(b.origin->outer, frame.at), out)) return ++frame.at, true;
        break;
      default: return next_effect(frame, out);
    }
  }
}

// What the object was given after it was made: states, and calls made for their effect.
bool Comparer::next_effect(Frame& frame, Child& out) {
  if (frame.part < 100) {
    frame.part = 100;
    const auto first = [](const Ref& r) { return r.kind != Kind::absent && r.node->origin ? r.node->origin->first : nullptr; };
    frame.effect_a = first(frame.a);
    frame.effect_b = first(frame.b);
  }
  const Effect *&x = frame.effect_a, *&y = frame.effect_b;
  if (!x && !y) return false;
  const bool setter = frame.part == 100 && ((x && x->setter.kind != Kind::absent) || (y && y->setter.kind != Kind::absent));
  if (setter) {
    frame.part = 101;
    out = {x ? x->setter : Ref{}, y ? y->setter : Ref{}, {.prefix = "setter", .whole = true}};
    if (out.a.kind != Kind::absent || out.b.kind != Kind::absent) return true;
  }
  frame.part = 100;
  out = {x ? x->state : Ref{}, y ? y->state : Ref{}, {.prefix = "state", .whole = true}, x && y && x->setter.kind == Kind::absent};
  if (x) x = x->next;
  if (y) y = y->next;
  return true;
}

}  // namespace brine
