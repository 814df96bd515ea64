// SPDX-License-Identifier: MIT
// The emitter's containers: what begins, what follows each child, what ends. Their items are in
// emitter_batches.cpp, calls that have to be made first in emitter_calls.cpp.
#include "pickle/emitter.hpp"

#include "graph/walk.hpp"

#include <bit>
#include <utility>

namespace brine {

bool Emitter::save(const Ref& ref) {
  bool ok = begin(ref);
  while (ok && std::exchange(has_next_, false)) ok = begin(Ref(next_));
  return ok;
}

namespace {

// A set, by ADDITEMS of protocol 4.
bool has_grown(const Ref& ref) noexcept { return ref.kind == Kind::set && ref.node->size != ref.node->origin->given; }

// Some of the items that its call was given are equal, or a value of one was replaced. They may be equal by identity alone, as one NaN in two places is, which we do not write.
bool has_fewer(const Ref& ref) noexcept {
  const bool unique = ref.kind == Kind::set || ref.kind == Kind::frozenset || (ref.kind == Kind::dict && ref.node->made != Made::plain);
  const Ref& args = ref.node->origin->args;
  const std::size_t at = ref.node->made == Made::default_dict ? 1 : 0;
  if (!unique || ref.node->origin->how == How::newobj || args.kind != Kind::tuple || tuple_of(args).size != at + 1) return false;
  const Ref& items = tuple_of(args).items()[at];
  return (items.kind == Kind::list || items.kind == Kind::tuple || items.kind == Kind::dict) && items.node->size != ref.node->origin->given;
}

}  // namespace

// It is written without the call that made it, and what that was given may stand elsewhere, too; or it is written anew where it is met among its own
// items. Then items that have no memo entry by themselves (what a persistent id made, tuples that were not memoised) stand in two places.
void Emitter::share_items(const Ref& container) {
  const auto share = [this](const Ref& item) {
    if (item.kind == Kind::object ? item.node->origin->how == How::persistent : is_tuple(item) && !(item.node->flags & kMemoised)) shared_.insert(item.node);
  };
  if (container.kind == Kind::set || container.kind == Kind::frozenset)
    for (const Ref& item : list_of(container).items()) share(item);
  if (container.kind == Kind::dict)
    for (const Entry& e : dict_of(container).entries()) share(e.key), share(e.value);
}

// A layout is one object, also where two graphs have it.
const Node* Emitter::one_layout(const Ref& ref) {
  if (ref.kind != Kind::tuple || ref.node->made != Made::layout || ref.node->size != 1) return ref.node;
  const Ref& name = tuple_of(ref).items()[0];
  if (name.kind != Kind::string || (ref.node->origin && ref.node->origin->first)) return ref.node;
  return layouts_.try_emplace(std::string(text_of(name)), ref.node).first->second;
}

// Writes an atom, or begins what has parts.
bool Emitter::begin(const Ref& met) {
  const Ref& ref = replaced_ ? replaced_->of(met) : met;
  out_.boundary();
  switch (ref.kind) {
    case Kind::absent: return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "expected a value to write, found an absent one"));
    case Kind::none: return op(Op::NONE), true;
    case Kind::boolean: return boolean(ref.integer != 0), true;
    case Kind::integer: return ref.flags & kBig ? big_integer(ref) : (integer(ref.integer), true);
    case Kind::floating: return out_.op(Op::BINFLOAT, boost::endian::endian_reverse(std::bit_cast<std::uint64_t>(ref.floating))), true;
    case Kind::string: return text(ref), true;
    case Kind::global: {
      const bool known = memo_.contains(one(global_of(ref)));
      if (auto ok = global(ref); !ok) return fail(std::move(ok).error());
      if (!known && ref.node->origin && ref.node->origin->first) stack_.push_back({Step::effects, ref, ref.node->origin, ref.node->origin->first});
      return true;
    }
    case Kind::storage: {
      auto ok = leaves_.storage(*this, ref);
      return ok ? true : fail(std::move(ok).error());
    }
    case Kind::tensor: {
      if (get(ref.pointer)) return true;
      const Origin* origin = nullptr;
      const auto done = leaves_.tensor(*this, ref, origin);
      if (!done) return fail(done.error());
      return *done || begin_call(ref, *origin);
    }
    default: break;
  }

  if (ref.kind == Kind::tuple && ref.node->size == 0 && ref.node->made == Made::plain && !ref.node->origin) return op(Op::EMPTY_TUPLE), true;
  if (get(one_layout(ref))) return true;
  if (ref.kind == Kind::object && ref.node->origin->how == How::persistent) {
    stack_.push_back({Step::persistent, ref});
    return follow(ref.node->origin->args);
  }
  if (ref.node->origin) {
    if (!native(ref)) return has_grown(ref) || has_fewer(ref) || is_open_set(ref) ? synthesise(ref) : begin_call(ref, *ref.node->origin);
    share_items(ref);
  }
  switch (ref.kind) {
    case Kind::bytes:
      if (protocol() < 3) return synthesise(ref);
      bytes(bytes_of(ref).text());
      return put(ref.node), true;
    case Kind::bytearray:
      if (protocol() < 5) return synthesise(ref);
      out_.counted<std::uint64_t>(Op::BYTEARRAY8, bytes_of(ref).text());
      return put(ref.node), true;
    case Kind::tuple:
      if (ref.node->made != Made::plain) return synthesise(ref);
      tuple_begin(ref.node->size);
      stack_.push_back({Step::tuple, ref});
      return true;
    case Kind::list:
      if (ref.node->made != Made::plain) return synthesise(ref);
      op(Op::EMPTY_LIST);
      put(ref.node);
      stack_.push_back({Step::list, ref});
      return true;
    case Kind::dict:
      if (ref.node->made != Made::plain) return synthesise(ref);
      op(Op::EMPTY_DICT);
      put(ref.node);
      expect(ref.node->size);
      stack_.push_back({Step::dict, ref});
      return true;
    case Kind::set:
      if (protocol() < 4) return synthesise(ref);
      op(Op::EMPTY_SET);
      put(ref.node);
      stack_.push_back({Step::set, ref});
      return true;
    case Kind::frozenset:
      if (protocol() < 4) return synthesise(ref);
      op(Op::MARK);
      stack_.push_back({Step::frozenset, ref});
      return true;
    default: return synthesise(ref);
  }
}

