// SPDX-License-Identifier: MIT
#include "pickle/disassemble.hpp"

#include "graph/big_int.hpp"
#include "graph/walk.hpp"
#include "pickle/scanner.hpp"
#include "support/text.hpp"

namespace brine {

namespace {

std::string argument(const Scanned& ins) {
  switch (info(ins.op).arg) {
    case ArgKind::none: return {};
    case ArgKind::u8: case ArgKind::u16: case ArgKind::u32: case ArgKind::u64: return std::to_string(ins.number);
    case ArgKind::i32: return std::to_string(static_cast<std::int64_t>(ins.number));
    case ArgKind::float8: return key_name(make_float(std::bit_cast<double>(ins.number)));
    case ArgKind::line: return escaped(ins.text);
    case ArgKind::lines2: return escaped(ins.text) + " " + escaped(ins.name);
    case ArgKind::bytes1: case ArgKind::bytes4: case ArgKind::bytes4s: case ArgKind::bytes8: break;
  }
  if (ins.op != Op::LONG1 && ins.op != Op::LONG4) return in_quotes(ins.text);
  if (ins.text.empty()) return "0";
  return ins.text.size() > 1024 ? "an int of " + std::to_string(ins.text.size()) + " bytes" : big_int_text(ins.text);
}

}  // namespace

Result<void> disassemble_pickle(std::span<const std::byte> pickle, const std::function<bool(const Instruction&)>& each) {
  Scanner scanner(pickle);
  Scanned ins{};
  while (scanner.next(ins)) {
    if (!each({ins.offset, info(ins.op).name, argument(ins)}) || ins.op == Op::STOP) return {};
  }
  return scanner.fault();
}

}  // namespace brine
