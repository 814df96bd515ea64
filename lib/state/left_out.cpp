// SPDX-License-Identifier: MIT
#include "state/left_out.hpp"

#include "support/text.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace brine {

std::vector<GoneTogether> gone_together(std::span<const NameFate> names) {
  constexpr std::size_t longest = 255, most_parts = 16;  // of names that are looked into: a file can have a long one in many dicts
  std::vector<std::string_view> kept;
  for (const NameFate& n : names)
    if (!n.gone) kept.push_back(n.name);
  std::sort(kept.begin(), kept.end());
  const auto any_kept = [&](std::string_view prefix) {
    const auto at = std::lower_bound(kept.begin(), kept.end(), prefix);
    return at != kept.end() && at->starts_with(prefix);
  };
  std::vector<GoneTogether> out;
  std::map<std::string_view, std::size_t> by_prefix;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const NameFate& n = names[i];
    if (!n.gone) continue;
    std::size_t end = n.name.size() > longest ? n.name.npos : n.name.find('.');
    for (std::size_t part = 1; end != n.name.npos && any_kept(n.name.substr(0, end + 1)); ++part) end = part < most_parts ? n.name.find('.', end + 1) : n.name.npos;
    const std::size_t prefix = end == n.name.npos ? 0 : end + 1;
    if (prefix > 0) {
      const auto [at, fresh] = by_prefix.try_emplace(n.name.substr(0, prefix), out.size());
      if (!fresh) {
        GoneTogether& group = out[at->second];
        group.prefix = prefix;
        group.tensors += n.tensors;
        group.is_tensor = false;
        continue;
      }
    }
    out.push_back({i, 0, n.tensors, n.is_tensor});
  }
  return out;
}

std::vector<std::size_t> choose_left_out(std::span<const GoneTogether> all, std::size_t max, LeftOutList& out) {
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return std::pair(all[i].tensors == 0, i) < std::pair(all[j].tensors == 0, j); });
  for (std::size_t i = max; i < order.size(); ++i) ++out.more, out.more_tensors += all[order[i]].tensors;
  order.resize(std::min(max, order.size()));
  return order;
}

LeftOutList left_out(std::span<const NameFate> names, std::size_t max) {
  LeftOutList out;
  const auto all = gone_together(names);
  for (const std::size_t i : choose_left_out(all, max, out)) {
    const GoneTogether& g = all[i];
    const std::string_view name = names[g.first].name;
    out.places.push_back({g.prefix == 0 ? printable(name, 200) : printable(name.substr(0, g.prefix), 200) + "*", g.tensors, g.is_tensor});
  }
  return out;
}

}  // namespace brine
