// SPDX-License-Identifier: MIT
// Source of the forms: numpy/core/src/multiarray/descriptor.c (arraydescr_reduce, arraydescr_setstate), 1.7 to 2.4.
#include "torch/numpy.hpp"

#include "graph/walk.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <brine/array.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace brine {

namespace {

struct Name {
  std::string_view module, name;
  Made made;
};
constexpr Name kNames[] = {
    {"numpy._core.multiarray", "_reconstruct", Made::array}, {"numpy.core.multiarray", "_reconstruct", Made::array},
    {"numpy._core.numeric", "_frombuffer", Made::array},     {"numpy.core.numeric", "_frombuffer", Made::array},
    {"numpy._core.multiarray", "scalar", Made::scalar},      {"numpy.core.multiarray", "scalar", Made::scalar},
    {"numpy", "dtype", Made::array_dtype},                   {"numpy._core._internal", "_convert_to_stringdtype_kwargs", Made::array_dtype},
};

// The classes of scalars, and what dtypes of them are named.
struct Class {
  std::string_view name;
  char kind;
  std::uint64_t itemsize;
};
constexpr Class kClasses[] = {
    {"bool", 'b', 1},     {"bool_", 'b', 1},      {"int8", 'i', 1},       {"int16", 'i', 2},      {"int32", 'i', 4},      {"int64", 'i', 8},
    {"uint8", 'u', 1},    {"uint16", 'u', 2},     {"uint32", 'u', 4},     {"uint64", 'u', 8},     {"float16", 'f', 2},    {"float32", 'f', 4},
    {"float64", 'f', 8},  {"longdouble", 'f', 16}, {"complex64", 'c', 8}, {"complex128", 'c', 16}, {"clongdouble", 'c', 32}, {"str_", 'U', 0},
    {"bytes_", 'S', 0},   {"void", 'V', 0},       {"record", 'V', 0},     {"datetime64", 'M', 8}, {"timedelta64", 'm', 8}, {"object_", 'O', 8},
};

std::string_view class_of(const NumpyType& type) noexcept {
  for (const Class& c : kClasses)
    if (c.kind == type.kind && (c.itemsize == type.itemsize || c.itemsize == 0)) return c.name;
  return {};
}

std::string code_of_class(const GlobalNode& cls) {
  for (const Class& c : kClasses)
    if (cls.module == "numpy" && cls.name == c.name) return c.kind == 'O' ? "O" : c.kind + std::to_string(c.itemsize);
  return {};
}

constexpr std::size_t kLongestDescr = 64'000;
constexpr int kDeepest = 8;

Error unsupported(std::string text) { return Error(ErrorKind::unsupported, ErrorCode::other_format, std::move(text)); }

// A str, or bytes that Python 2 wrote as one.
std::optional<std::string_view> text_in(const Ref& r) noexcept {
  if (r.kind == Kind::string) return text_of(r);
  if (r.kind == Kind::bytes) return bytes_of(r).text();
  return std::nullopt;
}

std::optional<std::int64_t> int_in(std::span<const Ref> items, std::size_t i) noexcept {
  if (i >= items.size() || items[i].kind != Kind::integer || (items[i].flags & kBig)) return std::nullopt;
  return items[i].integer;
}

bool is_size(char kind, std::uint64_t size) noexcept {
  switch (kind) {
    case 'b': return size == 1;
    case 'i': case 'u': return size == 1 || size == 2 || size == 4 || size == 8;
    case 'f': return size == 2 || size == 4 || size == 8 || size == 12 || size == 16;
    case 'c': return size == 8 || size == 16 || size == 24 || size == 32;
    case 'O': return size == 4 || size == 8;
    case 'm': case 'M': return size == 8;
    default: return true;
  }
}

// The unit of a datetime: (metadata, (unit, count, denominator, event)) at the end of the state.
Result<std::string> unit_text(std::span<const Ref> state) {
  if (state.size() < 9 || !is_tuple(state[8]) || tuple_of(state[8]).size != 2) return std::string();
  const Ref& unit = tuple_of(state[8]).items()[1];
  const auto part = is_tuple(unit) ? tuple_of(unit).items() : std::span<const Ref>();
  const auto name = part.empty() ? std::nullopt : text_in(part[0]);
  const auto count = int_in(part, 1);
  if (part.size() > 2 && int_in(part, 2) != 1) return unsupported("a numpy datetime in fractions of a unit");
  if (!name || !count || *count < 1) return corrupt("expected the unit of a numpy datetime as a name and a count, found neither");
  if (*name == "generic") return std::string();
  constexpr std::string_view units[] = {"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"};
  if (std::ranges::find(units, *name) == std::end(units)) return unsupported("a numpy datetime of the unit " + in_quotes(*name, 20));
  return concat({"[", *count == 1 ? "" : std::to_string(*count), *name, "]"});
}

std::span<const Ref> state_items(const Ref& dtype) noexcept {
  const Ref state = state_of(*dtype.node);
  return is_tuple(state) ? tuple_of(state).items() : std::span<const Ref>();
}

// As a Python literal.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : escaped(text)) out += c == '\'' ? "\\'" : std::string(1, c);
  return out + "'";
}

