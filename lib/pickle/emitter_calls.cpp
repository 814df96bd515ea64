// SPDX-License-Identifier: MIT
// The emitter's calls: which values need one in this protocol, how one begins that the graph does not hold, and its steps.
#include "pickle/emitter.hpp"

#include "graph/walk.hpp"
#include "pickle/python_calls.hpp"

namespace brine {

namespace {

// Bytes, sets and such that this protocol has opcodes for need no call.
bool made_by(const Ref& ref, PythonCall call) noexcept {
  const Origin* o = ref.node->origin;
  return o && o->callee.kind == Kind::global && o->callee.node->known == static_cast<std::uint16_t>(call) && !o->first;
}

}  // namespace

bool Emitter::native(const Ref& ref) const noexcept {
  const bool no_call = !ref.node->origin;
  switch (ref.kind) {
    case Kind::bytes: return protocol() >= 3 && (no_call || made_by(ref, PythonCall::codecs_encode) || made_by(ref, PythonCall::bytes));
    case Kind::bytearray: return protocol() >= 5 && (no_call || made_by(ref, PythonCall::bytearray));
    case Kind::set: return protocol() >= 4 && (no_call || made_by(ref, PythonCall::set));
    case Kind::frozenset: return protocol() >= 4 && (no_call || made_by(ref, PythonCall::frozenset));
    default: return no_call;
  }
}

// Values without a call that this protocol writes as one: the call is made now, as Python's __reduce_ex__ makes it.
bool Emitter::synthesise(const Ref& ref) {
  share_items(ref);
  const auto call = [&](std::string_view module, std::string_view name, std::initializer_list<Ref> args) {
    for (const Ref& a : args)
      if (a.kind == Kind::absent) return spent();
    const PythonCall known = python_call(module, name);
    GlobalNode* first = known == PythonCall::none ? nullptr : graph_.first(static_cast<std::uint16_t>(known));
    Ref& kept = interned_[std::string(module) + " " + std::string(name)];
    if (kept.kind == Kind::absent) kept = first ? make_node(Kind::global, first) : graph_.first_global(module, name, static_cast<std::uint16_t>(known));
    const Ref tuple = graph_.tuple({args.begin(), args.size()});
    if (kept.kind == Kind::absent || tuple.kind == Kind::absent) return spent();
    auto* origin = graph_.arena().make<Origin>();
    if (!origin) return spent();
    origin->callee = kept;
    origin->args = tuple;
    if (has_node(ref) && ref.node->origin) {
      const Origin& own = *ref.node->origin;
      origin->first = own.first, origin->last = own.last;
      if (own.args.kind == Kind::tuple) tuple.node->flags = own.args.node->flags & kMemoised;  // so that both say it alike where both are written
    }
    return begin_call(ref, *origin);
  };
  const auto latin1 = [&](std::string_view data) {
    std::string text;
    for (const char c : data) {
      const auto u = static_cast<unsigned char>(c);
      if (u < 0x80) text += c;
      else text += static_cast<char>(0xC0 | u >> 6), text += static_cast<char>(0x80 | (u & 63));
    }
    const std::string_view own = graph_.copy(text);
    return own.data() ? make_text(own) : Ref{};
  };
  const auto word = [&](std::string_view text) {
    Ref& kept = interned_[std::string(text)];
    if (kept.kind == Kind::absent) kept = make_text(graph_.copy(text));
    return kept;
  };
  switch (ref.kind) {
    case Kind::bytes: {
      const std::string_view data = bytes_of(ref).text();
      return data.empty() ? call("builtins", "bytes", {}) : call("_codecs", "encode", {latin1(data), word("latin1")});
    }
    case Kind::bytearray: {
      const std::string_view data = bytes_of(ref).text();
      return data.empty() ? call("builtins", "bytearray", {}) : call("builtins", "bytearray", {graph_.bytes(data)});
    }
    case Kind::complex: return call("builtins", "complex", {make_float(complex_of(ref).real), make_float(complex_of(ref).imag)});
    case Kind::set: return enter_set(ref) && call("builtins", "set", {graph_.list(list_of(ref).items())});
    case Kind::frozenset: return enter_set(ref) && call("builtins", "frozenset", {graph_.list(list_of(ref).items())});
    case Kind::dict:
      if (ref.node->made == Made::ordered_dict) return call("collections", "OrderedDict", {});
      if (ref.node->made == Made::counter) return call("collections", "Counter", {});
      if (ref.node->made == Made::default_dict && ref.node->origin) return call("collections", "defaultdict", {tuple_of(ref.node->origin->args).items()[0]});
      break;
    default: break;
  }
  return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "cannot write a value of class " + qualified_class_name(ref) + " without the call that made it"));
}

