// SPDX-License-Identifier: MIT
#include "graph/walk.hpp"

#include <algorithm>

namespace brine {

bool Children::positions(std::span<const Ref> items, const char* prefix, Child& out) noexcept {
  if (at_ >= items.size()) return false;
  out = {{.key = {}, .prefix = prefix, .position = at_, .whole = false}, items[at_]};
  ++at_;
  return true;
}

bool Children::entries(const Ref& dict, const char* prefix, Child& out) noexcept {
  if (dict.kind != Kind::dict) return false;
  const auto all = dict_of(dict).entries();
  if (at_ >= all.size()) return false;
  out = {{.key = all[at_].key, .prefix = prefix, .position = 0, .whole = false}, all[at_].value};
  ++at_;
  return true;
}

// A dict's items, or those of two dicts or Nones; else the state itself.
bool Children::attributes(const Ref& state, std::uint32_t part, Child& out) noexcept {
  const auto halves = state.kind == Kind::tuple ? tuple_of(state).items() : std::span<const Ref>();
  const auto dict_or_none = [](const Ref& r) { return r.kind == Kind::dict || r.kind == Kind::none; };
  const bool pair = halves.size() == 2 && dict_or_none(halves[0]) && dict_or_none(halves[1]);
  if (part < 2) return pair ? entries(halves[part], "", out) : part == 0 && entries(state, "", out);
  if (pair || dict_or_none(state) || state.kind == Kind::absent || at_ != 0) return false;
  out = {{.key = {}, .prefix = "state", .position = at_++, .whole = true}, state};
  return true;
}

Children::Children(const Ref& container) noexcept : container_(container), kept_(kept_of(container)) {
  if (container.kind == Kind::tensor) part_ = kKept;
  if (is_array(container)) {
    const auto state = state_of(*container.node);
    const auto parts = state.kind == Kind::tuple ? tuple_of(state).items() : tuple_of(container.node->origin->args).items();
    if (parts.size() < 4) return;  // no array's: all of it is told
    const Ref& data = state.kind == Kind::tuple ? parts.back() : parts.front();
    if (data.kind == Kind::list && data.node->made == Made::plain) container_ = data;
    if (data.kind == Kind::bytes || data.kind == Kind::bytearray || data.kind == Kind::string) container_ = {};
  }
}

bool Children::next(Child& out) noexcept {
  if (!has_children(container_)) return false;
  const Node* node = container_.kind == Kind::tensor ? nullptr : container_.node;
  const auto object = [&]() -> const ObjectNode& { return object_of(container_); };
  // Parts 0–3 are the container's own, 4–6 its state, 7–9 what a tensor has kept.
  for (;; ++part_, at_ = 0) {
    switch (part_) {
      case 0:
        if (container_.kind == Kind::tuple) {
          if (positions(tuple_of(container_).items(), "", out)) return true;
        } else if (container_.kind == Kind::dict) {
          if (entries(container_, "", out)) return true;
        } else if (container_.kind != Kind::object) {
          if (positions(list_of(container_).items(), "", out)) return true;
        } else if (node->origin && node->origin->args.kind == Kind::tuple && node->origin->how != How::persistent) {
          if (positions(tuple_of(node->origin->args).items(), "args.", out)) return true;
        }
        break;
      case 1:
        if (container_.kind == Kind::object && node->origin && entries(node->origin->kwargs, "kwargs.", out)) return true;
        break;
      case 2:
        if (container_.kind == Kind::object && object().list && positions(object().list->items(), "", out)) return true;
        break;
      case 3:
        if (container_.kind == Kind::object && object().dict && entries(make_node(Kind::dict, object().dict), "", out)) return true;
        break;
      case 4: case 5: case 6: {
        if (container_.kind != Kind::object && container_.kind != Kind::dict) return false;
        if ((part_ < 6 || container_.kind == Kind::object) && attributes(state_of(*node), part_ - 4, out)) return true;
        break;
      }
      case kKept: case kKept + 1: case kKept + 2:
        if (!kept_) return false;
        if (attributes(kept_->state, part_ - kKept, out)) return true;
        break;
      default:
        kept_ = kept_->next;
        part_ = kKept - 1;
        break;
    }
  }
}

Walker::Walker(const Ref& from, Path place, std::size_t most_depth) : tree_(std::make_shared<PathTree>(std::move(place))), value_(from), most_depth_(most_depth) {}

// Of the innermost container; null is the root of all.
const PathStep* Walker::container_step() {
  for (; steps_made_ < stack_.size(); ++steps_made_)
    stack_[steps_made_].step = steps_made_ == 0 ? tree_->root() : tree_->add(stack_[steps_made_ - 1].step, stack_[steps_made_ - 1].children.last());
  return stack_.back().step;
}

std::string Walker::path(std::size_t max) {
  if (stack_.empty()) return spell(tree_->root(), max);
  const PathStep here(container_step(), child_);
  return spell(&here, max);
}

Path Walker::place() { return {tree_, stack_.empty() ? tree_->root() : tree_->add(container_step(), child_)}; }

bool Walker::next() {
  if (!started_) {
    started_ = true;
  } else {
    if (enter_ && !again_ && has_children(value_)) stack_.push_back({Children(value_), nullptr});
    for (;;) {
      if (stack_.empty()) return false;
      if (stack_.back().children.next(child_)) break;
      stack_.pop_back();
      steps_made_ = std::min(steps_made_, stack_.size());
    }
    value_ = child_.value;
  }
  depth_ = stack_.size();
  enter_ = true;
  again_ = has_children(value_) && (depth_ >= most_depth_ || !seen_.insert(value_.node).second);
  return true;
}

}  // namespace brine
