// SPDX-License-Identifier: MIT
#include "tree_json.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace tool {

namespace {

using brine::Kind;
using brine::Value;

constexpr std::size_t kName = 120, kKey = 200, kText = 1000, kBytes = 64;

std::string cut(std::string_view text, std::size_t max) {
  return text.size() > max ? std::string(text.substr(0, max)) + "…" : std::string(text);
}

bool is_list(const Value& v) { return v.kind() == Kind::list && v.type_name() == "list"; }
bool is_container(const Value& v) { return (v.kind() >= Kind::list && v.kind() <= Kind::frozenset) || v.kind() == Kind::object; }

/// Goes through the tree with a stack of its own.
class TreeWriter {
 public:
  TreeWriter(JsonWriter& json, const TreeBounds& bounds) : json_(json), bounds_(bounds) {}

  bool write(const Value& from) {
    enter(from);
    while (!stack_.empty() && json_.ok()) step();
    return whole_;
  }

 private:
  enum class How { node, array, object, pairs };
  /// A value, or the items of one, under a name.
  struct Part {
    std::string label;  // empty: in an array
    Value from;
    How how = How::node;
    std::uint64_t at = 0;
    bool open = false;
  };
  struct Frame {
    std::vector<Part> parts;  // the next comes last
    int ends;                 // brackets to close behind them
  };

  void step() {
    Frame& frame = stack_.back();
    if (frame.parts.empty()) {
      for (int i = 0; i < frame.ends; ++i) json_.end();
      stack_.pop_back();
      return;
    }
    Part& part = frame.parts.back();
    if (!part.open) {
      if (!part.label.empty()) json_.key(part.label);
      if (part.how == How::node) {
        const Value value = part.from;
        frame.parts.pop_back();
        return enter(value);
      }
      part.how == How::object ? json_.object() : json_.array();
      part.open = true;
    }
    if (part.at < std::min<std::uint64_t>(part.from.size(), bounds_.items) && json_.size() < bounds_.bytes) return item(part);
    json_.end();
    if (part.at < part.from.size()) {
      whole_ = false;
      if (!part.label.empty()) json_.field("size", part.from.size());
    }
    frame.parts.pop_back();
  }

  void item(Part& part) {
    const std::size_t at = part.at++;
    if (part.how == How::array) {
      const brine::Elements all = part.from.elements();
      return enter(*brine::Elements::iterator{&all, at});
    }
    const brine::Items all = part.from.items();
    const auto [key, value] = *brine::Items::iterator{&all, at};
    if (part.how == How::object) {
      json_.key(*key.as_string());
      return enter(value);
    }
    json_.array();
    write_key(key);
    stack_.push_back({{{.label = {}, .from = value}}, 1});
  }

  void enter(const Value& v) {
    if (v.kind() == Kind::tensor) return enter_tensor(v);
    if (!is_container(v)) return write_scalar(v);
    if (v.kind() == Kind::object)
      if (const auto array = brine::Array::of(v)) return enter_array(v, *array);
    const std::string type = v.kind() == Kind::object && !v.callee().exists() ? "persistent id" : cut(v.type_name(), kName);
    if (seen_.contains(v.id()) && (v.size() > 0 || v.kind() == Kind::object)) {
      json_.object().field("again", type).end();
      return;
    }
    if (stack_.size() >= bounds_.depth && (v.size() > 0 || v.kind() == Kind::object)) {
      whole_ = false;
      json_.object().field(type, nullptr);
      if (v.kind() != Kind::object) json_.field("size", v.size());
      json_.end();
      return;
    }
    seen_.insert(v.id());
    const bool state = v.state().exists();
    if (is_list(v) && !state && v.size() <= bounds_.items) {
      stack_.push_back({{{.label = {}, .from = v, .how = How::array}}, 0});
      return;
    }
    Frame frame{{}, 1};
    json_.object();
    if (state) frame.parts.push_back({.label = "state", .from = v.state()});
    if (v.kind() == Kind::object) {
      json_.key(type).object();
      frame.ends = 2;
      if (v.dict_items().size() > 0) frame.parts.push_back(dict_part("dict", v.dict_items()));
      if (v.list_items().size() > 0) frame.parts.push_back({.label = "items", .from = v.list_items(), .how = How::array});
      if (v.kwargs().size() > 0) frame.parts.push_back(dict_part("kwargs", v.kwargs()));
      frame.parts.push_back({.label = "args", .from = v.args(), .how = v.args().kind() == Kind::tuple ? How::array : How::node});
    } else {
      frame.parts.push_back(v.kind() == Kind::dict ? dict_part(type, v) : Part{.label = type, .from = v, .how = How::array});
    }
    stack_.push_back(std::move(frame));
  }

  Part dict_part(std::string label, const Value& dict) const {
    std::uint64_t left = bounds_.items;
    for (auto [key, value] : dict.items()) {
      if (left-- == 0) break;
      if (key.kind() != Kind::string || key.as_string().value().size() > kKey) return {.label = std::move(label), .from = dict, .how = How::pairs};
    }
    return {.label = std::move(label), .from = dict, .how = How::object};
  }

