// SPDX-License-Identifier: MIT
// Python's text of plain values: numbers, text, tuples, lists, dicts, dtypes, NumPy's numbers.
#include "graph/walk.hpp"
#include "state/load_state_dict.hpp"
#include "state/module_repr.hpp"
#include "support/text.hpp"

#include <cstring>

namespace brine {

namespace {

constexpr std::size_t kMostText = 500, kMostDepth = 8;

const GlobalNode* callee_of(const Ref& value) noexcept {
  if (value.kind != Kind::object || !value.node->origin || value.node->origin->callee.kind != Kind::global) return nullptr;
  return &global_of(value.node->origin->callee);
}
std::span<const Ref> args_of(const Ref& value) noexcept {
  const Ref& args = value.node->origin->args;
  return args.kind == Kind::tuple ? tuple_of(args).items() : std::span<const Ref>();
}

// numpy.core.multiarray.scalar(dtype('i8', False, True), b'…'): nn.Linear(np.prod(shape), 10) has one.
std::optional<std::string> numpy_number(const Ref& value) {
  const GlobalNode* made = callee_of(value);
  if (!made || !made->module.starts_with("numpy.") || made->name != "scalar" || args_of(value).size() != 2) return {};
  const Ref &type = args_of(value)[0], &data = args_of(value)[1];
  if (!callee_of(type) || callee_of(type)->name != "dtype" || args_of(type).empty() || data.kind != Kind::bytes) return {};
  const Ref& code = args_of(type)[0];
  const std::string_view bytes = bytes_of(data).text(), kind = code.kind == Kind::string ? text_of(code) : std::string_view();
  if (kind == "f8" && bytes.size() == 8) {
    double v;
    std::memcpy(&v, bytes.data(), 8);
    return key_name(make_float(v));
  }
  if (kind.size() != 2 || (kind[0] != 'i' && kind[0] != 'u') || bytes.size() != static_cast<std::size_t>(kind[1] - '0')) return {};
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) v |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  const unsigned unused = 64 - 8 * static_cast<unsigned>(bytes.size());
  return kind[0] == 'u' ? std::to_string(v) : std::to_string(static_cast<std::int64_t>(v << unused) >> unused);
}

bool append(std::string& out, const Ref& value, bool repr, std::size_t depth);

bool append_items(std::string& out, std::span<const Ref> items, std::string_view open, std::string_view close, std::size_t depth) {
  out += open;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i) out += ", ";
    if (!append(out, items[i], true, depth)) return false;
  }
  out += close;
  return true;
}

// Recursion is bounded by `depth`, the text by kMostText: what is longer is refused as a whole.
bool append(std::string& out, const Ref& value, bool repr, std::size_t depth) {
  if (depth > kMostDepth || out.size() > kMostText) return false;
  switch (value.kind) {
    case Kind::none:
    case Kind::boolean:
    case Kind::floating: out += key_name(value); return true;
    case Kind::integer: out += key_name(value, 100); return true;
    case Kind::string: {
      const std::string_view text = text_of(value).substr(0, kMostText);
      out += repr ? printable(python_repr(text), kMostText) : escaped(text);
      return true;
    }
    case Kind::list:
      return value.node->made == Made::plain && append_items(out, list_of(value).items(), "[", "]", depth + 1);
    case Kind::tuple: {
      const auto items = tuple_of(value).items();
      if (value.node->made == Made::size) return append_items(out, items, "torch.Size([", "])", depth + 1);
      return value.node->made == Made::plain && append_items(out, items, "(", items.size() == 1 ? ",)" : ")", depth + 1);
    }
    case Kind::dict: {
      if (value.node->made != Made::plain) return false;
      out += '{';
      for (const Entry& e : dict_of(value).entries()) {
        if (!out.ends_with('{')) out += ", ";
        if (!append(out, e.key, true, depth + 1)) return false;
        out += ": ";
        if (!append(out, e.value, true, depth + 1)) return false;
      }
      out += '}';
      return true;
    }
    case Kind::global:  // dtypes and quantisation schemes print their name; functions and classes do not
      if (global_of(value).module != "torch") return false;
      out += "torch." + escaped(global_of(value).name);
      return true;
    case Kind::object: {
      const auto number = repr ? std::nullopt : numpy_number(value);
      if (number) out += *number;
      return number.has_value();
    }
    default: return false;
  }
}

}  // namespace

std::optional<std::string> python_text(const Ref& value, bool repr) {
  std::string out;
  if (!append(out, value, repr, 0)) return {};
  return out;
}

}  // namespace brine
