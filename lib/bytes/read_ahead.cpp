// SPDX-License-Identifier: MIT
#include "bytes/read_ahead.hpp"

#include "bytes/bytes.hpp"

#include <algorithm>

namespace brine {

const std::byte* ReadAhead::fetch(std::uint64_t offset, std::uint64_t size) {
  if (offset >= start_ && fits(offset - start_, size, filled_)) return buffer_.get() + (offset - start_);
  if (!fits(offset, size, source_.size())) {
    error_ = Error(ErrorKind::usage, ErrorCode::out_of_range, "a read past the end of the source").at_offset(offset);
    return nullptr;
  }

  // Reads that follow each other closely widen the window; a leap over a large record narrows it again.
  const std::uint64_t end = start_ + filled_;
  const bool close = offset >= start_ && offset <= end + window_;
  window_ = close && filled_ != 0 ? std::min(window_ * 2, kLargest) : kSmallest;

  const std::uint64_t want = std::min(std::max(window_, size), source_.size() - offset);
  if (want > room_) {
    auto larger = allocate(want, "a read-ahead buffer");
    if (!larger) {
      error_ = std::move(larger).error();
      return nullptr;
    }
    buffer_ = std::move(*larger);
    room_ = want;
  }
  filled_ = 0;
  if (auto done = source_.read_at(offset, std::span(buffer_.get(), static_cast<std::size_t>(want))); !done) {
    error_ = std::move(done).error();
    return nullptr;
  }
  start_ = offset;
  filled_ = want;
  return buffer_.get();
}

}  // namespace brine
