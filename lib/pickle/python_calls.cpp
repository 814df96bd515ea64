// SPDX-License-Identifier: MIT
#include "pickle/python_calls.hpp"

#include "pickle/text_args.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <vector>

namespace brine {

namespace {

// The code points of UTF-8 text (surrogates too), as Latin-1; nothing when one is above U+00FF.
std::optional<std::string> latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) out += text[i];
    else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) out += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 63));
    else return std::nullopt;
  }
  return out;
}

std::optional<std::string> encode(std::span<const Ref> args) {
  if (args.empty() || args.size() > 2 || args[0].kind != Kind::string) return std::nullopt;
  const std::string_view codec = args.size() == 2 && args[1].kind == Kind::string ? text_of(args[1]) : args.size() == 1 ? "utf-8" : "";
  if (codec == "latin1" || codec == "latin-1" || codec == "iso-8859-1") return latin1(text_of(args[0]));
  if ((codec == "utf-8" || codec == "utf8") && is_utf8(text_of(args[0]))) return std::string(text_of(args[0]));
  return std::nullopt;
}

std::optional<double> number(const Ref& r) noexcept {
  if (r.kind == Kind::floating) return r.floating;
  if ((r.kind == Kind::integer && !is_big(r)) || r.kind == Kind::boolean) return static_cast<double>(r.integer);
  return std::nullopt;
}

bool is_set(const Ref& r) noexcept { return r.kind == Kind::set || r.kind == Kind::frozenset; }
std::span<const Ref> sequence(const Ref& r) noexcept {
  if (r.kind == Kind::tuple) return tuple_of(r).items();
  if (r.kind == Kind::list || is_set(r)) return list_of(r).items();
  return {};
}
// Not a set: its order is that of Python's hashes.
bool is_sequence(const Ref& r) noexcept { return is_tuple(r) || r.kind == Kind::list; }

void mark_read(const Ref& r) noexcept {
  if (is_container(r)) r.node->flags |= kRead;
}

// The items a deque keeps, by its call's arguments; nothing when it is no number.
std::optional<std::uint64_t> max_length(std::span<const Ref> args) noexcept {
  if (args.size() < 2 || args[1].kind == Kind::none) return UINT64_MAX;
  if ((args[1].kind != Kind::integer && args[1].kind != Kind::boolean) || is_big(args[1]) || args[1].integer < 0) return std::nullopt;
  return static_cast<std::uint64_t>(args[1].integer);
}

class Caller {
 public:
  Caller(Graph& graph, const Origin& origin, bool& spent) : graph_(graph), origin_(origin), spent_(spent) {}

  // dict(items) of pairs or of another dict. Python 2 writes an OrderedDict's items so, as lists of two.
  Ref dict(Made made, std::span<const Ref> args) {
    if (args.size() > 1) return {};
    std::vector<Entry> entries;
    if (args.size() == 1 && args[0].kind == Kind::dict) {
      const auto from = dict_of(args[0]).entries();
      entries.assign(from.begin(), from.end());
    } else if (args.size() == 1) {
      if (!is_sequence(args[0])) return {};
      for (const Ref& pair : sequence(args[0])) {
        const auto two = is_sequence(pair) ? sequence(pair) : std::span<const Ref>();
        if (two.size() != 2) return in_vain(entries.size() * sizeof(Entry));
        entries.push_back({two[0], two[1]});
      }
      for (const Ref& pair : sequence(args[0])) mark_read(pair);
    }
    const Ref out = graph_.dict(made);
    bool replaced = false, ok = out.kind != Kind::absent && graph_.reserve(static_cast<DictNode&>(*out.node), entries.size());
    for (const Entry& e : entries) ok = ok && graph_.set(static_cast<DictNode&>(*out.node), e.key, e.value, replaced);
    return ok ? given(out, args) : (spent_ = true, Ref{});
  }

  // Counter(items) counts them; Counter(dict) has its counts.
  Ref counter(std::span<const Ref> args) {
    if (args.size() != 1 || !is_sequence(args[0])) return dict(Made::counter, args);
    const auto items = sequence(args[0]);
    const Ref out = graph_.dict(Made::counter);
    bool ok = out.kind != Kind::absent && graph_.reserve(static_cast<DictNode&>(*out.node), items.size());
    for (const Ref& item : items) {
      bool there = false;
      Entry* e = ok ? graph_.entry(static_cast<DictNode&>(*out.node), item, there) : nullptr;
      ok = e != nullptr;
      if (ok) e->value = make_int(there ? e->value.integer + 1 : 1);
    }
    return ok ? given(out, args) : (spent_ = true, Ref{});
  }

  Ref deque(std::span<const Ref> args) {
    const auto max = max_length(args);
    if (args.size() > 2 || !max || (!args.empty() && !is_sequence(args[0]))) return {};
    auto items = args.empty() ? std::span<const Ref>() : sequence(args[0]);
    if (items.size() > *max) items = items.last(static_cast<std::size_t>(*max));
    return given(graph_.list(items, Made::deque), args);
  }

  Ref set(Kind kind, std::span<const Ref> args) {
    if (args.size() > 1 || (!args.empty() && !is_sequence(args[0]) && !is_set(args[0]))) return {};
    return given(graph_.set_of(args.empty() ? std::span<const Ref>() : sequence(args[0]), kind), args);
  }

  Ref given(const Ref& made, std::span<const Ref> args) {
    const Ref out = kept(made);
    if (out.kind != Kind::absent) out.node->origin->given = out.node->size;
    if (!args.empty()) mark_read(args[0]);
    return out;
  }

