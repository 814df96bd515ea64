// SPDX-License-Identifier: MIT
// Fills the words of module_table.cpp with a module's attributes.
#include "inspect/module_repr.hpp"

#include "graph/walk.hpp"
#include "module/module.hpp"
#include "support/text.hpp"
#include "tensor/dtype_table.hpp"
#include "tensor/record.hpp"

#include <algorithm>

namespace brine {

namespace {

constexpr std::size_t kMaxLine = 1000, kMaxDimensions = 64;

// Python's getattr(module, name): its own attributes, then parameters, buffers, children.
Ref member(const Graph& graph, const Ref& module, std::string_view name) {
  if (module.kind != Kind::object) return {};
  if (const Ref own = attribute(graph, module, name); own.kind != Kind::absent) return own;
  for (const std::string_view part : {"_parameters", "_buffers", "_modules"})
    if (const Ref list = module_part(graph, module, part); list.kind == Kind::dict)
      if (const Entry* e = graph.find(dict_of(list), name)) return e->value;
  return is_quantised_conv(module) ? quantised_conv_attribute(module, name) : Ref{};
}

// weight().qscheme(): the first quantised tensor of the packed parameters says it.
std::string quantisation_scheme(const Graph& graph, const Ref& module) {
  Walker walk(member(graph, module, "_packed_params"), {}, 10);
  for (int i = 0; i < 200 && walk.next(); ++i) {
    const Quantised* q = walk.value().kind == Kind::tensor ? tensor_of(walk.value()).as_quantised() : nullptr;
    if (q) return "torch." + std::string(brine::name(q->scheme));
  }
  return {};
}

bool is_number(const Ref& value, std::int64_t wanted) noexcept {
  if (value.kind == Kind::floating) return value.floating == static_cast<double>(wanted);
  return (value.kind == Kind::integer || value.kind == Kind::boolean) && !(value.flags & kBig) && value.integer == wanted;
}

bool equals(const Ref& value, std::string_view wanted) noexcept {
  if (wanted == "None") return value.kind == Kind::none;
  if (wanted == "True" || wanted == "False") return value.kind == Kind::boolean && (value.integer != 0) == (wanted == "True");
  if (wanted != "0" && wanted != "1" && wanted != "2") return value.kind == Kind::string && text_of(value) == wanted;
  const std::int64_t number = wanted[0] - '0';
  if (value.kind != Kind::tuple) return is_number(value, number);
  if (tuple_of(value).size > kMaxDimensions) return false;  // one for each dimension; a longer one is the file's caprice, and of many modules
  return std::all_of(tuple_of(value).items().begin(), tuple_of(value).items().end(), [&](const Ref& item) { return is_number(item, number); });
}

bool is_true(const Ref& value) noexcept {
  if (value.kind == Kind::integer || value.kind == Kind::boolean) return (value.flags & kBig) || value.integer != 0;
  if (value.kind == Kind::floating) return value.floating != 0;
  if (value.kind == Kind::string) return value.length > 0;
  return value.kind != Kind::none && value.kind != Kind::absent && !(is_container(value) && value.kind != Kind::object && value.node->size == 0);
}

class Words {
 public:
  Words(const Graph& graph, const Ref& module) : graph_(graph), module_(module) {}

  std::string fill(std::string_view words) const {
    std::string out;
    while (!words.empty()) {
      const auto end = std::min(words.find(' '), words.size());
      const std::string shown = alternatives(words.substr(0, end));
      if (!shown.empty()) out += (out.empty() ? "" : ", ") + shown;
      words.remove_prefix(std::min(end + 1, words.size()));
    }
    return printable(out, kMaxLine);
  }

 private:
  std::string alternatives(std::string_view words) const {
    for (;;) {
      const auto bar = words.find('|');
      std::string shown = word(words.substr(0, bar));
      if (!shown.empty() || bar == std::string_view::npos) return shown;
      words.remove_prefix(bar + 1);
    }
  }

