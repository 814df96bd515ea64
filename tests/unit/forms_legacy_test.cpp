// SPDX-License-Identifier: MIT
// Legacy streams: views, several objects, Python 2 headers, every cut, keys and counts that do not agree, sources read in small pieces.
#include "support/torch_file.hpp"

using namespace brine;
using namespace brine::test;

namespace {

Pickle vector_dict() { return Pickle(2).empty_dict().mark().str("a").vector("11", 3, true).str("b").vector("7", 2, true).op(Op::SETITEMS); }
std::string stream() { return legacy_stream(vector_dict(), {{"11", counting(3)}, {"7", counting(2)}}); }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a stream: tensors, end, format") {
  CHECK(legacy_header().size() == 137);
  const std::string bytes = stream();
  const Checkpoint ckpt = open_file(bytes);
  CHECK(ckpt.format() == Format::legacy);
  CHECK(name(ckpt.format()) == "legacy");
  CHECK(ckpt.end_offset() == bytes.size());
  CHECK(ckpt.notes().empty());
  CHECK(floats(ckpt.root()["a"].as_tensor().value()) == "0 1 2");
  CHECK(floats(ckpt.root()["b"].as_tensor().value()) == "0 1");
  CHECK(ckpt.root()["b"].as_tensor().value().storage().location()->offset == bytes.size() - 8);
  CHECK_FALSE(ckpt.root()["b"].as_tensor().value().storage().verify_crc().value());
}

TEST_CASE("headers of other makers: Python 2, protocols 0 and 4") {
  const std::string rest = stream().substr(137);
  Pickle magic0(0), version0(0), info0(0);
  magic0.op(Op::LONG, "119547037146038801333356L");
  version0.op(Op::INT, "1001");
  info0.mark().op(Op::STRING, "'protocol_version'").op(Op::PUT, "1").op(Op::INT, "1001").op(Op::DICT);
  CHECK(open_file(magic0.bytes() + version0.bytes() + info0.bytes() + rest).tensors().size() == 2);
  Pickle magic4(4), version4(4), info4(4);
  magic4.op(Op::FRAME, 13).op(Op::LONG1, "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19");
  CHECK(open_file(magic4.bytes() + version4.integer(1001).bytes() + info4.empty_dict().bytes() + rest).tensors().size() == 2);
  const std::string big = legacy_header().substr(0, 21) +
                          Pickle(2).empty_dict().op(Op::SHORT_BINSTRING, "little_endian").boolean(false).setitem().bytes() + rest;
  CHECK(floats(tensor_under(open_file(big), "b")) == "0 1");  // the data is little-endian whatever the machine was
}

TEST_CASE("headers that are none") {
  const std::string rest = stream().substr(137);
  check_load(Pickle(2).integer(1).bytes() + rest, ErrorKind::unsupported, ErrorCode::other_format);
  check_load(Pickle(2).op(Op::LONG1, "\x6D\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19").bytes() + rest, ErrorKind::unsupported,
             ErrorCode::other_format);
  const std::string magic = legacy_header().substr(0, 15);
  check_load(magic + Pickle(2).integer(1002).bytes() + rest, ErrorKind::corrupt, ErrorCode::legacy_header);
  check_load(magic + Pickle(2).str("1001").bytes() + rest, ErrorKind::corrupt, ErrorCode::legacy_header);
  check_load(magic + Pickle(2).integer(1001).bytes() + Pickle(2).empty_list().bytes() + rest, ErrorKind::corrupt, ErrorCode::legacy_header);
}

TEST_CASE("every cut of a stream is refused, and never read behind") {
  const std::string bytes = stream();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    const auto cut = load(source_over(bytes.substr(0, n)));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().place().file == "m.pth");
    const auto behind = load(callback_over(bytes.substr(0, n)));
    REQUIRE_FALSE(behind);
    CHECK(behind.error().message() == cut.error().message());
  }
}

TEST_CASE("keys and counts that do not agree") {
  const auto object = vector_dict();
  const Error twice =
      check_load(legacy_stream(object, {{"11", counting(3)}, {"11", counting(3)}}), ErrorKind::corrupt, ErrorCode::legacy_keys);
  CHECK(twice.place().offset.has_value());
  check_load(legacy_stream(object, {{"11", counting(3)}, {"99", counting(2)}}), ErrorKind::corrupt, ErrorCode::legacy_keys);
  check_load(legacy_stream(object, {{"11", counting(3)}}), ErrorKind::corrupt, ErrorCode::record_missing);
  check_load(legacy_stream(object, {{"11", counting(3)}, {"7", counting(2), 3}}), ErrorKind::corrupt, ErrorCode::storage_size);
  check_load(legacy_stream(object, {{"11", counting(3)}, {"7", counting(2), INT64_MAX}}), ErrorKind::corrupt, ErrorCode::storage_size);
  check_load(legacy_stream(object, {{"11", counting(3)}, {"7", counting(1), 2}}), ErrorKind::corrupt, ErrorCode::storage_size);
  const std::string keys = Pickle(2).empty_list().mark().str("11").str("7").op(Op::APPENDS).bytes();
  check_load(replaced(stream(), keys, Pickle(2).ints({1, 2}).bytes()), ErrorKind::corrupt, ErrorCode::legacy_keys);
  check_load(replaced(stream(), keys, Pickle(2).empty_list().integer(11).append().bytes()), ErrorKind::corrupt, ErrorCode::legacy_keys);
  const Error in_keys =
      check_load(replaced(stream(), keys, Pickle(2).empty_list().op(Op::REDUCE).bytes()), ErrorKind::corrupt, ErrorCode::pickle_stack);
  CHECK(in_keys.place().record.starts_with("storage keys at byte "));
  CHECK(in_keys.place().opcode == "REDUCE");
}

