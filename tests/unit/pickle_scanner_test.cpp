// SPDX-License-Identifier: MIT
// Scanner and disassembler: every opcode's argument, every cut, frames.
#include "pickle/disassemble.hpp"
#include "pickle/scanner.hpp"
#include "support/pickle_builder.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace brine;
using namespace brine::test;

namespace {

/// An instruction with a whole argument, for every opcode there is.
std::string sample(Op op) {
  Pickle p(0);
  switch (info(op).arg) {
    case ArgKind::none: return p.op(op).unfinished();
    case ArgKind::lines2: return p.op(op, "mod", "name").unfinished();
    case ArgKind::bytes1: case ArgKind::bytes4: case ArgKind::bytes4s: case ArgKind::bytes8: return p.op(op, "abc").unfinished();
    case ArgKind::line: return p.op(op, std::string_view("12")).unfinished();
    default: return p.op(op, op == Op::FRAME ? 0 : 0x0102030405060708).unfinished();
  }
}

struct Outcome {
  bool ok;
  Scanned ins;
  std::uint64_t position;
  std::optional<Error> error;
};

Outcome scan_one(std::string_view bytes) {
  const auto heap = std::make_unique<char[]>(bytes.size());  // sanitizers see a read past its end
  std::copy(bytes.begin(), bytes.end(), heap.get());
  Scanner scanner(std::as_bytes(std::span(heap.get(), bytes.size())));
  Outcome out{false, {}, 0, {}};
  out.ok = scanner.next(out.ins);
  out.position = scanner.position();
  if (!out.ok) out.error = scanner.fault();
  out.ins.text = out.ins.name = {};
  return out;
}

/// The code and place of the first fault in the bytes.
void check_scan(std::string_view bytes, ErrorCode code, std::uint64_t offset, std::string_view opcode) {
  Scanner scanner(std::as_bytes(std::span(bytes)));
  Scanned ins{};
  while (scanner.next(ins) && ins.op != Op::STOP) {
  }
  const Error error = scanner.fault();
  CAPTURE(error.message());
  CHECK(name(error.code()) == name(code));
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(error.place().offset == offset);
  CHECK(error.place().opcode == opcode);
}

std::string listing(const Pickle& p) {
  std::string out;
  const std::string bytes = p.bytes();
  const auto done = disassemble_pickle(std::as_bytes(std::span(bytes)), [&](const Instruction& i) {
    out += std::to_string(i.offset) + " " + std::string(i.opcode) + (i.argument.empty() ? "" : " ") + i.argument + "\n";
    return true;
  });
  return done ? out : out + done.error().message() + "\n";
}

}  // namespace

TEST_CASE("every opcode: whole, and cut at every byte of its argument") {
  int opcodes = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const Op op = static_cast<Op>(byte);
    if (info(op).name.empty()) {
      const auto out = scan_one(std::string(1, static_cast<char>(byte)));
      CHECK_FALSE(out.ok);
      CHECK(out.error->code() == ErrorCode::pickle_opcode);
      CHECK(out.error->place().offset == 0u);
      CHECK(out.error->place().opcode.empty());
      continue;
    }
    ++opcodes;
    const std::string whole = sample(op);
    CAPTURE(info(op).name);
    const auto all = scan_one(whole);
    CHECK(all.ok);
    CHECK(all.position == whole.size());
    for (std::size_t n = 0; n < whole.size(); ++n) {
      CAPTURE(n);
      const auto cut = scan_one(whole.substr(0, n));
      CHECK_FALSE(cut.ok);
      CHECK(cut.error->code() == ErrorCode::pickle_truncated);
      CHECK(cut.error->place().offset == 0u);
    }
  }
  CHECK(opcodes == 68);
}

TEST_CASE("arguments: numbers little-endian, BINFLOAT big-endian, BININT signed") {
  CHECK(scan_one(Pickle(0).op(Op::BININT1, 0xFE).unfinished()).ins.number == 0xFE);
  CHECK(scan_one(Pickle(0).op(Op::BININT2, 0x1234).unfinished()).ins.number == 0x1234);
  CHECK(scan_one(Pickle(0).op(Op::LONG_BINGET, 0xFFFFFFFF).unfinished()).ins.number == 0xFFFFFFFF);
  CHECK(static_cast<std::int64_t>(scan_one(Pickle(0).op(Op::BININT, 0xFFFFFFFE).unfinished()).ins.number) == -2);
  CHECK(std::bit_cast<double>(scan_one(std::string("G\x3F\xF8\0\0\0\0\0\0", 9)).ins.number) == 1.5);
  CHECK(scan_one(Pickle(0).op(Op::FRAME, 0).unfinished()).ins.number == 0);
}

