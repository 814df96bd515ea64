// SPDX-License-Identifier: MIT
#include "graph/print.hpp"

#include "graph/walk.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <vector>

namespace brine {

namespace {

// Longer than what is shown, so that it is seen that there is more.
constexpr std::size_t kMax = 256;

// Texts can be long, and their objects shared: only what is shown is looked at.
std::string global_text(const Ref& global) {
  return concat({global_of(global).module.substr(0, kMax), ".", global_of(global).name.substr(0, kMax)});
}

// Sizes and their kin; numpy's scalars and dtypes.
bool in_one_line(const Ref& v) {
  return (v.kind == Kind::tuple && v.node->made != Made::plain) || (v.kind == Kind::object && v.node->made != Made::plain && !is_array(v));
}

}  // namespace

std::string summary(const Ref& value) {
  switch (value.kind) {
    case Kind::string: return in_quotes(text_of(value), 80);
    case Kind::bytes: return printable(key_name(value, kMax), 80);
    case Kind::bytearray: return "bytearray (" + std::to_string(bytes_of(value).size) + " bytes)";
    case Kind::complex: {
      Ref part = make_float(complex_of(value).real);
      const std::string real = key_name(part);
      part.floating = complex_of(value).imag;
      const std::string imag = key_name(part);
      return "(" + real + (imag.starts_with('-') ? "" : "+") + imag + "j)";
    }
    case Kind::global: return "<" + escaped(global_text(value), 120) + ">";
    case Kind::tuple:
      if (value.node->made == Made::plain) break;
      return class_name(value) + printable(value.kind == Kind::tuple ? tuple_text(value, kMax) : key_name(value, kMax), 80);
    case Kind::object: {
      const Ref& callee = value.node->origin->callee;
      return escaped(callee.kind == Kind::global ? global_text(callee) : qualified_class_name(value), 120);
    }
    default: break;
  }
  if (is_container(value)) return class_name(value) + " (" + std::to_string(value.node->size) + ")";
  return printable(key_name(value, kMax), 80);
}

std::string print(const Ref& from, const PrintBounds& bounds, const std::function<std::string(const Ref&)>& describe) {
  std::string out;
  std::vector<std::uint64_t> shown;  // children seen so far, per depth
  std::uint64_t nodes = 0;
  const auto indent = [&out](std::size_t depth) -> std::string& { return out.append(std::min<std::size_t>(depth, 100) * 2, ' '); };
  Walker walk(from);
  while (walk.next()) {
    const std::size_t depth = walk.depth();
    shown.resize(std::max(shown.size(), depth + 1));
    if (depth > 0 && ++shown[depth] > bounds.per_container) {
      walk.skip();
      if (shown[depth] == bounds.per_container + 1) indent(depth) += "…\n";
      continue;
    }
    if (out.size() >= bounds.bytes) return out + "… (more than " + std::to_string(bounds.bytes) + " bytes of text)\n";
    if (++nodes > bounds.nodes) return out + "… (more than " + std::to_string(bounds.nodes) + " nodes)\n";
    indent(depth);
    if (depth > 0) {
      const Children::Child& c = walk.child();
      out += c.whole ? "state"
                     : escaped(c.prefix) + (c.key.kind == Kind::absent   ? "[" + std::to_string(c.position) + "]"
                                            : c.key.kind == Kind::string ? in_quotes(text_of(c.key))
                                                                         : printable(key_name(c.key, kMax), 200));
      out += ": ";
    }
    const Ref& v = walk.value();
    out += v.kind == Kind::tensor || v.kind == Kind::storage || (v.kind == Kind::object && (v.node->made != Made::plain || v.node->origin->outer)) ? describe(v) : summary(v);
    if (walk.again() && (!is_container(v) || v.node->size + (v.kind == Kind::object) > 0)) out += "  (shown above)";
    else if (in_one_line(v)) walk.skip();
    else if (depth >= bounds.depth && has_children(v)) out += " …", walk.skip();
    out += '\n';
    if (shown.size() > depth + 1) shown[depth + 1] = 0;
  }
  return out;
}

}  // namespace brine