// A set is memoised after its members: one that is met among them is written again, as by Python, and what lies between ends that by its memo entry.
// Where each round adds none but that of the list of members, nothing does.
bool Emitter::enter_set(const Ref& set) {
  const std::uint32_t others = memo_size_ - sets_++;
  const auto [place, is_new] = open_calls_.try_emplace(set.node, others);
  if (!is_new && std::exchange(place->second, others) == others) return fail(holds_itself(set));
  return true;
}

Error Emitter::holds_itself(const Ref& ref) {
  return Error(ErrorKind::unsupported, ErrorCode::pickle_target, "a value of class " + class_name(ref) + " holds itself in the arguments of its call: no pickle of protocol " +
               std::to_string(protocol()) + " can say that");
}

bool Emitter::begin_call(const Ref& ref, const Origin& inner) {
  const Origin& origin = inner.outer ? *inner.outer : inner;
  if ((origin.how == How::newobj || origin.how == How::newobj_ex) && protocol() < 2)
    return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "objects made by NEWOBJ need protocol 2 or above; this is protocol " + std::to_string(protocol())));
  if (origin.how == How::newobj_ex && protocol() < 4) return begin_partial(ref, origin);
  // What a known call makes of containers, met again while those are written: they do not hold all yet. Python has none: what is in a set can be hashed.
  const bool reads = is_container(ref) && &inner == ref.node->origin && inner.callee.kind == Kind::global && inner.callee.node->known != 0 &&
                     inner.args.kind == Kind::tuple && inner.args.node->size != 0;
  if (reads && !open_calls_.try_emplace(ref.node, 0).second) return fail(holds_itself(ref));
  if (origin.how == How::obj || origin.how == How::inst) op(Op::MARK);
  stack_.push_back({Step::call_args, ref, &origin, inner.first});
  if (origin.how == How::inst) return true;  // INST names its class itself
  return follow(origin.callee);
}

// What NEWOBJ_EX does, as Python writes it below protocol 4: functools.partial(cls.__new__, cls, *args, **kwargs)(). Python says cls.__new__ by the class
// that defines it, which no file tells; by cls itself it is the same function.
bool Emitter::begin_partial(const Ref& ref, const Origin& origin) {
  const auto global = [&](std::string_view module, std::string_view name) {
    Ref& kept = interned_[std::string(module) + " " + std::string(name)];
    if (kept.kind == Kind::absent) kept = graph_.first_global(module, name, 0);
    return kept;
  };
  if (origin.callee.kind != Kind::global || origin.args.kind != Kind::tuple)
    return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "an object made by NEWOBJ_EX of an unnamed class needs protocol 4 or above"));
  if (!open_calls_.try_emplace(ref.node, 0).second) return fail(holds_itself(ref));  // a partial holds all of them before there is the object
  const GlobalNode& cls = global_of(origin.callee);
  Ref& function = interned_["__new__ " + std::string(cls.module) + " " + std::string(cls.name)];
  if (function.kind == Kind::absent) {
    const Ref of[] = {origin.callee, make_text(graph_.copy("__new__"))};
    function = graph_.object({.callee = global("builtins", "getattr"), .args = graph_.tuple(of), .kwargs = {}});
  }
  std::vector<Ref> args{origin.callee};
  const auto own = tuple_of(origin.args).items();
  args.insert(args.end(), own.begin(), own.end());
  const Ref state[] = {function, graph_.tuple(args), origin.kwargs, make_none()};
  const Ref partial = graph_.object({.callee = global("functools", "partial"), .args = graph_.tuple({&function, 1}), .kwargs = {}});
  auto* call = graph_.arena().make<Origin>(origin);
  const Ref whole = graph_.tuple(state);
  if (function.kind == Kind::absent || partial.kind == Kind::absent || whole.kind == Kind::absent || !call || !graph_.add_effect(*partial.node, {}, whole)) return spent();
  call->callee = partial;
  call->args = graph_.tuple({});
  call->kwargs = {};
  call->how = How::reduce;
  return call->args.kind == Kind::absent ? spent() : begin_call(ref, *call);
}

