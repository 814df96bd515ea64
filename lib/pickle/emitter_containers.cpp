// SPDX-License-Identifier: MIT
// The emitter's containers: what begins, what follows each child, what ends. Batches of 1000 as CPython cuts them. Calls that have to be made
// first are in emitter_calls.cpp.
#include "pickle/emitter.hpp"

#include "graph/walk.hpp"

#include <bit>

namespace brine {

namespace {

constexpr std::uint32_t kBatch = 1000;

}  // namespace

// Writes an atom, or begins what has parts.
bool Emitter::save(const Ref& ref) {
  out_.boundary();
  switch (ref.kind) {
    case Kind::absent: return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "an absent value cannot be written"));
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
  if (get(ref.node)) return true;
  if (ref.kind == Kind::object && ref.node->origin->how == How::persistent) {
    stack_.push_back({Step::persistent, ref});
    return save(ref.node->origin->args);
  }
  if (!native(ref) && ref.node->origin) return begin_call(ref, *ref.node->origin);
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
  stack_.push_back({Step::parameter_tail, parameter});
  return save(tensor);
}

bool Emitter::save_sequence(Frame& f, std::span<const Ref> items, bool exact) {
  const auto n = static_cast<std::uint32_t>(items.size());
  if (f.value) {  // a lone item has been written
    op(Op::APPEND);
    return stack_.pop_back(), true;
  }
  if (f.group == 0) {
    if (f.at == n) return stack_.pop_back(), true;
    if (exact ? n == 1 : n - f.at == 1) {
      f.value = true;
      return save(items[f.at]);
    }
    op(Op::MARK);
    f.group = 1;
  }
  if (f.at == n || f.group == kBatch + 1) {
    op(Op::APPENDS);
    f.group = 0;
    return true;
  }
  ++f.group;
  return save(items[f.at++]);
}

void Emitter::expect(std::size_t entries) {
  memo_.reserve(entries * 3);  // a key, a tensor and its storage
  leaves_.expect(entries);
}

// A lookup in a large memo waits for memory: of what comes in a while, it is asked for now.
void Emitter::prefetch(std::span<const Entry> entries, std::size_t at) const noexcept {
  constexpr std::size_t ahead = 8;
  if (entries.size() - at <= ahead) return;
  const auto& [key, value] = entries[at + ahead];
  memo_.prefetch(key.pointer);
  memo_.prefetch(value.pointer);
  if (value.kind == Kind::tensor) leaves_.soon(*this, value);
}

bool Emitter::save_entries(Frame& f, std::span<const Entry> entries, bool exact) {
  const auto n = static_cast<std::uint32_t>(entries.size());
  if (f.value) {  // the key has been written
    f.value = false;
    return save(entries[f.at++].value);
  }
  if (f.group == kBatch + 2) {  // a lone pair has been written
    op(Op::SETITEM);
    return stack_.pop_back(), true;
  }
  if (f.group == 0) {
    if (f.at == n && (!exact || n == 0 || n % kBatch != 0)) return stack_.pop_back(), true;
    if (exact ? n == 1 : n - f.at == 1) {
      f.group = kBatch + 2;
      f.value = true;
      return save(entries[f.at].key);
    }
    op(Op::MARK);
    f.group = 1;
  }
  if (f.at == n || f.group == kBatch + 1) {
    // CPython goes on until a batch is not full: an exact dict of 1000 ends with an empty one.
    const bool full = f.group == kBatch + 1;
    op(Op::SETITEMS);
    f.group = 0;
    if (!full) return stack_.pop_back(), true;
    return true;
  }
  ++f.group;
  f.value = true;
  prefetch(entries, f.at);
  return save(entries[f.at].key);
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
      if (ref.node->flags & kMemoised) put(ref.node);  // arguments that CPython writes piece by piece are not
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
        const GlobalNode& g = global_of(o.callee);
        op(Op::INST);
        out_.raw(std::string(g.spelled_module) + "\n" + std::string(g.spelled_name) + "\n");
      } else {
        op(o.how == How::reduce ? Op::REDUCE : o.how == How::newobj ? Op::NEWOBJ : o.how == How::obj ? Op::OBJ : Op::NEWOBJ_EX);
      }
      const void* self = identity(ref);
      if (memo_.contains(self)) {  // its own arguments have written it
        op(Op::POP);
        stack_.pop_back();
        return get(self);
      }
      put(self);
      if (ref.kind == Kind::tensor || ref.kind == Kind::bytes || ref.kind == Kind::bytearray || ref.kind == Kind::complex || ref.kind == Kind::tuple) {
        f.step = Step::effects;
        f.effect = o.first;
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
      f.effect = f.origin->first;
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
    case Step::persistent:
      stack_.pop_back();
      op(Op::BINPERSID);
      return true;
    case Step::parameter_tail: {
      stack_.pop_back();
      auto ok = leaves_.parameter_tail(*this, ref);
      return ok ? true : fail(std::move(ok).error());
    }
  }
  return fail(Error(ErrorKind::usage, ErrorCode::bad_argument, "no such step"));
}

}  // namespace brine
