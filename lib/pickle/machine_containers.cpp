// SPDX-License-Identifier: MIT
// The machine's tuples, lists, sets and dicts, and what may be added to what.
#include "pickle/machine.hpp"

#include "graph/walk.hpp"
#include "pickle/python_calls.hpp"
#include "support/text.hpp"

namespace brine {

namespace {

// What they hold is read out of their arguments and state, whenever somebody asks.
bool is_numpy(const Ref& object) noexcept { return object.node->made >= Made::array; }

}  // namespace

bool Machine::tuple(std::size_t items) {
  if (!need(items)) return false;
  height_ -= items;
  last_tuple_ = nullptr;
  const Ref value = graph_.tuple({stack_.data() + height_, items});
  if (value.kind != Kind::absent) value.node->flags = 0;
  return made(value);
}

bool Machine::tuple_from_mark() {
  if (!need_mark()) return false;
  const Ref value = graph_.tuple(above_mark());
  if (value.kind != Kind::absent) value.node->flags = 0;
  last_tuple_ = value.node;
  last_tuple_mark_ = marks_.back().arena;
  drop_to_mark();
  return made(value);
}

// What was read before it was full would be written full: no pickler does this, and what it would mean is not to be kept.
bool Machine::unread(const Ref& container) {
  if (!has_node(container) || container.kind == Kind::global || !(container.node->flags & kRead)) return true;
  return fail(ErrorCode::pickle_target, "this " + class_name(container) + " was the argument of a call before; it may not change after that", ErrorKind::unsupported);
}

bool Machine::append(std::span<const Ref> items, Ref& target) {
  if (!unread(target) || (policy_ && !allowed(policy_->append(target, ins_.op)))) return false;
  ListNode* list = nullptr;
  if (target.kind == Kind::list) {
    list = static_cast<ListNode*>(target.node);
    if (list->made == Made::deque) return append_to_deque(graph_, *list, items) || spent();
  } else if (target.kind == Kind::object) {
    if (is_numpy(target)) return fail(ErrorCode::pickle_target, "cannot append to a numpy object");
    auto& object = static_cast<ObjectNode&>(*target.node);
    if (!object.list && !(object.list = graph_.arena().make<ListNode>())) return spent();
    list = object.list;
  } else {
    return fail(ErrorCode::pickle_target, "cannot append to " + class_name(target));
  }
  return graph_.append(*list, items) || spent();
}

bool Machine::add_items(std::span<const Ref> items, Ref& target) {
  if (target.kind == Kind::set) return unread(target) && (graph_.add(static_cast<SetNode&>(*target.node), items) || spent());
  if (target.kind == Kind::object) return append(items, target);
  return fail(ErrorCode::pickle_target, "cannot add items to " + class_name(target));
}

bool Machine::set_items(std::span<const Ref> pairs, Ref& target) {
  if (!unread(target) || (policy_ && !allowed(policy_->set_item(target, ins_.op)))) return false;
  if (target.kind == Kind::dict) return set_items(pairs, static_cast<DictNode&>(*target.node));
  if (target.kind != Kind::object) return fail(ErrorCode::pickle_target, "cannot set an item of " + class_name(target));
  if (is_numpy(target)) return fail(ErrorCode::pickle_target, "items of a numpy object are set one by one", ErrorKind::unsupported);
  auto& object = static_cast<ObjectNode&>(*target.node);
  if (!object.dict && !(object.dict = graph_.arena().make<DictNode>())) return spent();
  return set_items(pairs, *object.dict);
}

bool Machine::set_items(std::span<const Ref> pairs, DictNode& dict) {
  if (pairs.size() % 2) return fail(ErrorCode::pickle_odd_items, "a key has no value");
  if (!graph_.reserve(dict, dict.size + pairs.size() / 2)) return spent();
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    bool replaced = false;
    if (!graph_.set(dict, pairs[i], pairs[i + 1], replaced)) return spent();
    if (replaced && dict.origin) dict.origin->given = 0;  // the call's own pairs are set once more behind it
    if (replaced && !notes_.full())
      notes_.add(Note::Code::duplicate_key, {.file = {}, .record = {}, .offset = ins_.offset, .opcode = std::string(info(ins_.op).name), .path = {}},
                 "the key " + printable(key_name(pairs[i], 256), 200) + " is given twice; the last value stands");
  }
  return true;
}

}  // namespace brine
