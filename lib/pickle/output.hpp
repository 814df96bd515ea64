// SPDX-License-Identifier: MIT
// Output: the bytes of a pickle that is being written; from protocol 4 on, in frames as CPython's C pickler cuts them.
#pragma once

#include "bytes/buffer.hpp"
#include "pickle/opcodes.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace brine {

class Output {
 public:
  explicit Output(int protocol) : protocol_(protocol) {
    if (protocol >= 2) {
      op(Op::PROTO, static_cast<std::uint8_t>(protocol));
    }
    framing_ = protocol >= 4;
  }
  int protocol() const noexcept { return protocol_; }

  void op(Op v) {
    open_frame();
    out_.u8(static_cast<std::uint8_t>(v));
  }
  /// An opcode and its argument.
  template <class T>
  void op(Op v, T argument) {
    open_frame();
    std::byte* at = out_.room(1 + sizeof argument);
    *at = static_cast<std::byte>(v);
    boost::endian::native_to_little_inplace(argument);
    std::memcpy(at + 1, &argument, sizeof argument);
    out_.used(at + 1 + sizeof argument);
  }
  void raw(std::string_view text) { out_.text(text); }

  /// An opcode whose argument is `data` behind its length, a Length: outside any frame when it is large.
  template <class Length>
  void counted(Op v, std::string_view data) {
    const bool large = framing_ && data.size() >= kFrameTarget;
    if (large) {
      close_frame();
      framing_ = false;
    }
    op(v, static_cast<Length>(data.size()));
    out_.text(data);
    if (large) framing_ = true;
  }

  /// About so many bytes will come.
  void expect(std::size_t bytes) { out_.expect(bytes); }

  /// Before each object: a frame that is full ends here.
  void boundary() {
    if (framing_ && frame_ != kNone && out_.size() - frame_ - kHeader >= kFrameTarget) close_frame();
  }

  Buffer finish() {
    op(Op::STOP);
    if (framing_) close_frame();
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kFrameTarget = 64 * 1024, kFrameLeast = 4, kHeader = 9, kNone = SIZE_MAX;

  void open_frame() {
    if (!framing_ || frame_ != kNone) return;
    frame_ = out_.size();
    out_.fill(kHeader, std::byte{0});
  }
  void close_frame() {
    if (frame_ == kNone) return;
    std::byte* head = out_.data() + frame_;
    const std::uint64_t size = out_.size() - frame_ - kHeader;
    if (size >= kFrameLeast) {
      *head = static_cast<std::byte>(Op::FRAME);
      const std::uint64_t n = boost::endian::native_to_little(size);
      std::memcpy(head + 1, &n, sizeof n);
    } else {
      std::memmove(head, head + kHeader, size);
      out_.cut(frame_ + size);
    }
    frame_ = kNone;
  }

  int protocol_;
  bool framing_ = false;
  std::size_t frame_ = kNone;
  Buffer out_;
};

}  // namespace brine
