// SPDX-License-Identifier: MIT
// print: the whole text of small trees; bounds on depth, nodes and items; every text of the file escaped.
#include "graph/print.hpp"
#include "support/run_pickle.hpp"

#include <algorithm>

using namespace brine;
using namespace brine::test;

namespace {
std::string printed(const Pickle& pickle, const PrintBounds& bounds = {.depth = 100, .nodes = 1000, .per_container = 100}) {
  const RunPickle run(pickle);
  return print(run.value(), bounds, [](const Ref&) { return std::string("T"); });
}
std::string short_text(const Pickle& pickle) { return summary(RunPickle(pickle).value()); }
}  // namespace

TEST_CASE("a tree") {
  CHECK(printed(Pickle(2).empty_dict().mark().str("a").integer(1).str("l").mark().none().vector("0", 1).op(Op::LIST).integer(2).str("x").op(
            Op::SETITEMS)) ==
        "dict (3)\n"
        "  'a': 1\n"
        "  'l': list (2)\n"
        "    [0]: None\n"
        "    [1]: T\n"
        "  2: 'x'\n");
  CHECK(printed(Pickle(2).global("m", "C").integer(1).op(Op::TUPLE1).reduce().empty_dict().str("s").none().setitem().build()) ==
        "m.C\n  args.[0]: 1\n  's': None\n");
  CHECK(printed(Pickle(2).global("m", "C").empty_tuple().reduce().integer(3).build()) == "m.C\n  state: 3\n");
}

TEST_CASE("cycles and what is shared") {
  CHECK(printed(Pickle(2).empty_list().put(0).get(0).append()) == "list (1)\n  [0]: list (1)  (shown above)\n");
  CHECK(printed(Pickle(2).mark().ints({1}).put(0).get(0).tuple()) ==
        "tuple (2)\n  [0]: tuple (1)\n    [0]: 1\n  [1]: tuple (1)  (shown above)\n");
  CHECK(printed(Pickle(2).mark().empty_tuple().empty_tuple().tuple()) == "tuple (2)\n  [0]: tuple (0)\n  [1]: tuple (0)\n");
}

TEST_CASE("bounds") {
  const Pickle nested = Pickle(2).none().op(Op::TUPLE1).op(Op::TUPLE1).op(Op::TUPLE1);
  CHECK(printed(nested, {.depth = 1, .nodes = 100, .per_container = 100}) == "tuple (1)\n  [0]: tuple (1) …\n");
  CHECK(printed(nested, {.depth = 100, .nodes = 2, .per_container = 100}) == "tuple (1)\n  [0]: tuple (1)\n… (more than 2 nodes)\n");
  CHECK(printed(Pickle(2).mark().ints({1, 2, 3}).ints({4, 5, 6}).tuple(), {.depth = 100, .nodes = 100, .per_container = 1}) ==
        "tuple (2)\n  [0]: tuple (3)\n    [0]: 1\n    …\n  …\n");
  Pickle deep(2);
  deep.none().raw(std::string(100'000, static_cast<char>(Op::TUPLE1)));
  CHECK(printed(deep, {.depth = 1000, .nodes = 1'000'000, .per_container = 10}).size() < 300'000);
  Pickle laughs(2);
  laughs.str("ha").op(Op::TUPLE1);
  for (int i = 0; i < 200; ++i) laughs.op(Op::DUP).op(Op::DUP).op(Op::TUPLE3);
  CHECK(printed(laughs).size() < 100'000);
}

TEST_CASE("every text of the file is escaped and cut") {
  const std::string bad = "\x1b[31m\n\xE2\x80\xAE\x7F";
  const Pickle p = Pickle(4).empty_dict().mark().str(bad).str(bad).op(Op::SHORT_BINBYTES, bad).op(Op::SHORT_BINBYTES, bad).ints({1})
                       .str(std::string(1000, 'x')).str("o").str("m\xC2\x85").str("C\xE2\x80\xA8").op(Op::STACK_GLOBAL).empty_tuple()
                       .reduce().op(Op::SETITEMS);
  const std::string text = printed(p);
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (static_cast<unsigned char>(c) >= 32 && c != 127); }));
  CHECK(std::count(text.begin(), text.end(), '\n') == 5);
  CHECK(text.find("\xE2\x80\xAE") == text.npos);
  CHECK(text.find("\xE2\x80\xA8") == text.npos);
  CHECK(text.find("\xC2\x85") == text.npos);
  CHECK(text.size() < 600);
}

TEST_CASE("one value in one line") {
  CHECK(short_text(Pickle(2).integer(3)) == "3");
  CHECK(short_text(Pickle(2).str("it's")).find("it") != std::string::npos);
  CHECK(short_text(Pickle(2).ordered_dict()) == "OrderedDict (0)");
  CHECK(short_text(Pickle(5).op(Op::BYTEARRAY8, "abc")) == "bytearray (3 bytes)");
  CHECK(short_text(Pickle(2).global("builtins", "complex").floating(1).floating(-2.5).op(Op::TUPLE2).reduce()) == "(1.0-2.5j)");
  CHECK(short_text(Pickle(2).global("torch", "float32")) == "<torch.float32>");
  CHECK(short_text(Pickle(2).global("torch", "Size").ints({2, 3}).op(Op::TUPLE1).reduce()) == "Size(2, 3)");
  CHECK(short_text(Pickle(2).global("torch.nn", "Linear").empty_tuple().op(Op::NEWOBJ)) == "torch.nn.Linear");
  CHECK(short_text(Pickle(2).str(std::string(5000, 'a'))).size() < 100);
  CHECK(short_text(Pickle(2).op(Op::LONG4, std::string(100'000, 'a'))).size() < 200);
}