bool Emitter::parameter(const Ref& parameter, const Ref& tensor) {
  stack_.push_back({Step::wrapper_tail, parameter});
  return follow(tensor);
}

// One step of the topmost frame. Frames are looked up again after save(): it may have moved them.
bool Emitter::step() {
  Frame& f = stack_.back();
  const Ref ref = f.ref;
  switch (f.step) {
    case Step::tuple: {
      const auto items = tuple_of(ref).items();
      if (f.at < items.size()) return save(items[f.at++]);
      stack_.pop_back();
      if (memo_.contains(ref.node)) {  // a recursive tuple: its own parts have written it
        if (items.size() <= 3 && protocol() >= 2)
          for (std::size_t i = 0; i < items.size(); ++i) op(Op::POP);
        else op(Op::POP_MARK);
        return get(ref.node);
      }
      tuple_end(items.size());
      if (ref.node->flags & kMemoised || shared_.contains(ref.node)) put(ref.node);  // arguments that CPython writes piece by piece are not
      return true;
    }
    case Step::list: return save_sequence(f, list_of(ref).items(), true);
    case Step::dict: return save_entries(f, dict_of(ref).entries(), true);
    case Step::set: {
      const auto items = list_of(ref).items();
      if (f.group == 0) {
        if (items.empty() || (f.at == items.size() && f.at % kBatch != 0)) return stack_.pop_back(), true;
        op(Op::MARK);
        f.group = 1;
      }
      if (f.at == items.size() || f.group == kBatch + 1) {
        const bool full = f.group == kBatch + 1;
        op(Op::ADDITEMS);
        f.group = 0;
        if (!full) stack_.pop_back();
        return true;
      }
      ++f.group;
      return save(items[f.at++]);
    }
    case Step::frozenset: {
      const auto items = list_of(ref).items();
      if (f.at < items.size()) return save(items[f.at++]);
      stack_.pop_back();
      if (memo_.contains(ref.node)) return op(Op::POP_MARK), get(ref.node);
      op(Op::FROZENSET);
      return put(ref.node), true;
    }
    default: return step_call();
  }
}

}  // namespace brine
