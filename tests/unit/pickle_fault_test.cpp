// SPDX-License-Identifier: MIT
// Machine: the code, byte and opcode of every fault; every cut; what memory a pickle may take.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

namespace {

/// `before` is sound so far; the opcode then is at fault.
void check_op(const Pickle& before, Op op, ErrorCode code, ErrorKind kind = ErrorKind::corrupt) {
  Pickle whole = before;
  info(op).arg == ArgKind::none ? whole.op(op) : whole.op(op, "m", "n");
  check_last(before, whole, code, info(op).name, kind);
}

/// A pickle that uses most of the opcodes.
Pickle all_kinds() {
  Pickle p(2);
  p.mark().ordered_dict().put(0).mark().str("a").integer(1).str("b").mark().integer(2).floating(.5).op(Op::LIST).op(Op::SETITEMS).get(0);
  p.global("m", "C").empty_tuple().op(Op::NEWOBJ).empty_dict().build().op(Op::EMPTY_SET).mark().none().op(Op::ADDITEMS);
  p.vector("0", 3).op(Op::LONG4, "\x01").op(Op::SHORT_BINSTRING, "x").op(Op::BINBYTES8, "y").op(Op::INT, "5").op(Op::UNICODE, "z");
  return p.op(Op::STRING, "'q'").mark().op(Op::INST, "m", "D").tuple();
}

}  // namespace

TEST_CASE("too few values: on an empty stack, and above a mark") {
  struct Row {
    Op op;
    int values;
  };
  for (const Row row : {Row{Op::POP, 1},
                        {Op::DUP, 1},
                        {Op::TUPLE1, 1},
                        {Op::TUPLE2, 2},
                        {Op::TUPLE3, 3},
                        {Op::APPEND, 2},
                        {Op::SETITEM, 3},
                        {Op::REDUCE, 2},
                        {Op::NEWOBJ, 2},
                        {Op::NEWOBJ_EX, 3},
                        {Op::STACK_GLOBAL, 2},
                        {Op::BUILD, 2},
                        {Op::BINPERSID, 1},
                        {Op::MEMOIZE, 1}}) {
    CAPTURE(info(row.op).name);
    for (const bool marked : {false, true}) {
      Pickle before(4);
      if (marked) before.none().none().none().mark();
      for (int i = 1; i < row.values; ++i) before.none();
      if (marked && row.op == Op::POP) continue;  // POP may take a mark
      check_op(before, row.op, ErrorCode::pickle_stack);
    }
  }
  check_op(Pickle(2), Op::STOP, ErrorCode::pickle_stack);
  check_fault(Pickle(2).put(3).bytes(), ErrorCode::pickle_stack, 2, "BINPUT");
}

TEST_CASE("marks: missing, left at STOP; nothing below or above them") {
  for (const Op op :
       {Op::POP_MARK, Op::TUPLE, Op::LIST, Op::DICT, Op::FROZENSET, Op::APPENDS, Op::SETITEMS, Op::ADDITEMS, Op::OBJ, Op::INST}) {
    CAPTURE(info(op).name);
    check_op(Pickle(4).none(), op, ErrorCode::pickle_mark);
  }
  for (const Op op : {Op::APPENDS, Op::SETITEMS, Op::ADDITEMS}) {
    check_op(Pickle(4).mark(), op, ErrorCode::pickle_stack);
    check_op(Pickle(4).empty_list().mark().mark(), op, ErrorCode::pickle_stack);
  }
  check_op(Pickle(2).mark(), Op::OBJ, ErrorCode::pickle_stack);
  check_op(Pickle(2).none().mark(), Op::STOP, ErrorCode::pickle_leftover);
  check_op(Pickle(2).none().none(), Op::STOP, ErrorCode::pickle_leftover);
  check_op(Pickle(2).mark(), Op::STOP, ErrorCode::pickle_stack);
}

