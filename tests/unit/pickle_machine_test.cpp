// SPDX-License-Identifier: MIT
// Machine: the value of every opcode that makes one, in protocols 0 to 5. Faults are in pickle_fault_test.cpp, calls in
// pickle_calls_test.cpp.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

namespace {
using namespace std::string_literals;
using namespace std::string_view_literals;

std::string text_arg(Op op, std::string_view line) { return text_of_pickle(Pickle(0).op(op, line)); }
bool text_fails(Op op, std::string_view line) {
  const RunPickle run(Pickle(0).op(op, line));
  return !run.ok() && run.error().code() == ErrorCode::pickle_text && run.error().place().offset == 0u;
}
}  // namespace

TEST_CASE("scalars") {
  CHECK(text_of_pickle(Pickle(2).none()) == "None");
  CHECK(text_of_pickle(Pickle(2).boolean(true)) == "True");
  CHECK(text_of_pickle(Pickle(2).boolean(false)) == "False");
  CHECK(text_of_pickle(Pickle(1).op(Op::BININT1, 255)) == "255");
  CHECK(text_of_pickle(Pickle(1).op(Op::BININT2, 65535)) == "65535");
  CHECK(text_of_pickle(Pickle(1).op(Op::BININT, 0x80000000)) == "-2147483648");
  CHECK(text_of_pickle(Pickle(1).floating(-0.0)) == "-0.0");
  CHECK(text_of_pickle(Pickle(1).floating(1e300)) == "1e+300");
}

TEST_CASE("LONG1, LONG4: two's complement of any width") {
  const auto long1 = [](std::string_view bytes) { return text_of_pickle(Pickle(2).op(Op::LONG1, bytes)); };
  for (const char sign : {'\0', '\xFF'}) {  // as many bytes as it needs, or more: the same number
    const std::string digits = std::string(126, static_cast<char>(~sign)) + (sign ? '\x80' : '\x7F');
    CHECK(long1(digits) == long1(digits + std::string(70, sign)));
    CHECK(long1(digits).find('x') == std::string::npos);
  }
  CHECK(long1("") == "0");
  CHECK(long1("\x7F") == "127");
  CHECK(long1("\x80") == "-128");
  CHECK(long1("\x80\0"sv) == "128");
  CHECK(long1("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F") == "9223372036854775807");
  CHECK(long1("\0\0\0\0\0\0\0\x80"sv) == "-9223372036854775808");
  CHECK(long1("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0"sv) == "18446744073709551615");
  CHECK(long1("\0\0\0\0\0\0\0\x80\xFF"sv) == "-9223372036854775808");
  CHECK(long1("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\xFF"sv) == "-9223372036854775809");
  CHECK(long1("\x01\0\0\0\0\0\0\0\0\0\0\0"sv) == "1");
  CHECK(text_of_pickle(Pickle(2).op(Op::LONG4, "\x05")) == "5");
  CHECK(text_of_pickle(Pickle(2).op(Op::LONG4, std::string(200, '\0') + "\x01")).starts_with("0x1000"));
}

TEST_CASE("INT, LONG, FLOAT: a strict grammar") {
  CHECK(text_arg(Op::INT, "0") == "0");
  CHECK(text_arg(Op::INT, "-17") == "-17");
  CHECK(text_arg(Op::INT, "00") == "False");
  CHECK(text_arg(Op::INT, "01") == "True");
  CHECK(text_arg(Op::INT, "1099511627776") == "1099511627776");
  CHECK(text_arg(Op::LONG, "5L") == "5");
  CHECK(text_arg(Op::LONG, "123456789012345678901234567890L") == "123456789012345678901234567890");
  for (const auto line : {"", "010", "0x10", "1_0", " 1", "1 ", "+1", "--1", "02", "1L", "-", "1.0", "1\r"})
    CHECK_MESSAGE(text_fails(Op::INT, line), line);
  for (const auto line : {"", "L", "01L", "0x10L", "1LL", "1l"}) CHECK_MESSAGE(text_fails(Op::LONG, line), line);
  CHECK(text_arg(Op::FLOAT, "1.5") == "1.5");
  CHECK(text_arg(Op::FLOAT, "-1e-05") == "-1e-05");
  CHECK(text_arg(Op::FLOAT, "nan") == "nan");
  CHECK(text_arg(Op::FLOAT, "-inf") == "-inf");
  for (const auto line : {"", "1.0x", " 1", "1,0", "1_0.0", "0x1p3", "+1.0"}) CHECK_MESSAGE(text_fails(Op::FLOAT, line), line);
}