TEST_CASE("a storage without elements needs no data") {
  CHECK(root_tensor(open_file(legacy_stream(Pickle(2).vector("0", 0, true), {}))).numel() == 0);
  CHECK(root_tensor(open_file(legacy_stream(Pickle(2).vector("0", 0, true), {{"0", ""}}))).numel() == 0);
}

TEST_CASE("views: offsets count from the root") {
  Pickle p(2);
  p.global("torch._utils", "_rebuild_tensor").mark();
  p.mark().str("storage").global("torch", "FloatStorage").str("root").str("cpu").integer(6).str("view").integer(2).integer(4).op(Op::TUPLE3)
      .tuple().op(Op::BINPERSID);
  const std::string bytes = legacy_stream(Pickle(p).integer(1).ints({3}).ints({1}).tuple().reduce(), {{"root", counting(6)}});
  const Tensor t = root_tensor(open_file(bytes));
  CHECK(t.storage_offset() == 3);
  CHECK(t.storage().key() == "root");
  CHECK(floats(t) == "3 4 5");
  check_load(legacy_stream(Pickle(p).integer(2).ints({3}).ints({1}).tuple().reduce(), {{"root", counting(6)}}), ErrorKind::corrupt,
             ErrorCode::tensor_bounds);
}

TEST_CASE("several objects in one stream, one after the other") {
  const std::string one = stream(), two = legacy_stream(Pickle(2).vector("5", 4, true), {{"5", counting(4)}});
  const std::string all = one + two + one;
  LoadOptions options;
  const Checkpoint first = open_file(all, options);
  REQUIRE(first.notes().size() == 1);
  CHECK(first.notes()[0].code == Note::Code::another_object);
  CHECK(first.notes()[0].place.offset == one.size());
  CHECK(first.end_offset() == one.size());
  options.offset = first.end_offset();
  const Checkpoint second = open_file(all, options);
  CHECK(floats(second.root().as_tensor().value()) == "0 1 2 3");
  CHECK(second.end_offset() == one.size() + two.size());
  options.offset = second.end_offset();
  const Checkpoint third = open_file(all, options);
  CHECK(third.end_offset() == all.size());
  CHECK(third.notes().empty());
  CHECK(open_file(one + "junk").notes()[0].code == Note::Code::trailing_bytes);
}

TEST_CASE("a callback source: the same, and no more is read than needed") {
  Pickle long_pickle(2);
  long_pickle.empty_dict().mark().str("a").vector("11", 3, true).str("pad").str(std::string(300'000, 'x')).str("b").vector("7", 2, true)
      .op(Op::SETITEMS);
  const std::string bytes = legacy_stream(long_pickle, {{"11", counting(3)}, {"7", counting(2)}});
  const auto read = std::make_shared<std::uint64_t>(0);
  const auto loaded = load(callback_over(bytes, read));
  if (!loaded) FAIL(loaded.error().message());
  CHECK(tensor_list(*loaded) == tensor_list(open_file(bytes)));
  CHECK(floats(loaded->root()["a"].as_tensor().value()) == "0 1 2");
  CHECK(loaded->end_offset() == bytes.size());
  const std::string large = legacy_stream(Pickle(2).vector("0", 1'000'000, true), {{"0", counting(1'000'000)}});
  *read = 0;
  CHECK(load(callback_over(large, read)));
  CHECK(*read < 1'000'000);
}

TEST_CASE("disassembly: all five pickles by name, and what precedes a fault") {
  std::vector<std::string> records;
  const auto collect = [&](std::string_view record, const Instruction& i) {
    if (i.offset == 0) records.emplace_back(record);
    return true;
  };
  CHECK(disassemble(source_over(stream()), collect));
  REQUIRE(records.size() == 5);
  CHECK(records[0] == "magic number at byte 0");
  CHECK(records[3] == "object pickle at byte 137");
  CHECK(records[4].starts_with("storage keys at byte "));
}
