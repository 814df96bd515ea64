// SPDX-License-Identifier: MIT
// Arena: what may be taken back, and that nothing outside a tensor's call points to what was: in the machine, with PyTorch's calls.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

namespace {

/// A canonical call of _rebuild_tensor_v2 whose globals were named before (0, 1, 2), so that nothing in it pins. `inside` stands in the
/// storage's id, where its key of a view would be, which nobody looks at.
Pickle& named(Pickle& p) {
  return p.global("torch._utils", "_rebuild_tensor_v2").put(0).global("torch", "FloatStorage").put(1).global("collections", "OrderedDict")
      .put(2).op(Op::POP_MARK);
}
Pickle& call(Pickle& p, const Pickle& inside) {
  p.get(0).mark().mark().str("storage").get(1).str("0").str("cpu").integer(4).raw(inside.unfinished()).integer(0).integer(4).op(Op::TUPLE3)
      .tuple().op(Op::BINPERSID);
  return p.integer(0).ints({4}).ints({1}).boolean(false).get(2).empty_tuple().reduce().tuple().reduce();
}
/// Overwrites what was taken back.
Pickle& fill(Pickle& p) {
  p.mark();
  for (int i = 0; i < 60; ++i) p.integer(i);
  return p.tuple();
}

}  // namespace

TEST_CASE("allocate, mark, rewind, pin") {
  Budget budget(1 << 20, ErrorCode::metadata_too_large);
  Arena arena(budget);
  CHECK(arena.mark() == nullptr);
  CHECK_FALSE(arena.allocate(8) == nullptr);
  const auto mark = arena.mark();
  void* const first = arena.allocate(100);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 8 == 0);
  CHECK(arena.rewind(mark));
  CHECK(arena.allocate(1) == first);
  arena.pin();
  CHECK_FALSE(arena.rewind(mark));
  const auto later = arena.mark();
  CHECK(arena.rewind(later));
  CHECK_FALSE(arena.allocate(8192) == nullptr);  // another chunk
  CHECK_FALSE(arena.rewind(later));
  CHECK_FALSE(arena.rewind(nullptr));
}

TEST_CASE("the budget: chunks are charged; what is left may still do; then null") {
  Budget budget(5000, ErrorCode::metadata_too_large);
  Arena arena(budget);
  CHECK_FALSE(arena.allocate(100) == nullptr);
  CHECK(budget.used() == 4096);
  CHECK_FALSE(arena.allocate(4000 - 8) == nullptr);
  CHECK_FALSE(arena.allocate(800) == nullptr);
  CHECK(budget.used() == 4896);
  CHECK(arena.allocate(800) == nullptr);
  CHECK(budget.used() == 4896);
  CHECK(arena.array<std::uint64_t>(SIZE_MAX / 8) == nullptr);
  CHECK(arena.array<std::uint64_t>(0) != nullptr);
}

TEST_CASE("a tensor's call costs no more memory than its record") {
  Pickle p(2);
  named(p.mark()).mark();
  for (int i = 0; i < 2000; ++i) call(p, Pickle(0).none());
  const RunPickle run(p.tuple());
  CHECK(run.value().node->size == 2000);
  CHECK(run.budget.used() < 2000 * 400);
  for (const Ref& t : tuple_of(run.value()).items()) REQUIRE(graph_text(t, true) == "tensor(v2 float32 0 +0 [4] [1])");
}

