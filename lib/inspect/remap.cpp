// SPDX-License-Identifier: MIT
// Keys renamed by rules s/old/new/. A small matcher of our own: std::regex recurses over the text and is large.
#include "inspect/remap.hpp"

#include "state/state_dict.hpp"

#include "bytes/guard.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

#include <brine/state_dict_tools.hpp>

namespace brine {

namespace {

constexpr std::size_t kMaxStars = RenameRule::kMaxStars;
constexpr int kMaxSteps = 20'000;  // of one match: several ** can be tried in very many ways

struct Match {
  std::size_t begin = 0, end = 0;
  std::string_view stars[kMaxStars];
};

/// Does the rule match from `begin` on? Each star takes as little as will do; the last one that can takes one more when the rest does not
/// fit.
bool match_at(const RenameRule& rule, std::string_view name, std::size_t begin, Match& out, int& steps) {
  struct Star {
    std::size_t pattern, from, to;  // behind the star in the pattern; what it took of the name
    bool dots;
  };
  Star stack[kMaxStars];
  std::size_t depth = 0, p = 0, n = begin;
  for (;;) {
    if (--steps < 0) return false;
    bool stuck = false;
    if (p == rule.before.size()) {
      if (!rule.at_end || n == name.size()) break;
      stuck = true;
    } else if (rule.before[p] == '*') {
      const bool dots = rule.before.substr(p).starts_with("**");
      p += dots ? 2 : 1;
      stack[depth++] = {p, n, n, dots};
    } else if (n < name.size() && rule.before[p] == name[n]) {
      ++p, ++n;
    } else {
      stuck = true;
    }
    if (!stuck) continue;
    while (depth > 0 && (stack[depth - 1].to == name.size() || (!stack[depth - 1].dots && name[stack[depth - 1].to] == '.'))) --depth;
    if (depth == 0) return false;
    p = stack[depth - 1].pattern;
    n = ++stack[depth - 1].to;
  }
  out.begin = begin;
  out.end = n;
  for (std::size_t i = 0; i < depth; ++i) out.stars[i] = name.substr(stack[i].from, stack[i].to - stack[i].from);
  return true;
}

}  // namespace

std::optional<RenameRule> RenameRule::parse(std::string_view text) {
  if (text.size() < 4 || text[0] != 's') return std::nullopt;
  const auto middle = text.find(text[1], 2);
  if (middle == std::string_view::npos || middle == text.size() - 1 || text.find(text[1], middle + 1) != text.size() - 1)
    return std::nullopt;
  RenameRule rule{text.substr(2, middle - 2), text.substr(middle + 1, text.size() - middle - 2)};
  if (rule.before.starts_with('^')) rule.before.remove_prefix(1), rule.at_start = true;
  if (rule.before.ends_with('$')) rule.before.remove_suffix(1), rule.at_end = true;
  std::size_t stars = 0;
  for (std::size_t i = 0; i < rule.before.size(); ++i)
    if (rule.before[i] == '*') ++stars, i += rule.before.substr(i).starts_with("**");
  if (stars > kMaxStars || (rule.before.empty() && !rule.at_start && !rule.at_end)) return std::nullopt;
  return rule;
}

bool RenameRule::rewrite(std::string& name) const {
  Match match;
  int steps = kMaxSteps;
  std::size_t begin = 0;
  while (!match_at(*this, name, begin, match, steps))
    if (at_start || ++begin > name.size() || steps < 0) return false;
  std::string to;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const bool star = after[i] == '\\' && i + 1 < after.size() && after[i + 1] >= '1' && after[i + 1] <= '9';
    if (star) to += match.stars[static_cast<std::size_t>(after[++i] - '1')];
    else to += after[i];
  }
  name = concat({std::string_view(name).substr(0, match.begin), to, std::string_view(name).substr(match.end)});
  return true;
}

namespace {

Result<RemapReport> remap(StateDict& state, std::span<const std::string> texts) {
  std::vector<RenameRule> rules;
  for (const std::string& text : texts) {
    const auto rule = RenameRule::parse(text);
    if (!rule)
      return Error(ErrorKind::usage, ErrorCode::bad_argument,
                   concat({"expected a rule s/old/new/ with at most nine stars, found ", in_quotes(text)}));
    rules.push_back(*rule);
  }
  const std::shared_ptr<StateDict::Impl>& old = StateDictAccess::impl(state);
  auto impl = std::make_shared<StateDict::Impl>(*old);
  impl->owners.push_back(old);  // the names that stay
  impl->texts = nullptr;
  impl->source = {};

  RemapReport report{{}, std::vector<std::size_t>(rules.size())};
  NamedList<StateDict::Item> items;
  items.reserve(impl->items.size());
  for (StateDict::Item& item : impl->items) {
    std::string to(item.name);
    for (std::size_t i = 0; i < rules.size(); ++i) report.matches[i] += rules[i].rewrite(to);
    if (to != item.name) {
      report.renamed.push_back({std::string(item.name), to});
      item.name = impl->text(to);
    }
    if (items.find(item.name) != items.npos)
      return Error(ErrorKind::usage, ErrorCode::bad_argument, concat({"the rules give two keys the name ", in_quotes(item.name)}));
    items.push(std::move(item));
  }
  impl->items = std::move(items);
  // Two modules of one name: the later one counts, as where a prefix's module takes the root's place.
  NamedList<StateDict::Impl::ModuleInfo> metadata;
  for (StateDict::Impl::ModuleInfo& m : impl->metadata) {
    std::string to = concat({m.name, "."});
    bool any = false;
    if (!m.name.empty())
      for (const RenameRule& rule : rules) any |= rule.rewrite(to);
    if (any && (to.empty() || to.ends_with('.'))) m.name = impl->text(to.substr(0, to.empty() ? 0 : to.size() - 1));
    metadata.set(std::move(m));
  }
  impl->metadata = std::move(metadata);
  state = StateDictAccess::make(std::move(impl));
  return report;
}

}  // namespace

Result<RemapReport> remap_keys(StateDict& state, std::span<const std::string> rules) {
  return guarded("renaming keys", [&] { return remap(state, rules); });
}

}  // namespace brine
