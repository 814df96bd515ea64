// SPDX-License-Identifier: MIT
// The conversions of single numbers (convert.hpp).
#include <brine/convert.hpp>

#include "tensor/float_bits.hpp"

namespace brine {

using namespace float_bits;

namespace {
std::uint8_t u8(std::int32_t code) noexcept { return static_cast<std::uint8_t>(code); }
std::uint16_t u16(std::int32_t code) noexcept { return static_cast<std::uint16_t>(code); }
}  // namespace

float to_float(half v) noexcept { return widen<kHalf>(v.bits); }
float to_float(bfloat16 v) noexcept { return widen_bfloat16(v.bits); }
float to_float(float8_e5m2 v) noexcept { return widen<kE5M2>(v.bits); }
float to_float(float8_e4m3fn v) noexcept { return widen<kE4M3FN>(v.bits); }
float to_float(float8_e5m2fnuz v) noexcept { return widen<kE5M2FNUZ>(v.bits); }
float to_float(float8_e4m3fnuz v) noexcept { return widen<kE4M3FNUZ>(v.bits); }
float to_float(float8_e8m0fnu v) noexcept { return widen_e8m0(v.bits); }

half to_half(float v) noexcept { return {u16(narrow<kHalf>(v))}; }
bfloat16 to_bfloat16(float v) noexcept { return {u16(narrow_bfloat16(v))}; }
float8_e5m2 to_float8_e5m2(float v) noexcept { return {u8(narrow<kE5M2>(v))}; }
float8_e4m3fn to_float8_e4m3fn(float v) noexcept { return {u8(narrow<kE4M3FN>(v))}; }
float8_e5m2fnuz to_float8_e5m2fnuz(float v) noexcept { return {u8(narrow<kE5M2FNUZ>(v))}; }
float8_e4m3fnuz to_float8_e4m3fnuz(float v) noexcept { return {u8(narrow<kE4M3FNUZ>(v))}; }
float8_e8m0fnu to_float8_e8m0fnu(float v) noexcept { return {u8(narrow_e8m0(v))}; }

}  // namespace brine
