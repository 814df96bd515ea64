// SPDX-License-Identifier: MIT
// Cursor: the one bounds-checked way to read numbers out of bytes. Byte order is Boost.Endian's business.
#pragma once

#include <boost/endian/conversion.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace brine {

/// The little-endian number at `p`, for headers of fixed size. Requires: sizeof(T) bytes there.
template <class T>
T little_at(const std::byte* p) noexcept {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return boost::endian::little_to_native(v);
}

/// A read past the end gives zeros or an empty view, and ok() is false from then on: check once after a group of reads.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes, std::uint64_t at = 0) noexcept
      : begin_(bytes.data()), size_(bytes.size()), at_(at <= bytes.size() ? at : bytes.size()), ok_(at <= bytes.size()) {}

  bool ok() const noexcept { return ok_; }
  std::uint64_t position() const noexcept { return at_; }
  std::uint64_t remaining() const noexcept { return size_ - at_; }

  std::uint8_t u8() noexcept { return little<std::uint8_t>(); }
  std::uint16_t u16() noexcept { return little<std::uint16_t>(); }
  std::uint32_t u32() noexcept { return little<std::uint32_t>(); }
  std::uint64_t u64() noexcept { return little<std::uint64_t>(); }
  std::int32_t i32() noexcept { return little<std::int32_t>(); }
  std::int64_t i64() noexcept { return little<std::int64_t>(); }

  template <class T>
  T little() noexcept {
    T v{};
    if (const std::byte* p = take(sizeof(T))) std::memcpy(&v, p, sizeof(T));
    return boost::endian::little_to_native(v);
  }
  template <class T>
  T big() noexcept {
    T v{};
    if (const std::byte* p = take(sizeof(T))) std::memcpy(&v, p, sizeof(T));
    return boost::endian::big_to_native(v);
  }

  std::string_view text(std::uint64_t n) noexcept {
    const std::byte* p = take(n);
    return p ? std::string_view(reinterpret_cast<const char*>(p), n) : std::string_view();
  }
  void skip(std::uint64_t n) noexcept { take(n); }

 private:
  const std::byte* take(std::uint64_t n) noexcept {
    if (n > size_ - at_) {
      ok_ = false;
      at_ = size_;
      return nullptr;
    }
    const std::byte* p = begin_ + at_;
    at_ += n;
    return p;
  }

  const std::byte* begin_;
  std::uint64_t size_, at_;
  bool ok_;
};

}  // namespace brine
