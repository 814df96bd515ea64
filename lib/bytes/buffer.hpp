// SPDX-License-Identifier: MIT
// Buffer: Cursor's mirror, numbers and bytes put at its end. Byte order is Boost.Endian's business.
#pragma once

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace brine {

/// The little-endian fields of a header of `Size` bytes, one after the other, to be put at once: where each goes is known when this is
/// compiled. Requires: they fit.
template <std::size_t Size>
class Fields {
 public:
  Fields& u16(std::uint16_t v) noexcept { return little(v); }
  Fields& u32(std::uint32_t v) noexcept { return little(v); }
  Fields& u64(std::uint64_t v) noexcept { return little(v); }

  std::span<const std::byte> bytes() const noexcept { return std::span(bytes_).first(at_); }

 private:
  template <class T>
  Fields& little(T v) noexcept {
    boost::endian::native_to_little_inplace(v);
    std::memcpy(bytes_.data() + at_, &v, sizeof(T));
    at_ += sizeof(T);
    return *this;
  }

  std::array<std::byte, Size> bytes_;
  std::size_t at_ = 0;
};

/// Not a vector: it grows by realloc, which moves the pages of a large block and copies nothing, and many small appends are cheap.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::move(other.data_)), end_(std::exchange(other.end_, nullptr)), limit_(std::exchange(other.limit_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    end_ = std::exchange(other.end_, nullptr);
    limit_ = std::exchange(other.limit_, nullptr);
    return *this;
  }

  const std::byte* data() const noexcept { return data_.get(); }
  std::byte* data() noexcept { return data_.get(); }
  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - data_.get()); }
  operator std::span<const std::byte>() const noexcept { return {data(), size()}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data()), size()}; }

  /// Shorter, its first `size` bytes, or the same.
  void cut(std::size_t size) noexcept { end_ = data_.get() + size; }
  /// The end, with room for `more` bytes behind it. When memory is spent: std::bad_alloc, or no more of the process without exceptions.
  std::byte* room(std::size_t more) {
    if (static_cast<std::size_t>(limit_ - end_) < more) grow(more);
    return end_;
  }
  /// Says that about so much will come: when it is much, growing by and by is dearer.
  void expect(std::size_t more);
  /// Says that the room is used up to here.
  void used(std::byte* end) noexcept { end_ = end; }

  Buffer& u8(std::uint8_t v) { return little(v); }
  Buffer& u16(std::uint16_t v) { return little(v); }
  Buffer& u32(std::uint32_t v) { return little(v); }
  Buffer& u64(std::uint64_t v) { return little(v); }

  template <class T>
  Buffer& little(T v) {
    std::byte* at = room(sizeof v);
    boost::endian::native_to_little_inplace(v);
    std::memcpy(at, &v, sizeof v);
    end_ = at + sizeof v;
    return *this;
  }
  Buffer& bytes(std::span<const std::byte> v) {
    end_ = std::copy(v.begin(), v.end(), room(v.size()));
    return *this;
  }
  Buffer& text(std::string_view v) { return bytes(std::as_bytes(std::span(v.data(), v.size()))); }
  Buffer& fill(std::size_t n, std::byte value) {
    end_ = std::fill_n(room(n), n, value);
    return *this;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  void grow(std::size_t more);
  std::size_t enlarged(std::size_t more) const noexcept;
  void take(void* memory, std::size_t used, std::size_t capacity);

  std::unique_ptr<std::byte, Free> data_;
  std::byte *end_ = nullptr, *limit_ = nullptr;
};

}  // namespace brine
