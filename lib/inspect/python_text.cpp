// SPDX-License-Identifier: MIT
// Python's text of plain values: numbers, text, tuples, lists, dicts, dtypes, NumPy's numbers.
#include "graph/walk.hpp"
#include "inspect/module_repr.hpp"
#include "support/text.hpp"

namespace brine {

namespace {

constexpr std::size_t kMaxText = 500, kMaxDepth = 8;

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

// Recursion is bounded by `depth`, the text by kMaxText: what is longer is refused as a whole.
bool append(std::string& out, const Ref& value, bool repr, std::size_t depth) {
  if (depth > kMaxDepth || out.size() > kMaxText) return false;
  switch (value.kind) {
    case Kind::none:
    case Kind::boolean:
    case Kind::floating: out += key_name(value); return true;
    case Kind::integer: out += key_name(value, 100); return true;
    case Kind::string: {
      const std::string_view text = text_of(value).substr(0, kMaxText);
      out += repr ? printable(python_repr(text), kMaxText) : escaped(text);
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
    case Kind::object: {  // nn.Linear(np.prod(shape), 10) has a number of numpy's
      const Ref& plain = as_plain(value);
      const bool as_python = plain.kind == Kind::integer || plain.kind == Kind::boolean || (plain.kind == Kind::floating && scalar_of(value).class_name == "float64");
      return !repr && as_python && append(out, plain, false, depth);
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
