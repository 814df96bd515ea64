// SPDX-License-Identifier: MIT
// Walker: every value once, by paths as `brine ls --all` prints them; cycles end, shared containers are not entered again. Key names as
// Python's repr, against literal text.
#include "support/run_pickle.hpp"

#include <cmath>

using namespace brine;
using namespace brine::test;

namespace {

std::string walk(const Pickle& pickle, std::size_t most_depth = SIZE_MAX) {
  const RunPickle run(pickle);
  std::string out;
  Walker walker(run.value(), {}, most_depth);
  while (walker.next()) out += walker.path() + ":" + class_name(walker.value()) + (walker.again() ? "! " : " ");
  return out;
}

std::string key(const Pickle& pickle) { return key_name(RunPickle(pickle).value()); }
std::string number(double v) { return key_name(make_float(v)); }

}  // namespace

TEST_CASE("paths: keys, positions, in the pickle's order") {
  CHECK(walk(Pickle(2).empty_dict().mark().str("a").integer(1).str("b.c").mark().none().str("x").op(Op::LIST).integer(3).ints({7}).op(
            Op::SETITEMS)) == ":dict a:int b.c:list b.c.0:NoneType b.c.1:str 3:tuple 3.0:int ");
  CHECK(walk(Pickle(4).op(Op::EMPTY_SET).mark().integer(9).op(Op::ADDITEMS)) == ":set 0:int ");
}

TEST_CASE("objects: arguments, keyword arguments, items, then the state's attributes") {
  Pickle p(4);
  p.global("m", "C").integer(1).op(Op::TUPLE1).empty_dict().str("k").integer(2).setitem().op(Op::NEWOBJ_EX);
  p.integer(3).append().str("d").integer(4).setitem().empty_dict().str("attr").integer(5).setitem().build();
  CHECK(walk(p) == ":C args.0:int kwargs.k:int 0:int d:int attr:int ");
  const auto with_state = [](const Pickle& state) {
    Pickle o(2);
    return walk(o.global("m", "C").empty_tuple().reduce().raw(state.unfinished()).build());
  };
  CHECK(with_state(Pickle(0).integer(5)) == ":C state:int ");
  CHECK(with_state(Pickle(0).none()) == ":C ");
  CHECK(with_state(Pickle(0).ints({5, 6})) == ":C state:tuple state.0:int state.1:int ");
  const auto dict = [](std::string_view k) { return Pickle(0).empty_dict().str(k).none().setitem().unfinished(); };
  CHECK(with_state(Pickle(0).raw(dict("a")).raw(dict("b")).op(Op::TUPLE2)) == ":C a:NoneType b:NoneType ");
  CHECK(with_state(Pickle(0).none().raw(dict("b")).op(Op::TUPLE2)) == ":C b:NoneType ");
  CHECK(walk(Pickle(2).ordered_dict().str("w").integer(1).setitem().raw(dict("_metadata")).build()) ==
        ":OrderedDict w:int _metadata:NoneType ");
}

TEST_CASE("only the last state counts") {
  Pickle p(2);
  p.global("m", "C").empty_tuple().reduce().empty_dict().str("old").none().setitem().build().empty_dict().str("new").none().setitem()
      .build();
  CHECK(walk(p) == ":C new:NoneType ");
}

TEST_CASE("cycles and shared containers") {
  CHECK(walk(Pickle(2).empty_list().put(0).get(0).append()) == ":list 0:list! ");
  CHECK(walk(Pickle(2).empty_list().mark().ints({1, 2}).put(0).get(0).get(0).op(Op::APPENDS)) ==
        ":list 0:tuple 0.0:int 0.1:int 1:tuple! 2:tuple! ");
  Pickle laughs(2);
  laughs.empty_list();
  for (int i = 0; i < 60; ++i) laughs.op(Op::DUP).op(Op::TUPLE2);  // 2 to the 60th leaves
  const RunPickle run(laughs);
  Walker walker(run.value());
  int met = 0;
  while (walker.next()) ++met;
  CHECK(met == 121);
}

TEST_CASE("depth: bounded on request; skip() enters nothing") {
  const Pickle p = Pickle(2).none().op(Op::TUPLE1).op(Op::TUPLE1).op(Op::TUPLE1);
  CHECK(walk(p) == ":tuple 0:tuple 0.0:tuple 0.0.0:NoneType ");
  CHECK(walk(p, 2) == ":tuple 0:tuple 0.0:tuple! ");
  const RunPickle run(p);
  Walker walker(run.value(), place_of("from"));
  CHECK(walker.next());
  CHECK(walker.path() == "from");
  CHECK(walker.next());
  CHECK(walker.path() == "from.0");
  CHECK(walker.depth() == 1);
  walker.skip();
  CHECK_FALSE(walker.next());
}

