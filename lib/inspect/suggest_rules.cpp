// SPDX-License-Identifier: MIT
#include "inspect/suggest_rules.hpp"

#include "inspect/remap.hpp"
#include "state/state_dict.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <tuple>

namespace brine {

namespace {

constexpr std::size_t kMaxRules = 12;
constexpr std::size_t kSamples = 16;      // missing keys that tell of a rule, in each round
constexpr std::size_t kSampleKeys = 256;  // keys that a rule is tried on first
constexpr std::size_t kMaxTried = 6;     // rules that are then tried on all
constexpr std::size_t kMaxAlike = 16;    // keys that may be what a missing one was
constexpr std::size_t kMaxLength = 256;  // of a name that is looked at

std::size_t step_of(std::size_t size, std::size_t samples) { return std::max<std::size_t>(1, size / samples); }

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_number(std::string_view part) noexcept { return !part.empty() && std::ranges::all_of(part, is_digit); }

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0, dot; at <= name.size(); at = dot + 1) {
    dot = std::min(name.find('.', at), name.size());
    out.push_back(name.substr(at, dot - at));
  }
  return out;
}

std::size_t common_start(std::span<const std::string_view> a, std::span<const std::string_view> b) noexcept {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n]) ++n;
  return n;
}
std::size_t common_end(std::span<const std::string_view> a, std::span<const std::string_view> b) noexcept {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  return n;
}

/// A rule's two sides hold nothing but what stands for itself, also between a shell's quotes.
bool is_plain(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.'; });
}

/// The numbers of `before` as stars, those of `after` as what the stars matched.
bool generalise(std::string& before, std::string& after) {
  const auto from = numbers_in(before), to = numbers_in(after);
  if (from.empty() || from.size() > RenameRule::kMaxStars || !std::ranges::equal(from, to)) return false;
  const auto replaced = [](std::string_view text, auto&& word) {
    std::string out;
    for (std::size_t i = 0, n = 0; i < text.size();) {
      if (!is_digit(text[i])) out += text[i++];
      else for (out += word(++n); i < text.size() && is_digit(text[i]);) ++i;
    }
    return out;
  };
  after = replaced(after, [](std::size_t n) { return "\\" + std::to_string(n); });
  before = replaced(before, [](std::size_t) { return std::string("*"); });
  return true;
}

}  // namespace

RuleSearch::RuleSearch(const Parameters::Impl& model, const StateDict& state, const LoadReport& report) : model_(model) {
  missing_.reserve(report.missing_keys.size());
  for (const std::string& name : report.missing_keys) missing_.set({name});
  NamedList<Missing> unexpected;
  unexpected.reserve(report.unexpected_keys.size());
  for (const std::string& name : report.unexpected_keys) unexpected.set({name});
  const StateDict::Impl& impl = *StateDictAccess::impl(state);
  keys_.reserve(impl.items.size());
  for (const StateDict::Item& item : impl.items)
    keys_.push_back({item.name, item.name, item.is_tensor ? &item.tensor : nullptr, unexpected.find(item.name) == unexpected.npos});
}

bool RuleSearch::shapes_agree(const Tensor* tensor, std::string_view missing) const noexcept {
  const std::uint32_t item = model_.find_item(missing);
  if (!tensor || item == Parameters::Impl::kNone) return false;
  return model_.entry(item).shapeless || std::ranges::equal(tensor->shape(), model_.entry(item).shape());
}

RuleSearch::Outcome RuleSearch::try_on_sample(const Change& change) const {
  Outcome out;
  for (const bool fits : {false, true}) {
    std::size_t looked_at = 0;
    for (std::size_t i = 0, step = step_of(keys_.size(), 4 * kSampleKeys); i < keys_.size() && looked_at < kSampleKeys; i += step) {
      if (keys_[i].fits != fits) continue;
      ++looked_at;
      std::string name(keys_[i].name);
      if (!change(name)) continue;
      ++out.changed;
      out.harm |= fits;
      const std::uint32_t m = missing_.find(name);
      if (m != missing_.npos && !missing_[m].found && shapes_agree(keys_[i].tensor, name)) ++out.found;
    }
  }
  return out;
}