  void enter_tensor(const Value& v) {
    const auto t = v.as_tensor();
    if (!t) return void(json_.value(nullptr));
    json_.object().key(t->is_parameter() ? "Parameter" : "Tensor").object().field("dtype", name(t->dtype())).field("shape", t->shape());
    json_.field("device", cut(t->device(), kName)).field("requires_grad", t->requires_grad());
    Frame frame{{}, 2};
    if (v.state().exists() && seen_.insert(v.id()).second) frame.parts.push_back({.label = "state", .from = v.state()});
    stack_.push_back(std::move(frame));
  }

  void enter_array(const Value& v, const brine::Array& array) {
    json_.object().key(array.is_scalar() ? "numpy.scalar" : cut(v.type_name(), kName)).object().field("dtype", array.dtype()).field("shape", array.shape());
    Frame frame{{}, 2};
    const Value items = array.items();
    if (items.exists() && seen_.insert(items.id()).second) frame.parts.push_back({.label = "items", .from = items, .how = How::array});
    if (array.is_scalar() && array.itemsize() <= kText) {
      json_.key("value");
      std::vector<std::byte> bytes(array.itemsize());
      if (const auto kind = python_kind(array)) write_scalar(v, *kind);
      else if (array.copy_part(0, bytes)) write_bytes("bytes", bytes);
      else json_.value(nullptr);
    }
    stack_.push_back(std::move(frame));
  }

  /// Of the Python value that a numpy scalar equals.
  static std::optional<Kind> python_kind(const brine::Array& scalar) {
    switch (scalar.dtype()[1]) {
      case 'b': return Kind::boolean;
      case 'i': case 'u': return Kind::integer;
      case 'f': return scalar.itemsize() <= 8 ? std::optional(Kind::floating) : std::nullopt;
      case 'c': return scalar.itemsize() <= 16 ? std::optional(Kind::complex) : std::nullopt;
      case 'U': return Kind::string;
      case 'S': return Kind::bytes;
      default: return std::nullopt;
    }
  }

  void write_key(const Value& key) {
    if (!is_container(key) && key.kind() != Kind::tensor) return write_scalar(key);
    const std::string type = cut(key.type_name(), kName);
    if (key.kind() != Kind::tuple) return void(json_.object().field(type, nullptr).end());
    json_.object().key(type).array();
    std::uint64_t left = bounds_.items;
    for (const Value& part : key.elements()) {
      if (left-- == 0) break;
      if (is_container(part) || part.kind() == Kind::tensor) json_.object().field(cut(part.type_name(), kName), nullptr).end();
      else write_scalar(part);
    }
    json_.end().end();
  }

  void write_scalar(const Value& v) { write_scalar(v, v.kind()); }

  void write_scalar(const Value& v, Kind kind) {
    switch (kind) {
      case Kind::boolean: json_.value(v.as_bool().value_or(false)); break;
      case Kind::integer:
        if (const auto small = v.as_int()) json_.value(*small);
        else json_.object().field("int", cut(v.as_big_int().value_or(""), kText)).end();
        break;
      case Kind::floating:
        if (const double number = v.as_double().value_or(0); std::isfinite(number)) json_.value(number);
        else json_.object().field("float", number).end();
        break;
      case Kind::complex: {
        const auto number = v.as_complex().value_or(0);
        json_.object().key("complex").array().value(number.real()).value(number.imag()).end().end();
        break;
      }
      case Kind::string: {
        const std::string_view text = v.as_string().value_or("");
        if (text.size() <= kText) json_.value(text);
        else json_.object().field("str", cut(text, kText)).field("size", text.size()).end();
        break;
      }
      case Kind::bytes: case Kind::bytearray: write_bytes(name(kind), v.as_bytes().value_or(std::span<const std::byte>())); break;
      case Kind::global: json_.object().field("global", cut(v.as_global().value().module, kName) + "." + cut(v.as_global().value().name, kName)).end(); break;
      case Kind::storage: {
        const auto storage = *v.as_storage();
        json_.object().key("storage").object().field("key", cut(storage.key(), kName)).field("dtype", name(storage.dtype())).field("nbytes", storage.nbytes()).end().end();
        break;
      }
      default: json_.value(nullptr); break;
    }
  }

  void write_bytes(std::string_view type, std::span<const std::byte> bytes) {
    std::string hex;
    for (const std::byte b : bytes.first(std::min(bytes.size(), kBytes)))
      for (const int shift : {4, 0}) hex += "0123456789abcdef"[std::to_integer<unsigned>(b) >> shift & 15];
    json_.object().field(type, hex).field("size", bytes.size()).end();
  }

  JsonWriter& json_;
  const TreeBounds bounds_;
  std::vector<Frame> stack_;
  std::unordered_set<std::uintptr_t> seen_;
  bool whole_ = true;
};

}  // namespace

bool write_tree(JsonWriter& json, const Value& from, const TreeBounds& bounds) { return TreeWriter(json, bounds).write(from); }

}  // namespace tool
