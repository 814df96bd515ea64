// SPDX-License-Identifier: MIT
#include "name_edits.hpp"

#include "common.hpp"

#include <algorithm>

namespace tool {

namespace {

std::string check_rule(const std::string& rule) {
  brine::StateDict nothing;
  const auto done = brine::remap_keys(nothing, std::span(&rule, 1));
  return done ? "" : done.error().text();
}

bool matches_any(const brine::StateDict& weights, const std::string& glob) {
  const auto others = weights.others();
  const auto matches = [&](const auto& named) { return brine::matches_glob(glob, std::get<0>(named)); };
  return std::any_of(weights.begin(), weights.end(), [&](const auto& w) { return brine::matches_glob(glob, w.name); }) || std::any_of(others.begin(), others.end(), matches);
}

bool has_weights(const brine::StateDict& weights) {
  const auto others = weights.others();
  return !weights.empty() || std::any_of(others.begin(), others.end(), [](const auto& other) { return !brine::kept_tensor_kind(other.second).empty(); });
}

bool any_matches(const std::vector<std::string>& globs, std::string_view name) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return brine::matches_glob(glob, name); });
}

}  // namespace

void NameEdits::add_to(CLI::App& command) {
  const auto add = [&](const char* name, const char* kind, const char* help) {
    return command.add_option(name, values_[name], help)->allow_extra_args(false)->option_text(kind);
  };
  add("--only", "GLOB", "keep only weights whose name matches; once for each glob");
  add("--drop", "GLOB", "leave out weights whose name matches; once for each glob");
  add("--rename", "RULE", "s/old/new/ in the names: * is a part of a name, ^ and $ its ends, \\1 what the first star matched; once for each rule")->check(check_rule);
  add("--strip-prefix", "TEXT", "take this off the names: module.");
  add("--add-prefix", "TEXT", "put this before the names");
}

void NameEdits::take(const CLI::App& command) {
  std::map<std::string, std::size_t> taken;
  for (const CLI::Option* option : command.parse_order()) {
    const std::string name = option->get_name();
    const auto values = values_.find(name);
    if (values != values_.end()) steps_.push_back({name, values->second[taken[name]++]});
  }
}

std::string NameEdits::told(const Step& step) { return step.option + " '" + step.text + "'"; }

// False: no name matched.
brine::Result<bool> NameEdits::rename(brine::StateDict& weights, const Step& step) const {
  if (step.option == "--strip-prefix") return weights.strip_prefix(step.text) > 0;
  if (step.option == "--add-prefix") return weights.add_prefix(step.text), true;
  const auto done = brine::remap_keys(weights, std::span(&step.text, 1));
  if (!done) return done.error();
  return done->matches[0] > 0;
}

// Where on the line the glob of this step, which matches nothing there, would match: "; it does before --strip-prefix 'module.'".
std::string NameEdits::elsewhere(const brine::StateDict& from, std::size_t step) const {
  brine::StateDict weights = from;
  std::string before, behind;
  bool matched = matches_any(weights, steps_[step].text), here = matched;
  for (std::size_t i = 0; i < steps_.size() && behind.empty(); ++i) {
    if (steps_[i].chooses()) continue;
    if (const auto done = rename(weights, steps_[i]); !done) break;
    const bool now = matches_any(weights, steps_[step].text);
    if (i < step && matched && !now) before = told(steps_[i]);
    if (i < step) here = now;
    else if (now) behind = told(steps_[i]);
    matched = now;
  }
  if (here || (before.empty() && behind.empty())) return "";  // what it matches was left out before
  return "; it does " + (behind.empty() ? "before " + before : "behind " + behind) + ": these options are taken in their order";
}

brine::Result<bool> NameEdits::apply(brine::StateDict& weights, LeftOut& left) const {
  const brine::StateDict before = weights;
  const bool any = has_weights(weights);
  std::vector<std::string> unmatched;
  bool changed = false;
  for (std::size_t i = 0; i < steps_.size();) {
    if (!steps_[i].chooses()) {
      if (steps_[i].option == "--strip-prefix") left.add_replaced(weights, steps_[i].text);
      const auto done = rename(weights, steps_[i]);
      if (!done) return done.error();
      changed |= *done;
      if (!*done) unmatched.push_back(told(steps_[i]) + " matches no weight");
      ++i;
      continue;
    }
    // Those that stand together choose at once.
    std::vector<std::string> only, drop;
    for (; i < steps_.size() && steps_[i].chooses(); ++i) {
      (steps_[i].option == "--only" ? only : drop).push_back(steps_[i].text);
      if (!matches_any(weights, steps_[i].text)) unmatched.push_back(told(steps_[i]) + " matches no weight" + elsewhere(before, i));
    }
    left.add_dropped(weights, [&](std::string_view name) { return (!only.empty() && !any_matches(only, name)) || any_matches(drop, name); });
    if (!only.empty()) weights.keep(only);
    if (!drop.empty()) weights.drop(drop);
    changed |= !only.empty() || std::any_of(drop.begin(), drop.end(), [&](const std::string& glob) { return matches_any(before, glob); });
    if (any && !has_weights(weights))
      return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key,
                          "--only and --drop leave no weight" + (unmatched.empty() ? "" : ": " + brine::printable(unmatched.back())));
  }
  for (std::string& text : unmatched) left.note(std::move(text));
  return changed;
}

}  // namespace tool
