// SPDX-License-Identifier: MIT
// Memo: numbers of every spelling, sparse, out of order, MEMOIZE mixed with PUT; cycles and recursive tuples.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

TEST_CASE("PUT and GET of every width") {
  CHECK(text_of_pickle(Pickle(1).integer(5).put(7).op(Op::POP).get(7)) == "5");
  CHECK(text_of_pickle(Pickle(0).op(Op::INT, "5").op(Op::PUT, "0").op(Op::POP).op(Op::GET, "0")) == "5");
  CHECK(text_of_pickle(Pickle(1).integer(5).op(Op::LONG_BINPUT, 8).op(Op::POP).op(Op::LONG_BINGET, 8)) == "5");
  CHECK(text_of_pickle(Pickle(1).integer(5).op(Op::LONG_BINPUT, 8).op(Op::POP).get(8)) == "5");
  CHECK(text_of_pickle(Pickle(4).integer(5).op(Op::MEMOIZE).integer(6).op(Op::MEMOIZE).get(1).get(0).op(Op::TUPLE2).op(Op::TUPLE3)) ==
        "(5, 6, (6, 5))");
}

TEST_CASE("a number put again: the last counts; GET gives what was there then") {
  CHECK(text_of_pickle(Pickle(1).integer(5).put(0).get(0).integer(6).put(0).get(0).op(Op::TUPLE3).op(Op::TUPLE2)) == "(5, (5, 6, 6))");
}

TEST_CASE("sparse numbers cost nothing; above the pickle's size they are refused") {
  Pickle p(2);
  p.mark();
  for (int i = 0; i < 100; ++i) p.integer(i).put(static_cast<std::uint8_t>(i * 2 + 1));
  for (int i = 99; i >= 0; --i) p.get(static_cast<std::uint8_t>(i * 2 + 1));
  const RunPickle run(p.tuple());
  CHECK(tuple_of(run.value()).items()[100].integer == 99);
  CHECK(tuple_of(run.value()).items()[199].integer == 0);
  check_fault(Pickle(2).none().op(Op::LONG_BINPUT, 0x7FFFFFFF).bytes(), ErrorCode::pickle_memo, 3, "LONG_BINPUT");
  check_fault(Pickle(2).none().op(Op::PUT, "18446744073709551616").bytes(), ErrorCode::pickle_text, 3, "PUT");
  check_fault(Pickle(2).none().op(Op::PUT, "9223372036854775807").bytes(), ErrorCode::pickle_memo, 3, "PUT");
}

TEST_CASE("nothing there: never put, put later, huge") {
  check_fault(Pickle(2).none().get(7).bytes(), ErrorCode::pickle_memo, 3, "BINGET");
  check_fault(Pickle(2).none().get(0).put(0).bytes(), ErrorCode::pickle_memo, 3, "BINGET");
  check_fault(Pickle(2).op(Op::LONG_BINGET, 0xFFFFFFFF).bytes(), ErrorCode::pickle_memo, 2, "LONG_BINGET");
  check_fault(Pickle(0).op(Op::GET, "18446744073709551615").bytes(), ErrorCode::pickle_memo, 0, "GET");
}

TEST_CASE("memo numbers as text: decimal, without sign") {
  for (const auto line : {"", "-1", "01", "0x0", " 0", "0 "}) {
    CAPTURE(line);
    check_fault(Pickle(0).op(Op::NONE).op(Op::PUT, line).bytes(), ErrorCode::pickle_text, 1, "PUT");
    check_fault(Pickle(0).op(Op::NONE).op(Op::PUT, "0").op(Op::GET, line).bytes(), ErrorCode::pickle_memo, 4, "GET");
  }
}

TEST_CASE("MEMOIZE mixed with PUT: its number is how many entries there are") {
  // PUT 5, MEMOIZE (1), PUT 5 again (still two), MEMOIZE (2)
  Pickle p(4);
  p.mark().str("a").put(5).str("b").op(Op::MEMOIZE).str("c").put(5).str("d").op(Op::MEMOIZE).op(Op::POP_MARK);
  CHECK(text_of_pickle(p.get(1).get(2).get(5).op(Op::TUPLE3)) == "('b', 'd', 'c')");
  // MEMOIZE may overwrite what PUT wrote
  CHECK(text_of_pickle(Pickle(4).mark().str("a").put(1).str("b").op(Op::MEMOIZE).op(Op::POP_MARK).get(1)) == "'b'");
  check_fault(Pickle(4).mark().str("a").put(1).str("b").op(Op::MEMOIZE).op(Op::POP_MARK).get(0).bytes(), ErrorCode::pickle_memo, 19,
              "BINGET");
}

TEST_CASE("cycles: a list, a dict, an object in itself") {
  CHECK(text_of_pickle(Pickle(2).empty_list().put(0).get(0).append()) == "[^0]");
  CHECK(text_of_pickle(Pickle(2).empty_dict().put(0).str("me").get(0).setitem()) == "{'me': ^0}");
  CHECK(text_of_pickle(Pickle(2).empty_dict().put(0).get(0).none().setitem()) == "{^0: None}");
  CHECK(made_by_pickle(Pickle(2).global("m", "C").empty_tuple().op(Op::NEWOBJ).put(0).empty_dict().str("me").get(0).setitem().build()) ==
        "object<NEWOBJ m.C () BUILD {'me': ^0}>");
}

TEST_CASE("recursive tuples, as Python writes them: the copy in the memo is taken, the new one dropped") {
  // t = ([],); t[0].append(t)
  const Pickle python = Pickle(2).mark().empty_list().put(0).mark().get(0).op(Op::TUPLE).put(1).append().op(Op::POP_MARK).get(1);
  CHECK(text_of_pickle(python) == "([^0],)");
  const Pickle protocol0 = Pickle(0).mark().mark().op(Op::LIST).op(Op::PUT, "0").mark().op(Op::GET, "0").tuple().op(Op::PUT, "1").append()
                               .op(Op::POP).op(Op::POP).op(Op::GET, "1");
  CHECK(text_of_pickle(protocol0) == "([^0],)");
}

TEST_CASE("a GET that stands after STOP does not count") {
  const RunPickle run(Pickle(2).integer(1).put(0).bytes() + Pickle(2).get(0).bytes());
  CHECK(run.text() == "1");
}
