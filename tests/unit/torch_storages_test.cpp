// SPDX-License-Identifier: MIT
// Storages from persistent ids: what an id must be, views, and one storage named twice.
#include "support/run_pickle.hpp"
#include "support/torch_file.hpp"

using namespace brine;
using namespace brine::test;

TEST_CASE("storages: persistent ids that cannot be") {
  const auto id = [](const Pickle& parts) {
    Pickle p(2);
    return p.mark().raw(parts.unfinished()).tuple();
  };
  const auto check = [&](const Pickle& parts, ErrorCode code, ErrorKind kind = ErrorKind::corrupt) {
    const Pickle before = id(parts);
    check_last(before, Pickle(before).op(Op::BINPERSID), code, "BINPERSID", kind);
  };
  const auto start = [](std::string_view cls, std::string_view key) { return Pickle(0).str("storage").global("torch", cls).str(key); };
  check(Pickle(0).str("storage"), ErrorCode::persistent_id);
  check(start("FloatStorage", "0").str("cpu"), ErrorCode::persistent_id);
  check(start("FloatStorage", "0").str("cpu").integer(1).none().none(), ErrorCode::persistent_id);
  check(Pickle(0).str("storage").str("FloatStorage").str("0").str("cpu").integer(1), ErrorCode::persistent_id);
  check(start("FloatStorage", "0").integer(0).integer(1), ErrorCode::persistent_id);
  check(start("FloatStorage", "0").str("cpu").integer(4).integer(1), ErrorCode::persistent_id);
  check(start("FloatStorage", "0").str("cpu").integer(4).ints({1, 2}), ErrorCode::persistent_id);
  check(start("StrangeStorage", "0").str("cpu").integer(1), ErrorCode::storage_class, ErrorKind::unsupported);
  for (const std::string_view key :
       {std::string_view(""), std::string_view("a b"), std::string_view("../x"), std::string_view("a\0", 2), std::string_view("ä")})
    check(start("FloatStorage", key).str("cpu").integer(1), ErrorCode::storage_key);
  check(Pickle(0).str("storage").global("torch", "FloatStorage").integer(0).str("cpu").integer(1), ErrorCode::storage_key);
  check(start("FloatStorage", "0").str("cpu").integer(-1), ErrorCode::storage_size);
  check(start("FloatStorage", "0").str("cpu").integer(INT64_MAX / 2), ErrorCode::storage_size);
  check(start("FloatStorage", "0").str("cpu").str("4"), ErrorCode::storage_size);
  check(start("FloatStorage", "0").str("cpu").integer(4).str("v").integer(2).integer(3).op(Op::TUPLE3), ErrorCode::storage_size);
  check(start("FloatStorage", "0").str("cpu").integer(4).str("v").integer(-1).integer(3).op(Op::TUPLE3), ErrorCode::storage_size);
  CHECK(text_of_pickle(
            id(start("FloatStorage", "0").str("cpu").integer(4).str("v").integer(1).integer(3).op(Op::TUPLE3)).op(Op::BINPERSID)) ==
        "storage(0 float32 16 view 1+3)");
  CHECK(text_of_pickle(id(start("FloatStorage", "0").none().integer(4)).op(Op::BINPERSID)) == "storage(0 float32 16)");
}

TEST_CASE("one storage under two classes is of the first, as torch.load reads it; one without bytes is made each time") {
  Pickle p(2);
  p.mark().storage("FloatStorage", "0", 4).storage("LongStorage", "0", 2).tuple();
  CHECK(text_of_pickle(p) == "(storage(0 float32 16), storage(0 float32 16))");
  Pickle empty(2);
  empty.mark().storage("FloatStorage", "0", 0).storage("LongStorage", "0", 0).tuple();
  CHECK(text_of_pickle(empty) == "(storage(0 float32 0), storage(0 int64 0))");
  Pickle before(2);
  before.mark().storage("FloatStorage", "0", 4);
  Pickle other(0);
  other.storage("FloatStorage", "0", 5);
  const std::string id = other.unfinished();
  before.raw(id.substr(0, id.size() - 1));
  check_last(before, Pickle(before).op(Op::BINPERSID), ErrorCode::storage_size, "BINPERSID");
}

TEST_CASE("views and storages share their keys: one key for two things is refused") {
  const auto both = [](const Pickle& first, const Pickle& second) {
    Pickle p(2);
    p.mark().raw(first.unfinished()).raw(second.unfinished()).tuple();
    return p;
  };
  const auto view = [](std::string_view cls, std::string_view root, std::string_view key, int offset, int numel) {
    return Pickle(0).mark().str("storage").global("torch", cls).str(root).str("cpu").integer(4).str(key).integer(offset).integer(numel).op(Op::TUPLE3).tuple().op(Op::BINPERSID);
  };
  const auto whole = [](std::string_view key) { return Pickle(0).storage("FloatStorage", key, 4, "cpu", true); };
  CHECK(text_of_pickle(both(view("FloatStorage", "0", "v", 1, 2), view("FloatStorage", "0", "v", 1, 2))) == "(storage(0 float32 16 view 1+2), storage(0 float32 16 view 1+2))");
  CHECK(text_of_pickle(both(whole("0"), view("IntStorage", "0", "v", 1, 2))) == "(storage(0 float32 16), storage(0 int32 16 view 1+2))");
  for (const Pickle& p : {both(view("FloatStorage", "0", "v", 1, 2), view("FloatStorage", "0", "v", 2, 2)), both(view("FloatStorage", "0", "v", 1, 2), view("IntStorage", "0", "v", 1, 2)),
                          both(view("FloatStorage", "0", "v", 1, 2), view("FloatStorage", "1", "v", 1, 2)), both(whole("0"), view("FloatStorage", "1", "0", 0, 2)),
                          both(view("FloatStorage", "1", "0", 0, 2), whole("0")), Pickle(2).raw(view("FloatStorage", "0", "0", 0, 4).unfinished())})
    CHECK(name(RunPickle(p).error().code()) == name(ErrorCode::storage_key));
}

TEST_CASE("views and classes' sources belong to legacy streams: PyTorch reads neither in a zip") {
  Pickle six(2);
  six.mark().storage("FloatStorage", "0", 3, "cpu", true).tuple();
  check_load(torch_zip(six, {{"0", counting(3)}}), ErrorKind::corrupt, ErrorCode::persistent_id);
  CHECK(load(source_over(legacy_stream(six, {{"0", counting(3)}}))).has_value());

  Pickle module(2);
  module.mark().str("module").global("__main__", "Net").str("net.py").str("class Net").tuple().op(Op::BINPERSID);
  const Checkpoint zip = open_zip(module, {}), stream = open_file(legacy_stream(module, {}));
  CHECK(zip.sources().empty());
  CHECK(stream.sources().size() == 1);
}
