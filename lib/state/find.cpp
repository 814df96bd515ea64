// SPDX-License-Identifier: MIT
#include "state/find.hpp"

#include "graph/walk.hpp"
#include "state/module.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace brine {

namespace {

constexpr std::string_view kKnownKeys[] = {"state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params_ema", "params", "ema"};
constexpr int kDepth = 4;

std::string join(const std::string& path, std::string_view step) { return path.empty() ? std::string(step) : path + "." + std::string(step); }

class Search {
 public:
  explicit Search(const Graph& graph) : graph_(graph) {}

  std::optional<Found> at(const Ref& value, const std::string& path, int depth) {
    if (is_weights(value)) return Found{value, path};
    if (!is_container(value) || !failed_.insert({value.node, depth}).second) return std::nullopt;  // looked at before
    if (value.kind == Kind::dict && depth > 0)
      for (const std::string_view key : kKnownKeys)
        if (const Entry* e = graph_.find(dict_of(value), key))
          if (auto found = at(e->value, join(path, key), depth - 1)) return found;  // at most kDepth deep
    if (value.kind != Kind::dict && value.kind != Kind::tuple && (value.kind != Kind::list || value.node->made == Made::deque)) return std::nullopt;
    std::vector<Found> all;
    Children children(value);
    Children::Child child;
    while (children.next(child))
      if (is_weights(child.value)) all.push_back({child.value, join(path, step_name(child))});
    if (all.size() == 1) return all[0];
    if (all.size() > 1 && several_.empty())
      for (const Found& f : all) several_.push_back(f.path);
    return std::nullopt;
  }

  const std::vector<std::string>& several() const noexcept { return several_; }

 private:
  // Each container is looked at once, however often it is met.
  bool is_weights(const Ref& value) {
    if (value.kind != Kind::dict && value.kind != Kind::object) return false;
    const auto [at, fresh] = weights_.try_emplace(value.node, false);
    if (fresh) at->second = is_weights_dict(graph_, value) || is_module(graph_, value);
    return at->second;
  }

  const Graph& graph_;
  std::set<std::pair<const Node*, int>> failed_;
  std::unordered_map<const Node*, bool> weights_;
  std::vector<std::string> several_;
};

// "a dict with 'epoch' (int), 'optimizer' (dict)": what there is instead.
std::string what_it_holds(const Ref& value) {
  if (value.kind == Kind::tensor) return "one tensor, not a dict of them";
  std::string out = value.kind == Kind::object ? "an object of class " + escaped(qualified_class_name(value), 100) : escaped(class_name(value), 100);
  if (value.kind != Kind::dict) return out;
  const auto entries = dict_of(value).entries();
  if (entries.empty()) return "an empty " + out;
  out += " with ";
  for (std::size_t i = 0; i < std::min<std::size_t>(entries.size(), 5); ++i)
    out += (i ? ", " : "") + in_quotes(key_name(entries[i].key), 40) + " (" + escaped(class_name(entries[i].value), 40) + ")";
  if (entries.size() > 5) out += " and " + std::to_string(entries.size() - 5) + " more";
  return out;
}

}  // namespace

Result<Found> find_weights(const Graph& graph, const Ref& from, std::string path) {
  Search search(graph);
  if (auto found = search.at(from, path, kDepth)) return std::move(*found);
  const auto fail = [&](ErrorCode code, std::string text) {
    Error e(ErrorKind::usage, code, std::move(text));
    return path.empty() ? std::move(e) : Error(std::move(e).at_path(path));
  };
  if (!search.several().empty()) {
    std::string list;
    const auto& several = search.several();
    for (std::size_t i = 0; i < std::min<std::size_t>(several.size(), 10); ++i) list += (i ? ", " : "") + escaped(several[i], 60);
    if (several.size() > 10) list += " and " + std::to_string(several.size() - 10) + " more";
    return fail(ErrorCode::several_state_dicts,
                "there are several state dicts: " + list + "; choose one, as with state_dict(\"" + escaped(several[0], 60) + "\") or --at " + escaped(several[0], 60));
  }
  return fail(ErrorCode::no_state_dict, "there are no weights here, but " + what_it_holds(from));
}

Way find_way(const Ref& root, std::string_view path) {
  struct Met {
    Ref value;
    std::size_t at;  // of the path, behind the dot
    std::size_t parent;
    std::uint32_t number;
  };
  std::vector<Met> places{{root, 0, 0, 0}};
  std::vector<std::size_t> open{0};
  std::set<std::pair<const Node*, std::size_t>> seen;
  while (!open.empty()) {
    const std::size_t n = open.back();
    const Met here = places[n];
    open.pop_back();
    if (here.at > path.size() || path.empty()) {
      Way way{{}, here.value};
      for (std::size_t i = n; i != 0; i = places[i].parent) {
        const Met& parent = places[places[i].parent];
        way.steps.push_back({parent.value, places[i].number, parent.at == 0 ? 0 : parent.at - 1});
      }
      std::reverse(way.steps.begin(), way.steps.end());
      return way;
    }
    if (!is_container(here.value) || !seen.insert({here.value.node, here.at}).second) continue;
    const std::string_view rest = path.substr(here.at);
    const std::size_t first = places.size();
    Children children(here.value);
    Children::Child child;
    for (std::uint32_t number = 0; children.next(child); ++number) {
      const std::string step = step_name(child);
      if (rest.starts_with(step) && (rest.size() == step.size() || rest[step.size()] == '.'))
        places.push_back({child.value, here.at + step.size() + 1, n, number});
    }
    for (std::size_t i = places.size(); i-- > first;) open.push_back(i);  // the first child is tried first
  }
  return {};
}

}  // namespace brine
