// SPDX-License-Identifier: MIT
// Scanner: bytes → instructions. No memory of its own but its position; nothing is allocated. Machine and disassembler run on it.
#pragma once

#include "bytes/cursor.hpp"
#include "pickle/opcodes.hpp"

#include <brine/result.hpp>

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

namespace brine {

struct Scanned {
  Op op;
  std::uint64_t offset;                ///< of the opcode byte
  std::uint64_t number = 0;            ///< u8 … u64; i32 sign-extended; float8 as its bits
  std::string_view text;               ///< bytes… and line arguments, without length and newline
  std::string_view name;               ///< second line of lines2
};

class Scanner {
 public:
  explicit Scanner(std::span<const std::byte> pickle) noexcept
      : begin_(reinterpret_cast<const char*>(pickle.data())), at_(begin_), end_(begin_ + pickle.size()) {}

  /// Decodes the next instruction. False: the bytes are no instruction; fault() tells why.
  bool next(Scanned& out) noexcept;

  /// The error of the last next() that gave false.
  Error fault() const;

  std::uint64_t position() const noexcept { return static_cast<std::uint64_t>(at_ - begin_); }
  std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(end_ - begin_); }

 private:
  enum class Fault : std::uint8_t { none, end, opcode, argument, newline, length, frame_long, frame_nested, frame_straddle };

  bool fail(Fault fault) noexcept {
    fault_ = fault;
    return false;
  }
  template <class T>
  bool number(std::uint64_t& out) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < sizeof(T)) return fail(Fault::argument);
    T v;
    std::memcpy(&v, at_, sizeof v);
    at_ += sizeof v;
    out = static_cast<std::uint64_t>(boost::endian::little_to_native(v));
    return true;
  }
  template <class T>
  bool counted(std::string_view& out) noexcept {
    std::uint64_t n;
    if (!number<T>(n)) return false;
    if (std::is_signed_v<T> && static_cast<std::int64_t>(n) < 0) return fail(Fault::length);
    if (n > static_cast<std::uint64_t>(end_ - at_)) return fail(Fault::argument);  // before anything is allocated
    out = {at_, static_cast<std::size_t>(n)};
    at_ += n;
    return true;
  }
  bool line(std::string_view& out) noexcept {
    const void* newline = at_ == end_ ? nullptr : std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_));
    if (!newline) return fail(Fault::newline);
    const char* p = static_cast<const char*>(newline);
    out = {at_, static_cast<std::size_t>(p - at_)};
    at_ = p + 1;
    return true;
  }
  bool frame(std::uint64_t bytes) noexcept;

  const char *begin_, *at_, *end_;
  const char* frame_end_ = nullptr;
  std::uint64_t offset_ = 0;
  Fault fault_ = Fault::none;
};

inline bool Scanner::next(Scanned& out) noexcept {
  offset_ = position();
  if (at_ == end_) return fail(Fault::end);
  const auto byte = static_cast<std::uint8_t>(*at_++);
  out.op = static_cast<Op>(byte);
  out.offset = offset_;
  bool ok = true;
  switch (kOpcodes[byte].arg) {
    case ArgKind::none:
      if (kOpcodes[byte].name.empty()) ok = fail(Fault::opcode);
      break;
    case ArgKind::u8: ok = number<std::uint8_t>(out.number); break;
    case ArgKind::u16: ok = number<std::uint16_t>(out.number); break;
    case ArgKind::u32: ok = number<std::uint32_t>(out.number); break;
    case ArgKind::i32: ok = number<std::int32_t>(out.number); break;
    case ArgKind::u64: ok = number<std::uint64_t>(out.number); break;
    case ArgKind::float8:
      ok = number<std::uint64_t>(out.number);
      out.number = boost::endian::endian_reverse(out.number);  // written big-endian, read as little
      break;
    case ArgKind::bytes1: ok = counted<std::uint8_t>(out.text); break;
    case ArgKind::bytes4: ok = counted<std::uint32_t>(out.text); break;
    case ArgKind::bytes4s: ok = counted<std::int32_t>(out.text); break;
    case ArgKind::bytes8: ok = counted<std::uint64_t>(out.text); break;
    case ArgKind::line: ok = line(out.text); break;
    case ArgKind::lines2: ok = line(out.text) && line(out.name); break;
  }
  if (ok && out.op == Op::FRAME) return frame(out.number);
  // An argument must not straddle the end of its frame: CPython's readers disagreed about such pickles (python/cpython#154848).
  if (ok && frame_end_) {
    if (at_ > frame_end_) return fail(Fault::frame_straddle);
    if (at_ == frame_end_) frame_end_ = nullptr;
  }
  return ok;
}

}  // namespace brine
