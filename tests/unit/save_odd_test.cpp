// SPDX-License-Identifier: MIT
// What no honest pickler writes: it is saved as it was read, in no more bytes than it came in, or refused.
#include "support/saved.hpp"
#include "support/torch_file.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>

using namespace brine;
using namespace brine::test;

namespace {

std::string again(const Checkpoint& ckpt, const SaveOptions& options = {}) {
  const auto out = saved(ckpt.root(), options);
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

Pickle grown(const char* module, const char* name, bool pairs) {
  Pickle p(2);
  p.empty_list().empty_list().put(1);
  if (pairs) p.str("k").integer(1).op(Op::TUPLE2);
  else p.integer(1);
  p.append().append();  // [[item]]
  return p.global(module, name).get(1).op(Op::TUPLE1).reduce().append();
}

}  // namespace

TEST_CASE("what a call has read may not grow: saved, it would be read otherwise") {
  for (const auto& [module, name, pairs] : {std::tuple("collections", "OrderedDict", true), std::tuple("builtins", "set", false), std::tuple("builtins", "frozenset", false),
                                            std::tuple("collections", "deque", false), std::tuple("collections", "Counter", false)}) {
    CAPTURE(name);
    open_zip(grown(module, name, pairs), {});
    Pickle p = grown(module, name, pairs);
    check_load(torch_zip(p.get(1).integer(7).append().append(), {}), ErrorKind::unsupported, ErrorCode::pickle_target);
    Pickle opaque = grown("anybody", name, pairs);  // who knows what it makes of a live list
    open_zip(opaque.get(1).integer(7).append().append(), {});
  }
  Pickle pair(2);  // of an OrderedDict's pairs, a list that grows
  pair.empty_list().global("collections", "OrderedDict").empty_list().empty_list().put(1).str("k").append().integer(1).append().append().op(Op::TUPLE1).reduce().append();
  open_zip(pair, {});
  check_load(torch_zip(pair.get(1).integer(7).append().append(), {}), ErrorKind::unsupported, ErrorCode::pickle_target);
  Pickle value(2);  // what its values hold may grow: recursive objects do
  value.empty_list().put(2).global("collections", "OrderedDict").empty_list().str("k").get(2).op(Op::TUPLE2).append().op(Op::TUPLE1).reduce().append();
  const auto ckpt = open_zip(value, {});
  CHECK(ckpt.root()[0]["k"].same_object(ckpt.root()));
  const auto back = open_file(again(ckpt));
  CHECK(back.root()[0]["k"].size() == 1);
}

TEST_CASE("a set that grew by an opcode of protocol 4 is saved whole by protocol 2") {
  Pickle p(4);
  p.global("builtins", "set").empty_list().integer(1).append().op(Op::TUPLE1).reduce().mark().integer(2).integer(1).op(Op::ADDITEMS);
  const auto ckpt = open_zip(p, {});
  CHECK(ckpt.root().size() == 2);
  for (const int protocol : {2, 3, 4}) {
    const auto back = open_file(again(ckpt, {.protocol = protocol}));
    CHECK(back.root().size() == 2);
  }
}

TEST_CASE("a deque keeps its last items, as many as it may") {
  Pickle p(2);
  p.global("collections", "deque").empty_list().integer(1).append().integer(3).op(Op::TUPLE2).reduce();
  for (int i = 2; i < 10'000; ++i) p.integer(i).append();
  const auto ckpt = open_file(again(open_zip(p, {})));
  REQUIRE(ckpt.root().size() == 3);
  CHECK(ckpt.root()[0].as_int().value() == 9'997);
  CHECK(ckpt.root()[2].as_int().value() == 9'999);
}

TEST_CASE("an int of many bytes in many places is written once, as it was read; an honest one each time") {
  const std::string bytes(100'000, '\x7F');
  Pickle p(2);
  p.op(Op::LONG4, bytes).put(1).empty_list();
  for (int i = 0; i < 1'000; ++i) p.get(1).append();
  const std::string file = again(open_zip(p.op(Op::TUPLE2), {}));
  CHECK(file.size() < 120'000);
  const auto ckpt = open_file(file);
  CHECK(ckpt.root()[1].size() == 1'000);
  CHECK(ckpt.root()[1][999].same_object(ckpt.root()[0]));
  Pickle digits(1);
  digits.op(Op::LONG, std::string(4'000, '9')).op(Op::LONG, std::string(4'000, '9') + "L").raw("\x86");
  CHECK(again(open_zip(digits, {}), {.protocol = 1}).find(std::string(4'000, '9') + "L\nL" + std::string(4'000, '9')) != std::string::npos);
  check_load(torch_zip(Pickle(0).op(Op::LONG, std::string(200'000, '9')), {}), ErrorKind::unsupported, ErrorCode::pickle_text);
}

TEST_CASE("INST names a class as the protocol does") {
  const auto ckpt = open_zip(Pickle(2).mark().raw("i__builtin__\nobject\n"), {});
  CHECK(again(ckpt).find("i__builtin__\nobject\n") != std::string::npos);
  CHECK(again(ckpt, {.protocol = 4}).find("ibuiltins\nobject\n") != std::string::npos);
}

TEST_CASE("a name that Python 2 had for another module is refused below protocol 3, where it would be read as that") {
  Pickle p(4);
  p.global("__builtin__", "set").integer(1).op(Op::TUPLE1).reduce();
  const auto ckpt = open_zip(p, {});
  CHECK(ckpt.root().type_name() == "__builtin__.set");
  for (const int protocol : {1, 2, 3, 4}) {
    CAPTURE(protocol);
    SaveOptions options;
    options.protocol = protocol;
    std::vector<std::byte> out;
    const auto done = save(ckpt.root(), Sink::memory(out), options);
    CHECK(done.has_value() == (protocol >= 3));
    if (done) {
      const auto back = open_file(again(ckpt, options));
      CHECK(back.root().type_name() == "__builtin__.set");
    } else {
      CHECK(done.error().message().find("would be read as builtins.set") != std::string::npos);
    }
  }
  Pickle old(2);
  old.global("__builtin__", "frozenset").put(0).op(Op::POP).global("__builtin__", "thing").integer(1).op(Op::TUPLE1).reduce();
  const auto python2 = open_zip(old, {});
  CHECK(python2.root().type_name() == "builtins.thing");
  const auto back = open_file(again(python2));
  CHECK(back.root().type_name() == "builtins.thing");
}

TEST_CASE("a deque in a set in the deque's own items: refused where the set is made by a call, kept where it is filled later") {
  Pickle p(4);
  p.op(Op::EMPTY_SET).put(5).mark().global("collections", "deque").empty_list().mark().integer(0).get(5).op(Op::APPENDS).integer(1).op(Op::TUPLE2).reduce().integer(7).op(Op::ADDITEMS);
  const auto ckpt = open_zip(p, {});
  CHECK(ckpt.root().size() == 2);
  SaveOptions options;
  options.protocol = 4;
  const auto back = open_file(again(ckpt, options));
  CHECK(back.root().size() == 2);
  options.protocol = 2;
  std::vector<std::byte> out;
  const auto refused = save(ckpt.root(), Sink::memory(out), options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::unsupported);
}

TEST_CASE("a set in itself is refused below protocol 4; by way of an object it is written twice, as by Python") {
  const auto saves = [](const Pickle& p, int protocol) -> std::string {
    const auto ckpt = open_zip(p, {});
    SaveOptions options;
    options.protocol = protocol;
    std::vector<std::byte> out;
    const auto done = save(ckpt.root(), Sink::memory(out), options);
    if (!done) return std::string(name(done.error().kind()));
    const auto back = open_file({reinterpret_cast<const char*>(out.data()), out.size()});
    return back.print();
  };
  Pickle itself(4), pair(4), object(4);
  itself.op(Op::EMPTY_SET).put(0).mark().str("a").get(0).op(Op::ADDITEMS);
  pair.op(Op::EMPTY_SET).put(0).mark().op(Op::EMPTY_SET).put(1).mark().get(0).integer(1).op(Op::TUPLE1).op(Op::ADDITEMS).op(Op::ADDITEMS);  // one in the other, and back
  object.op(Op::EMPTY_SET).put(0).mark();
  for (int i = 0; i < 3; ++i) object.global("m", "C").empty_tuple().op(Op::NEWOBJ).empty_dict().str("all").get(0).setitem().build();
  object.op(Op::ADDITEMS);
  for (const Pickle* p : {&itself, &pair}) {
    CHECK(saves(*p, 2) == "unsupported");
    CHECK(saves(*p, 4).starts_with(p == &itself ? "set (2)\n" : "set (1)\n"));
  }
  CHECK(saves(object, 2).starts_with("set (3)\n"));
  CHECK(saves(object, 4).starts_with("set (3)\n"));
}

TEST_CASE("two dtypes in one storage: refused only in the other byte order, where PyTorch swaps the storage by its own") {
  Pickle p = Pickle(2).global("torch._utils", "_rebuild_tensor_v3").mark().storage("FloatStorage", "0", 2).integer(0).ints({8}).ints({1}).boolean(false).ordered_dict();
  p.global("torch", "uint8").empty_dict().tuple().reduce();
  ZipShape big;
  big.byteorder = "big";
  CHECK(root_tensor(open_file(torch_zip(p, {{"0", counting(2)}}))).numel() == 8);
  check_load(torch_zip(p, {{"0", counting(2)}}, big), ErrorKind::unsupported, ErrorCode::foreign_byte_order);
  CHECK(root_tensor(open_file(torch_zip(Pickle(2).vector("0", 2), {{"0", counting(2)}}, big))).numel() == 2);
}

TEST_CASE("a long location is refused, by the name of the limit") {
  const auto file = [](std::size_t size) {
    Pickle p = Pickle(2).global("torch._utils", "_rebuild_tensor_v2").mark();
    return torch_zip(p.storage("FloatStorage", "0", 1, std::string(size, 'c')).integer(0).ints({1}).ints({1}).boolean(false).ordered_dict().tuple().reduce(), {{"0", counting(1)}});
  };
  CHECK(root_tensor(open_file(file(255))).device().size() == 255);
  const Error e = check_load(file(256), ErrorKind::limit, ErrorCode::device_too_long);
  CHECK(e.text().find("Limits::device_bytes") != std::string::npos);
  LoadOptions options;
  options.limits.device_bytes = 256;
  open_file(file(256), options);
  const auto nowhere = open_file(file(0));  // torch.load(map_location=…) takes it
  const auto back = open_file(again(nowhere));
  CHECK(root_tensor(back).device().empty());
}

TEST_CASE("a storage of torch.storage._load_from_bytes leaves the tensor an object, and the file whole") {
  Pickle p = Pickle(2).global("torch._utils", "_rebuild_tensor_v2").mark();
  p.global("torch.storage", "_load_from_bytes").str("…").op(Op::TUPLE1).reduce().integer(0).ints({1}).ints({1}).boolean(false).ordered_dict().tuple().reduce();
  const auto ckpt = open_zip(p, {});
  CHECK(ckpt.root().kind() == Kind::object);
}

TEST_CASE("views of one storage without bytes are tensors of their own, as torch.load makes them; by keys they stay one") {
  Pickle p(2);
  p.empty_list();
  for (int i = 0; i < 2; ++i) p.tensor({.key = "0", .numel = 0, .size = {0}, .stride = {1}}).append();
  const auto ckpt = open_zip(p, {{"0", ""}});
  const auto plain = open_file(again(ckpt)), as_read = open_file(again(ckpt, SaveOptions::as_read(ckpt)));
  CHECK(plain.root()[1].as_tensor().value().storage().key() == "1");
  CHECK(as_read.root()[1].as_tensor().value().storage().key() == "0");
}

TEST_CASE("a record without a CRC among others stays one, as skip_data() writes storages") {
  ZipBuilder zip;
  zip.torch("archive/data.pkl", Pickle(2).vector("0", 100).bytes());
  zip.torch("archive/byteorder", "little");
  ZipRecord& storage = zip.torch("archive/data/0", counting(100));
  storage.entry.crc = 0;
  std::fill_n(storage.descriptor.begin() + 4, 4, '\0');
  zip.torch("archive/version", "3\n");
  const auto ckpt = open_file(zip.lay_out().bytes());
  CHECK_FALSE(root_tensor(ckpt).storage().verify_crc().value());
  CHECK_FALSE(root_tensor(open_file(again(ckpt, SaveOptions::as_read(ckpt)))).storage().verify_crc().value());
  CHECK(root_tensor(open_file(again(ckpt))).storage().verify_crc().value());
}

TEST_CASE("a stream whose first block is a tar header, too, is not read as a stream") {
  std::string file = legacy_stream(Pickle(2).str(std::string(600, 'x')), {});
  open_file(file);
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(file[i]);
  REQUIRE(file.substr(148, 8).find_first_not_of('x') == std::string::npos);  // within the text
  char octal[9];
  std::snprintf(octal, sizeof octal, "%06o", sum);
  std::memcpy(&file[148], octal, 7);
  file[155] = ' ';
  check_load(file, ErrorKind::not_a_checkpoint, ErrorCode::other_format);
}

TEST_CASE("a storage that is viewed as two dtypes is not written: torch.load would read both as the first, and torch.save refuses, too") {
  Pickle p(2);
  p.mark().tensor({.key = "0", .numel = 4, .size = {4}, .stride = {1}, .legacy = true});
  p.global("torch._utils", "_rebuild_tensor_v2").mark();
  p.mark().str("storage").global("torch", "IntStorage").str("0").str("cpu").integer(4).str("v").integer(2).integer(2).op(Op::TUPLE3).tuple().op(Op::BINPERSID);
  p.integer(0).ints({2}).ints({1}).boolean(false).ordered_dict().tuple().reduce().tuple();
  const auto ckpt = open_file(legacy_stream(p, {{"0", counting(4)}}));
  CHECK(ckpt.root()[1].as_tensor().value().dtype() == DType::int32);
  std::vector<std::byte> out;
  const auto saved = save(ckpt.root(), Sink::memory(out));
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code() == ErrorCode::wrong_dtype);
}

TEST_CASE("what Python and PyTorch have takes no state") {
  check_load(torch_zip(Pickle(2).global("_codecs", "encode").empty_dict().build(), {}), ErrorKind::corrupt, ErrorCode::pickle_target);
  check_load(torch_zip(Pickle(2).global("torch._utils", "_rebuild_tensor_v2").empty_dict().build(), {}), ErrorKind::corrupt, ErrorCode::pickle_target);
  open_zip(Pickle(2).global("my", "Class").empty_dict().build(), {});
}

TEST_CASE("a class that is named twice is one object when it is written") {
  Pickle p(2);
  p.mark().ordered_dict().ordered_dict().tuple();
  const std::string saved = again(open_zip(p, {}));
  const std::size_t first = saved.find("OrderedDict");
  REQUIRE(first != std::string::npos);
  CHECK(saved.find("OrderedDict", first + 1) == std::string::npos);
}
