// SPDX-License-Identifier: MIT
// The machine's loop, stack, scalars and memo. Containers are in machine_containers.cpp, calls in machine_calls.cpp.
#include "pickle/machine.hpp"

#include "graph/big_int.hpp"
#include "pickle/text_args.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <bit>

namespace brine {

Machine::Machine(Graph& graph, Calls& calls, const Policy* policy, Notes& notes, std::span<const std::byte> pickle, Budget& budget)
    : graph_(graph), calls_(calls), policy_(policy), notes_(notes), budget_(budget), scanner_(pickle), memo_(pickle),
      empty_tuple_(graph.tuple({})) {}

Result<Unpickled> Machine::run() {
  if (empty_tuple_.kind == Kind::absent) return budget_.exceeded(sizeof(TupleNode), "the object tree");
  while (!stopped_) {
    if (!scanner_.next(ins_)) return scanner_.fault();
    if (policy_ && !info(ins_.op).weights_only && !allowed(policy_->opcode(ins_.op))) break;
    if (!step(ins_)) break;
    if (!info(ins_.op).transient) graph_.arena().pin();
    if (info(ins_.op).protocol > protocol_) {
      if (protocol_ < 2 && info(ins_.op).protocol == 1) protocol_ = 1;  // protocols 0 and 1 do not declare themselves
      else if (!std::exchange(newer_noted_, true))
        notes_.add(Note::Code::newer_opcode, {.file = {}, .record = {}, .offset = ins_.offset, .opcode = std::string(info(ins_.op).name), .path = {}},
                   "opcode of protocol " + std::to_string(info(ins_.op).protocol) + " in a pickle of protocol " + std::to_string(protocol_));
    }
    before_ = ins_.op;
  }
  if (error_) return std::move(*error_);
  if (auto ok = budget_.charge(graph_.shared_bytes(), "arguments and states that many objects share, each time they are met,"); !ok)
    return std::move(ok).error();
  return Unpickled{stack_[0], scanner_.position(), protocol_};
}

bool Machine::fail(ErrorCode code, std::string text, ErrorKind kind) {
  return fail(Error(kind, code, std::move(text)));
}

bool Machine::fail(Error error) {
  error_ = std::move(error).at_offset(ins_.offset).at_opcode(info(ins_.op).name);
  return false;
}

bool Machine::spent() { return fail(budget_.exceeded(sizeof(Ref), "the object tree")); }

bool Machine::push(Ref value) {
  if (height_ == stack_.size()) {
    const std::size_t more = std::max<std::size_t>(64, stack_.size());
    if (!budget_.take(more * sizeof(Ref))) return spent();
    stack_.resize(stack_.size() + more);
  }
  stack_[height_++] = value;
  return true;
}

bool Machine::need(std::size_t values) {
  if (height_ - (marks_.empty() ? 0 : marks_.back().height) >= values) return true;
  return fail(ErrorCode::pickle_stack, "needs " + std::to_string(values) + " values, the stack has fewer above its last mark");
}

bool Machine::need_mark() {
  return !marks_.empty() || fail(ErrorCode::pickle_mark, "expected a mark, found none");
}

void Machine::drop_to_mark() {
  height_ = marks_.back().height;
  marks_.pop_back();
}

bool Machine::step(const Scanned& ins) {
  switch (ins.op) {
    case Op::PROTO: return protocol(ins);
    case Op::FRAME: return true;
    case Op::STOP: return stop();

    case Op::MARK:
      if (marks_.size() == marks_.capacity() && !budget_.take(std::max<std::size_t>(marks_.size(), 16) * sizeof(Mark))) return spent();
      marks_.push_back({height_, graph_.arena().mark()});
      return true;
    case Op::POP: return pop_one();
    case Op::POP_MARK: return need_mark() && (drop_to_mark(), true);
    case Op::DUP:  // no pickler of Python's writes it: one object in two places, which the writer needs a memo entry for
      if (!need(1)) return false;
      memoised(top());
      return push(top());

    case Op::NONE: return push(make_none());
    case Op::NEWTRUE: return push(make_bool(true));
    case Op::NEWFALSE: return push(make_bool(false));
    case Op::BININT: case Op::BININT1: case Op::BININT2: return push(make_int(static_cast<std::int64_t>(ins.number)));
    case Op::BINFLOAT: return push(graph_.floating(std::bit_cast<double>(ins.number)));
    case Op::LONG1: case Op::LONG4: return made(graph_.big_int(minimal_int(ins.text)));
    case Op::INT:
      if (ins.text == "00" || ins.text == "01") return push(make_bool(ins.text == "01"));
      return decimal_int(ins.text);
    case Op::LONG: return decimal_int(ins.text.substr(0, ins.text.size() - ins.text.ends_with('L')));
    case Op::FLOAT:
      if (const auto v = parse_FLOAT(ins.text)) return push(graph_.floating(*v));
      return fail(ErrorCode::pickle_text, "expected a floating-point number, found " + in_quotes(ins.text, 40));

    case Op::BINUNICODE: case Op::SHORT_BINUNICODE: case Op::BINUNICODE8: return text(ins.text);
    case Op::BINSTRING: case Op::SHORT_BINSTRING: return python2_text(ins.text);
    case Op::STRING: return owned_text(parse_STRING(ins.text), true);
    case Op::UNICODE: return owned_text(parse_UNICODE(ins.text), false);
    case Op::BINBYTES: case Op::SHORT_BINBYTES: case Op::BINBYTES8: return made(graph_.bytes(ins.text));
    case Op::BYTEARRAY8: return made(graph_.bytes(ins.text, Kind::bytearray));

    case Op::BINPUT: case Op::LONG_BINPUT: return put(ins.number, false);
    case Op::MEMOIZE: return put(0, true);
    case Op::BINGET: case Op::LONG_BINGET: return get(ins.number);
    case Op::PUT: case Op::GET: {
      const auto number = parse_memo_index(ins.text);
      if (!number) return fail(ins.op == Op::PUT ? ErrorCode::pickle_text : ErrorCode::pickle_memo, "expected a memo number, found " + in_quotes(ins.text, 40));
      return ins.op == Op::PUT ? put(*number, false) : get(*number);
    }

    case Op::EMPTY_TUPLE: return push(empty_tuple_);
    case Op::TUPLE1: return tuple(1);
    case Op::TUPLE2: return tuple(2);
    case Op::TUPLE3: return tuple(3);
    case Op::TUPLE: return tuple_from_mark();
    case Op::EMPTY_LIST: return made(graph_.list());
    case Op::EMPTY_DICT: return made(graph_.dict());
    case Op::EMPTY_SET: return made(graph_.set_of({}));
    case Op::LIST: case Op::FROZENSET: {
      if (!need_mark()) return false;
      const Ref list = ins.op == Op::LIST ? graph_.list(above_mark()) : graph_.set_of(above_mark(), Kind::frozenset);
      drop_to_mark();
      return made(list);
    }
    case Op::DICT: {
      if (!need_mark()) return false;
      Ref dict = graph_.dict();
      if (dict.kind == Kind::absent) return spent();
      if (!set_items(above_mark(), static_cast<DictNode&>(*dict.node))) return false;
      drop_to_mark();
      return push(dict);
    }
    case Op::APPEND: {
      if (!need(2)) return false;
      const Ref item = pop();
      return append({&item, 1}, top());
    }
    case Op::SETITEM:
      if (!need(3)) return false;
      height_ -= 2;
      return set_items({stack_.data() + height_, 2}, top());
    case Op::APPENDS: case Op::SETITEMS: case Op::ADDITEMS: {
      if (!need_mark()) return false;
      const auto items = above_mark();
      const std::size_t floor = marks_.size() > 1 ? marks_[marks_.size() - 2].height : 0;
      if (marks_.back().height == floor) return fail(ErrorCode::pickle_stack, "there is no container below the mark");
      drop_to_mark();
      return ins.op == Op::APPENDS ? append(items, top()) : ins.op == Op::SETITEMS ? set_items(items, top()) : add_items(items, top());
    }

    case Op::GLOBAL: return global(ins.text, ins.name, {}, {});
    case Op::STACK_GLOBAL: return stack_global();
    case Op::REDUCE: case Op::NEWOBJ: {
      if (!need(2)) return false;
      const Ref args = pop(), callee = pop();
      return call(ins.op == Op::REDUCE ? How::reduce : How::newobj, callee, args);
    }
    case Op::NEWOBJ_EX: {
      if (!need(3)) return false;
      const Ref kwargs = pop(), args = pop(), callee = pop();
      if (kwargs.kind != Kind::dict) return fail(ErrorCode::pickle_arguments, "expected the keyword arguments as a dict, found " + std::string(name(kwargs.kind)));
      return call(How::newobj_ex, callee, args, kwargs);
    }
    case Op::OBJ: case Op::INST: {
      if (!need_mark()) return false;
      auto items = above_mark();
      if (ins.op == Op::OBJ && items.empty()) return fail(ErrorCode::pickle_stack, "there is no class above the mark");
      const Ref args = graph_.tuple(ins.op == Op::OBJ ? items.subspan(1) : items);
      if (args.kind == Kind::absent) return spent();
      Ref callee = ins.op == Op::OBJ ? items[0] : Ref{};
      drop_to_mark();
      if (ins.op == Op::INST) {
        if (!global(ins.text, ins.name, {}, {})) return false;
        callee = pop();
      }
      return call(ins.op == Op::OBJ ? How::obj : How::inst, callee, args);
    }
    case Op::BUILD: return build();

    case Op::BINPERSID: return need(1) && persistent(pop());
    case Op::PERSID:  // CPython: "persistent IDs in protocol 0 must be ASCII strings"
      if (std::any_of(ins.text.begin(), ins.text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return fail(ErrorCode::pickle_utf8, "the persistent id is not ASCII");
      return persistent(make_text(ins.text));

    case Op::EXT1: case Op::EXT2: case Op::EXT4:
      return fail(ErrorCode::pickle_extension, "extension codes stand for classes registered in the writer's Python", ErrorKind::unsupported);
    case Op::NEXT_BUFFER: case Op::READONLY_BUFFER:
      return fail(ErrorCode::pickle_buffer, "the buffer is not in the file (out-of-band data)", ErrorKind::unsupported);
  }
  return fail(ErrorCode::pickle_opcode, "no such opcode");
}

bool Machine::protocol(const Scanned& ins) {
  if (ins.offset != 0) return fail(ErrorCode::pickle_protocol, "the protocol is declared again, or not at the start");
  if (ins.number > kHighestProtocol)
    return fail(ErrorCode::pickle_protocol, "protocol " + std::to_string(ins.number) + "; the highest there is is 5", ErrorKind::unsupported);
  protocol_ = static_cast<int>(ins.number);
  return true;
}

bool Machine::stop() {
  if (!marks_.empty() || height_ != 1)
    return fail(height_ == 0 ? ErrorCode::pickle_stack : ErrorCode::pickle_leftover,
                height_ == 0 ? "the pickle has no value" : "values or marks are left on the stack besides the one value");
  return stopped_ = true;
}

// POP takes a MARK when that is on top (protocol 0 writes recursive tuples so). A call whose result is dropped at once was made for its
// effect on its first argument, where that lies below it (cloudpickle's state setters): the writer needs it.
bool Machine::pop_one() {
  if (!marks_.empty() && marks_.back().height == height_) {
    marks_.pop_back();
    return true;
  }
  if (!need(1)) return false;
  const Ref value = pop();
  if (before_ != Op::REDUCE || value.kind != Kind::object) return true;
  const Origin& made_by = *value.node->origin;
  if (!is_tuple(made_by.args) || tuple_of(made_by.args).size != 2) return true;
  const Ref& target = tuple_of(made_by.args).items()[0];
  if (target.kind != Kind::object && (target.kind != Kind::global || target.node->known != 0)) return true;
  const std::size_t below = height_ - (marks_.empty() ? 0 : marks_.back().height);
  if (below == 0 || !has_node(top()) || top().node != target.node) return true;  // dropped for it is there already: a part of itself made it
  return graph_.add_effect(*target.node, made_by.callee, made_by.args) || spent();
}

bool Machine::text(std::string_view text, std::uint8_t flags) {
  if (!is_utf8(text, true)) return fail(ErrorCode::pickle_utf8, "the text is not UTF-8");
  if (text.size() > 0xFFFFFFFF) return fail(ErrorCode::pickle_too_large, "the text is longer than 4 GiB", ErrorKind::limit);
  Ref value = make_text(text);
  value.flags = flags;
  return push(value);
}

// Python 2's str: text when it is UTF-8, else bytes, each for itself.
bool Machine::python2_text(std::string_view text) {
  if (is_utf8(text)) return this->text(text, kPython2);
  const Ref bytes = graph_.bytes(text);
  if (bytes.kind != Kind::absent) bytes.node->flags |= kPython2;
  return made(bytes);
}

bool Machine::owned_text(const std::optional<std::string>& text, bool python2) {
  if (!text) return fail(ErrorCode::pickle_text, "the quotes or escapes of the text are not Python's");
  const std::string_view kept = graph_.copy(*text);
  if (!kept.data()) return spent();
  return python2 ? python2_text(kept) : this->text(kept);
}

bool Machine::decimal_int(std::string_view digits) {
  const auto value = parse_int(digits);
  if (!value) return fail(ErrorCode::pickle_text, "expected a decimal number, found " + in_quotes(digits, 40));
  if (!value->big) return push(make_int(value->value));
  if (digits.size() > kMaxDecimalDigits)
    return fail(ErrorCode::pickle_text, "an int of " + std::to_string(digits.size()) + " decimal digits; at most " + std::to_string(kMaxDecimalDigits) + " are read",
                ErrorKind::unsupported);
  const std::string_view bytes = graph_.copy(int_from_decimal(digits));
  return bytes.data() ? made(graph_.big_int(bytes, digits)) : spent();
}

void Machine::memoised(Ref& value) noexcept {
  if (has_node(value)) value.node->flags |= kMemoised;
  else value.flags |= kMemoised;
}

bool Machine::put(std::uint64_t number, bool memoize) {
  if (!need(1)) return fail(ErrorCode::pickle_stack, "there is nothing to put into the memo");
  if (!memoize && !memo_.valid(number)) return fail(ErrorCode::pickle_memo, "memo number " + std::to_string(number) + " is greater than the pickle");
  Ref& value = top();
  memoised(value);
  if (memoize ? memo_.memoize(value) : memo_.put(number, value)) {
    if (has_node(value)) value.node->flags |= kFetched;
    graph_.arena().pin();
  }
  return true;
}

bool Machine::get(std::uint64_t number) {
  const Ref value = memo_.get(number);
  return value.kind == Kind::absent ? fail(ErrorCode::pickle_memo, "there is no memo entry " + std::to_string(number)) : push(value);
}

}  // namespace brine