// One dtype of a description; fields are described one in another, kDeepest levels at most.
Result<void> describe(const Graph& graph, const Ref& dtype, std::string& out, int depth);

Result<void> describe_fields(const Graph& graph, const Ref& dtype, std::uint64_t size, std::string& out, int depth) {
  const auto state = state_items(dtype);
  if (depth == kDeepest) return unsupported("a structured numpy dtype whose fields lie deeper than " + std::to_string(kDeepest) + " in each other");
  if (!is_tuple(state[3]) || state[4].kind != Kind::dict)
    return corrupt("expected the fields of a structured numpy dtype as a tuple of names and a dict, found " + class_name(state[3]) + " and " +
                   class_name(state[4]));
  std::uint64_t at = 0;
  bool first = true;
  const auto separate = [&] { out += first ? "" : ", ", first = false; };
  const auto pad_to = [&](std::uint64_t to) {
    if (to > at) separate(), out += "('', '|V" + std::to_string(to - at) + "')";
  };
  out += '[';
  for (const Ref& name : tuple_of(state[3]).items()) {
    const Entry* e = graph.find(dict_of(state[4]), name);
    const auto field = e && is_tuple(e->value) ? tuple_of(e->value).items() : std::span<const Ref>();
    const auto text = text_in(name);
    const auto offset = int_in(field, 1);
    if (!text || !offset) return corrupt("a field of a structured numpy dtype has no name, or no dtype and offset");
    const auto type = numpy_type(field[0]);
    if (!type) return type.error();
    const auto from = static_cast<std::uint64_t>(*offset);
    if (*offset < 0 || from < at) return unsupported("a structured numpy dtype whose fields overlap or are out of order");
    pad_to(from);
    separate();
    const auto title = field.size() > 2 ? text_in(field[2]) : std::nullopt;
    if (field.size() > 2 && !title) return unsupported("a structured numpy dtype with a title that is no str");
    out += "(" + (title ? "(" + quoted(*title) + ", " + quoted(*text) + ")" : quoted(*text)) + ", ";
    BRINE_TRY(describe(graph, field[0], out, depth + 1));
    out += ')';
    at = from + type->itemsize;
    if (out.size() > kLongestDescr)
      return Error(ErrorKind::limit, ErrorCode::out_of_range,
                   "the description of a structured numpy dtype is longer than " + std::to_string(kLongestDescr) + " bytes");
  }
  if (at > size) return corrupt("the fields of a structured numpy dtype need " + std::to_string(at) + " bytes, it has " + std::to_string(size));
  pad_to(size);
  out += ']';
  return {};
}

Result<void> describe(const Graph& graph, const Ref& dtype, std::string& out, int depth) {
  const auto type = numpy_type(dtype);
  if (!type) return type.error();
  const auto state = state_items(dtype);
  if (type->kind == 'V' && state.size() >= 8 && is_tuple(state[2]) && tuple_of(state[2]).size == 2 && depth > 0) {  // an array as a field: (dtype, shape)
    const auto part = tuple_of(state[2]).items();
    if (depth > kDeepest) return unsupported("a numpy dtype of arrays that lie deeper than " + std::to_string(kDeepest) + " in each other");
    BRINE_TRY(describe(graph, part[0], out, depth + 1));
    out += ", " + key_name(part[1], kLongestDescr);
    return {};
  }
  if (type->kind == 'V' && state.size() >= 8 && state[3].kind != Kind::none) return describe_fields(graph, dtype, type->itemsize, out, depth);
  out += "'" + type->text + "'";
  return {};
}

}  // namespace

std::uint16_t numpy_known(std::string_view module, std::string_view name) noexcept {
  for (std::uint16_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i].name == name && kNames[i].module == module) return static_cast<std::uint16_t>(kFirstNumpy + i);
  return 0;
}

bool numpy_is_class(std::uint16_t known) noexcept { return kNames[known - kFirstNumpy].name == "dtype"; }

