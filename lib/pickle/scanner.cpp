// SPDX-License-Identifier: MIT
#include "pickle/scanner.hpp"

#include "support/text.hpp"

namespace brine {

bool Scanner::frame(std::uint64_t bytes) noexcept {
  if (frame_end_) return fail(Fault::frame_nested);
  if (bytes > static_cast<std::uint64_t>(end_ - at_)) return fail(Fault::frame_long);
  if (bytes) frame_end_ = at_ + bytes;
  return true;
}

Error Scanner::fault() const {
  const auto byte = offset_ < size() ? static_cast<std::uint8_t>(begin_[offset_]) : std::uint8_t{0};
  const std::string_view opcode = kOpcodes[byte].name;
  const auto make = [&](ErrorCode code, std::string text) {
    Error error(ErrorKind::corrupt, code, std::move(text));
    return fault_ == Fault::end || opcode.empty() ? std::move(error).at_offset(offset_) : std::move(error).at_offset(offset_).at_opcode(opcode);
  };
  switch (fault_) {
    case Fault::opcode: return make(ErrorCode::pickle_opcode, "expected a pickle opcode, found " + hex(byte, 2));
    case Fault::argument: return make(ErrorCode::pickle_truncated, "the argument is longer than the rest of the pickle");
    case Fault::newline: return make(ErrorCode::pickle_truncated, "the argument has no end of line");
    case Fault::length: return make(ErrorCode::pickle_length, "the length is negative");
    case Fault::frame_long: return make(ErrorCode::pickle_frame, "the frame is longer than the rest of the pickle");
    case Fault::frame_nested: return make(ErrorCode::pickle_frame, "a frame begins inside another frame");
    case Fault::frame_straddle: return make(ErrorCode::pickle_frame, "the instruction crosses the end of its frame");
    default: return make(ErrorCode::pickle_truncated, "the pickle ends without STOP");
  }
}

}  // namespace brine
