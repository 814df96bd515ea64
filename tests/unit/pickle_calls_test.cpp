// SPDX-License-Identifier: MIT
// Machine: names, calls, BUILD, persistent ids; and what the graph keeps of them for the writer.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

namespace {
Pickle& object(Pickle& p) { return p.global("m", "C").empty_tuple().reduce(); }
std::string called(std::string_view module, std::string_view name, Pickle args) {
  return text_of_pickle(Pickle(2).global(module, name).raw(args.unfinished()).reduce());
}
Pickle args() { return Pickle(0); }
}  // namespace

TEST_CASE("unknown names stay inert: callee, arguments, and which opcode called") {
  CHECK(made_by_pickle(Pickle(2).global("os", "system").str("rm").op(Op::TUPLE1).reduce()) == "object<REDUCE os.system ('rm',)>");
  CHECK(made_by_pickle(Pickle(2).global("m", "C").empty_tuple().op(Op::NEWOBJ)) == "object<NEWOBJ m.C ()>");
  CHECK(made_by_pickle(Pickle(4).global("m", "C").empty_tuple().empty_dict().str("k").integer(1).setitem().op(Op::NEWOBJ_EX)) ==
        "object<NEWOBJ_EX m.C () **{'k': 1}>");
  CHECK(made_by_pickle(Pickle(2).mark().global("m", "C").integer(1).op(Op::OBJ)) == "object<OBJ m.C (1,)>");
  CHECK(made_by_pickle(Pickle(2).mark().integer(1).op(Op::INST, "m", "C")) == "object<INST m.C (1,)>");
  CHECK(made_by_pickle(Pickle(2).none().empty_tuple().reduce()) == "object<REDUCE None ()>");  // whatever is called
  Pickle nested(2);
  object(nested).empty_tuple().reduce();
  CHECK(made_by_pickle(nested) == "object<REDUCE object<REDUCE m.C ()> ()>");
}

TEST_CASE("objects take items and states, in order") {
  Pickle p(2);
  object(p).mark().integer(1).integer(2).op(Op::APPENDS).str("k").integer(3).setitem().empty_dict().build().integer(4).build();
  CHECK(made_by_pickle(p) == "object[1, 2]{'k': 3}<REDUCE m.C () BUILD {} BUILD 4>");
  CHECK(state_of(*RunPickle(p).value().node).integer == 4);
}

TEST_CASE("a call dropped at once was made for its effect on its first argument") {
  Pickle p(2);
  object(p).put(0).global("cloudpickle", "_setstate").get(0).empty_dict().op(Op::TUPLE2).reduce().op(Op::POP).str("s").build();
  CHECK(made_by_pickle(p) == "object<REDUCE m.C () call cloudpickle._setstate (^0, {}) BUILD 's'>");
  Pickle on_class(2);
  on_class.global("m", "C").put(0).global("m", "f").get(0).none().op(Op::TUPLE2).reduce().op(Op::POP);
  CHECK(made_by_pickle(on_class) == "m.C<REDUCE call m.f (^0, None)>");
  for (const auto& arguments :
       {args().integer(1).none().op(Op::TUPLE2), args().get(0).op(Op::TUPLE1), args().get(0).get(0).get(0).op(Op::TUPLE3)}) {
    Pickle other(2);
    object(other).put(0).global("m", "f").raw(arguments.unfinished()).reduce().op(Op::POP);
    CHECK(made_by_pickle(other) == "object<REDUCE m.C ()>");
  }
  Pickle later(2);  // not at once
  object(later).put(0).global("m", "f").get(0).none().op(Op::TUPLE2).reduce().none().op(Op::POP).op(Op::POP);
  CHECK(made_by_pickle(later) == "object<REDUCE m.C ()>");
}

TEST_CASE("Python's own: OrderedDict, defaultdict, Counter") {
  CHECK(called("collections", "OrderedDict", args().empty_tuple()) == "OrderedDict{}");
  CHECK(called("collections", "OrderedDict",
               args().empty_list().empty_list().str("k").append().integer(1).append().append().op(Op::TUPLE1)) == "OrderedDict{'k': 1}");
  CHECK(called("collections", "OrderedDict", args().ints({1, 2}).op(Op::TUPLE1).op(Op::TUPLE1)) == "OrderedDict{1: 2}");
  CHECK(called("collections", "Counter", args().empty_dict().str("a").integer(2).setitem().op(Op::TUPLE1)) == "Counter{'a': 2}");
  CHECK(called("collections", "defaultdict", args().global("builtins", "list").op(Op::TUPLE1)) == "defaultdict{}");
  CHECK(called("collections", "defaultdict", args().none().empty_dict().op(Op::TUPLE2)) == "defaultdict{}");
  for (const auto& other : {args().ints({1}), args().ints({1, 2}), args().ints({1}).op(Op::TUPLE1), args().str("ab").op(Op::TUPLE1)})
    CHECK(called("collections", "OrderedDict", other) == "object");
  CHECK(text_of_pickle(Pickle(2).ordered_dict().str("a").integer(1).setitem()) == "OrderedDict{'a': 1}");
  CHECK(made_by_pickle(Pickle(2).ordered_dict().empty_dict().build()) == "OrderedDict{}<REDUCE collections.OrderedDict () BUILD {}>");
}

