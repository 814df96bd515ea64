// SPDX-License-Identifier: MIT
// The words for values: class names, and keys as steps of a path (Python's repr where they are not strings).
#include "graph/big_int.hpp"
#include "graph/classes.hpp"
#include "graph/walk.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace brine {

namespace {

std::string float_repr(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  char text[40];
  const double size = std::abs(v);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);  // where Python's repr changes to an exponent
  const auto end = std::to_chars(text, text + sizeof text, v, plain ? std::chars_format::fixed : std::chars_format::scientific).ptr;
  std::string out(text, end);
  if (plain && out.find('.') == std::string::npos) out += ".0";
  return out;
}

// As numpy's repr and Python's have it: whole parts without a fraction.
std::string complex_text(const Ref& value) {
  const auto part = [](double v) {
    std::string text = float_repr(v);
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  };
  const ComplexNode& c = complex_of(value);
  const std::string imag = part(c.imag);
  if (c.real == 0 && !std::signbit(c.real)) return "(" + imag + "j)";
  return concat({"(", part(c.real), imag.starts_with('-') ? "" : "+", imag, "j)"});
}

// Python's repr of what stands in a tuple.
std::string item_repr(const Ref& item, std::size_t max) {
  if (item.kind == Kind::string) return python_repr(text_of(item).substr(0, max));
  if (is_value(item)) return concat({kValueModule, ".", global_of(item).name.substr(0, max)});
  const Ref& plain = as_plain(item);
  if (plain.kind == Kind::complex) {
    const std::string text = complex_text(plain);
    return item.kind == Kind::object ? concat({"np.", scalar_of(item).class_name, text}) : text;
  }
  if (item.kind == Kind::object && plain.kind == Kind::boolean) return concat({"np.", key_name(plain), "_"});
  if (plain.kind == Kind::object || item.kind != Kind::object) return key_name(item, max);
  return concat({"np.", scalar_of(item).class_name, "(", item_repr(plain, max), ")"});
}

}  // namespace

// One level at a time; what nests deeper than keys ever do is given by its class.
std::string tuple_text(const Ref& tuple, std::size_t max) {
  struct Level {
    std::span<const Ref> items;
    std::size_t at;
  };
  std::string out = "(";
  std::vector<Level> levels{{tuple_of(tuple).items(), 0}};
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.at == level.items.size() || out.size() > std::min<std::size_t>(max, 1000)) {
      out += level.items.size() == 1 ? ",)" : ")";
      levels.pop_back();
      continue;
    }
    if (level.at) out += ", ";
    const Ref& item = level.items[level.at++];
    if (item.kind == Kind::tuple && item.node->made == Made::plain && levels.size() < 8) {
      out += '(';
      levels.push_back({tuple_of(item).items(), 0});
    } else if (item.kind == Kind::tuple && item.node->made == Made::plain) {
      out += "<tuple>";
    } else {
      out += item_repr(item, max);
    }
  }
  return out;
}