TEST_CASE("str: every width; surrogates; what is no UTF-8") {
  CHECK(text_of_pickle(Pickle(1).op(Op::BINUNICODE, "a\xC3\xA4")) == "'aä'");
  CHECK(text_of_pickle(Pickle(4).op(Op::SHORT_BINUNICODE, "s")) == "'s'");
  CHECK(text_of_pickle(Pickle(4).op(Op::BINUNICODE8, "")) == "''");
  CHECK(text_of_pickle(Pickle(1).op(Op::BINUNICODE, "\xED\xA0\x80")) == "'\xED\xA0\x80'");
  const auto bad = Pickle(2);
  for (const auto text : {"\xFF", "\xC3", "\xC0\x80", "\xF4\x90\x80\x80", "a\x80"})
    check_last(bad, Pickle(bad).str(text), ErrorCode::pickle_utf8, "BINUNICODE");
}

TEST_CASE("UNICODE: raw-unicode-escape; STRING: Python 2's escapes") {
  CHECK(text_arg(Op::UNICODE, "a\\u00e4\\U0001F600\xE9") == "'aä😀é'");
  CHECK(text_arg(Op::UNICODE, "\\n") == "'\\n'");
  CHECK(text_arg(Op::UNICODE, "\\\\u0041") == "'\\\\u0041'");
  CHECK(text_arg(Op::UNICODE, "\\") == "'\\'");
  for (const auto line : {"\\u12", "\\u12g4", "\\U00110000", "\\U0000"}) CHECK_MESSAGE(text_fails(Op::UNICODE, line), line);
  CHECK(text_arg(Op::STRING, "'a'") == "'a'");
  CHECK(text_arg(Op::STRING, R"("it's")") == "'it's'");
  CHECK(text_arg(Op::STRING, R"('\x41\102\n\q\'')") == "'AB\n\\q''");
  CHECK(text_arg(Op::STRING, R"('\xff')") == "b'\xFF'");
  for (const auto line : {"", "a", "'", "'a", "a'", "'a\"", "'a'b'", "'\\x4'", "'\\'"}) CHECK_MESSAGE(text_fails(Op::STRING, line), line);
}

TEST_CASE("Python 2 strings: str where they are UTF-8, else bytes, each for itself") {
  const RunPickle both(Pickle(2).op(Op::SHORT_BINSTRING, "key").op(Op::BINSTRING, "\x80").op(Op::TUPLE2));
  CHECK(both.text() == "('key', b'\x80')");
  const auto items = tuple_of(both.value()).items();
  CHECK((items[0].flags & kPython2) != 0);
  CHECK((items[1].node->flags & kPython2) != 0);
  CHECK(text_of_pickle(Pickle(2).op(Op::SHORT_BINSTRING, "\xED\xA0\x80")).starts_with("b'"));  // no surrogates in them
}

TEST_CASE("bytes and bytearray") {
  for (const Op op : {Op::BINBYTES, Op::SHORT_BINBYTES, Op::BINBYTES8})
    CHECK(text_of_pickle(Pickle(4).op(op, "\x00\xFF"sv)) == "b'\0\xFF'"s);
  CHECK(text_of_pickle(Pickle(5).op(Op::BYTEARRAY8, "ab")) == "bytearray'ab'");
}

TEST_CASE("tuples and lists") {
  CHECK(text_of_pickle(Pickle(2).empty_tuple()) == "()");
  CHECK(text_of_pickle(Pickle(2).ints({1})) == "(1,)");
  CHECK(text_of_pickle(Pickle(2).ints({1, 2})) == "(1, 2)");
  CHECK(text_of_pickle(Pickle(2).ints({1, 2, 3})) == "(1, 2, 3)");
  CHECK(text_of_pickle(Pickle(2).ints({1, 2, 3, 4})) == "(1, 2, 3, 4)");
  CHECK(text_of_pickle(Pickle(0).mark().tuple()) == "()");
  CHECK(text_of_pickle(Pickle(0).mark().integer(1).integer(2).op(Op::LIST)) == "[1, 2]");
  CHECK(text_of_pickle(Pickle(2).empty_list().integer(1).append().mark().integer(2).integer(3).op(Op::APPENDS)) == "[1, 2, 3]");
  CHECK(text_of_pickle(Pickle(2).empty_list().mark().op(Op::APPENDS)) == "[]");
}

TEST_CASE("dicts and sets") {
  CHECK(text_of_pickle(Pickle(0).mark().str("a").integer(1).op(Op::DICT)) == "{'a': 1}");
  CHECK(text_of_pickle(Pickle(2).empty_dict().str("a").integer(1).setitem().mark().str("b").none().str("c").none().op(Op::SETITEMS)) ==
        "{'a': 1, 'b': None, 'c': None}");
  CHECK(text_of_pickle(Pickle(4).op(Op::EMPTY_SET).mark().integer(1).integer(2).op(Op::ADDITEMS)) == "set{1, 2}");
  CHECK(text_of_pickle(Pickle(4).mark().integer(1).op(Op::FROZENSET)) == "frozenset{1}");
}

TEST_CASE("a key given twice: the first stays, the last value wins, and it is noted") {
  const RunPickle run(Pickle(2).empty_dict().mark().integer(1).str("a").boolean(true).str("b").op(Op::SETITEMS));
  CHECK(run.text() == "{1: 'b'}");
  REQUIRE(run.notes.list().size() == 1);
  CHECK(run.notes.list()[0].code == Note::Code::duplicate_key);
  CHECK(run.notes.list()[0].place.offset == 19u);
  CHECK(run.notes.list()[0].place.opcode == "SETITEMS");
}

TEST_CASE("stack: POP, POP_MARK, DUP, nested marks") {
  CHECK(text_of_pickle(Pickle(2).integer(1).integer(2).op(Op::POP)) == "1");
  CHECK(text_of_pickle(Pickle(2).integer(1).mark().integer(2).integer(3).op(Op::POP_MARK)) == "1");
  CHECK(text_of_pickle(Pickle(2).integer(1).mark().op(Op::POP)) == "1");
  CHECK(text_of_pickle(Pickle(2).empty_list().op(Op::DUP).op(Op::TUPLE2)) == "([], ^1)");
  CHECK(text_of_pickle(Pickle(2).mark().mark().integer(1).tuple().mark().tuple().tuple()) == "((1,), ())");
  Pickle many(2);
  many.mark();
  for (int i = 0; i < 1000; ++i) many.integer(7).op(Op::DUP);
  CHECK(RunPickle(many.tuple()).value().node->size == 2000);
}

TEST_CASE("the protocol: declared, or guessed; a newer opcode is noted once") {
  CHECK((*RunPickle(Pickle(0).op(Op::INT, "1")).result).value().protocol == 0);
  CHECK((*RunPickle(Pickle(1).integer(1)).result).value().protocol == 1);
  for (int protocol = 2; protocol <= 5; ++protocol) {
    const RunPickle run(Pickle(protocol).none());
    CHECK((*run.result)->protocol == protocol);
    CHECK((*run.result)->size == 4);
    CHECK(run.notes.list().empty());
  }
  const RunPickle newer(Pickle(2).op(Op::SHORT_BINBYTES, "a").op(Op::BYTEARRAY8, "b").op(Op::TUPLE2));
  REQUIRE(newer.notes.list().size() == 1);
  CHECK(newer.notes.list()[0].code == Note::Code::newer_opcode);
  CHECK(newer.notes.list()[0].place.offset == 2u);
}
