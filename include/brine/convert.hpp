// SPDX-License-Identifier: MIT
// Conversions between element types, exact to PyTorch's `copy_` (FORMAT notes beside each rule were measured on PyTorch 1.13 and 2.13).
#pragma once

#include <brine/dtype.hpp>
#include <brine/result.hpp>

#include <span>

namespace brine {

// Widening is exact. Narrowing rounds to nearest even, keeps subnormals, and overflows as the type does: float16, bfloat16 and e5m2
// to infinity, e4m3fn saturates at ±448, the fnuz types to their NaN (80), e8m0fnu drops the sign.
BRINE_API float to_float(half v) noexcept;
BRINE_API float to_float(bfloat16 v) noexcept;
BRINE_API float to_float(float8_e5m2 v) noexcept;
BRINE_API float to_float(float8_e4m3fn v) noexcept;
BRINE_API float to_float(float8_e5m2fnuz v) noexcept;
BRINE_API float to_float(float8_e4m3fnuz v) noexcept;
BRINE_API float to_float(float8_e8m0fnu v) noexcept;
BRINE_API half to_half(float v) noexcept;
BRINE_API bfloat16 to_bfloat16(float v) noexcept;
BRINE_API float8_e5m2 to_float8_e5m2(float v) noexcept;
BRINE_API float8_e4m3fn to_float8_e4m3fn(float v) noexcept;
BRINE_API float8_e5m2fnuz to_float8_e5m2fnuz(float v) noexcept;
BRINE_API float8_e4m3fnuz to_float8_e4m3fnuz(float v) noexcept;
BRINE_API float8_e8m0fnu to_float8_e8m0fnu(float v) noexcept;

/// Can elements of `from` become elements of `to`? All real and complex dtypes can; quantised, bits and float4 only into themselves.
BRINE_API bool convertible(DType from, DType to) noexcept;

/// Converts `in` to `out`, element by element; both are densely packed, in the machine's byte order, of any alignment, and do not overlap.
/// As in PyTorch: float64 and integers reach 16-bit and 8-bit floats through float32; float → int truncates (out of range saturates and
/// NaN becomes 0: ours to define, PyTorch's is undefined); int → int wraps; → bool is "not zero"; a bool byte other than 0 reads as 1;
/// complex → real drops the imaginary part.
/// Fails with: usage (not convertible, or the sizes do not hold the same number of elements).
BRINE_API Result<void> convert(DType from, std::span<const std::byte> in, DType to, std::span<std::byte> out);

}  // namespace brine