namespace {

// A size holds no tuples.
std::string size_repr(const Ref& size, std::size_t max) {
  std::string items = tuple_text(size, max);
  items = items.substr(1, items.size() - (items.ends_with(",)") ? 3 : 2));
  const ClassWords cls = words_of(Made::size);
  return concat({cls.module, ".", cls.name, "([", items, "])"});
}

// np.str_, np.float64 and np.bytes_ are Python's str, float and bytes, too.
std::string scalar_name(const Ref& key, std::size_t max) {
  const Ref& plain = as_plain(key);
  if (plain.kind == Kind::string) return key_name(plain, max);
  if (plain.kind == Kind::object) return "<" + class_name(key) + ">";  // none that is known
  if (plain.kind == Kind::bytes || scalar_of(key).class_name == "float64") return concat({"np.", scalar_of(key).class_name, "(", key_name(plain, max), ")"});
  return "<" + class_name(key) + ">";
}

constexpr std::size_t kMaxName = 255;

std::string cut(std::string_view name) { return name.size() <= kMaxName ? std::string(name) : concat({name.substr(0, kMaxName), "…"}); }

std::string last_part(const std::string& name) {
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

// However the file spells it, by digits or bytes. Of 128 bytes and less big_int_text() makes digits, of more there are 307 at least.
std::string big_int_name(const Ref& key, std::size_t max) {
  const BigIntNode& big = big_of(key);
  if (!big.digits.empty() ? big.digits.size() <= max : max == SIZE_MAX || big.size <= 128) {
    std::string text = big.digits.empty() ? big_int_text(big.bytes()) : std::string(big.digits);
    if (text.size() <= max) return text;
  }
  return "<int of more than " + std::to_string(max) + " digits>";
}

}  // namespace

std::string_view name(Kind kind) noexcept {
  constexpr std::string_view names[] = {"absent", "NoneType", "bool", "int", "float", "complex", "str", "bytes", "bytearray", "list", "tuple",
                                        "dict", "set", "frozenset", "type", "storage", "Tensor", "object"};
  const auto n = static_cast<std::size_t>(kind);
  return n < std::size(names) ? names[n] : "unknown";
}

std::string key_name(const Ref& key, std::size_t max) {
  switch (key.kind) {
    case Kind::string: return std::string(text_of(key).substr(0, max));
    case Kind::none: return "None";
    case Kind::boolean: return key.integer ? "True" : "False";
    case Kind::integer:
      if (!(key.flags & kBig)) return std::to_string(key.integer);
      return big_int_name(key, max);
    case Kind::floating: return float_repr(key.floating);
    case Kind::bytes: return python_bytes_repr(bytes_of(key).text().substr(0, max));
    case Kind::tuple:
      if (key.node->made == Made::size) return size_repr(key, max);
      if (key.node->made == Made::device || key.node->made == Made::layout) break;
      return tuple_text(key, max);
    case Kind::object:
      if (key.node->made == Made::scalar) return scalar_name(key, max);
      if (const Origin* o = key.node->origin; o && o->callee.kind == Kind::global) return "<" + last_part(cut(global_of(o->callee).name)) + ">";
      break;
    default: break;
  }
  return "<" + class_name(key) + ">";
}

std::string qualified_class_name(const Ref& value) {
  constexpr std::string_view made[] = {"", "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
                                       "collections.deque"};
  const auto qualified = [](const ClassWords& cls) { return concat({cls.module, ".", cls.name}); };
  if (is_container(value) && value.kind != Kind::object && value.node->made != Made::plain) {
    const auto number = static_cast<std::size_t>(value.node->made);
    return number < std::size(made) ? std::string(made[number]) : qualified(words_of(value.node->made));
  }
  if (value.kind == Kind::tensor) return qualified(tensor_words(value.tag));
  if (value.kind == Kind::storage) return qualified(kStorageWords);
  const auto global_class = [](const Ref& global) { return cut(global_of(global).module) + "." + cut(global_of(global).name); };
  if (is_array(value)) {  // a subclass is the first argument of the call that makes it
    const auto args = tuple_of(value.node->origin->args).items();
    return !args.empty() && args[0].kind == Kind::global ? global_class(args[0]) : qualified(words_of(Made::array));
  }
  if (is_value(value)) return qualified(kValueWords);
  if (value.kind == Kind::object && value.node->made == Made::scalar && !scalar_of(value).class_name.empty()) return concat({"numpy.", scalar_of(value).class_name});
  if (value.kind == Kind::object && value.node->origin) {
    const Ref& callee = value.node->origin->callee;
    if (callee.kind == Kind::global) return global_class(callee);
    return value.node->origin->how == How::persistent ? "persistent id" : "object";
  }
  return std::string(name(value.kind));
}

std::string class_name(const Ref& value) {
  return last_part(qualified_class_name(value));
}

}  // namespace brine
