// SPDX-License-Identifier: MIT
// What of a pair is told.
#include "inspect/compare.hpp"

#include "inspect/compare_text.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <utility>

namespace brine {

namespace {

constexpr std::size_t kShortPath = 120;

bool is_weights(const Ref& value, const Weights& weights) noexcept { return weights.value.kind != Kind::absent && same_object(value, weights.value); }

}  // namespace

void Comparer::set_weights(Weights a, Weights b, const StateDict& state_a, const StateDict& state_b) {
  modules_ = a.value.kind != Kind::dict && b.value.kind != Kind::dict;
  weights_a_ = std::move(a);
  weights_b_ = std::move(b);
  for (const auto& [name, tensor] : state_a)
    if (const Tensor* other = state_b.find(name)) named_.emplace_back(memory(Handles::record(tensor)), memory(Handles::record(*other)));
  std::sort(named_.begin(), named_.end());
}

Result<void> Comparer::compare(const Ref& a, const Ref& b, std::string_view at) {
  base_ = at;
  auto ok = visit({a, b, {.whole = true}});
  return ok ? run() : ok;
}

Result<void> Comparer::run() {
  while (!stack_.empty()) {
    Child child;
    if (!next(stack_.back(), child)) {
      stack_.pop_back();
    } else if (auto ok = visit(child); !ok) {
      return ok;
    }
  }
  return {};
}

Result<void> Comparer::visit(const Child& pair) {
  const auto& [a, b, step, transparent, base] = pair;
  if (a.kind == Kind::absent || b.kind == Kind::absent) return visit_one(pair), Result<void>();
  if (a.kind == Kind::tensor && b.kind == Kind::tensor) return visit_tensors(pair);
  ++result_.compared;
  if (is_weights(a, weights_a_) || is_weights(b, weights_b_)) return visit_weights(pair);
  const auto changed = [&](Difference::Kind kind) { differ(kind, step, [&] { return change(a_, a, b_, b); }); };
  if (a.kind != b.kind) changed(Difference::Kind::type);
  else if (a.kind == Kind::storage) return visit_storages(pair);
  else if (is_container(a)) return visit_containers(pair);
  else if (a.kind == Kind::bytearray && !is_first(a, b, step)) return {};
  else if (!same_scalar(a, b)) changed(Difference::Kind::value);
  else if (a.kind == Kind::global) visit_source(a, b, step);
  return {};
}

// Of objects that have an identity: false where they were met before, or others with one of them (which is told).
bool Comparer::is_first(const Ref& a, const Ref& b, const Step& step) {
  const Partners::Meeting meeting = objects_.meet(a.node, b.node);
  if (meeting.otherwise()) differ(Difference::Kind::sharing, step, [&] { return concat({"one ", class_name(a), " in several places ", where(meeting)}); });
  return meeting.first();
}

void Comparer::visit_one(const Child& pair) {
  const bool in_a = pair.b.kind == Kind::absent;
  const Ref& some = in_a ? pair.a : pair.b;
  if (enter_holder(pair)) return;
  differ(in_a ? Difference::Kind::only_in_a : Difference::Kind::only_in_b, pair.step, [&] {
    const std::string what = brief(in_a ? a_ : b_, some);
    if (!is_weights(some, in_a ? weights_a_ : weights_b_)) return what;
    const std::string& place = (in_a ? weights_b_ : weights_a_).place;
    return concat({what, ": the weights, which ", in_a ? "B has at " : "A has at ", place.empty() ? "the root" : printable(place, kShortPath)});
  });
}

// Of what holds the weights, and has no partner, each item is told.
bool Comparer::enter_holder(const Child& pair) {
  const bool in_a = pair.b.kind == Kind::absent;
  const Ref& some = in_a ? pair.a : pair.b;
  std::vector<const void*>& holders = (in_a ? weights_a_ : weights_b_).holders;
  const auto at = is_container(some) ? std::find(holders.begin(), holders.end(), some.node) : holders.end();
  if (at == holders.end()) return false;
  holders.erase(at);
  enter(pair);
  return true;
}

Result<void> Comparer::visit_weights(const Child& pair) {
  const auto& [a, b, step, transparent, base] = pair;
  const bool both = is_weights(a, weights_a_) && is_weights(b, weights_b_);
  if (!both) {
    const bool in_a = is_weights(a, weights_a_);
    const Child other{in_a ? Ref{} : a, in_a ? b : Ref{}, step};
    if (stack_.empty() && enter_holder(other)) return {};  // at the root: told where the other has its weights
    differ(Difference::Kind::place, step, [&] { return in_a ? "the weights -> " + brief(b_, b) : brief(a_, a) + " -> the weights"; });
    enter_holder(other);
    return {};
  }
  if ((a.kind == Kind::dict) == (b.kind == Kind::dict)) return visit_containers(pair);
  if (std::exchange(told_, true)) return {};
  ++result_.not_compared;
  if (result_.differences.size() < options_.max)
    result_.differences.push_back({Difference::Kind::not_compared, path(step, kMaxPath), "all of the model but its weights, which the other has alone"});
  return {};
}

Result<void> Comparer::visit_containers(const Child& pair) {
  const auto& [a, b, step, transparent, base] = pair;
  const auto changed = [&](Difference::Kind kind) { differ(kind, step, [&] { return change(a_, a, b_, b); }); };
  const bool dtypes = a.node->made == Made::array_dtype && b.node->made == Made::array_dtype;
  if (a.kind == Kind::tuple || a.kind == Kind::frozenset || dtypes) {  // what nobody can change is compared by its value
    if (compared_.again(a.node, b.node)) return {};
  } else if (!is_first(a, b, step)) {
    return {};
  }
  if (a.kind == Kind::object) {
    auto array = arrays_.compare(a, b);
    if (!array) return std::move(array).error().at_path(path(step, kMaxPath));
    if (*array) {
      if ((*array)->text.empty()) return {};
      differ(Difference::Kind::value, step, [&] { return std::move((*array)->text); });
      if (result_.differing <= options_.max) result_.differences.back().tensor = (*array)->elements;
      return {};
    }
    const Ref &x = a.node->origin->callee, &y = b.node->origin->callee;
    if (x.kind != y.kind || (x.kind == Kind::global && !same_scalar(x, y))) return changed(Difference::Kind::type), Result<void>();
    if (x.kind == Kind::global) visit_source(x, y, step);
  } else if (a.node->made != b.node->made) {
    return changed(Difference::Kind::type), Result<void>();
  } else if ((a.kind == Kind::list || a.kind == Kind::tuple) && a.node->size != b.node->size) {
    differ(Difference::Kind::value, step, [&] { return std::to_string(a.node->size) + " items -> " + std::to_string(b.node->size) + " items"; });
  }
  std::unique_ptr<Matching> members;
  if (a.kind == Kind::set || a.kind == Kind::frozenset) members = match_members(pair);
  Frame& frame = enter(pair);
  frame.matching = std::move(members);
  frame.named = is_weights(a, weights_a_) && !modules_;
  return {};
}

Comparer::Frame& Comparer::enter(const Child& pair) {
  Frame frame{.a = pair.a, .b = pair.b, .via = pair.step, .matching = {}};
  if ((pair.transparent && pair.a.kind == Kind::dict) || pair.base) frame.via = {.whole = true};
  return stack_.emplace_back(std::move(frame));
}

// What is too long is given without its middle.
std::string Comparer::path(const Step& last, std::size_t max) const {
  const std::size_t half = max / 2 - 8;
  const auto name = [&](const Step& step) {
    std::string out = step.prefix;
    if (!step.whole) out += step.key.kind == Kind::absent ? std::to_string(step.position) : key_name(step.key, max);
    return out;
  };
  const auto joined = [&](std::string out, const Step& step) {
    const std::string part = name(step);
    if (part.empty() && step.whole) return out;
    return out.empty() ? part : std::move(out) + "." + part;
  };
  std::string head(base_.substr(0, max)), tail = name(last);
  std::size_t from = 0, to = stack_.size();
  while (from < to && head.size() < half) head = joined(std::move(head), stack_[from++].via);
  while (from < to && tail.size() < half) {
    const Step& step = stack_[--to].via;
    if (const std::string part = name(step); !part.empty()) tail = part + "." + tail;
  }
  if (from == to && head.size() + tail.size() < max) return head.empty() ? tail : tail.empty() ? head : head + "." + tail;
  const auto within = [](const std::string& text, std::size_t at) { return at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
  std::size_t cut = std::min(head.size(), half), rest = tail.size() - std::min(tail.size(), half);
  while (within(head, cut)) --cut;
  while (within(tail, rest)) ++rest;
  return head.substr(0, cut) + "…" + tail.substr(rest);
}

}  // namespace brine