TEST_CASE("key names: scalars") {
  CHECK(key(Pickle(2).str("as 'it' is\n")) == "as 'it' is\n");
  CHECK(key(Pickle(2).none()) == "None");
  CHECK(key(Pickle(2).boolean(true)) == "True");
  CHECK(key(Pickle(2).integer(-5)) == "-5");
  CHECK(key(Pickle(2).op(Op::LONG1, std::string(8, '\xFF') + std::string(1, '\0'))) == "18446744073709551615");
  CHECK(number(1.0) == "1.0");
  CHECK(number(0.1) == "0.1");
  CHECK(number(-0.0) == "-0.0");
  CHECK(number(1e16) == "1e+16");
  CHECK(number(9999999999999998.0) == "9999999999999998.0");
  CHECK(number(123456789012345680.0) == "1.2345678901234568e+17");
  CHECK(number(0.0001) == "0.0001");
  CHECK(number(0.00001) == "1e-05");
  CHECK(number(1.5e-7) == "1.5e-07");
  CHECK(number(5e-324) == "5e-324");
  CHECK(number(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(number(NAN) == "nan");
  CHECK(number(-INFINITY) == "-inf");
}

TEST_CASE("key names: bytes and tuples") {
  CHECK(key(Pickle(3).op(Op::SHORT_BINBYTES, "a'b")) == "b\"a'b\"");
  CHECK(key(Pickle(3).op(Op::SHORT_BINBYTES, "a'\"b")) == "b'a\\'\"b'");
  CHECK(key(Pickle(3).op(Op::SHORT_BINBYTES, std::string_view("\x00\n\t\r\\\xFF\x7F", 7))) == "b'\\x00\\n\\t\\r\\\\\\xff\\x7f'");
  CHECK(key(Pickle(2).empty_tuple()) == "()");
  CHECK(key(Pickle(2).ints({1})) == "(1,)");
  CHECK(key(Pickle(2).ints({1, 2})) == "(1, 2)");
  CHECK(key(Pickle(2).str("a").str("it's").floating(1).op(Op::TUPLE3)) == "('a', \"it's\", 1.0)");
  CHECK(key(Pickle(2).ints({1}).none().op(Op::TUPLE2)) == "((1,), None)");
  Pickle deep(2);
  deep.none();
  for (int i = 0; i < 30; ++i) deep.op(Op::TUPLE1);
  CHECK(key(deep) == "((((((((<tuple>,),),),),),),),)");
  Pickle wide(2);
  wide.mark();
  for (int i = 0; i < 5000; ++i) wide.integer(1);
  CHECK(key(wide.tuple()).size() < 1100);
}

TEST_CASE("key names: everything else by its class") {
  CHECK(key(Pickle(2).empty_list()) == "<list>");
  CHECK(key(Pickle(2).global("m", "C")) == "<type>");
  CHECK(key(Pickle(2).global("m.n", "C.D").empty_tuple().reduce()) == "<D>");
  CHECK(key(Pickle(2).vector("0", 1)) == "<Tensor>");
  CHECK(key(Pickle(2).integer(1).op(Op::BINPERSID)) == "<persistent id>");
  CHECK(key(Pickle(2).none().empty_tuple().reduce()) == "<object>");
}

TEST_CASE("class names") {
  const auto qualified = [](const Pickle& p) { return qualified_class_name(RunPickle(p).value()); };
  CHECK(qualified(Pickle(2).ordered_dict()) == "collections.OrderedDict");
  CHECK(qualified(Pickle(2).global("torch", "Size").ints({1}).op(Op::TUPLE1).reduce()) == "torch.Size");
  CHECK(qualified(Pickle(2).global("a.b", "C").empty_tuple().op(Op::NEWOBJ)) == "a.b.C");
  CHECK(qualified(Pickle(2).storage("FloatStorage", "0", 0)) == "torch.storage.TypedStorage");
  CHECK(qualified(Pickle(2).none()) == "NoneType");
  CHECK(qualified(Pickle(4).mark().op(Op::FROZENSET)) == "frozenset");
}