TEST_CASE("targets: what can be added to what") {
  using Adder = void (*)(Pickle&);
  const Adder containers[] = {[](Pickle& p) { p.empty_list(); },
                              [](Pickle& p) { p.empty_dict(); },
                              [](Pickle& p) { p.op(Op::EMPTY_SET); },
                              [](Pickle& p) { p.ints({1}); },
                              [](Pickle& p) { p.str("a"); },
                              [](Pickle& p) { p.vector("0", 1); },
                              [](Pickle& p) { p.global("m", "C").empty_tuple().reduce(); },
                              [](Pickle& p) { p.none(); },
                              [](Pickle& p) { p.global("m", "C"); },
                              [](Pickle& p) { p.mark().op(Op::FROZENSET); }};
  const std::string_view takes[] = {"ae", "su", "\x90", "", "", "", "aesu\x90" "b", "", "b", ""};
  for (std::size_t i = 0; i < std::size(containers); ++i) {
    CAPTURE(i);
    const auto allowed = [&](Op op) { return takes[i].find(static_cast<char>(op)) != std::string_view::npos; };
    for (const Op op : {Op::APPEND, Op::APPENDS, Op::SETITEM, Op::SETITEMS, Op::ADDITEMS, Op::BUILD}) {
      CAPTURE(info(op).name);
      Pickle p(4);
      containers[i](p);
      const bool many = op == Op::APPENDS || op == Op::SETITEMS || op == Op::ADDITEMS;
      if (many) p.mark();
      p.str("k");
      if (op == Op::SETITEM || op == Op::SETITEMS) p.str("v");
      if (allowed(op)) CHECK(RunPickle(Pickle(p).op(op)).ok());
      else check_op(p, op, ErrorCode::pickle_target);
    }
  }
}

TEST_CASE("odd items, arguments that are no tuple, kwargs that are no dict") {
  check_op(Pickle(2).empty_dict().mark().none(), Op::SETITEMS, ErrorCode::pickle_odd_items);
  check_op(Pickle(2).mark().none(), Op::DICT, ErrorCode::pickle_odd_items);
  check_op(Pickle(2).global("m", "f").empty_list(), Op::REDUCE, ErrorCode::pickle_arguments);
  check_op(Pickle(2).global("m", "f").none(), Op::NEWOBJ, ErrorCode::pickle_arguments);
  check_op(Pickle(4).global("m", "f").empty_tuple().none(), Op::NEWOBJ_EX, ErrorCode::pickle_arguments);
  check_op(Pickle(4).global("m", "f").none().empty_dict(), Op::NEWOBJ_EX, ErrorCode::pickle_arguments);
}

TEST_CASE("names: empty, control characters, not UTF-8, no str") {
  for (const auto& [module, name] : {std::pair("", "a"), {"a", ""}, {"a\r", "b"}, {"a", "b\x7F"}, {"\xFF", "a"}, {"a", "\xED\xA0\x80"}}) {
    check_fault(Pickle(2).global(module, name).bytes(), ErrorCode::pickle_global, 2, "GLOBAL");
    check_fault(Pickle(2).mark().op(Op::INST, module, name).bytes(), ErrorCode::pickle_global, 3, "INST");
  }
  check_op(Pickle(4).integer(1).str("a"), Op::STACK_GLOBAL, ErrorCode::pickle_global);
  check_op(Pickle(4).str("a").none(), Op::STACK_GLOBAL, ErrorCode::pickle_global);
  check_op(Pickle(4).str("a").str(""), Op::STACK_GLOBAL, ErrorCode::pickle_global);
  CHECK(text_of_pickle(Pickle(2).global("a b", "ä.<locals>.c")) == "a b.ä.<locals>.c");
  CHECK(RunPickle(Pickle(2).global("m", std::string(4096, 'n'))).ok());
  check_fault(Pickle(2).global("m", std::string(4097, 'n')).bytes(), ErrorCode::pickle_global, 2, "GLOBAL");
}

