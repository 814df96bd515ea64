// SPDX-License-Identifier: MIT
// Which pairs a pair of containers gives.
#include "inspect/compare.hpp"
#include "inspect/compare_text.hpp"

#include <algorithm>

namespace brine {

namespace {

/// What made the container is compared where it says more than its items: a defaultdict's factory, a deque's length.
Ref argument(const Ref& container) noexcept {
  const Origin* origin = container.node->origin;
  if (!origin || origin->args.kind != Kind::tuple) return {};
  const auto args = tuple_of(origin->args).items();
  if (container.node->made == Made::default_dict && !args.empty()) return args[0];
  if (container.node->made == Made::deque && args.size() > 1) return args[1];
  return {};
}

std::vector<Ref> keys_of(const DictNode& dict) {
  std::vector<Ref> out;
  for (const Entry& e : dict.entries()) out.push_back(e.key);
  return out;
}

}  // namespace

bool Comparer::next(Frame& frame, Child& out) {
  const Ref &a = frame.a, &b = frame.b;
  if (a.kind == Kind::absent || b.kind == Kind::absent) return next_alone(frame, out);
  if (a.kind == Kind::tensor) return next_of_tensor(frame, out);
  if (a.kind == Kind::object) return next_of_object(frame, out);
  if (frame.part == 0) {
    switch (a.kind) {
      case Kind::tuple:
        if (next_position(frame, tuple_of(a).items(), tuple_of(b).items(), "", out)) return true;
        break;
      case Kind::dict:
        if (next_entry(frame, dict_of(a), dict_of(b), out)) return true;
        break;
      case Kind::list:
        if (next_position(frame, list_of(a).items(), list_of(b).items(), "", out)) return true;
        break;
      default:
        if (next_member(frame, out)) return true;
    }
    frame.part = 1;
  }
  if (frame.part == 1) {
    frame.part = 2;
    out = {argument(a), argument(b), {.prefix = a.node->made == Made::default_dict ? "default_factory" : "maxlen", .whole = true}};
    if (out.a.kind != Kind::absent || out.b.kind != Kind::absent) return true;
  }
  return next_effect(frame, out);
}

// The other tree has nothing there: everything is told.
bool Comparer::next_alone(Frame& frame, Child& out) {
  const bool in_a = frame.b.kind == Kind::absent;
  const Ref& some = in_a ? frame.a : frame.b;
  const auto entries = some.kind == Kind::dict ? dict_of(some).entries() : std::span<const Entry>();
  const auto items = some.kind == Kind::tuple ? tuple_of(some).items() : some.kind == Kind::list ? list_of(some).items() : std::span<const Ref>();
  if (frame.at >= std::max(entries.size(), items.size())) return some.kind != Kind::tensor && next_effect(frame, out);
  const Ref& value = entries.empty() ? items[frame.at] : entries[frame.at].value;
  out = {in_a ? value : Ref{}, in_a ? Ref{} : value, {.key = entries.empty() ? Ref{} : entries[frame.at].key, .position = frame.at}};
  ++frame.at;
  return true;
}

bool Comparer::next_position(Frame& frame, std::span<const Ref> a, std::span<const Ref> b, const char* prefix, Child& out) {
  if (frame.at >= std::min(a.size(), b.size())) return false;
  out = {a[frame.at], b[frame.at], {.prefix = prefix, .position = frame.at}};
  ++frame.at;
  return true;
}

// a's entries first, each with b's of that key; then b's that a has not. Where keys are equal in Python's eyes alone (1 and True), they are a pair, too.
bool Comparer::next_entry(Frame& frame, const DictNode& a, const DictNode& b, Child& out) {
  const auto x = a.entries(), y = b.entries();
  if (frame.at == 0 && !frame.matching && !same_keys(a, b)) frame.matching = std::make_unique<Matching>(matcher_.match(keys_of(a), keys_of(b)));
  const Matching* matching = frame.matching.get();
  for (; frame.at < x.size(); ++frame.at) {
    const auto& [key, value] = x[frame.at];
    const std::uint32_t place = matching ? matching->of_a[frame.at] : frame.at;
    const Entry* found = place == Matching::kNone ? nullptr : &y[place];
    if (frame.named && (!found || value.kind != Kind::tensor || found->value.kind != Kind::tensor)) continue;  // told by name
    if (matching && found && !same_key(key, found->key) && !std::exchange(frame.key_told, true)) {
      out = {key, found->key, {.key = key}};
      return true;
    }
    frame.key_told = false;
    if (found && place < frame.at_b) result_.same_order = false;
    if (found) frame.at_b = place + 1;
    out = {value, found ? found->value : Ref{}, {.key = key}};
    ++frame.at;
    return true;
  }
  if (!matching || frame.named || frame.at >= x.size() + matching->only_b.size()) return false;
  const Entry& e = y[matching->only_b[frame.at - x.size()]];
  out = {{}, e.value, {.key = e.key}};
  ++frame.at;
  return true;
}

bool Comparer::same_key(const Ref& a, const Ref& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::floating) return a.integer == b.integer;
  return a.kind == Kind::none || a.kind == Kind::boolean || a.kind == Kind::integer || a.kind == Kind::string || a.kind == Kind::bytes ||
                 a.kind == Kind::global
             ? same_scalar(a, b)
             : false;
}

bool Comparer::same_keys(const DictNode& a, const DictNode& b) {
  const auto x = a.entries(), y = b.entries();
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [&](const Entry& e, const Entry& f) { return same_key(e.key, f.key); });
}

// Members that only one has are told of the set; the others are pairs where they are not plainly the same.
std::unique_ptr<Matching> Comparer::match_members(const Child& pair) {
  const auto a = list_of(pair.a).items(), b = list_of(pair.b).items();
  auto out = std::make_unique<Matching>(matcher_.match(a, b));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (out->of_a[i] == Matching::kNone) differ(Difference::Kind::only_in_a, pair.step, [&] { return "the member " + brief(a_, a[i]); });
  for (const std::uint32_t i : out->only_b) differ(Difference::Kind::only_in_b, pair.step, [&] { return "the member " + brief(b_, b[i]); });
  return out;
}

bool Comparer::next_member(Frame& frame, Child& out) {
  const auto a = list_of(frame.a).items(), b = list_of(frame.b).items();
  for (; frame.at < a.size(); ++frame.at) {
    const std::uint32_t place = frame.matching->of_a[frame.at];
    if (place == Matching::kNone || same_key(a[frame.at], b[place])) continue;
    out = {a[frame.at], b[place], {.position = frame.at}};
    ++frame.at;
    return true;
  }
  return false;
}

}  // namespace brine
