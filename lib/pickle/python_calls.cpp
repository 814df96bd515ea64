// SPDX-License-Identifier: MIT
#include "pickle/python_calls.hpp"

#include "pickle/text_args.hpp"

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
  if (codec == "utf-8" || codec == "utf8") return std::string(text_of(args[0]));
  return std::nullopt;
}

std::optional<double> number(const Ref& r) noexcept {
  if (r.kind == Kind::floating) return r.floating;
  if ((r.kind == Kind::integer && !(r.flags & kBig)) || r.kind == Kind::boolean) return static_cast<double>(r.integer);
  return std::nullopt;
}

std::span<const Ref> sequence(const Ref& r) noexcept {
  if (r.kind == Kind::tuple) return tuple_of(r).items();
  if (r.kind == Kind::list || r.kind == Kind::set || r.kind == Kind::frozenset) return list_of(r).items();
  return {};
}
bool is_sequence(const Ref& r) noexcept {
  return r.kind == Kind::tuple || r.kind == Kind::list || r.kind == Kind::set || r.kind == Kind::frozenset;
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
        const auto two = sequence(pair);
        if (two.size() != 2) return in_vain(entries.size() * sizeof(Entry));
        entries.push_back({two[0], two[1]});
      }
    }
    Ref out = kept(graph_.dict(made));
    if (out.kind == Kind::absent) return out;
    auto& node = static_cast<DictNode&>(*out.node);
    bool replaced = false, ok = graph_.reserve(node, entries.size());
    for (const Entry& e : entries) ok = ok && graph_.set(node, e.key, e.value, replaced);
    if (!ok) return spent_ = true, Ref{};
    node.origin->given = node.size;
    return out;
  }

  Ref list(Kind kind, Made made, std::span<const Ref> args) {
    if (args.empty()) return kept(graph_.list({}, kind, made));
    if (!is_sequence(args[0])) return {};
    const Ref out = kept(graph_.list(sequence(args[0]), kind, made));
    if (out.kind != Kind::absent) out.node->origin->given = out.node->size;
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

Ref run_python_call(Graph& graph, PythonCall call, const Ref& callee, const Ref& args, How how, bool& spent) {
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = how};
  Caller caller(graph, origin, spent);
  const auto a = tuple_of(args).items();
  switch (call) {
    case PythonCall::ordered_dict: return caller.dict(Made::ordered_dict, a);
    case PythonCall::counter: return caller.dict(Made::counter, a);
    case PythonCall::default_dict: return caller.dict(Made::default_dict, a.empty() ? a : a.subspan(1));
    case PythonCall::deque: return a.size() > 2 ? Ref{} : caller.list(Kind::list, Made::deque, a);
    case PythonCall::set: return a.size() > 1 ? Ref{} : caller.list(Kind::set, Made::plain, a);
    case PythonCall::frozenset: return a.size() > 1 ? Ref{} : caller.list(Kind::frozenset, Made::plain, a);
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
