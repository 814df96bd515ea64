// SPDX-License-Identifier: MIT
// repr(module). Modules can be shared, so that their text can be exponential in the file's size: each is described once, equal descriptions get one
// number, and only what is printed is spelled out, up to the bound.
#include <brine/module.hpp>

#include "inspect/module_repr.hpp"

#include "graph/walk.hpp"
#include "module/module.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>

namespace brine {

namespace {

constexpr std::size_t kMaxDepth = 100;        // Python's own recursion ends at some 300

using Number = std::uint32_t;

struct Description {
  std::string name;
  std::vector<std::string> lines;                        // extra_repr()
  std::vector<std::pair<std::string, Number>> children;  // what stands before a child, and which

  // Equal keys, equal texts.
  std::string key() const {
    std::string out = name;
    for (const std::string& line : lines) out += '\n' + line;
    for (const auto& [label, child] : children) out += "\n\n" + label + '\n' + std::to_string(child);
    return out;
  }
};

class Describer {
 public:
  Describer(const Graph& graph, std::size_t max) : graph_(graph), left_(max) {
    for (const char* text : {"…", "None"}) add({text, {}, {}});
  }
  static constexpr Number kEllipsis = 0, kNone = 1;
  static bool is_word(Number n) noexcept { return n <= kNone; }

  const Description& operator[](Number n) const noexcept { return *all_[n]; }

  Number describe(const Ref& root) {
    open(root, {});
    Number last = kEllipsis;
    while (!stack_.empty()) {
      Frame& top = stack_.back();
      if (top.at < top.entries.size()) {
        next_child(top);
        continue;
      }
      if (top.folds) fold(top.text.children);
      const Node* node = top.module.node;
      const std::string label = std::move(top.label);
      last = add(std::move(top.text));
      stack_.pop_back();
      known_[node] = last;
      if (!stack_.empty()) stack_.back().text.children.emplace_back(label, last);
    }
    return last;
  }

 private:
  struct Frame {
    Ref module;
    std::string label;
    Description text;
    std::vector<Entry> wrapped;     // of torch.compile's: its one child
    std::span<const Entry> entries;
    std::size_t at = 0;
    bool folds = false, hides = false;
  };

  Number add(Description description) {
    const auto [at, fresh] = numbers_.try_emplace(description.key(), static_cast<Number>(all_.size()));
    if (fresh) all_.push_back(std::make_unique<Description>(std::move(description)));
    return at->second;
  }

  void open(const Ref& module, std::string label) {
    known_[module.node] = kEllipsis;  // until it is described: a module inside itself
    Frame f{module, std::move(label), {}, {}, {}, 0, false, false};
    const GlobalName cls = module_class(graph_, module);
    const ClassText text = class_text(cls);
    f.text.name = text.name.empty() ? class_name(module) : escaped(text.name);
    f.text.lines = module_arguments(graph_, module, text.words, left_);
    if (f.text.lines.empty() && !is_module(graph_, module)) f.text.lines = {"…"};  // an object in a form of its own
    left_ -= std::min(left_, f.text.lines.size());
    f.folds = is_module_list(cls);
    f.hides = cls.module.substr(0, 200).find(".quantized.") != std::string_view::npos;
    stack_.push_back(std::move(f));
    Frame& top = stack_.back();
    if (const Ref inner = module_wrapped(module); inner.kind != Kind::absent) {
      top.wrapped.push_back({make_text("_orig_mod"), inner});
      top.entries = top.wrapped;
    } else if (const Ref modules = module_part(graph_, module, "_modules"); modules.kind == Kind::dict) {
      top.entries = dict_of(modules).entries();
    }
  }

  void next_child(Frame& top) {
    const Entry& e = top.entries[top.at++];
    if (left_ == 0) {
      top.text.children.emplace_back("", kEllipsis);
      top.at = top.entries.size();
      return;
    }
    --left_;
    if (top.hides && is_packed(e.value)) return;
    std::string label = "(" + printable(key_name(e.key, 1000), 200) + "): ";
    if (e.value.kind == Kind::none) return top.text.children.emplace_back(std::move(label), kNone), void();
    if (e.value.kind != Kind::object) return top.text.children.emplace_back(label + escaped(class_name(e.value)) + " ", kEllipsis), void();
    if (const auto known = known_.find(e.value.node); known != known_.end())
      return top.text.children.emplace_back(std::move(label), known->second), void();
    open(e.value, std::move(label));
  }

  static bool is_module_list(const GlobalName& cls) noexcept { return cls.module == "torch.nn.modules.container" && cls.name == "ModuleList"; }

  // Quantised layers do not show what holds their weights.
  bool is_packed(const Ref& value) const noexcept {
    const GlobalName cls = module_class(graph_, value);
    return is_module_list(cls) || cls.name == "LinearPackedParams" || cls.name == "EmbeddingPackedParams" || cls.name == "PackedParameter";
  }

  // ModuleList: "(0-2): 3 x " before equal neighbours. It counts, whatever the keys are.
  static void fold(std::vector<std::pair<std::string, Number>>& children) {
    std::vector<std::pair<std::string, Number>> out;
    for (std::size_t i = 0, next; i < children.size(); i = next) {
      for (next = i + 1; next < children.size() && children[next].second == children[i].second && !children[next].first.empty();) ++next;
      std::string label = children[i].first.empty() ? "" : "(" + std::to_string(i) + "): ";
      if (next - i > 1) label = "(" + std::to_string(i) + "-" + std::to_string(next - 1) + "): " + std::to_string(next - i) + " x ";
      out.emplace_back(std::move(label), children[i].second);
    }
    children = std::move(out);
  }

  const Graph& graph_;
  std::size_t left_;
  std::vector<Frame> stack_;
  std::unordered_map<const Node*, Number> known_;
  std::map<std::string, Number> numbers_;
  std::vector<std::unique_ptr<const Description>> all_;
};

}  // namespace

std::string module_repr(const Graph& graph, const Ref& module, std::size_t max) {
  Describer all(graph, max);
  const Number root = all.describe(module);
  struct Frame {
    Number text;
    std::size_t child;
  };
  std::vector<Frame> stack;
  std::string out;
  const auto line = [&](std::size_t depth) -> std::string& { return out.append(1, '\n').append(2 * depth, ' '); };
  const auto open = [&](Number n) {
    const Description& d = all[n];
    out += d.name;
    if (Describer::is_word(n)) return;
    out += '(';
    if (d.children.empty() && d.lines.size() < 2) return out.append(d.lines.empty() ? "" : d.lines[0]).append(1, ')'), void();
    stack.push_back({n, 0});
    for (const std::string& text : d.lines) line(stack.size()) += text;
  };
  std::size_t lines = 1;
  const auto spent = [&] { return lines > max || out.size() > graph.text_bytes; };
  open(root);
  while (!stack.empty()) {
    Frame& top = stack.back();
    const Description& d = all[top.text];
    if (top.child == d.children.size() || spent()) {
      if (top.child < d.children.size()) line(stack.size()) += "…";
      stack.pop_back();
      line(stack.size()) += ')';
      continue;
    }
    const auto& [label, child] = d.children[top.child++];
    line(stack.size()) += label;
    open(stack.size() < kMaxDepth ? child : Describer::kEllipsis);
    lines += 1 + all[child].lines.size();
  }
  return out;
}

std::string Module::repr(std::size_t max) const { return module_repr(*Access::graph(value_), Access::ref(value_), max); }

}  // namespace brine
