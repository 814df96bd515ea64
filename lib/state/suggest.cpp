// SPDX-License-Identifier: MIT
// "Did you mean": a prefix that explains most of it, the nearest name, the only key of the same shape. Keys are the file's: all work is
// bounded.
#include <brine/load_state_dict.hpp>

#include "state/parameters.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace brine {

namespace {

constexpr std::size_t kSamples = 32;        // keys that a prefix is looked for with
constexpr std::size_t kMostPairs = 100;
constexpr std::size_t kMostNames = 2'000;   // looked through for each sample
constexpr std::size_t kMostCompared = 500;  // missing and unexpected keys compared by distance
constexpr std::size_t kMostLength = 256;    // of a name that is compared by distance

using Names = std::unordered_set<std::string_view>;

/// Changes of one letter that make `a` into `b`, or `most` + 1 when there are more. Only a band of that width is worked out.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > most || b.size() > kMostLength) return most + 1;
  std::array<std::size_t, kMostLength + 1> row;
  for (std::size_t j = 0; j <= a.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= b.size(); ++i) {
    const std::size_t from = i > most ? i - most : 1, to = std::min(a.size(), i + most);
    std::size_t corner = row[from - 1], least = most + 1;
    row[from - 1] = from == 1 ? i : most + 1;
    for (std::size_t j = from; j <= to; ++j) {
      const std::size_t above = j < i + most ? row[j] : most + 1;
      const std::size_t here = std::min({corner + (a[j - 1] != b[i - 1]), above + 1, row[j - 1] + 1});
      corner = row[j];
      row[j] = here;
      least = std::min(least, here);
    }
    if (least > most) return most + 1;
  }
  return row[a.size()];
}

/// The prefix, ending in a dot, that most of `longer` have before a name of `shorter`; and how many then are one.
std::pair<std::string, std::size_t> common_prefix(const std::vector<std::string>& longer, const std::vector<std::string>& shorter,
                                                  const Names& shorter_names) {
  std::pair<std::string, std::size_t> best;
  std::vector<std::string_view> tried;
  const std::size_t step = std::max<std::size_t>(1, shorter.size() / kSamples);
  for (std::size_t s = 0; s < shorter.size(); s += step) {
    for (std::size_t l = 0; l < std::min(longer.size(), kMostNames); ++l) {
      const std::string_view name = longer[l];
      if (name.size() <= shorter[s].size() || !name.ends_with(shorter[s])) continue;
      const std::string_view prefix = name.substr(0, name.size() - shorter[s].size());
      if (!prefix.ends_with('.') || tried.size() >= kSamples || std::ranges::find(tried, prefix) != tried.end()) continue;
      tried.push_back(prefix);
      const auto count = static_cast<std::size_t>(std::ranges::count_if(
          longer, [&](std::string_view n) { return n.starts_with(prefix) && shorter_names.contains(n.substr(prefix.size())); }));
      if (count > best.second) best = {std::string(prefix), count};
    }
  }
  return best;
}

Names set_of(const std::vector<std::string>& names) { return Names(names.begin(), names.end()); }

}  // namespace

Suggestions suggest(const Parameters& model, const StateDict& state, const LoadReport& report) {
  Suggestions out;
  const Names missing = set_of(report.missing_keys), unexpected = set_of(report.unexpected_keys);
  auto strip = common_prefix(report.unexpected_keys, report.missing_keys, missing);
  auto add = common_prefix(report.missing_keys, report.unexpected_keys, unexpected);
  if (strip.second >= add.second) out.strip_prefix = std::move(strip.first), out.prefix_matches = strip.second;
  else out.add_prefix = std::move(add.first), out.prefix_matches = add.second;
  if (out.prefix_matches == 1 && report.missing_keys.size() > 2) out = {};  // chance, not a rule

  // What the prefix explains is done with; each other unexpected key goes to one missing key at most.
  std::vector<std::string_view> rest;
  for (const std::string_view u : report.unexpected_keys) {
    const bool explained = !out.strip_prefix.empty()
                               ? u.starts_with(out.strip_prefix) && missing.contains(u.substr(out.strip_prefix.size()))
                               : !out.add_prefix.empty() && missing.contains(concat({out.add_prefix, u}));
    if (!explained && rest.size() < kMostCompared) rest.push_back(u);
  }
  const Parameters::Impl& impl = ParametersAccess::impl(model);
  std::vector<bool> taken(rest.size());
  std::size_t compared = 0;
  for (const std::string& m : report.missing_keys) {
    if (out.pairs.size() == kMostPairs || compared == kMostCompared) break;
    const bool explained = !out.strip_prefix.empty() ? unexpected.contains(concat({out.strip_prefix, m}))
                                                     : !out.add_prefix.empty() && m.starts_with(out.add_prefix) &&
                                                           unexpected.contains(std::string_view(m).substr(out.add_prefix.size()));
    const std::uint32_t item = impl.find_item(m);
    if (explained || item == Parameters::Impl::kNone) continue;
    ++compared;
    const auto shape = impl.entry(item).shape();
    const bool any_shape = impl.entry(item).shapeless;
    const auto agree = [&](std::size_t i) {
      const Tensor* t = state.find(rest[i]);
      return t && (any_shape || std::ranges::equal(t->shape(), shape));
    };
    std::size_t best = rest.size(), nearest = std::min<std::size_t>(m.size() / 3, 8) + 1, alike = 0, only = 0;
    bool best_agrees = false;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (taken[i]) continue;
      const bool agrees = agree(i);
      if (agrees) ++alike, only = i;
      const std::size_t d = edit_distance(m, rest[i], nearest);
      if (d < nearest || (d == nearest && best < rest.size() && agrees && !best_agrees)) best = i, nearest = d, best_agrees = agrees;
    }
    if (best < rest.size()) out.pairs.push_back({m, std::string(rest[best]), Suggestions::Why::similar_name, best_agrees});
    else if (alike == 1 && !shape.empty()) out.pairs.push_back({m, std::string(rest[best = only]), Suggestions::Why::same_shape, true});
    else continue;
    taken[best] = true;
  }
  return out;
}

std::string Suggestions::to_string() const {
  std::string out;
  if (prefix_matches > 0) {
    const bool strip = !strip_prefix.empty();
    out = concat({strip ? "the checkpoint's keys carry the prefix " : "the checkpoint's keys lack the prefix ",
                  in_quotes(strip ? strip_prefix : add_prefix), ": ", std::to_string(prefix_matches),
                  strip ? " missing keys are there without it\n" : " missing keys are there with it\n"});
  }
  for (const Pair& p : pairs)
    out += concat({in_quotes(p.missing), " is missing: did you mean ", in_quotes(p.unexpected),
                   p.why == Why::same_shape ? ", the only unexpected key of that shape?\n"
                   : p.shapes_agree         ? "?\n"
                                            : ", which has another shape?\n"});
  return out;
}

}  // namespace brine
