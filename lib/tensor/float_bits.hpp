// SPDX-License-Identifier: MIT
// The bits of small floats: widening to float32 and rounding from it, without branches, so that loops over them become vector code.
// All magnitudes stay below 2^31 and are signed, because SSE2 compares only signed integers.
#pragma once

#include <bit>
#include <cstdint>

namespace brine::float_bits {

/// What the highest exponent stands for.
enum class Top {
  ieee,    ///< infinity and NaN
  finite,  ///< numbers, but for one NaN of all ones; what is too large saturates
  fnuz,    ///< numbers; the only NaN stands where −0 would be, and is what becomes of all that is too large
};

struct Format {
  int exponent, mantissa, bias;
  Top top;
};

inline constexpr Format kHalf{5, 10, 15, Top::ieee}, kE5M2{5, 2, 15, Top::ieee}, kE4M3FN{4, 3, 7, Top::finite},
  kE5M2FNUZ{5, 2, 16, Top::fnuz}, kE4M3FNUZ{4, 3, 8, Top::fnuz};

inline constexpr std::int32_t kQuietNaN = 0x7FC00000, kInfinity = 0x7F800000, kMagnitude = 0x7FFFFFFF;

constexpr float as_float(std::int32_t bits) noexcept { return std::bit_cast<float>(bits); }
constexpr std::int32_t as_bits(float value) noexcept { return std::bit_cast<std::int32_t>(value); }

/// value < limit ? a : b, for numbers that are not negative, in a form that cannot become a branch: the compiler may not move the
/// floating-point operations behind a and b into one, and would give up on vectors.
constexpr std::int32_t below(std::int32_t value, std::int32_t limit, std::int32_t a, std::int32_t b) noexcept {
  const std::int32_t mask = (value - limit) >> 31;
  return (a & mask) | (b & ~mask);
}

template <Format F>
constexpr float widen(std::int32_t code) noexcept {
  constexpr int kShift = 23 - F.mantissa, kSignAt = F.exponent + F.mantissa;
  constexpr std::int32_t kMask = (1 << kSignAt) - 1, kTop = ((1 << F.exponent) - 1) << F.mantissa, kMin = (128 - F.bias) << 23;
  const std::int32_t magnitude = code & kMask;
  const std::int32_t moved = magnitude << kShift;
  // A subnormal is given the exponent of the least normal number, whose hidden bit is then taken off again.
  const std::int32_t subnormal = as_bits(as_float(moved + kMin) - as_float(kMin));
  std::int32_t bits = below(magnitude, 1 << F.mantissa, subnormal, moved + ((127 - F.bias) << 23));
  if constexpr (F.top == Top::ieee) bits = below(magnitude, kTop, bits, moved | kInfinity);
  if constexpr (F.top == Top::finite) bits = below(magnitude, kMask, bits, kQuietNaN);
  if constexpr (F.top == Top::fnuz) bits = below(code ^ (kMask + 1), 1, kQuietNaN, bits);
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) | (static_cast<std::uint32_t>(code) >> kSignAt) << 31);
}

template <Format F>
constexpr std::int32_t narrow(float value) noexcept {
  constexpr int kShift = 23 - F.mantissa, kSignAt = F.exponent + F.mantissa;
  constexpr std::int32_t kMask = (1 << kSignAt) - 1, kTop = ((1 << F.exponent) - 1) << F.mantissa;
  constexpr std::int32_t kUnit = (151 - F.bias - F.mantissa) << 23;  // a float whose last place is the least subnormal
  const std::int32_t magnitude = as_bits(value) & kMagnitude;
  const std::int32_t odd = (magnitude >> kShift) & 1;
  const auto sum = static_cast<std::uint32_t>(magnitude) + static_cast<std::uint32_t>((1 << (kShift - 1)) - 1 + odd);
  const auto rounded = static_cast<std::int32_t>(sum >> kShift);
  const std::int32_t subnormal = as_bits(as_float(magnitude) + as_float(kUnit)) - kUnit;  // the addition rounds
  std::int32_t code = below(magnitude, (128 - F.bias) << 23, subnormal, rounded - ((127 - F.bias) << F.mantissa));
  std::int32_t sign = static_cast<std::int32_t>(static_cast<std::uint32_t>(as_bits(value)) >> 31) << kSignAt;
  if constexpr (F.top == Top::ieee) {
    const std::int32_t nan = kTop | 1 << (F.mantissa - 1) | ((magnitude >> kShift) & ((1 << F.mantissa) - 1));
    code = below(code, kTop, code, kTop);
    code = below(magnitude, kInfinity + 1, code, nan);
  }
  if constexpr (F.top == Top::finite) {
    code = below(code, kMask, code, kMask - 1);
    code = below(magnitude, kInfinity + 1, code, kMask);
  }
  if constexpr (F.top == Top::fnuz) {
    sign = below(code, 1, 0, sign);
    sign = below(code, kMask + 1, sign, kMask + 1);
    code = below(code, kMask + 1, code, 0);
  }
  return code | sign;
}

constexpr float widen_bfloat16(std::int32_t code) noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(code) << 16); }

constexpr std::int32_t narrow_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const std::uint32_t nan = bits >> 16 | 0x40;
  return static_cast<std::int32_t>((as_bits(value) & kMagnitude) > kInfinity ? nan : rounded);
}

/// e8m0fnu is an exponent and nothing else; its 0 is 2^-127, a subnormal float, and 255 is NaN.
constexpr float widen_e8m0(std::int32_t code) noexcept {
  const std::int32_t bits = code == 0 ? 0x00400000 : code << 23;
  return as_float(code == 255 ? kQuietNaN : bits);
}

/// Halfway between two powers goes up (PyTorch's rule); the sign is lost.
constexpr std::int32_t narrow_e8m0(float value) noexcept {
  const std::int32_t magnitude = as_bits(value) & kMagnitude, exponent = magnitude >> 23, rest = magnitude & 0x007FFFFF;
  const std::int32_t up = exponent > 0 ? rest >= 0x00400000 : rest > 0x00400000;
  return exponent == 255 ? 255 : exponent + up;
}

}  // namespace brine::float_bits