TEST_CASE("Python's own: deque, set, frozenset, bytes, bytearray, complex") {
  CHECK(called("collections", "deque", args().empty_list().integer(1).append().integer(5).op(Op::TUPLE2)) == "deque[1]");
  CHECK(text_of_pickle(Pickle(2).global("collections", "deque").empty_tuple().reduce().integer(1).append()) == "deque[1]");
  CHECK(called("__builtin__", "set", args().empty_list().integer(1).append().op(Op::TUPLE1)) == "set{1}");
  CHECK(called("builtins", "frozenset", args().ints({1, 2}).op(Op::TUPLE1)) == "frozenset{1, 2}");
  CHECK(called("_codecs", "encode", args().str("\xC2\x80\x41").str("latin1").op(Op::TUPLE2)) == "b'\x80\x41'");
  CHECK(called("_codecs", "encode", args().str("é").op(Op::TUPLE1)) == "b'é'");
  CHECK(called("_codecs", "encode", args().str("\xC4\x80").str("latin1").op(Op::TUPLE2)) == "object");
  CHECK(called("_codecs", "encode", args().str("a").str("rot13").op(Op::TUPLE2)) == "object");
  CHECK(called("__builtin__", "bytes", args().empty_tuple()) == "b''");
  CHECK(called("builtins", "bytearray", args().str("a").str("latin-1").op(Op::TUPLE2)) == "bytearray'a'");
  CHECK(called("builtins", "bytearray", args().op(Op::SHORT_BINBYTES, "xy").op(Op::TUPLE1)) == "bytearray'xy'");
  CHECK(called("builtins", "bytearray", args().integer(1000).op(Op::TUPLE1)) == "object");
  CHECK(called("builtins", "complex", args().floating(1).integer(2).op(Op::TUPLE2)) == "(1.0,2.0)");
  CHECK(called("builtins", "complex", args().str("1").integer(2).op(Op::TUPLE2)) == "object");
  CHECK(called("builtins", "set", args().ints({1, 2})) == "object");
}

TEST_CASE("torch.Size, device, layout are tuples; dtypes are names") {
  CHECK(called("torch", "Size", args().ints({2, 3}).op(Op::TUPLE1)) == "Size(2, 3)");
  CHECK(called("torch", "Size", args().ints({2, 3})) == "object");
  CHECK(called("torch", "device", args().str("cuda").integer(1).op(Op::TUPLE2)) == "device('cuda', 1)");
  CHECK(called("torch.serialization", "_get_layout", args().str("torch.strided").op(Op::TUPLE1)) == "layout('torch.strided',)");
  CHECK(called("torch", "float32", args().empty_tuple()) == "object");
  CHECK(dtype_of_global(RunPickle(Pickle(2).global("torch", "float32")).value()) == DType::float32);
  CHECK(dtype_of_global(RunPickle(Pickle(2).global("torch", "double")).value()) == std::nullopt);
}

TEST_CASE("names: Python 2's are read as Python 3's in protocols 0 to 2, and the spelling is kept") {
  CHECK(made_by_pickle(Pickle(2).global("__builtin__", "unicode")) == "builtins.str(__builtin__ unicode)");
  CHECK(made_by_pickle(Pickle(0).global("copy_reg", "_reconstructor")) == "copyreg._reconstructor(copy_reg _reconstructor)");
  CHECK(made_by_pickle(Pickle(3).global("__builtin__", "unicode")) == "__builtin__.unicode");
  const RunPickle run(Pickle(4).op(Op::SHORT_BINUNICODE, "m").op(Op::MEMOIZE).op(Op::SHORT_BINUNICODE, "A.B").op(Op::STACK_GLOBAL));
  CHECK(run.text(true) == "m.A.B[m,A.B]");
  CHECK(run.inside(global_of(run.value()).name_text.text));
}

TEST_CASE("persistent ids: unknown ones stay inert; 'module' stands for its class") {
  CHECK(made_by_pickle(Pickle(2).integer(3).op(Op::BINPERSID)) == "object<PERSID 3>");
  CHECK(made_by_pickle(Pickle(0).op(Op::PERSID, "the id")) == "object<PERSID 'the id'>");
  CHECK(made_by_pickle(Pickle(2).mark().str("other").tuple().op(Op::BINPERSID)) == "object<PERSID ('other',)>");
  Pickle module(2);
  module.mark().str("module").global("my", "Net").str("net.py").str("class Net").tuple().op(Op::BINPERSID);
  CHECK(text_of_pickle(module) == "my.Net");
  CHECK(made_by_pickle(Pickle(module).empty_tuple().op(Op::NEWOBJ)) ==
        "object<NEWOBJ my.Net<PERSID ('module', ^2, 'net.py', 'class Net')> ()>");
}

TEST_CASE("kept for the writer: identity of strings, what was put, what was fetched") {
  const RunPickle run(
      Pickle(2).mark().str("a").put(0).str("a").get(0).integer(1).put(1).ints({1, 2}).put(2).ints({1, 2}).put(3).get(3).tuple());
  const auto items = tuple_of(run.value()).items();
  REQUIRE(items.size() == 7);
  CHECK(same_object(items[0], items[2]));
  CHECK_FALSE(same_object(items[0], items[1]));
  CHECK(keys_equal(items[0], items[1]));
  CHECK(run.inside(items[0].text));
  CHECK((items[0].flags & kMemoised) != 0);
  CHECK((items[1].flags & kMemoised) == 0);
  CHECK((items[3].flags & kMemoised) != 0);
  CHECK((items[4].node->flags & (kMemoised | kFetched)) == kMemoised);
  CHECK((items[5].node->flags & (kMemoised | kFetched)) == (kMemoised | kFetched));
  CHECK(items[5].node == items[6].node);
}
