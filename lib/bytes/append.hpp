// SPDX-License-Identifier: MIT
// Append: Cursor's mirror, puts numbers and bytes at the end of a buffer; Fields: the numbers of a header, at once. Byte order is
// Boost.Endian's business.
#pragma once

#include <boost/endian/conversion.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace brine {

/// The little-endian fields of a header of `Size` bytes, one after the other: many small appends are slow. Requires: they fit.
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

/// Borrows: the buffer must outlive the Append.
class Append {
 public:
  explicit Append(std::vector<std::byte>& out) noexcept : out_(&out) {}

  std::uint64_t position() const noexcept { return out_->size(); }

  Append& u8(std::uint8_t v) { return little(v); }
  Append& u16(std::uint16_t v) { return little(v); }
  Append& u32(std::uint32_t v) { return little(v); }
  Append& u64(std::uint64_t v) { return little(v); }

  template <class T>
  Append& little(T v) {
    boost::endian::native_to_little_inplace(v);
    return bytes(std::as_bytes(std::span(&v, 1)));
  }

  Append& bytes(std::span<const std::byte> v) {
    out_->insert(out_->end(), v.begin(), v.end());
    return *this;
  }
  Append& text(std::string_view v) { return bytes(std::as_bytes(std::span(v.data(), v.size()))); }
  Append& fill(std::size_t n, std::byte value) {
    out_->insert(out_->end(), n, value);
    return *this;
  }

 private:
  std::vector<std::byte>* out_;
};

}  // namespace brine
