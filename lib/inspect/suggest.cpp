// SPDX-License-Identifier: MIT
// "Did you mean": a prefix that explains most of it, rules for the rest, tied weights, the nearest name, the only key of the same shape. Keys are
// the file's: all work is bounded.
#include <brine/load_state_dict.hpp>

#include "inspect/suggest_rules.hpp"
#include "load/parameters.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace brine {

namespace {

constexpr std::size_t kSamples = 32;        // keys that a prefix is looked for with
constexpr std::size_t kMaxPairs = 100;
constexpr std::size_t kMaxNames = 2'000;   // looked through for each sample
constexpr std::size_t kMaxCompared = 500;  // missing and unexpected keys compared by distance
constexpr std::size_t kMaxLength = 256;    // of a name that is compared by distance, and of a prefix

struct Name {
  std::string_view name;
};
using Names = NamedList<Name>;

/// The prefix, ending in a dot, that most of `longer` have before a name of `shorter`; and how many then are one.
std::pair<std::string, std::size_t> common_prefix(const std::vector<std::string>& longer, const std::vector<std::string>& shorter,
                                                  const Names& shorter_names) {
  std::pair<std::string, std::size_t> best;
  std::vector<std::string_view> tried;
  const std::size_t step = std::max<std::size_t>(1, shorter.size() / kSamples);
  for (std::size_t s = 0; s < shorter.size(); s += step) {
    for (std::size_t l = 0; l < std::min(longer.size(), kMaxNames); ++l) {
      const std::string_view name = longer[l];
      if (name.size() <= shorter[s].size() || name.size() - shorter[s].size() > kMaxLength || !name.ends_with(shorter[s])) continue;
      const std::string_view prefix = name.substr(0, name.size() - shorter[s].size());
      if (!prefix.ends_with('.') || tried.size() >= kSamples || std::ranges::find(tried, prefix) != tried.end()) continue;
      tried.push_back(prefix);
      const auto count = static_cast<std::size_t>(std::ranges::count_if(
          longer, [&](std::string_view n) { return n.starts_with(prefix) && shorter_names.find(n.substr(prefix.size())) != Names::npos; }));
      if (count > best.second) best = {std::string(prefix), count};
    }
  }
  return best;
}

Names set_of(const std::vector<std::string>& names) {
  Names out;
  out.reserve(names.size());
  for (const std::string& name : names) out.set({name});
  return out;
}

/// One has the numbers of the other, and perhaps more.
bool numbers_agree(std::string_view a, std::string_view b) {
  auto few = numbers_in(a), many = numbers_in(b);
  if (few.size() > many.size()) std::swap(few, many);
  std::size_t at = 0;
  for (const std::string_view number : many)
    if (at < few.size() && few[at] == number) ++at;
  return at == few.size();
}

/// Missing keys whose memory in the model another key has, which is there.
std::vector<Suggestions::Tied> tied_keys(const Parameters::Impl& model, const RuleSearch& search) {
  using Place = std::pair<const void*, std::int64_t>;
  std::map<Place, std::uint32_t> there;
  const auto place = [&](std::uint32_t i) { return Place(model.entry(i).lies_in, model.entry(i).lies_at); };
  for (std::uint32_t i = 0; i < model.items.size(); ++i) {
    const std::uint32_t m = search.missing().find(model.items[i].name);
    if (place(i).first && model.items[i].persistent && (m == search.missing().npos || search.missing()[m].found)) there.emplace(place(i), i);
  }
  std::vector<Suggestions::Tied> out;
  for (const RuleSearch::Missing& m : search.missing()) {
    const std::uint32_t i = model.find_item(m.name);
    if (m.found || i == Parameters::Impl::kNone || !place(i).first) continue;
    const auto at = there.find(place(i));
    if (at == there.end() || !std::ranges::equal(model.entry(i).shape(), model.entry(at->second).shape())) continue;
    out.push_back({std::string(m.name), model.items[at->second].name});
    if (out.size() == kMaxPairs) break;
  }
  return out;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t max) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > max || b.size() > kMaxLength) return max + 1;
  std::array<std::size_t, kMaxLength + 1> row;
  for (std::size_t j = 0; j <= a.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= b.size(); ++i) {
    const std::size_t from = i > max ? i - max : 1, to = std::min(a.size(), i + max);
    std::size_t corner = row[from - 1], min = max + 1;
    row[from - 1] = from == 1 ? i : max + 1;
    for (std::size_t j = from; j <= to; ++j) {
      const std::size_t above = j < i + max ? row[j] : max + 1;
      const std::size_t here = std::min({corner + (a[j - 1] != b[i - 1]), above + 1, row[j - 1] + 1});
      corner = row[j];
      row[j] = here;
      min = std::min(min, here);
    }
    if (min > max) return max + 1;
  }
  return row[a.size()];
}

