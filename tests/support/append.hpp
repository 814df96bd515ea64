// SPDX-License-Identifier: MIT
// Append: puts numbers and bytes at the end of a vector.
#pragma once

#include <boost/endian/conversion.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace brine {

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