  // Empty: left out.
  std::string word(std::string_view w) const {
    const auto cut = [&](char sign) {
      const auto at = w.find(sign);
      const std::string_view behind = at == std::string_view::npos ? std::string_view() : w.substr(at + 1);
      w = w.substr(0, at);
      return behind;
    };
    const std::string_view hidden = cut('!'), otherwise = cut('~');
    const bool labelled = w.find('=') != std::string_view::npos, repr = cut('=') == "r";
    const char sign = w[0];
    if (sign == '?' || sign == '*' || sign == '#') w.remove_prefix(1);
    const std::string label = std::string(w.substr(w.rfind('.') + 1)) + "=";
    if (w == "qscheme") {
      const std::string scheme = quantisation_scheme(graph_, module_);
      return scheme.empty() ? scheme : (labelled ? label : std::string()) + scheme;
    }
    const Ref value = look_up(w);
    if (value.kind == Kind::absent) return otherwise.empty() ? std::string() : (labelled ? label : std::string()) + std::string(otherwise);
    if (sign == '*') return is_true(value) ? label + "True" : std::string();
    if (sign == '?') {
      const std::string_view given = value.kind != Kind::none ? "True" : "False";
      return given == hidden ? std::string() : label + std::string(given);
    }
    if (sign == '#') return value.kind == Kind::tensor && tensor_of(value).ndim > 0 ? std::to_string(tensor_of(value).shape()[0]) : std::string();
    if (!hidden.empty() && equals(value, hidden)) return {};
    const auto text = python_text(value, repr);
    return text ? (labelled ? label : std::string()) + *text : std::string();
  }

  Ref look_up(std::string_view path) const {
    const auto dot = path.find('.');
    const Ref value = member(graph_, module_, path.substr(0, dot));
    return dot == std::string_view::npos ? value : member(graph_, value, path.substr(dot + 1));
  }

  const Graph& graph_;
  const Ref& module_;
};

// ParameterList and ParameterDict: a line for each item.
std::string item_line(const Graph& graph, const Ref& module, std::string_view name, bool list) {
  const Ref value = member(graph, module, name);
  const std::string before = "  (" + escaped(name) + "): ";
  if (value.kind != Kind::tensor) {
    const GlobalName cls = module_class(graph, value);  // a long one is not copied
    return before + "Object of type: " + (cls.name.empty() ? class_name(value) : escaped(cls.name.substr(cls.name.rfind('.') + 1).substr(0, 1000)));
  }
  const TensorRecord& t = tensor_of(value);
  const StorageRecord* storage = strided_or_none(t).storage;
  const std::string device = storage && storage->device.starts_with("cuda") ? escaped(storage->device, 40) : std::string();
  std::string out = before + (t.parameter ? "Parameter" : "Tensor") + " containing: [torch.";
  if (list) out += std::string(brine::name(t.dtype));
  else out += (device.empty() ? "" : "cuda.") + std::string(class_stem(t.dtype)) + "Tensor";
  out += " of size ";
  for (std::size_t i = 0; i < t.ndim; ++i) out += (i ? "x" : "") + std::to_string(t.shape()[i]);
  return out + (device.empty() ? "" : " (" + device + ")") + "]";
}

std::vector<std::string> item_lines(const Graph& graph, const Ref& module, bool list, std::size_t max) {
  std::vector<std::string> out;
  const Ref size = attribute(graph, module, "_size"), keys = attribute(graph, module, "_keys");
  if (list && size.kind == Kind::integer && !(size.flags & kBig)) {
    for (std::int64_t i = 0; i < size.integer && out.size() < max; ++i) {
      const std::string name = std::to_string(i);
      if (member(graph, module, name).kind == Kind::absent) break;  // a size of the file's choice
      out.push_back(item_line(graph, module, name, list));
    }
    return out;
  }
  // Before 1.12 there was neither: all parameters are items.
  const Ref names = !list && keys.kind == Kind::dict ? keys : module_part(graph, module, "_parameters");
  if (names.kind != Kind::dict) return out;
  for (const Entry& e : dict_of(names).entries().first(std::min<std::size_t>(max, dict_of(names).size))) {
    if (e.key.kind == Kind::string) out.push_back(item_line(graph, module, text_of(e.key), list));
  }
  return out;
}

// torchvision's: a __repr__ of four lines.
std::vector<std::string> rcnn_lines(const Graph& graph, const Ref& module) {
  const Words words(graph, module);
  const auto value = [&](std::string_view name) { return words.fill(name); };
  return {"  Normalize(mean=" + value("image_mean") + ", std=" + value("image_std") + ")",
          "  Resize(min_size=" + value("min_size") + ", max_size=" + value("max_size") + ", mode='bilinear')"};
}

}  // namespace

std::vector<std::string> module_arguments(const Graph& graph, const Ref& module, std::string_view words, std::size_t max) {
  if (words == "@list" || words == "@dict") return item_lines(graph, module, words == "@list", max);
  if (words == "@rcnn") return rcnn_lines(graph, module);
  std::string line = Words(graph, module).fill(words);
  if (line.empty()) return {};
  return {std::move(line)};
}

}  // namespace brine