TEST_CASE("what stands in a tensor's arguments and can be reached again stays") {
  struct Row {
    const char* what;
    Pickle inside, after;
    std::string_view text;
  };
  const Row rows[] = {
      {"a memo entry fetched later", Pickle(0).ints({7, 8}).put(9), Pickle(0).get(9), "(7, 8)"},
      {"a nested one", Pickle(0).ints({7, 8}).put(9).op(Op::TUPLE1).op(Op::TUPLE1), Pickle(0).get(9), "(7, 8)"},
      {"a list in the memo", Pickle(0).empty_list().put(9).ints({7, 8}).append(), Pickle(0).get(9), "[(7, 8)]"},
      {"appended to an older list", Pickle(0).get(5).ints({7, 8}).append(), Pickle(0).get(5), "[(7, 8)]"},
      {"appended by APPENDS", Pickle(0).get(5).mark().ints({7, 8}).ints({9}).op(Op::APPENDS), Pickle(0).get(5), "[(7, 8), (9,)]"},
      {"set in an older dict", Pickle(0).get(6).str("k").ints({7, 8}).setitem(), Pickle(0).get(6), "{'k': (7, 8)}"},
      {"set by SETITEMS", Pickle(0).get(6).mark().ints({7, 8}).none().op(Op::SETITEMS), Pickle(0).get(6), "{(7, 8): None}"},
      {"the state of an older object", Pickle(0).get(7).ints({7, 8}).build(), Pickle(0).get(7), "object<REDUCE m.C () BUILD (7, 8)>"},
      {"the state of an older class", Pickle(0).get(8).ints({7, 8}).build(), Pickle(0).get(8), "m.D<REDUCE BUILD (7, 8)>"},
      {"an effect on an older object", Pickle(0).get(7).get(8).get(7).ints({7, 8}).op(Op::TUPLE2).reduce().op(Op::POP), Pickle(0).get(7),
       "object<REDUCE m.C () call m.D (^0, (7, 8))>"},
      {"an id on an older class", Pickle(0).mark().str("module").get(8).none().none().tuple().op(Op::BINPERSID), Pickle(0).get(8),
       "m.D<PERSID ('module', ^0, None, None)>"},
      {"an older set", Pickle(0).get(10).mark().ints({7, 8}).op(Op::ADDITEMS), Pickle(0).get(10), "set{(7, 8)}"},
      {"a parameter of a tensor in the memo",
       Pickle(0).get(11).get(12).boolean(true).get(2).empty_tuple().reduce().op(Op::TUPLE3).reduce().put(9), Pickle(0).get(9),
       "tensor(parameter float32 0 +0 [4] [1] grad param) of tensor(v2 float32 0 +0 [4] [1])"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Pickle p(2);
    named(p.mark()).mark();
    p.empty_list().put(5).empty_dict().put(6).global("m", "C").empty_tuple().reduce().put(7).global("m", "D").put(8).op(Op::EMPTY_SET)
        .put(10);
    p.global("torch._utils", "_rebuild_parameter").put(11);
    call(p, Pickle(0).none()).put(12).op(Op::POP_MARK).mark();
    call(p, row.inside);
    fill(p).raw(row.after.unfinished()).tuple();
    const RunPickle run(p);
    const auto items = tuple_of(run.value()).items();
    REQUIRE(items.size() == 3);
    const std::string text = graph_text(items[2], true);
    // Numbers of nodes met again depend on what is met; only the value counts here.
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) plain += text[i] == '^' ? (++i, std::string("^0")) : std::string(1, text[i]);
    CHECK(plain == row.text);
    CHECK(graph_text(items[0]) == "tensor(v2 float32 0 +0 [4] [1])");
  }
}

TEST_CASE("a tensor in another one's arguments, and the argument tuple itself, fetched later") {
  Pickle p(2);
  named(p.mark()).mark();
  Pickle inner(0);
  call(inner, Pickle(0).none());
  call(p, Pickle(inner).put(9));
  fill(p).get(9).tuple();
  CHECK(RunPickle(p).text().ends_with(", tensor(v2 float32 0 +0 [4] [1]))"));

  // The arguments are put, and called with twice: the call is then no canonical one, and both keep it.
  Pickle twice(2);
  named(twice.mark()).mark();
  twice.get(0).mark().mark().str("storage").get(1).str("0").str("cpu").integer(4).tuple().op(Op::BINPERSID);
  twice.integer(0).ints({4}).ints({1}).boolean(false).get(2).empty_tuple().reduce().tuple().put(9).reduce();
  fill(twice.get(0).get(9).reduce()).get(9).tuple();
  const RunPickle run(twice);
  const auto items = tuple_of(run.value()).items();
  CHECK(tensor_of(items[0]).numel() == 4);
  CHECK(graph_text(items[1]) == "tensor(v2 float32 0 +0 [4] [1])");
  CHECK(graph_text(items[3]) == "(storage(0 float32 16), 0, (4,), (1,), False, OrderedDict{})");
}

TEST_CASE("the argument tuple doubled by DUP, or made twice over a chunk's end") {
  Pickle p(2);
  named(p.mark()).mark();
  p.get(0).mark().mark().str("storage").get(1).str("0").str("cpu").integer(4).tuple().op(Op::BINPERSID);
  p.integer(0).ints({4}).ints({1}).boolean(false).get(2).empty_tuple().reduce().tuple().op(Op::DUP).op(Op::TUPLE1).op(Op::POP).reduce();
  CHECK(RunPickle(fill(p).tuple()).text().starts_with("(tensor(v2 float32 0 +0 [4] [1]), (0, 1"));
  for (int room = 0; room < 3; ++room) {  // wherever the chunk ends
    for (int size = 1; size < 60; size += 3) {
      Pickle q(2);
      named(q.mark()).mark();
      for (int i = 0; i < 4 + room; ++i) fill(q);
      q.mark();
      for (int i = 0; i < size; ++i) q.integer(i);
      q.tuple();
      call(q, Pickle(0).ints({7, 8}).put(9));
      const std::string text = RunPickle(fill(q).get(9).tuple()).text();
      REQUIRE(text.ends_with(", (7, 8))"));
      REQUIRE(text.find("tensor(v2 float32 0 +0 [4] [1])") != text.npos);
    }
  }
}