TEST_CASE("lengths: negative, and longer than the rest, before anything is allocated") {
  for (const Op op : {Op::BINSTRING, Op::LONG4}) {
    check_scan(Pickle(2).op(op).raw(std::string_view("\xFF\xFF\xFF\xFF", 4)).unfinished(), ErrorCode::pickle_length, 2, info(op).name);
    check_scan(Pickle(2).op(op).raw(std::string_view("\x00\x00\x00\x80", 4)).unfinished(), ErrorCode::pickle_length, 2, info(op).name);
    check_scan(Pickle(2).op(op).raw(std::string_view("\xFF\xFF\xFF\x7F", 4)).unfinished(), ErrorCode::pickle_truncated, 2, info(op).name);
  }
  for (const Op op : {Op::BINUNICODE8, Op::BINBYTES8, Op::BYTEARRAY8})
    check_scan(Pickle(2).op(op).raw("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").unfinished(), ErrorCode::pickle_truncated, 2, info(op).name);
  check_scan(Pickle(2).op(Op::BINUNICODE).raw("\xFF\xFF\xFF\xFF").unfinished(), ErrorCode::pickle_truncated, 2, "BINUNICODE");
}

TEST_CASE("no STOP, no line end") {
  check_scan("", ErrorCode::pickle_truncated, 0, "");
  check_scan(Pickle(2).none().unfinished(), ErrorCode::pickle_truncated, 3, "");
  check_scan(Pickle(2).raw("I12").unfinished(), ErrorCode::pickle_truncated, 2, "INT");
  check_scan(Pickle(2).raw("cmodule\nname").unfinished(), ErrorCode::pickle_truncated, 2, "GLOBAL");
}

TEST_CASE("frames: whole, empty, ended, too long, nested, crossed") {
  const auto framed = [](std::uint64_t size) { return Pickle(4).op(Op::FRAME, size); };
  CHECK(listing(framed(2).none()).ends_with("11 NONE\n12 STOP\n"));
  CHECK(listing(framed(0).none()).ends_with("12 STOP\n"));
  CHECK(listing(framed(1).none().op(Op::FRAME, 1)).ends_with("12 FRAME 1\n21 STOP\n"));
  check_scan(framed(3).none().bytes(), ErrorCode::pickle_frame, 2, "FRAME");
  check_scan(framed(0xFFFFFFFFFFFFFFFF).none().bytes(), ErrorCode::pickle_frame, 2, "FRAME");
  check_scan(framed(2).op(Op::BININT2, 1).bytes(), ErrorCode::pickle_frame, 11, "BININT2");
  check_scan(framed(11).op(Op::FRAME, 1).none().bytes(), ErrorCode::pickle_frame, 11, "FRAME");
}

TEST_CASE("disassembly: arguments as text, escaped; what precedes a fault is given") {
  CHECK(listing(Pickle(2).str("a\nb").integer(70000).floating(1.5).op(Op::LONG1, "\xFF\xFF")) ==
        "0 PROTO 2\n2 BINUNICODE 'a\\x0ab'\n10 BININT 70000\n15 BINFLOAT 1.5\n24 LONG1 -1\n28 STOP\n");
  CHECK(listing(Pickle(0).op(Op::GLOBAL, "m\x01", "n").op(Op::LONG1, "").op(Op::BININT, 0xFFFFFFFF)) ==
        "0 GLOBAL m\\x01 n\n6 LONG1 0\n8 BININT -1\n13 STOP\n");
  CHECK(listing(Pickle(2).none().raw("\x01")) == "0 PROTO 2\n2 NONE\nbyte 3: expected a pickle opcode, found 0x01\n");
  int given = 0;
  const std::string three = Pickle(2).none().none().bytes();
  CHECK(disassemble_pickle(std::as_bytes(std::span(three)), [&](const Instruction&) { return ++given < 2; }));
  CHECK(given == 2);
}
