// SPDX-License-Identifier: MIT
// graph_text: everything a graph holds below one value, as text: values, behind each what made it, tensors with their records. Without
// recursion, and linear in the graph. A node met again is "^n", n counting the nodes in the order in which they were first met.
//
// For tests that compare with literal text, and for fuzz targets: it reads every node that can be reached, so ASan sees what must not be.
#pragma once

#include "graph/walk.hpp"
#include "torch/storages.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace brine::test {

class GraphText {
 public:
  /// `origins`: also how each value was made, and names as they were spelled.
  explicit GraphText(bool origins) : origins_(origins) {}

  std::string operator()(const Ref& from) {
    out_.clear(), todo_.clear(), met_.clear();
    todo_.push_back({from, {}});
    while (!todo_.empty()) {
      const Item item = std::move(todo_.back());
      todo_.pop_back();
      out_ += item.text;
      if (item.value.kind == Kind::tensor) tensor(tensor_of(item.value));
      else if (item.value.kind != Kind::absent) value(item.value);
    }
    return std::move(out_);
  }

 private:
  struct Item {
    Ref value;
    std::string text;  ///< stands before the value
  };

  void push(std::string text) { todo_.push_back({{}, std::move(text)}); }
  void push(std::string text, const Ref& value) { todo_.push_back({value, std::move(text)}); }
  bool again(const void* node) {
    const auto [at, fresh] = met_.emplace(node, met_.size());
    if (!fresh) out_ += "^" + std::to_string(at->second);
    return !fresh;
  }
  static std::string cut(std::string_view text) {
    unsigned sum = 0;
    for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
    if (text.size() <= 60) return std::string(text);
    return std::string(text.substr(0, 60)) + "…" + std::to_string(text.size()) + ":" + std::to_string(sum);
  }

  // What is pushed last is said first.
  void origin(const Origin* origin) {
    if (!origins_ || !origin || again(origin)) return;
    constexpr const char* how[] = {"REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST", "PERSID"};
    push(">");
    std::vector<Item> parts;
    parts.push_back({{}, std::string("<") + how[static_cast<int>(origin->how)]});
    const auto add = [&](const char* before, const Ref& part) {
      if (part.kind != Kind::absent) parts.push_back({part, before});
    };
    add(" ", origin->callee);
    add(" ", origin->args);
    add(" **", origin->kwargs);
    for (const Effect* e = origin->first; e; e = e->next) {
      add(" call ", e->setter);
      add(e->setter.kind == Kind::absent ? " BUILD " : " ", e->state);
    }
    for (std::size_t i = parts.size(); i-- > 0;) todo_.push_back(std::move(parts[i]));
    for (const Origin* o = origin->outer; o; o = o->outer) out_ += "outer:";
  }

  template <class Items>
  void sequence(const char* open, const char* close, const Items& items) {
    push(close);
    for (std::size_t i = items.size(); i-- > 0;) push(i ? ", " : "", items[i]);
    push(open);
  }
  void entries(const DictNode& dict) {
    push("}");
    for (std::size_t i = dict.size; i-- > 0;) {
      push(": ", dict.entries()[i].value);
      push(i ? ", " : "", dict.entries()[i].key);
    }
    push("{");
  }

  void value(const Ref& v) {
    constexpr const char* made[] = {"", "OrderedDict", "defaultdict", "Counter", "deque", "Size", "device", "layout"};
    if (has_node(v) && v.kind != Kind::bytes && v.kind != Kind::bytearray && v.kind != Kind::complex &&
        (v.kind != Kind::tuple || v.node->size) && again(v.node))
      return;
    switch (v.kind) {
      case Kind::string: out_ += "'" + cut(text_of(v)) + "'"; return;
      case Kind::bytes: case Kind::bytearray:
        origin(v.node->origin);
        out_ += (v.kind == Kind::bytes ? "b'" : "bytearray'") + cut(bytes_of(v).text()) + "'";
        return;
      case Kind::complex:
        origin(v.node->origin);
        out_ += "(" + key_name(make_float(complex_of(v).real)) + "," + key_name(make_float(complex_of(v).imag)) + ")";
        return;
      case Kind::global: {
        const GlobalNode& g = global_of(v);
        origin(g.origin);
        out_ += cut(g.module) + "." + cut(g.name);
        if (origins_ && (g.module != g.spelled_module || g.name != g.spelled_name))
          out_ += "(" + cut(g.spelled_module) + " " + cut(g.spelled_name) + ")";
        if (origins_ && g.name_text.kind == Kind::string) out_ += "[" + cut(text_of(g.module_text)) + "," + cut(text_of(g.name_text)) + "]";
        return;
      }
      case Kind::tuple:
        origin(v.node->origin);
        out_ += made[static_cast<int>(v.node->made)];
        sequence("(", v.node->size == 1 ? ",)" : ")", tuple_of(v).items());
        return;
      case Kind::list: case Kind::set: case Kind::frozenset:
        origin(v.node->origin);
        out_ += made[static_cast<int>(v.node->made)];
        sequence(v.kind == Kind::list  ? "["
                 : v.kind == Kind::set ? "set{"
                                       : "frozenset{",
                 v.kind == Kind::list ? "]" : "}", list_of(v).items());
        return;
      case Kind::dict:
        origin(v.node->origin);
        out_ += made[static_cast<int>(v.node->made)];
        entries(dict_of(v));
        return;
      case Kind::object:
        origin(v.node->origin);
        out_ += "object";
        if (object_of(v).dict) entries(*object_of(v).dict);
        if (object_of(v).list) sequence("[", "]", object_of(v).list->items());
        return;
      case Kind::storage: {
        const StorageRef s = storage_of(v);
        out_ += "storage(" + cut(s.record->key) + " " + std::string(name(s.dtype)) + " " + std::to_string(s.record->nbytes);
        if (s.view) out_ += " view " + std::to_string(s.view->offset) + "+" + std::to_string(s.view->numel);
        out_ += ")";
        return;
      }
      default: out_ += cut(key_name(v)); return;
    }
  }

  void tensor(const TensorRecord& t) {
    if (again(&t)) return;
    constexpr const char* form[] = {"v1", "v2", "v3", "parameter", "old_class"};
    if (t.base) push(" of ", make_tensor_ref(t.base));
    origin(t.origin);
    out_ += std::string("tensor(") + form[static_cast<int>(t.form)] + " " + std::string(name(t.dtype)) + " " +
            (strided_or_none(t).storage ? cut(strided_or_none(t).storage->key) : "-") + " +" + std::to_string(strided_or_none(t).offset);
    for (const auto& dims : {t.shape(), t.stride()}) {
      out_ += " [";
      for (std::size_t i = 0; i < dims.size(); ++i) out_ += (i ? "," : "") + std::to_string(dims[i]);
      out_ += "]";
    }
    for (const auto& [set, word] :
         {std::pair(t.requires_grad, " grad"), {t.parameter, " param"}, {t.conj, " conj"}, {t.neg, " neg"}, {t.unset, " unset"}})
      if (set) out_ += word;
    out_ += ")";
  }

  const bool origins_;
  std::string out_;
  std::vector<Item> todo_;
  std::unordered_map<const void*, std::size_t> met_;
};

/// Values alone, or with all that is kept for the writer.
inline std::string graph_text(const Ref& value, bool origins = false) { return GraphText(origins)(value); }

}  // namespace brine::test