Ref numpy_object(const CallSite& site, const Ref& callee, const Ref& args) {
  const Made made = kNames[callee.node->known - kFirstNumpy].made;
  const Origin origin{.callee = callee, .args = args, .kwargs = {}, .how = site.how()};
  const Ref object = made == Made::scalar ? site.graph().scalar(origin) : site.graph().object(origin);
  if (object.kind == Kind::absent) return object;
  object.node->made = made;
  for (const Ref& arg : tuple_of(args).items().first(std::min<std::size_t>(tuple_of(args).size, 4)))  // numpy's own take no more
    if (is_container(arg)) arg.node->flags |= kRead;
  if (made == Made::scalar) {
    auto& node = static_cast<ScalarNode&>(*object.node);
    node.plain = numpy_plain(site.graph(), object);
    const auto type = tuple_of(args).size ? numpy_type(tuple_of(args).items()[0]) : Result<NumpyType>(NumpyType());
    if (type) node.class_name = type->record ? "record" : class_of(*type);
  }
  return object;
}

Result<NumpyType> numpy_type(const Ref& dtype) {
  if (dtype.kind != Kind::object || dtype.node->made != Made::array_dtype) return unsupported("expected a numpy.dtype, found " + escaped(qualified_class_name(dtype)));
  if (!numpy_is_class(dtype.node->origin->callee.node->known)) return NumpyType{.text = "|T16", .itemsize = 16, .kind = 'T'};  // StringDType
  const auto args = tuple_of(dtype.node->origin->args).items();
  NumpyType out;
  const bool is_class = !args.empty() && args[0].kind == Kind::global;
  const std::string code = is_class ? code_of_class(global_of(args[0])) : std::string();
  out.record = is_class && global_of(args[0]).name == "record";
  if (is_class && code.empty()) return unsupported("the numpy dtype of the class " + escaped(global_of(args[0]).name, 100));
  const auto named = args.empty() ? std::nullopt : is_class ? std::optional<std::string_view>(code) : text_in(args[0]);
  if (!named || named->empty()) return corrupt("expected the name of a numpy dtype, found " + (args.empty() ? std::string("nothing") : class_name(args[0])));
  std::string_view name = *named;
  if (std::string_view("<>=|").find(name[0]) != name.npos) out.order = name[0], name.remove_prefix(1);
  const auto strange = [&] { return unsupported("the numpy dtype " + in_quotes(*named, 40)); };
  constexpr std::size_t longest = 24;  // every number; a longer text is read for each array that has the dtype
  if (name.empty() || name.size() > longest || std::string_view("biufcSUVOmM").find(name[0]) == name.npos) return strange();
  out.kind = name[0];
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), out.itemsize);
  if (error != std::errc() || end != name.data() + name.size() || !is_size(out.kind, out.itemsize)) return strange();
  if (out.kind == 'U' && out.itemsize > UINT32_MAX) return strange();
  if (out.kind == 'U') out.itemsize *= 4;

  const auto state = state_items(dtype);
  const bool flexible = out.kind == 'S' || out.kind == 'U' || out.kind == 'V';
  if (!state.empty()) {  // (version, byte order, array, names, fields, size, alignment, flags[, metadata])
    const std::string_view order = state.size() < 8 ? std::string_view() : text_in(state[1]).value_or(std::string_view());
    const auto size = int_in(state, 5);
    if (order.size() != 1 || std::string_view("<>=|").find(order.front()) == order.npos || !size)
      return corrupt("expected the state of the numpy dtype " + in_quotes(*named, 40) + " as numpy writes it, found another");
    const bool own = args.size() > 2 && (args[2].kind == Kind::boolean || args[2].kind == Kind::integer) && args[2].integer != 0;
    if (!own && !flexible) return unsupported("a state of the numpy dtype " + in_quotes(*named, 40) + " itself, not of a copy: numpy takes no notice of it");
    out.order = order.front();
    if (flexible && *size >= 0) out.itemsize = static_cast<std::uint64_t>(*size);
  }
  if (out.order == '=') out.order = '<';  // of a machine that was not asked: numpy itself never writes it
  if ((out.itemsize <= 1 && out.kind != 'U') || out.kind == 'S' || out.kind == 'V' || out.kind == 'O') out.order = '|';
  else if (out.order == '|') out.order = '<';
  if (out.itemsize > INT32_MAX) return corrupt("a numpy dtype of " + std::to_string(out.itemsize) + " bytes");
  const auto unit = out.kind == 'm' || out.kind == 'M' ? unit_text(state) : Result<std::string>(std::string());
  if (!unit) return unit.error();
  out.text = std::string(1, out.order) + out.kind + (out.kind == 'O' ? "" : std::to_string(out.kind == 'U' ? out.itemsize / 4 : out.itemsize)) + *unit;
  return out;
}

Result<std::string> numpy_descr(const Graph& graph, const Ref& dtype) {
  std::string out;
  BRINE_TRY(describe(graph, dtype, out, 0));
  return out;
}

}  // namespace brine