std::size_t RuleSearch::apply(const Change& change, std::size_t min) {
  struct Changed {
    std::size_t key;
    std::string_view name;
    std::uint32_t missing;
  };
  std::vector<Changed> changed;
  const std::size_t texts = texts_.size();
  const auto refuse = [&] {
    while (texts_.size() > texts) texts_.pop_back();
    return std::size_t{0};
  };
  std::size_t found = 0;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    std::string name(keys_[i].name);
    if (!change(name) || name == keys_[i].name) continue;
    if (keys_[i].fits) return refuse();
    std::uint32_t m = missing_.find(name);
    if (m != missing_.npos && (missing_[m].found || !shapes_agree(keys_[i].tensor, name))) m = missing_.npos;
    found += m != missing_.npos;
    changed.push_back({i, m != missing_.npos ? missing_[m].name : std::string_view(texts_.emplace_back(std::move(name))), m});
  }
  if (found < min || 2 * found < changed.size()) return refuse();
  std::vector<std::string_view> names;
  names.reserve(keys_.size());
  for (const Key& key : keys_) names.push_back(key.name);
  for (const Changed& c : changed) names[c.key] = c.name;
  NamedList<Missing> all;  // remap_keys refuses two keys of one name
  all.reserve(names.size());
  for (const std::string_view name : names)
    if (!all.set({name})) return refuse();
  for (const Changed& c : changed) {
    keys_[c.key].name = c.name;
    if (c.missing == missing_.npos) continue;
    keys_[c.key].fits = true;
    missing_[c.missing].found = true;
  }
  return found;
}

std::size_t RuleSearch::apply_prefix(std::string_view prefix, bool strip) {
  const std::size_t found = apply(
      [&](std::string& name) {
        if (strip && !name.starts_with(prefix)) return false;
        name = strip ? name.substr(prefix.size()) : concat({prefix, name});
        return true;
      },
      1);
  if (found == 0) return 0;
  if (is_plain(prefix)) rules_.push_back({strip ? concat({"s/^", prefix, "//"}) : concat({"s/^/", prefix, "/"}), found});
  else sayable_ = false;
  return found;
}

bool RuleSearch::apply_rules(const std::vector<std::string>& texts, std::size_t min) {
  const std::size_t found = apply(
      [&](std::string& name) {
        bool any = false;
        for (const std::string& text : texts) any |= RenameRule::parse(text)->rewrite(name);
        return any;
      },
      min);
  if (found == 0) return false;
  for (const std::string& text : texts) rules_.push_back({text, found});
  return true;
}

// Of missing keys here and there: what makes one of the keys that are alike into it.
std::vector<std::string> RuleSearch::candidates() const {
  const std::uint64_t seed = random_seed();
  const auto sign = [&](std::string_view name, std::span<const std::int64_t> shape) {
    std::string text;
    for (const std::string_view number : numbers_in(name)) (text += number) += '.';
    return hash_bytes({reinterpret_cast<const char*>(shape.data()), shape.size_bytes()}, hash_bytes(text, seed));
  };
  std::vector<std::pair<std::uint64_t, std::uint32_t>> signs;
  for (std::uint32_t i = 0; i < keys_.size(); ++i)
    if (!keys_[i].fits && keys_[i].tensor && keys_[i].name.size() <= kMaxLength) signs.emplace_back(sign(keys_[i].name, keys_[i].tensor->shape()), i);
  std::ranges::sort(signs);
  std::vector<std::string_view> open;
  for (const Missing& m : missing_)
    if (!m.found && m.name.size() <= kMaxLength) open.push_back(m.name);

  std::vector<std::string> out;
  for (std::size_t s = 0, step = step_of(open.size(), kSamples); s < open.size(); s += step) {
    const std::uint32_t item = model_.find_item(open[s]);
    if (item == Parameters::Impl::kNone) continue;
    const auto wanted = parts_of(open[s]);
    const std::uint64_t of_it = sign(open[s], model_.entry(item).shape());
    std::tuple<std::size_t, std::size_t> best{0, 0};
    std::string_view nearest;
    std::size_t looked_at = 0;
    for (auto at = std::ranges::lower_bound(signs, std::pair(of_it, 0u)); at != signs.end() && at->first == of_it && looked_at < kMaxAlike; ++at, ++looked_at) {
      const std::string_view name = keys_[at->second].name;
      const auto parts = parts_of(name);
      const std::tuple here{1 + common_start(parts, wanted) + common_end(parts, wanted), 2 * kMaxLength - edit_distance(name, open[s], kMaxLength)};
      if (here > best) best = here, nearest = name;
    }
    if (!nearest.data()) continue;
    for (std::string& rule : rules_between(nearest, open[s]))
      if (std::ranges::find(out, rule) == out.end()) out.push_back(std::move(rule));
  }
  return out;
}

