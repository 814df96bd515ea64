// SPDX-License-Identifier: MIT
// Output: the bytes of a pickle that is being written; from protocol 4 on, in frames as CPython's C pickler cuts them.
#pragma once

#include "pickle/opcodes.hpp"

#include <boost/endian/conversion.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace brine {

class Output {
 public:
  explicit Output(int protocol) : protocol_(protocol) {
    if (protocol >= 2) {
      op(Op::PROTO);
      little(static_cast<std::uint8_t>(protocol));
    }
    framing_ = protocol >= 4;
  }
  int protocol() const noexcept { return protocol_; }

  void op(Op v) {
    open_frame();
    out_ += static_cast<char>(v);
  }
  template <class T>
  void little(T v) {
    boost::endian::native_to_little_inplace(v);
    out_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void raw(std::string_view text) { out_ += text; }

  /// An opcode whose argument is `data` behind its length: outside any frame when it is large.
  void counted(Op v, std::string_view data, unsigned length_bytes) {
    const bool large = framing_ && data.size() >= kFrameTarget;
    if (large) {
      close_frame();
      framing_ = false;
    }
    op(v);
    std::uint64_t n = boost::endian::native_to_little(static_cast<std::uint64_t>(data.size()));
    out_.append(reinterpret_cast<const char*>(&n), length_bytes);
    out_ += data;
    if (large) framing_ = true;
  }

  /// Before each object: a frame that is full ends here.
  void boundary() {
    if (framing_ && frame_ != kNone && out_.size() - frame_ - kHeader >= kFrameTarget) close_frame();
  }

  std::string finish() {
    op(Op::STOP);
    if (framing_) close_frame();
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kFrameTarget = 64 * 1024, kFrameLeast = 4, kHeader = 9, kNone = SIZE_MAX;

  void open_frame() {
    if (!framing_ || frame_ != kNone) return;
    frame_ = out_.size();
    out_.append(kHeader, '\0');
  }
  void close_frame() {
    if (frame_ == kNone) return;
    const std::uint64_t size = out_.size() - frame_ - kHeader;
    if (size >= kFrameLeast) {
      out_[frame_] = static_cast<char>(Op::FRAME);
      const std::uint64_t n = boost::endian::native_to_little(size);
      std::memcpy(out_.data() + frame_ + 1, &n, sizeof n);
    } else {
      out_.erase(frame_, kHeader);
    }
    frame_ = kNone;
  }

  int protocol_;
  bool framing_ = false;
  std::size_t frame_ = kNone;
  std::string out_;
};

}  // namespace brine