  // No call this is, so the object stays; but what was looked at is charged: the same arguments can be given again and again.
  Ref in_vain(std::size_t bytes) {
    if (!graph_.arena().allocate(bytes)) spent_ = true;
    return {};
  }

  Ref encoded(Kind kind, std::span<const Ref> a) {
    const auto data = encode(a);
    return data ? bytes(kind, data) : in_vain(!a.empty() && a[0].kind == Kind::string ? a[0].length : 0);
  }

  Ref bytes(Kind kind, const std::optional<std::string>& data) {
    if (!data) return {};
    const std::string_view own = graph_.copy(*data);
    return own.data() ? kept(graph_.bytes(own, kind)) : (spent_ = true, Ref{});
  }

  Ref kept(const Ref& value) {
    if (value.kind == Kind::absent || !graph_.set_origin(*value.node, origin_)) spent_ = true;
    return spent_ ? Ref{} : value;
  }

 private:
  Graph& graph_;
  const Origin& origin_;
  bool& spent_;
};

}  // namespace

PythonCall python_call(std::string_view module, std::string_view name) noexcept {
  struct Row {
    std::string_view module, name;
    PythonCall call;
  };
  static constexpr Row rows[] = {
      {"collections", "OrderedDict", PythonCall::ordered_dict}, {"collections", "defaultdict", PythonCall::default_dict},
      {"collections", "Counter", PythonCall::counter},          {"collections", "deque", PythonCall::deque},
      {"builtins", "set", PythonCall::set},                     {"builtins", "frozenset", PythonCall::frozenset},
      {"builtins", "bytes", PythonCall::bytes},                 {"builtins", "bytearray", PythonCall::bytearray},
      {"builtins", "complex", PythonCall::complex},             {"_codecs", "encode", PythonCall::codecs_encode},
  };
  for (const Row& row : rows)
    if (row.name == name && row.module == module) return row.call;
  return PythonCall::none;
}

// Source: CPython's Modules/_pickle.c (save_reduce), Modules/_functoolsmodule.c (partial_reduce).
Origin new_by_partial(Graph& graph, const Ref& callee) {
  const auto made_by = [](const Ref& r, std::string_view module, std::string_view name) {
    if (r.kind != Kind::object || !r.node->origin || r.node->origin->callee.kind != Kind::global || !is_tuple(r.node->origin->args)) return false;
    const GlobalNode& g = global_of(r.node->origin->callee);
    return g.module == module && g.name == name;
  };
  if (!made_by(callee, "functools", "partial")) return {};
  const Ref state = state_of(*callee.node);
  const auto part = is_tuple(state) ? tuple_of(state).items() : std::span<const Ref>();  // (function, args, kwargs, __dict__)
  if (part.size() != 4 || !is_tuple(part[1]) || tuple_of(part[1]).size == 0 || part[2].kind != Kind::dict || !made_by(part[0], "builtins", "getattr")) return {};
  const auto of = tuple_of(part[0].node->origin->args).items(), args = tuple_of(part[1]).items();
  if (of.size() != 2 || of[1].kind != Kind::string || text_of(of[1]) != "__new__" || args[0].kind != Kind::global) return {};
  const Ref own = graph.tuple(args.subspan(1));
  return own.kind == Kind::absent ? Origin{} : Origin{.callee = args[0], .args = own, .kwargs = part[2], .how = How::newobj_ex};
}

bool append_to_deque(Graph& graph, ListNode& deque, std::span<const Ref> items) {
  if (!graph.append(deque, items)) return false;
  if (!deque.origin) return true;
  if (deque.origin->how == How::newobj) return true;
  const std::uint64_t max = max_length(tuple_of(deque.origin->args).items()).value_or(UINT64_MAX);
  if (deque.size <= max) return true;
  const auto gone = static_cast<std::uint32_t>(deque.size - max);
  Graph::drop_front(deque, gone);
  deque.origin->given -= std::min(gone, deque.origin->given);
  return true;
}

Ref run_python_call(Graph& graph, PythonCall call, const Ref& callee, const Ref& args, How how, bool& spent) {
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = how};
  Caller caller(graph, origin, spent);
  const auto given = tuple_of(args).items();
  const bool ignores = how == How::newobj && call != PythonCall::frozenset && call != PythonCall::bytes && call != PythonCall::complex;
  const auto a = ignores ? std::span<const Ref>() : given;  // of __new__; __init__ would fill them
  switch (call) {
    case PythonCall::ordered_dict: return caller.dict(Made::ordered_dict, a);
    case PythonCall::counter: return caller.counter(a);
    case PythonCall::default_dict: return caller.dict(Made::default_dict, a.empty() ? a : a.subspan(1));
    case PythonCall::deque: return caller.deque(a);
    case PythonCall::set: return caller.set(Kind::set, a);
    case PythonCall::frozenset: return caller.set(Kind::frozenset, a);
    case PythonCall::codecs_encode: return caller.encoded(Kind::bytes, a);
    case PythonCall::bytes:
    case PythonCall::bytearray: {
      const Kind kind = call == PythonCall::bytes ? Kind::bytes : Kind::bytearray;
      if (a.empty()) return caller.bytes(kind, std::string());
      if (a.size() == 1 && (a[0].kind == Kind::bytes || a[0].kind == Kind::bytearray)) return caller.bytes(kind, std::string(bytes_of(a[0]).text()));
      return a.size() == 2 ? caller.encoded(kind, a) : Ref{};
    }
    case PythonCall::complex: {
      if (a.size() != 2) return {};
      const auto re = number(a[0]), im = number(a[1]);
      return re && im ? caller.kept(graph.complex(*re, *im)) : Ref{};
    }
    case PythonCall::none: break;
  }
  return {};
}

}  // namespace brine
