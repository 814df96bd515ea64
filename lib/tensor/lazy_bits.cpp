// SPDX-License-Identifier: MIT
#include "tensor/lazy_bits.hpp"

#include "bytes/byte_order.hpp"

namespace brine {

bool can_be_negative(DType dtype) noexcept {
  using enum DType;
  return dtype == uint8 || dtype == int8 || dtype == int16 || dtype == int32 || dtype == int64 || dtype == float16 || dtype == bfloat16 || dtype == float32 ||
         dtype == float64 || is_complex(dtype);
}

// The parts of complex32 are halves, so that the sign is the top bit of their last byte.
void resolve_bits(DType dtype, bool conj, bool neg, std::span<std::byte> elements) noexcept {
  const std::size_t size = item_size(dtype);
  if (is_complex(dtype)) {
    const bool real = neg, imag = neg != conj;
    const std::size_t half = size / 2, top = kBigEndianMachine ? 0 : half - 1;
    for (std::size_t i = 0; i + size <= elements.size(); i += size) {
      if (real) elements[i + top] ^= std::byte{0x80};
      if (imag) elements[i + half + top] ^= std::byte{0x80};
    }
  } else if (neg && is_floating(dtype)) {
    const std::size_t top = kBigEndianMachine ? 0 : size - 1;
    for (std::size_t i = 0; i + size <= elements.size(); i += size) elements[i + top] ^= std::byte{0x80};
  } else if (neg) {  // integers, two's complement
    for (std::size_t i = 0; i + size <= elements.size(); i += size) {
      bool carry = true;
      for (std::size_t b = 0; b < size; ++b) {
        std::byte& v = elements[i + (kBigEndianMachine ? size - 1 - b : b)];
        v = ~v;
        if (carry) v = std::byte(std::to_integer<unsigned>(v) + 1), carry = v == std::byte{0};
      }
    }
  }
}

}  // namespace brine
