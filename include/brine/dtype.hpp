// SPDX-License-Identifier: MIT
// DType: the element types of PyTorch tensors, and the C++ types that stand for them.
#pragma once

#include <brine/export.hpp>

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace brine {

/// The numbers are PyTorch's ScalarType (c10/core/ScalarType.h). The sub-byte types int1…int7, uint1…uint7 cannot be saved by PyTorch.
enum class DType : std::uint8_t {
  uint8 = 0, int8 = 1, int16 = 2, int32 = 3, int64 = 4, float16 = 5, float32 = 6, float64 = 7,
  complex32 = 8, complex64 = 9, complex128 = 10, bool_ = 11, qint8 = 12, quint8 = 13, qint32 = 14, bfloat16 = 15,
  quint4x2 = 16, quint2x4 = 17, bits1x8 = 18, bits2x4 = 19, bits4x2 = 20, bits8 = 21, bits16 = 22,
  float8_e5m2 = 23, float8_e4m3fn = 24, float8_e5m2fnuz = 25, float8_e4m3fnuz = 26, uint16 = 27, uint32 = 28, uint64 = 29,
  float8_e8m0fnu = 44, float4_e2m1fn_x2 = 45, bcomplex32 = 46,
};

/// PyTorch's name without the "torch.": "float32", "bool".
BRINE_API std::string_view name(DType dtype) noexcept;

/// Bytes of one element. quint4x2, quint2x4 and float4_e2m1fn_x2 count bytes, each of which packs several values.
BRINE_API std::size_t item_size(DType dtype) noexcept;

/// By PyTorch's canonical name ("float32"); nothing for any other text.
BRINE_API std::optional<DType> dtype_from_name(std::string_view name) noexcept;
/// As people write it: with "torch." or without, in any case, PyTorch's short names (half, long), fp16, bf16, f32, e4m3. Nothing for any other text.
BRINE_API std::optional<DType> dtype_from_text(std::string_view text) noexcept;

BRINE_API bool is_complex(DType dtype) noexcept;
BRINE_API bool is_floating(DType dtype) noexcept;  ///< real floating point, float8 and smaller included
BRINE_API bool is_quantised(DType dtype) noexcept;

// The element types C++20 has no name for: the bits as PyTorch stores them. convert.hpp makes numbers of them.
struct half { std::uint16_t bits; };
struct bfloat16 { std::uint16_t bits; };
struct float8_e5m2 { std::uint8_t bits; };
struct float8_e4m3fn { std::uint8_t bits; };
struct float8_e5m2fnuz { std::uint8_t bits; };
struct float8_e4m3fnuz { std::uint8_t bits; };
struct float8_e8m0fnu { std::uint8_t bits; };
struct complex_half { half real, imag; };

/// dtype_of<float>::value is DType::float32, and so on. Only the types below have one.
template <class T> struct dtype_of;
template <> struct dtype_of<std::uint8_t> { static constexpr DType value = DType::uint8; };
template <> struct dtype_of<std::int8_t> { static constexpr DType value = DType::int8; };
template <> struct dtype_of<std::int16_t> { static constexpr DType value = DType::int16; };
template <> struct dtype_of<std::int32_t> { static constexpr DType value = DType::int32; };
template <> struct dtype_of<std::int64_t> { static constexpr DType value = DType::int64; };
template <> struct dtype_of<std::uint16_t> { static constexpr DType value = DType::uint16; };
template <> struct dtype_of<std::uint32_t> { static constexpr DType value = DType::uint32; };
template <> struct dtype_of<std::uint64_t> { static constexpr DType value = DType::uint64; };
template <> struct dtype_of<float> { static constexpr DType value = DType::float32; };
template <> struct dtype_of<double> { static constexpr DType value = DType::float64; };
template <> struct dtype_of<bool> { static constexpr DType value = DType::bool_; };
template <> struct dtype_of<half> { static constexpr DType value = DType::float16; };
template <> struct dtype_of<bfloat16> { static constexpr DType value = DType::bfloat16; };
template <> struct dtype_of<float8_e5m2> { static constexpr DType value = DType::float8_e5m2; };
template <> struct dtype_of<float8_e4m3fn> { static constexpr DType value = DType::float8_e4m3fn; };
template <> struct dtype_of<float8_e5m2fnuz> { static constexpr DType value = DType::float8_e5m2fnuz; };
template <> struct dtype_of<float8_e4m3fnuz> { static constexpr DType value = DType::float8_e4m3fnuz; };
template <> struct dtype_of<float8_e8m0fnu> { static constexpr DType value = DType::float8_e8m0fnu; };
template <> struct dtype_of<complex_half> { static constexpr DType value = DType::complex32; };
template <> struct dtype_of<std::complex<float>> { static constexpr DType value = DType::complex64; };
template <> struct dtype_of<std::complex<double>> { static constexpr DType value = DType::complex128; };

}  // namespace brine
