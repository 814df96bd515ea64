// SPDX-License-Identifier: MIT
// Machine: runs one pickle and leaves its value in a Graph. Nothing is executed: calls of known names build plain data, all others become
// inert objects. One loop, no recursion; memory is the graph's arena, a stack and a memo.
#pragma once

#include "graph/graph.hpp"
#include "pickle/calls.hpp"
#include "pickle/memo.hpp"
#include "pickle/scanner.hpp"
#include "support/notes.hpp"

#include <optional>
#include <vector>

namespace brine {

/// What came of one pickle.
struct Unpickled {
  Ref value;
  std::uint64_t size = 0;  ///< bytes up to and with STOP
  int protocol = 0;        ///< as declared; without PROTO 0 or, when a binary opcode was used, 1
};

class Machine {
 public:
  /// All are borrowed. `pickle` must live as long as the graph: strings are views into it. `policy` may be null.
  Machine(Graph& graph, Calls& calls, const Policy* policy, Notes& notes, std::span<const std::byte> pickle, Budget& budget);

  /// Fails with: corrupt, unsupported, forbidden (policy), limit; the place has byte offset and opcode.
  Result<Unpickled> run();

 private:
  struct Mark {
    std::size_t height;
    Arena::Mark arena;
  };

  // Each gives false after fail().
  bool step(const Scanned& ins);
  bool fail(ErrorCode code, std::string text, ErrorKind kind = ErrorKind::corrupt);
  bool fail(Error error);
  bool spent();

  bool push(Ref value);  // by value: it may be an element of the stack that grows
  bool made(const Ref& value) { return value.kind == Kind::absent ? spent() : push(value); }
  bool need(std::size_t values);
  bool need_mark();
  Ref pop() { return stack_[--height_]; }
  Ref& top() { return stack_[height_ - 1]; }
  std::span<Ref> above_mark() { return {stack_.data() + marks_.back().height, height_ - marks_.back().height}; }
  void drop_to_mark();

  bool text(std::string_view text, std::uint8_t flags = 0);
  bool python2_text(std::string_view text);
  bool owned_text(const std::optional<std::string>& text, bool python2);
  bool decimal_int(std::string_view digits);
  static void memoised(Ref& value) noexcept;
  bool put(std::uint64_t number, bool memoize);
  bool get(std::uint64_t number);
  bool protocol(const Scanned& ins);
  bool stop();
  bool pop_one();

  bool unread(const Ref& container);
  bool tuple(std::size_t items);
  bool tuple_from_mark();
  bool append(std::span<const Ref> items, Ref& target);
  bool add_items(std::span<const Ref> items, Ref& target);
  bool set_items(std::span<const Ref> pairs, Ref& target);
  bool set_items(std::span<const Ref> pairs, DictNode& dict);

  bool global(std::string_view module, std::string_view name, const Ref& module_text, const Ref& name_text);
  bool stack_global();
  bool call(How how, const Ref& callee, const Ref& args, const Ref& kwargs = {});
  bool build();
  bool persistent(const Ref& id);
  bool allowed(Result<void> verdict) { return verdict ? true : fail(std::move(verdict).error()); }

  Graph& graph_;
  Calls& calls_;
  const Policy* policy_;
  Notes& notes_;
  Budget& budget_;
  Scanner scanner_;
  Memo memo_;
  std::vector<Ref> stack_;
  std::size_t height_ = 0;
  std::vector<Mark> marks_;
  Scanned ins_{};
  Op before_ = Op::STOP;  // the opcode before this one
  int protocol_ = 0;
  bool stopped_ = false, newer_noted_ = false;
  Ref empty_tuple_;
  const Node* last_tuple_ = nullptr;  // made by TUPLE, and where its MARK stood: what CallSite may take back
  Arena::Mark last_tuple_mark_ = nullptr;
  std::optional<Error> error_;
};

}  // namespace brine
