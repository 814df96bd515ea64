// SPDX-License-Identifier: MIT
// The emitter's scalars, texts, names and memo. Containers and calls are in emitter_containers.cpp.
#include "pickle/emitter.hpp"

#include "graph/big_int.hpp"
#include "graph/walk.hpp"
#include "pickle/python_calls.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <bit>

namespace brine {

Emitter::Emitter(Graph& graph, Leaves& leaves, int protocol, const Replaced* replaced) : graph_(graph), leaves_(leaves), replaced_(replaced), out_(protocol) {}

Result<Buffer> Emitter::run(const Ref& root) {
  bool ok = save(root);
  while (ok && !stack_.empty()) ok = step();
  if (error_) return std::move(*error_);
  return out_.finish();
}

void Emitter::boolean(bool v) {
  out_.boundary();
  if (protocol() >= 2) op(v ? Op::NEWTRUE : Op::NEWFALSE);
  else op(Op::INT), out_.raw(v ? "01\n" : "00\n");
}

void Emitter::integer(std::int64_t v) {
  out_.boundary();
  if (v >= 0 && v <= 0xFF) {
    out_.op(Op::BININT1, static_cast<std::uint8_t>(v));
  } else if (v >= 0 && v <= 0xFFFF) {
    out_.op(Op::BININT2, static_cast<std::uint16_t>(v));
  } else if (v >= INT32_MIN && v <= INT32_MAX) {
    out_.op(Op::BININT, static_cast<std::int32_t>(v));
  } else if (protocol() < 2) {
    op(Op::LONG);
    out_.raw(std::to_string(v) + "L\n");
  } else {
    char bytes[8];
    const std::int64_t little = boost::endian::native_to_little(v);
    std::memcpy(bytes, &little, sizeof bytes);
    out_.counted<std::uint8_t>(Op::LONG1, minimal_int({bytes, sizeof bytes}));
  }
}

// No pickler of Python's puts an int into the memo; a file that does may fetch it any number of times.
bool Emitter::big_integer(const Ref& ref) {
  if (get(ref.node)) return true;
  const BigIntNode& big = big_of(ref);
  if (protocol() < 2) {
    const std::string digits = big.digits.empty() ? big_int_text(big.bytes()) : std::string(big.digits);
    if (digits.find('x') != std::string::npos)
      return fail(
          usage(ErrorCode::bad_argument, "protocol 1 writes ints of at most 1,024 bits, this one has " + std::to_string(8 * big.bytes().size())));
    op(Op::LONG);
    out_.raw(digits + "L\n");
  } else if (big.bytes().size() < 256) {
    out_.counted<std::uint8_t>(Op::LONG1, big.bytes());
  } else {
    out_.counted<std::uint32_t>(Op::LONG4, big.bytes());
  }
  if (big.flags & kMemoised) put(ref.node);
  return true;
}

void Emitter::unicode(std::string_view v) {
  if (protocol() >= 4 && v.size() < 256) out_.counted<std::uint8_t>(Op::SHORT_BINUNICODE, v);
  else out_.counted<std::uint32_t>(Op::BINUNICODE, v);
}

void Emitter::bytes(std::string_view v) {
  if (v.size() < 256) out_.counted<std::uint8_t>(Op::SHORT_BINBYTES, v);
  else out_.counted<std::uint32_t>(Op::BINBYTES, v);
}

bool Emitter::get(const void* identity) {
  const std::uint32_t* at = memo_.find(identity);
  if (at) get(*at);
  return at != nullptr;
}

void Emitter::put(const void* identity) {
  memo_.add(identity, memo_size_);
  put();
}

std::uint32_t Emitter::text(const Ref& text) {
  out_.boundary();
  if (const std::uint32_t* known = memo_.add(text.text, memo_size_)) {
    const std::uint32_t entry = *known;
    get(entry);
    return entry;
  }
  unicode(text_of(text));
  put();
  return memo_size_ - 1;
}

std::uint32_t Emitter::fresh_text(std::string_view v) {
  out_.boundary();
  unicode(v);
  put();
  return memo_size_ - 1;
}

const Node* Emitter::one(const GlobalNode& global) {
  if (!global.known) return &global;
  if (global.known >= firsts_.size()) firsts_.resize(global.known + std::size_t{1});
  const GlobalNode*& first = firsts_[global.known];
  if (!first) first = &global;
  return first == &global || (first->module == global.module && first->name == global.name) ? first : &global;
}

// As GLOBAL and INST name it: below protocol 3 as Python 2 did.
Result<Python3Name> Emitter::spelled(const GlobalNode& g) const {
  if (protocol() >= 3) return Python3Name{g.module, g.name};
  if (g.flags & kSpelled) return Python3Name{g.spelled_module, g.spelled_name};
  const Python3Name name = python2_name(g.module, g.name);
  const Python3Name read = python3_name(name.module, name.name);
  if (name.module == g.module && name.name == g.name && (read.module != g.module || read.name != g.name))  // no module of Python 3: __builtin__, copy_reg
    return Error(ErrorKind::usage, ErrorCode::bad_argument, "below protocol 3 " + escaped(g.module, 100) + "." + escaped(g.name, 100) + " would be read as " +
                 escaped(read.module, 100) + "." + escaped(read.name, 100) + ": it can be written from protocol 3 on");
  return name;
}

Result<void> Emitter::global(const Ref& ref) {
  out_.boundary();
  const GlobalNode& g = global_of(ref);
  const Node* self = one(g);
  if (get(self)) return {};
  if (protocol() >= 4) {
    const auto part = [&](const Ref& own, std::string_view name) {
      if (own.kind == Kind::string) return own;
      Ref& kept = interned_[std::string(name)];  // one str object for each module and name, as __module__ and __qualname__ are
      if (kept.kind == Kind::absent) kept = make_text(graph_.copy(name));
      return kept;
    };
    text(part(g.module_text, g.module));
    text(part(g.name_text, g.name));
    out_.boundary();
    op(Op::STACK_GLOBAL);
  } else {
    const auto name = spelled(g);
    if (!name) return name.error();
    op(Op::GLOBAL);
    for (const std::string_view part : {name->module, name->name}) out_.raw(part), out_.raw("\n");
  }
  // A module found by name (torch._utils torch) is the one name CPython does not memoise; no known name is one.
  if (ref.node->flags & kMemoised || g.known) put(self);
  return {};
}

void Emitter::tuple(std::span<const std::int64_t> values) {
  out_.boundary();
  if (values.empty()) return op(Op::EMPTY_TUPLE);
  tuple_begin(values.size());
  for (const std::int64_t v : values) {
    out_.boundary();
    integer(v);
  }
  tuple_end(values.size());
  put();
}

}  // namespace brine