bool RuleSearch::round() {
  struct Tried {
    std::string rule;
    Outcome outcome;
    std::size_t number;  // the simplest come first
  };
  std::vector<Tried> tried;
  for (std::string& text : candidates()) {
    const auto rule = RenameRule::parse(text);
    if (!rule) continue;
    const Outcome outcome = try_on_sample([&](std::string& name) { return rule->rewrite(name); });
    if (!outcome.harm) tried.push_back({std::move(text), outcome, tried.size()});
  }
  std::ranges::sort(tried, [](const Tried& a, const Tried& b) {
    return std::tuple(b.outcome.found, a.outcome.changed, a.number) < std::tuple(a.outcome.found, b.outcome.changed, b.number);
  });
  if (tried.size() > kMaxTried) tried.resize(kMaxTried);
  return std::ranges::any_of(tried, [&](const Tried& t) { return apply_rules({t.rule}, 2); });
}

void RuleSearch::search() {
  const std::string compiled = "s/_orig_mod.//";
  for (std::size_t times = 1; times <= 3; ++times)
    if (apply_rules(std::vector<std::string>(times, compiled), 1)) break;
  for (const char* rule : {"s/.gamma$/.weight/", "s/.beta$/.bias/"}) apply_rules({rule}, 1);
  while (rules_.size() < kMaxRules && round()) {}
  if (!sayable_) rules_.clear();
}

std::vector<std::string_view> numbers_in(std::string_view name) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::size_t begin = i;
    while (i < name.size() && is_digit(name[i])) ++i;
    if (i > begin) out.push_back(name.substr(begin, i - begin));
  }
  return out;
}

std::vector<std::string> rules_between(std::string_view from, std::string_view to) {
  const auto a = parts_of(from), b = parts_of(to);
  const std::size_t start = common_start(a, b), end = common_end(std::span(a).subspan(start), std::span(b).subspan(start));
  std::vector<std::string> out;
  const auto joined = [](std::span<const std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) text += concat({text.empty() ? "" : ".", part});
    return text;
  };
  // With `more`, or where nothing would be left to be found, the part before what differs (and the numbers behind it) is said, too.
  for (const bool more : {false, true}) {
    std::size_t left = start;
    if (more || start + end == a.size())
      do {
        if (left == 0) break;
        --left;
      } while (is_number(a[left]));
    if (more && left == start) continue;
    const auto old = std::span(a).subspan(left, a.size() - end - left), made = std::span(b).subspan(left, b.size() - end - left);
    std::string before = joined(old), after = joined(made);
    if (!is_plain(before) || !is_plain(after)) continue;
    if (end > 0 && !old.empty()) before += '.';
    if (end > 0 && !made.empty()) after += '.';
    if (left > 0) before.insert(0, 1, '.');
    if (left > 0 && (!made.empty() || end > 0)) after.insert(0, 1, '.');
    const auto add = [&](const std::string& found, const std::string& put) {
      if (!found.empty()) out.push_back(concat({"s/", found, end == 0 ? "$/" : "/", put, "/"}));
      if (left == 0) out.push_back(concat({"s/^", found, end == 0 ? "$/" : "/", put, "/"}));
    };
    std::string before_any = before, after_any = after;
    if (generalise(before_any, after_any)) add(before_any, after_any);
    add(before, after);
  }
  return out;
}

}  // namespace brine
