// SPDX-License-Identifier: MIT
#include "state/find.hpp"

#include "graph/walk.hpp"
#include "module/module.hpp"
#include "state/notes.hpp"
#include "support/text.hpp"
#include "torch/tensor_objects.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace brine {

namespace {

constexpr std::string_view kKnownKeys[] = {"state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params_ema", "params", "ema"};
constexpr int kDepth = 4;

class Search {
 public:
  explicit Search(const Graph& graph) : graph_(graph) {}

  std::optional<Found> at(const Ref& value, const Path& place, int depth) {
    if (is_weights(value)) return Found{value, place};
    if (!is_container(value) || !failed_.insert({value.node, depth}).second) return std::nullopt;  // looked at before
    if (value.kind == Kind::dict && depth > 0)
      for (const std::string_view key : kKnownKeys)
        if (const Entry* e = graph_.find(dict_of(value), key))
          if (auto found = at(e->value, step_from(place, {.key = e->key}), depth - 1)) return found;  // at most kDepth deep
    if (value.kind != Kind::dict && value.kind != Kind::tuple && (value.kind != Kind::list || value.node->made == Made::deque)) return std::nullopt;
    std::optional<Found> only;
    std::vector<std::string> some;
    std::string example;
    std::size_t count = 0;
    Children children(value);
    for (Children::Child child; children.next(child);) {
      if (!is_weights(child.value) || ++count > kListed) continue;
      only = Found{child.value, step_from(place, child)};
      const std::uint64_t size = path_size(only->place.get());
      some.push_back(size == 0 ? "''" : escaped(spell(only->place.get()), 60));
      if (example.empty() && size > 0 && size <= 200) example = spell(only->place.get());
    }
    if (count == 1) return only;
    if (count > 1 && several_.empty()) several_ = std::move(some), several_count_ = count, example_ = std::move(example);
    return std::nullopt;
  }

  /// The first of them.
  const std::vector<std::string>& several() const noexcept { return several_; }
  std::size_t several_count() const noexcept { return several_count_; }
  /// The place of one of them, or empty where none can be said.
  const std::string& example() const noexcept { return example_; }

  static constexpr std::size_t kListed = 10;

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
  std::size_t several_count_ = 0;
  std::string example_;
};

// "a dict with 'epoch' (int), 'optimizer' (dict)": what there is instead.
std::string what_it_holds(const Ref& value) {
  if (value.kind == Kind::tensor || stands_for_tensor(value)) return "one tensor, not a dict of them";
  if (is_numpy_generator(value)) return "the state of numpy's random number generator";
  if (value.kind == Kind::none) return "None";
  if (value.kind == Kind::object) return "an object of class " + escaped(qualified_class_name(value), 100);
  const std::string cls = escaped(class_name(value), 100);
  std::string out = (std::string_view("aeiouO").find(cls[0]) == std::string_view::npos ? "a " : "an ") + cls;
  if (value.kind != Kind::dict) return out;
  const auto entries = dict_of(value).entries();
  if (entries.empty()) return "an empty " + cls;
  out += " with ";
  for (std::size_t i = 0; i < std::min<std::size_t>(entries.size(), 5); ++i)
    out += (i ? ", " : "") + in_quotes(key_name(entries[i].key, 100), 40) + " (" + escaped(class_name(entries[i].value), 40) + ")";
  if (entries.size() > 5) out += " and " + std::to_string(entries.size() - 5) + " more";
  return out;
}

}  // namespace

Result<Found> find_weights(const Graph& graph, const Ref& from, const Path& place) {
  Search search(graph);
  if (auto found = search.at(from, place, kDepth)) return std::move(*found);
  const auto fail = [&](ErrorCode code, std::string text) {
    Error e(ErrorKind::usage, code, std::move(text));
    return path_size(place.get()) == 0 ? std::move(e) : Error(std::move(e).at_path(spell(place.get())));
  };
  if (!search.several().empty()) {
    std::string list;
    const auto& several = search.several();
    for (std::size_t i = 0; i < several.size(); ++i) list += (i ? ", " : "") + several[i];
    if (search.several_count() > several.size()) list += " and " + std::to_string(search.several_count() - several.size()) + " more";
    return fail(ErrorCode::several_state_dicts,
                concat({"there are several state dicts: ", list,
                        is_geometric_dataset(graph, from) ? " (the data and the slices of a PyTorch Geometric dataset, not weights)" : "",
                        search.example().empty()
                            ? ""
                            : "; choose one, as with state_dict(" + in_quotes(search.example()) + ") or --at " + shell_word(search.example())}));
  }
  return fail(ErrorCode::no_state_dict,
              "there are no weights here, but " + what_it_holds(from) +
                  "; brine ls --all or tensors() lists every tensor, brine show or print() the tree, --at or state_dict(PATH) takes another place");
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
    if (!has_children(here.value) || !seen.insert({here.value.node, here.at}).second) continue;
    const std::string_view rest = path.substr(here.at);
    const std::size_t first = places.size();
    Children children(here.value);
    Children::Child child;
    for (std::uint32_t number = 0; children.next(child); ++number)
      if (const std::size_t size = match_step(child, rest); size != rest.npos) places.push_back({child.value, here.at + size + 1, n, number});
    for (std::size_t i = places.size(); i-- > first;) open.push_back(i);  // the first child is tried first
  }
  return {};
}

}  // namespace brine