Suggestions suggest(const Parameters& model, const StateDict& state, const LoadReport& report) {
  Suggestions out;
  const Names missing = set_of(report.missing_keys), unexpected = set_of(report.unexpected_keys);
  auto strip = common_prefix(report.unexpected_keys, report.missing_keys, missing);
  auto add = common_prefix(report.missing_keys, report.unexpected_keys, unexpected);
  if (strip.second >= add.second) out.strip_prefix = std::move(strip.first), out.prefix_matches = strip.second;
  else out.add_prefix = std::move(add.first), out.prefix_matches = add.second;
  if (out.prefix_matches == 1 && report.missing_keys.size() > 2) out = {};  // chance, not a rule

  const Parameters::Impl& impl = ParametersAccess::impl(model);
  RuleSearch search(impl, state, report);
  if (out.prefix_matches > 0) search.apply_prefix(out.strip_prefix.empty() ? out.add_prefix : out.strip_prefix, !out.strip_prefix.empty());
  search.search();
  out.renames = search.rules();
  out.tied = tied_keys(impl, search);
  Names tied;
  for (const Suggestions::Tied& t : out.tied) tied.set({t.missing});

  // What these explain is done with; each other unexpected key goes to one missing key at most.
  const auto by_prefix = [&](std::string_view missing_name) {
    return !out.strip_prefix.empty() ? unexpected.find(concat({out.strip_prefix, missing_name})) != Names::npos
                                     : !out.add_prefix.empty() && missing_name.starts_with(out.add_prefix) &&
                                           unexpected.find(missing_name.substr(out.add_prefix.size())) != Names::npos;
  };
  std::vector<const RuleSearch::Key*> rest;
  for (const RuleSearch::Key& key : search.keys()) {
    const bool explained = !out.strip_prefix.empty()
                               ? key.original.starts_with(out.strip_prefix) && missing.find(key.original.substr(out.strip_prefix.size())) != Names::npos
                               : !out.add_prefix.empty() && missing.find(concat({out.add_prefix, key.original})) != Names::npos;
    if (!key.fits && !explained && rest.size() < kMaxCompared) rest.push_back(&key);
  }
  std::vector<bool> taken(rest.size());
  std::size_t compared = 0;
  for (const RuleSearch::Missing& open : search.missing()) {
    if (out.pairs.size() == kMaxPairs || compared == kMaxCompared) break;
    const std::string_view m = open.name;
    const std::uint32_t item = impl.find_item(m);
    if (open.found || by_prefix(m) || tied.find(m) != Names::npos || item == Parameters::Impl::kNone) continue;
    ++compared;
    const auto shape = impl.entry(item).shape();
    std::size_t best = rest.size(), nearest = std::min<std::size_t>(m.size() / 3, 8) + 1, alike = 0, only = 0;
    bool best_agrees = false;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (taken[i] || !numbers_agree(m, rest[i]->original)) continue;
      const bool agrees = search.shapes_agree(rest[i]->tensor, m);
      if (agrees) ++alike, only = i;
      const std::size_t d = edit_distance(m, rest[i]->original, nearest);
      if (d < nearest || (d == nearest && best < rest.size() && agrees && !best_agrees)) best = i, nearest = d, best_agrees = agrees;
    }
    if (best < rest.size()) out.pairs.push_back({std::string(m), std::string(rest[best]->original), Suggestions::Why::similar_name, best_agrees});
    else if (alike == 1 && !shape.empty()) out.pairs.push_back({std::string(m), std::string(rest[best = only]->original), Suggestions::Why::same_shape, true});
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
  if (renames.size() > (prefix_matches > 0 ? 1 : 0))
    for (const Rename& r : renames)
      out += concat({"--rename '", printable(r.rule), "' finds ", std::to_string(r.matches), r.matches == 1 ? " missing key\n" : " missing keys\n"});
  for (const Tied& t : tied)
    out += concat({in_quotes(t.missing), " is missing: in the model it is the same tensor as ", in_quotes(t.present), ", which is there (tied weights)\n"});
  for (const Pair& p : pairs)
    out += concat({in_quotes(p.missing), " is missing: did you mean ", in_quotes(p.unexpected),
                   p.why == Why::same_shape ? ", the only unexpected key of that shape?\n"
                   : p.shapes_agree         ? "?\n"
                                            : ", which has another shape?\n"});
  return out;
}

}  // namespace brine
