// SPDX-License-Identifier: MIT
// Edits::keep(), and what it and erase() leave out.
#include "state/edits.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "state/left_out.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <unordered_set>

namespace brine {

Result<void> Edits::Impl::erase_all_but(const Ref& container, std::uint32_t path, const std::vector<std::uint32_t>& kept) {
  Children children(container);
  Children::Child child;
  std::size_t next = 0;
  const std::size_t items = container.kind == Kind::dict ? container.node->size : SIZE_MAX;  // attributes of a dict stay
  for (std::uint32_t number = 0; children.next(child) && number < items; ++number) {
    if (next < kept.size() && kept[next] == number) {
      ++next;
      continue;
    }
    if (*child.prefix) continue;  // what an object was made with
    auto at = editable(*graph, {container, number, 0}, paths[path]);
    if (!at) return std::move(at).error();
    BRINE_TRY(put(*at, {}, paths[path]));
    gone.push_back({child.value, container, number, path});
  }
  return {};
}

Result<void> Edits::keep(std::span<const std::string> kept) {
  return impl_->editing([&]() -> Result<void> {
    // Each container on the way to what is kept, and which of its children are on one.
    struct Passed {
      Ref container;
      std::uint32_t path;
      std::vector<std::uint32_t> children;
    };
    std::vector<Passed> passed;
    std::unordered_map<const Node*, std::size_t> numbers;
    std::unordered_set<const Node*> whole;  // kept with all that is in them
    for (const std::string& path : kept) {
      BRINE_LET(way, impl_->find(path));
      if (has_children(way->value)) whole.insert(way->value.node);
      for (const WayStep& step : way->steps) {
        const auto [at, fresh] = numbers.try_emplace(step.container.node, passed.size());
        if (fresh) {
          passed.push_back({step.container, static_cast<std::uint32_t>(impl_->paths.size()), {}});
          impl_->paths.push_back(path.substr(0, step.path));
        }
        passed[at->second].children.push_back(step.number);
      }
    }
    for (Passed& p : passed) {
      if (whole.contains(p.container.node)) continue;
      std::sort(p.children.begin(), p.children.end());
      p.children.erase(std::unique(p.children.begin(), p.children.end()), p.children.end());
      BRINE_TRY(impl_->erase_all_but(p.container, p.path, p.children));
    }
    return {};
  });
}

namespace {

/// Tensors at all places in a value. Of a large file whose places share most of what is in them each container counts for the first place only.
class TensorCounter {
 public:
  std::size_t count(const Ref& value) {
    if (!is_container(value)) return value.kind == Kind::tensor;
    const auto [known, fresh] = known_.try_emplace(value.node, std::size_t{0});
    if (!fresh) return known->second;
    std::size_t tensors = 0;
    Walker walk(value);
    for (; walk.next(); ++steps_) {
      tensors += walk.value().kind == Kind::tensor;
      if (steps_ > kExact && has_children(walk.value()) && !seen_.insert(walk.value().node).second) walk.skip();
    }
    return known->second = tensors;
  }

 private:
  static constexpr std::size_t kExact = 1'000'000;
  std::size_t steps_ = 0;
  std::unordered_map<const Node*, std::size_t> known_;
  std::unordered_set<const Node*> seen_;
};

}  // namespace

LeftOutList Edits::left_out(std::size_t max) const {
  constexpr std::size_t longest = 200;
  // The children of one container at a time, those that stay among them: what they have in common is told of their names.
  struct Told {
    std::size_t gone;  // its number
    std::string_view name;
    std::size_t prefix;
  };
  std::vector<Told> places;
  std::vector<GoneTogether> all;
  TensorCounter counter;
  const auto& gone = impl_->gone;
  for (std::size_t i = 0; i < gone.size();) {
    const Ref& container = gone[i].container;
    if (container.kind != Kind::dict) {
      places.push_back({i, {}, 0});
      all.push_back({all.size(), 0, counter.count(gone[i].value), gone[i].value.kind == Kind::tensor});
      ++i;
      continue;
    }
    std::vector<NameFate> names;
    std::vector<std::size_t> numbers;
    for (const Entry& e : dict_of(container).entries()) {
      const auto number = static_cast<std::uint32_t>(names.size());
      const bool is_gone = i < gone.size() && gone[i].container.kind == Kind::dict && gone[i].container.node == container.node && gone[i].number == number;
      names.push_back({e.key.kind == Kind::string ? text_of(e.key) : std::string_view(), is_gone, is_gone ? counter.count(e.value) : 0, e.value.kind == Kind::tensor});
      numbers.push_back(i);
      i += is_gone;
    }
    for (const GoneTogether& g : gone_together(names)) {
      places.push_back({numbers[g.first], names[g.first].name, g.prefix});
      all.push_back(g);
    }
  }
  LeftOutList out;
  for (const std::size_t i : choose_left_out(all, max, out)) {
    const Impl::Gone& g = gone[places[i].gone];
    std::string path = impl_->paths[g.parent];
    if (g.container.kind != Kind::absent) {
      Children children(g.container);
      Children::Child child;
      for (std::uint32_t n = 0; n <= g.number; ++n) children.next(child);
      if (!path.empty()) path += '.';
      path += places[i].prefix == 0 ? step_name(child) : std::string(places[i].name.substr(0, places[i].prefix));
    }
    out.places.push_back({printable(path, longest) + (places[i].prefix == 0 ? "" : "*"), all[i].tensors, all[i].is_tensor});
  }
  return out;
}

}  // namespace brine