TEST_CASE("a persistent id that is a line is ASCII") {
  check_fault(Pickle(0).op(Op::PERSID, "a\xC3\xA4").bytes(), ErrorCode::pickle_utf8, 0, "PERSID");
  check_fault(Pickle(0).op(Op::PERSID, "\xB7").bytes(), ErrorCode::pickle_utf8, 0, "PERSID");
}

TEST_CASE("PROTO, EXT, out-of-band buffers") {
  check_fault(Pickle(0).op(Op::PROTO, 6).none().bytes(), ErrorCode::pickle_protocol, 0, "PROTO", ErrorKind::unsupported);
  check_fault(Pickle(0).op(Op::PROTO, 255).none().bytes(), ErrorCode::pickle_protocol, 0, "PROTO", ErrorKind::unsupported);
  check_fault(Pickle(2).op(Op::PROTO, 2).none().bytes(), ErrorCode::pickle_protocol, 2, "PROTO");
  check_fault(Pickle(1).none().op(Op::PROTO, 2).bytes(), ErrorCode::pickle_protocol, 1, "PROTO");
  for (const Op op : {Op::EXT1, Op::EXT2, Op::EXT4})
    check_fault(Pickle(2).op(op, 1).bytes(), ErrorCode::pickle_extension, 2, info(op).name, ErrorKind::unsupported);
  for (const Op op : {Op::NEXT_BUFFER, Op::READONLY_BUFFER})
    check_fault(Pickle(5).empty_list().op(op).bytes(), ErrorCode::pickle_buffer, 3, info(op).name, ErrorKind::unsupported);
}

TEST_CASE("every cut of a pickle, at its byte") {
  const std::string whole = all_kinds().bytes();
  REQUIRE(RunPickle(whole).value().kind == Kind::tuple);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const RunPickle run(whole.substr(0, n));
    CAPTURE(n);
    REQUIRE_FALSE(run.ok());
    CHECK(run.error().code() == ErrorCode::pickle_truncated);
    CHECK(run.error().kind() == ErrorKind::corrupt);
    CHECK(run.error().place().offset.value() <= n);
  }
}

TEST_CASE("what follows STOP is not run; the size tells") {
  const RunPickle run(Pickle(2).none().bytes() + "\x01\x02");
  CHECK((*run.result)->size == 4);
  CHECK(run.text() == "None");
}

TEST_CASE("memory: small opcodes that make large nodes meet the limit") {
  const Limits small{.metadata_factor = 4, .metadata_base = 4096};
  for (const Op op : {Op::EMPTY_DICT, Op::EMPTY_LIST, Op::MARK, Op::NONE}) {
    CAPTURE(info(op).name);
    const RunPickle run(Pickle(2).raw(std::string(100'000, static_cast<char>(op))).bytes(), false, small);
    REQUIRE_FALSE(run.ok());
    CHECK(run.error().kind() == ErrorKind::limit);
    CHECK(run.error().code() == ErrorCode::metadata_too_large);
    CHECK(run.error().place().opcode == info(op).name);
    CHECK(run.budget.used() <= small.metadata_base + small.metadata_factor * run.size_);
  }
  for (std::uint64_t base = 0; base < 9000; base += 8) {  // wherever memory ends, it is an error and nothing else
    const RunPickle run(all_kinds().bytes(), false, {.metadata_factor = 0, .metadata_base = base});
    if (!run.ok()) CHECK(run.error().kind() == ErrorKind::limit);
  }
}

TEST_CASE("nesting of any depth") {
  for (const Op op : {Op::TUPLE1, Op::LIST, Op::DICT}) {
    Pickle p(2);
    if (op == Op::TUPLE1) p.none().raw(std::string(200'000, static_cast<char>(op)));
    else if (op == Op::LIST) p.raw(std::string(200'000, '(')).raw(std::string(200'000, 'l'));
    else for (int i = 0; i < 50'000; ++i) p.raw("(N");
    if (op == Op::DICT) p.none().raw(std::string(50'000, 'd'));
    const RunPickle run(p);
    CHECK(run.ok());
  }
}