// One step of a call, or of what follows one.
bool Emitter::step_call() {
  Frame& f = stack_.back();
  const Ref ref = f.ref;
  switch (f.step) {
    case Step::call_args: {
      const Origin& o = *f.origin;
      if (o.how == How::obj || o.how == How::inst) {  // the arguments lie bare behind the mark
        const auto items = tuple_of(o.args).items();
        if (f.at < items.size()) return save(items[f.at++]);
        f.step = Step::call_end;
        return true;
      }
      f.step = o.how == How::newobj_ex ? Step::call_kwargs : Step::call_end;
      return save(o.args);
    }
    case Step::call_kwargs: f.step = Step::call_end; return save(f.origin->kwargs);
    case Step::call_end: {
      const Origin& o = *f.origin;
      if (o.how == How::inst) {
        const auto name = spelled(global_of(o.callee));
        if (!name) return fail(name.error());
        op(Op::INST);
        for (const std::string_view part : {name->module, name->name}) out_.raw(part), out_.raw("\n");
      } else {
        op(o.how == How::reduce ? Op::REDUCE : o.how == How::newobj ? Op::NEWOBJ : o.how == How::obj ? Op::OBJ : Op::NEWOBJ_EX);
      }
      const void* self = identity(ref);
      if (!open_calls_.empty()) open_calls_.erase(static_cast<const Node*>(self));
      if (memo_.contains(self)) {  // its own arguments have written it
        op(Op::POP);
        stack_.pop_back();
        return get(self);
      }
      put(self);
      if (ref.kind == Kind::tensor || ref.kind == Kind::bytes || ref.kind == Kind::bytearray || ref.kind == Kind::complex || ref.kind == Kind::tuple) {
        f.step = Step::effects;
      } else {
        f.step = Step::items;
        f.at = f.group = 0;
        f.value = false;
      }
      return true;
    }
    case Step::items: {  // what was appended …
      std::span<const Ref> items;
      std::size_t given = f.origin->given;
      if (ref.kind == Kind::object && object_of(ref).list) items = object_of(ref).list->items();
      else if (ref.kind == Kind::list) items = list_of(ref).items();
      if (ref.kind == Kind::set || ref.kind == Kind::frozenset) items = {};
      f.step = Step::dict_part;
      if (items.size() > given) {
        Frame more{Step::list_items, ref};
        more.at = static_cast<std::uint32_t>(ref.kind == Kind::object ? 0 : given);
        stack_.push_back(more);
      }
      return true;
    }
    case Step::dict_part: {  // … and set by key, since the call …
      std::size_t size = 0, given = f.origin->given;
      if (ref.kind == Kind::object) size = object_of(ref).dict ? object_of(ref).dict->size : 0, given = 0;
      else if (ref.kind == Kind::dict) size = ref.node->size;
      f.step = Step::effects;
      if (size > given) {
        expect(size - given);
        Frame more{Step::dict_items, ref};
        more.at = static_cast<std::uint32_t>(given);
        stack_.push_back(more);
      }
      return true;
    }
    case Step::list_items: return save_sequence(f, ref.kind == Kind::object ? object_of(ref).list->items() : list_of(ref).items(), false);
    case Step::dict_items: return save_entries(f, ref.kind == Kind::object ? object_of(ref).dict->entries() : dict_of(ref).entries(), false);
    case Step::effects: {  // … and the states, and calls made for their effect, in order
      if (f.value) {
        op(Op::BUILD);
        f.value = false;
      }
      const Effect* e = f.effect;
      if (!e) return stack_.pop_back(), true;
      f.effect = e->next;
      if (e->setter.kind == Kind::absent) {
        f.value = true;
        return save(e->state);
      }
      stack_.push_back({Step::setter_call, ref, nullptr, e});
      return save(e->setter);
    }
    case Step::setter_call: {
      const Ref args = f.effect->state;
      const bool in_parts = !(args.node->flags & kMemoised);  // by CPython, with TUPLE2 in every protocol
      if (f.at < (in_parts ? 2u : 1u)) {
        const std::uint32_t at = f.at++;
        return save(in_parts ? tuple_of(args).items()[at] : args);
      }
      stack_.pop_back();
      if (in_parts) op(Op::TUPLE2);
      op(Op::REDUCE);
      op(Op::POP);
      return true;
    }
    case Step::persistent: {
      if (memo_.contains(ref.node)) {  // its own id has written it
        op(Op::POP);
        stack_.pop_back();
        return get(ref.node);
      }
      op(Op::BINPERSID);
      if (ref.node->flags & kMemoised || shared_.contains(ref.node)) put(ref.node);  // by no pickler of Python's, but files have it
      f = {Step::items, ref, ref.node->origin, ref.node->origin->first};
      return true;
    }
    case Step::wrapper_tail: {
      stack_.pop_back();
      auto ok = leaves_.wrapper_tail(*this, ref);
      return ok ? true : fail(std::move(ok).error());
    }
    default: break;
  }
  return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "no such step"));
}

}  // namespace brine
