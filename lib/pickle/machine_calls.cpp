// SPDX-License-Identifier: MIT
// The machine's names and calls: GLOBAL, REDUCE and its kin, BUILD, persistent ids. Known names build data; all others stay inert.
#include "pickle/machine.hpp"

#include "graph/walk.hpp"
#include "pickle/python_calls.hpp"
#include "support/text.hpp"

#include <algorithm>

namespace brine {

namespace {

constexpr std::size_t kLongestName = 4096;  // the same long name can be called for again and again

// What is looked at now may not change later: it would be written otherwise than it was read.
void mark_read(const Ref& r) noexcept {
  if (is_container(r)) r.node->flags |= kRead;
}

bool is_name(std::string_view name) noexcept {
  if (name.size() > kLongestName) return false;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
  return !name.empty() && is_utf8(name) && std::none_of(name.begin(), name.end(), control);
}

}  // namespace

bool Machine::global(std::string_view module, std::string_view name, const Ref& module_text, const Ref& name_text) {
  if (!is_name(module) || !is_name(name))
    return fail(ErrorCode::pickle_global, "expected the names of a module and of a class or function, found " + in_quotes(module, 60) + " and " + in_quotes(name, 60));
  const Python3Name now = protocol_ < 3 ? python3_name(module, name) : Python3Name{module, name};
  if (policy_ && !allowed(policy_->global(module, name))) return false;
  const Ref value = graph_.global(now.module, now.name);
  if (value.kind == Kind::absent) return spent();
  auto& node = static_cast<GlobalNode&>(*value.node);
  node.flags = 0;  // a put, if there is one, follows
  node.spelled_module = module;
  node.spelled_name = name;
  node.module_text = module_text;
  node.name_text = name_text;
  const PythonCall own = python_call(now.module, now.name);
  node.known = own != PythonCall::none ? static_cast<std::uint16_t>(own) : calls_.known(now.module, now.name);
  if (protocol_ < 3) node.flags |= kSpelled;
  graph_.set_first(node);
  return push(value);
}

bool Machine::stack_global() {
  if (!need(2)) return false;
  const Ref name = pop(), module = pop();
  if (name.kind != Kind::string || module.kind != Kind::string)
    return fail(ErrorCode::pickle_global, "expected module and name as str, found " + class_name(module) + " and " + class_name(name));
  return global(text_of(module), text_of(name), module, name);
}

bool Machine::call(How how, const Ref& callee, const Ref& args, const Ref& kwargs) {
  if (!is_tuple(args)) return fail(ErrorCode::pickle_arguments, "expected the arguments as a tuple, found " + class_name(args));
  if (policy_ && !allowed(policy_->call(callee, how))) return false;
  const std::uint16_t known = callee.kind == Kind::global ? callee.node->known : std::uint16_t{0};
  if (known && (how == How::newobj || how == How::newobj_ex) && !(known < kFirstForeign ? known != static_cast<std::uint16_t>(PythonCall::codecs_encode) : calls_.is_class(known)))
    return fail(ErrorCode::pickle_arguments, "expected a class for " + std::string(info(ins_.op).name) + ", found the function " + in_quotes(global_of(callee).name, 60));
  Ref value;
  if (known && how != How::newobj_ex) {
    if (known < kFirstForeign) {
      bool spent_memory = false;
      value = run_python_call(graph_, static_cast<PythonCall>(known), callee, args, how, spent_memory);
      if (spent_memory) return spent();
    } else {
      const CallSite site(graph_, how, args.node == std::exchange(last_tuple_, nullptr) ? last_tuple_mark_ : nullptr);
      Called result = calls_.call(site, callee, args);
      if (!result) return fail(std::move(result).error());
      if (*result) return push(**result);
    }
  }
  if (value.kind != Kind::absent) return push(value);
  if (known)
    for (const Ref& arg : tuple_of(args).items()) mark_read(arg);
  const Origin origin{.callee = callee, .args = args, .kwargs = kwargs, .how = how};
  if (callee.kind == Kind::object && how == How::reduce && tuple_of(args).size == 0)
    if (Origin inner = new_by_partial(graph_, callee); inner.callee.kind != Kind::absent)
      return (inner.outer = graph_.arena().make<Origin>(origin)) ? made(graph_.object(inner)) : spent();
  return made(graph_.object(origin));
}

bool Machine::build() {
  if (!need(2)) return false;
  const Ref state = pop();
  Ref& target = top();
  if (policy_ && !allowed(policy_->build(target))) return false;
  if (target.kind == Kind::tensor) {
    const Result<void> done = calls_.build(graph_, target, state);
    return done ? true : fail(done.error());
  }
  // Only what a call or a persistent id made can have a state, or a class itself (cloudpickle); those of Python and PyTorch take none.
  const bool has_state = target.kind == Kind::object || (target.kind == Kind::global && target.node->known == 0) || (is_container(target) && target.node->origin);
  if (!has_state) return fail(ErrorCode::pickle_target, "cannot set the state of " + class_name(target));
  if (target.kind == Kind::object && (target.node->made == Made::array_dtype || is_array(target)) && !unread(target)) return false;
  if (target.kind != Kind::object || target.node->made != Made::plain) {  // their state is copied, or looked at now
    mark_read(state);
    if (is_tuple(state))
      for (const Ref& part : tuple_of(state).items()) mark_read(part);
  }
  return graph_.add_effect(*target.node, {}, state) || spent();
}

bool Machine::persistent(const Ref& id) {
  if (policy_ && !allowed(policy_->persistent(id))) return false;
  Called value = calls_.persistent(graph_, id);
  if (!value) return fail(std::move(value).error());
  const std::optional<Ref>& known = *value;
  if (!known || known->kind != Kind::storage) graph_.arena().pin();  // a class that stood elsewhere before may refer to the id from now on
  if (known) return push(*known);
  return made(graph_.object({.callee = {}, .args = id, .kwargs = {}, .how = How::persistent}));
}

}  // namespace brine
