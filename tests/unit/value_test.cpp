// SPDX-License-Identifier: MIT
// Value: every accessor; missing key, wrong kind and None told apart; paths in messages; what it borrows.
#include "support/torch_file.hpp"

using namespace brine;
using namespace brine::test;

namespace {

Pickle tree() {
  Pickle p(4);
  p.empty_dict().mark();
  p.str("epoch").integer(3).str("flag").boolean(true).str("lr").floating(0.5).str("big").op(Op::LONG1,
                                                                                            std::string(8, '\xFF') + std::string(1, '\0'));
  p.str("none").none().str("text").str("hi").str("bytes").op(Op::SHORT_BINBYTES, "ab").str("array").op(Op::SHORT_BINBYTES, "c");
  p.str("list").empty_list().mark().integer(10).empty_dict().str("x").vector("0", 2).setitem().op(Op::APPENDS);
  p.integer(1).str("one").str("dtype").global("torch", "float16").str("storage").storage("FloatStorage", "0", 2);
  p.str("z").global("builtins", "complex").floating(1).floating(2).op(Op::TUPLE2).reduce();
  p.str("set").op(Op::EMPTY_SET).mark().integer(5).op(Op::ADDITEMS);
  p.str("object").global("m", "C").integer(8).op(Op::TUPLE1).empty_dict().str("kw").integer(9).setitem().op(Op::NEWOBJ_EX);
  p.integer(11).append().str("item").integer(12).setitem().empty_dict().str("attr").integer(13).setitem().build();
  return p.op(Op::SETITEMS);
}

struct Fixture {
  Checkpoint ckpt = open_zip(tree(), {{"0", counting(2)}});
  Value root = ckpt.root();
};

template <class T>
void check_usage(const Result<T>& result, ErrorCode code, std::string_view path) {
  const Error error = check_code(result, ErrorKind::usage, code);
  CHECK(error.place().path == path);
  CHECK(error.place().file == "m.pth");
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "scalars, by their kind only") {
  CHECK(root["epoch"].as_int().value() == 3);
  CHECK(root["epoch"].as_double().value() == 3.0);
  CHECK(root["flag"].as_bool().value());
  CHECK(root["lr"].as_double().value() == 0.5);
  CHECK(root["text"].as_string().value() == "hi");
  CHECK(root["bytes"].as_bytes().value().size() == 2);
  CHECK(root["big"].as_big_int().value() == "18446744073709551615");
  CHECK(root["epoch"].as_big_int().value() == "3");
  CHECK(root["z"].as_complex().value() == std::complex<double>(1, 2));
  CHECK(root["dtype"].as_global().value().name == "float16");
  CHECK(root["storage"].as_storage().value().nbytes() == 8);
  CHECK(root["none"].is_none());
  check_usage(root["flag"].as_int(), ErrorCode::wrong_kind, "flag");
  check_usage(root["epoch"].as_bool(), ErrorCode::wrong_kind, "epoch");
  check_usage(root["lr"].as_int(), ErrorCode::wrong_kind, "lr");
  check_usage(root["big"].as_int(), ErrorCode::does_not_fit, "big");
  check_usage(root["big"].as_double(), ErrorCode::does_not_fit, "big");
  check_usage(root["text"].as_bytes(), ErrorCode::wrong_kind, "text");
  check_usage(root["bytes"].as_string(), ErrorCode::wrong_kind, "bytes");
}

TEST_CASE_FIXTURE(Fixture, "None, a missing key, another kind: three codes, with the path") {
  check_usage(root["none"].as_int(), ErrorCode::is_none, "none");
  check_usage(root["absent"].as_int(), ErrorCode::missing_key, "absent");
  check_usage(root["list"].as_int(), ErrorCode::wrong_kind, "list");
  check_usage(root["list"][2].as_int(), ErrorCode::index_out_of_range, "list.2");
  check_usage(root["list"][-1].as_int(), ErrorCode::index_out_of_range, "list.-1");
  check_usage(root["list"][1]["y"].as_tensor(), ErrorCode::missing_key, "list.1.y");
  check_code(Value().as_int(), ErrorKind::usage, ErrorCode::missing_key);
}

TEST_CASE_FIXTURE(Fixture, "the first fault is remembered, however far one goes on") {
  const Value far = root["absent"]["further"][3].attr("on");
  CHECK_FALSE(far.exists());
  check_usage(far.as_string(), ErrorCode::missing_key, "absent");
  check_usage(root["epoch"]["x"]["y"].as_int(), ErrorCode::wrong_kind, "epoch");
  check_usage(root["none"]["x"].as_int(), ErrorCode::is_none, "none");
  check_usage(root["object"].attr("no").attr("way").as_int(), ErrorCode::missing_key, "object.no");
}

TEST_CASE_FIXTURE(Fixture, "containers: size, keys of every kind, positions, iteration") {
  CHECK(root.size() == 15);
  CHECK(root[1].as_string().value() == "one");
  CHECK(root["list"][0].as_int().value() == 10);
  CHECK(root["list"].size() == 2);
  CHECK(root["set"][0].as_int().value() == 5);
  CHECK(floats(root["list"][1]["x"].as_tensor().value()) == "0 1");
  CHECK(root["list"][1]["x"].path() == "list.1.x");
  std::size_t items = 0;
  for (const auto& [key, value] : root.items()) {
    CHECK(root[key].same_object(value));
    ++items;
  }
  CHECK(items == 15);
  std::string paths;
  for (const Value& v : root["list"].elements()) paths += v.path() + " ";
  CHECK(paths == "list.0 list.1 ");
  CHECK(root["epoch"].items().size() == 0);
  CHECK(root["epoch"].elements().size() == 0);
  CHECK(root.elements().size() == 0);
  CHECK(root["text"].size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "objects: callee, arguments, items, state, attributes") {
  const Value object = root["object"];
  CHECK(object.kind() == Kind::object);
  CHECK(object.type_name() == "m.C");
  CHECK(object.callee().as_global().value().module == "m");
  CHECK(object.args()[0].as_int().value() == 8);
  CHECK(object.args()[0].path() == "object.args.0");
  CHECK(object.kwargs()["kw"].as_int().value() == 9);
  CHECK(object.list_items()[0].as_int().value() == 11);
  CHECK(object.dict_items()["item"].as_int().value() == 12);
  CHECK(object.state()["attr"].as_int().value() == 13);
  CHECK(object.attr("attr").as_int().value() == 13);
  CHECK(object.attr("attr").path() == "object.attr");
  for (const Value& v : {root["list"].callee(), root["epoch"].args(), root["epoch"].kwargs(), root["epoch"].state(),
                         root["list"].list_items(), root["list"].dict_items()})
    CHECK_FALSE(v.exists());
}

TEST_CASE_FIXTURE(Fixture, "identity, type names, kinds") {
  CHECK(root["list"].same_object(ckpt.root()["list"]));
  CHECK_FALSE(root["list"].same_object(root["list"][1]));
  CHECK(root["none"].type_name() == "NoneType");
  CHECK(root["array"].kind() == Kind::bytes);
  CHECK(name(Kind::frozenset) == "frozenset");
  CHECK(Value().kind() == Kind::absent);
}

TEST_CASE_FIXTURE(Fixture, "places by path, as the listing has them") {
  CHECK(ckpt.at("").same_object(root));
  CHECK(ckpt.at("list.1.x").kind() == Kind::tensor);
  CHECK(ckpt.at("1").as_string().value() == "one");
  CHECK(ckpt.at("object.args.0").as_int().value() == 8);
  CHECK(ckpt.at("object.kwargs.kw").as_int().value() == 9);
  CHECK(ckpt.at("object.attr").as_int().value() == 13);
  CHECK_FALSE(ckpt.at("list.1.x.").exists());
  CHECK_FALSE(ckpt.at("lis").exists());
  CHECK_FALSE(ckpt.at("list.").exists());
  const Checkpoint dots = open_zip(Pickle(2).empty_dict().mark().str("a").empty_dict().str("b.c").integer(1).setitem().str("a.b")
                                       .empty_dict().str("d").integer(2).setitem().op(Op::SETITEMS),
                                   {});
  CHECK(dots.at("a.b.c").as_int().value() == 1);
  CHECK(dots.at("a.b.d").as_int().value() == 2);
  const Checkpoint cycle = open_zip(Pickle(2).empty_list().put(0).get(0).append(), {});
  CHECK(cycle.at("0.0.0.0").exists());
}
