// SPDX-License-Identifier: MIT
// The exhaustive comparison with PyTorch is live/convert_check.py; here is what must hold without it.
#include <brine/convert.hpp>

#include "tensor/byte_swap.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace brine;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

template <class To, class From>
std::vector<To> converted(DType from, const std::vector<From>& in, DType to) {
  std::vector<To> out(in.size() * sizeof(From) / item_size(from) * item_size(to) / sizeof(To));
  REQUIRE(convert(from, std::as_bytes(std::span(in)), to, std::as_writable_bytes(std::span(out))).has_value());
  return out;
}

template <class To, class From>
To one(From value) {
  return converted<To>(dtype_of<From>::value, std::vector<From>{value}, dtype_of<To>::value)[0];
}

/// How many codes do not come back from float32 as they were. NaNs need only come back as NaNs.
template <class Small, Small (*Narrow)(float) noexcept>
int changed_codes() {
  int changed = 0;
  for (unsigned code = 0; code < 1u << (8 * sizeof(Small)); ++code) {
    const Small small{static_cast<decltype(Small::bits)>(code)};
    const float wide = to_float(small);
    const Small back = Narrow(wide);
    changed += std::isnan(wide) ? !std::isnan(to_float(back)) : back.bits != code;
  }
  return changed;
}

/// Between two neighbours: below the middle goes down, above goes up, the middle to the even code.
template <class Small, Small (*Narrow)(float) noexcept>
int wrong_ties() {
  int wrong = 0;
  for (unsigned code = 0; code + 1 < 1u << (8 * sizeof(Small) - 1); ++code) {
    const double low = to_float(Small{static_cast<decltype(Small::bits)>(code)});
    const double high = to_float(Small{static_cast<decltype(Small::bits)>(code + 1)});
    if (!std::isfinite(low) || !std::isfinite(high)) continue;
    const float middle = static_cast<float>((low + high) / 2);
    wrong += Narrow(middle).bits != code + (code & 1);
    wrong += Narrow(std::nextafter(middle, 0.0f)).bits != code;
    wrong += Narrow(std::nextafter(middle, kInf)).bits != code + 1;
  }
  return wrong;
}

}  // namespace

TEST_CASE("every code of every small float survives float32") {
  CHECK(changed_codes<half, to_half>() == 0);
  CHECK(changed_codes<bfloat16, to_bfloat16>() == 0);
  CHECK(changed_codes<float8_e5m2, to_float8_e5m2>() == 0);
  CHECK(changed_codes<float8_e4m3fn, to_float8_e4m3fn>() == 0);
  CHECK(changed_codes<float8_e5m2fnuz, to_float8_e5m2fnuz>() == 0);
  CHECK(changed_codes<float8_e4m3fnuz, to_float8_e4m3fnuz>() == 0);
  CHECK(changed_codes<float8_e8m0fnu, to_float8_e8m0fnu>() == 0);
}

TEST_CASE("ties go to even, subnormals included") {
  CHECK(wrong_ties<half, to_half>() == 0);
  CHECK(wrong_ties<float8_e5m2, to_float8_e5m2>() == 0);
  CHECK(wrong_ties<float8_e4m3fn, to_float8_e4m3fn>() == 0);
  CHECK(wrong_ties<float8_e5m2fnuz, to_float8_e5m2fnuz>() == 0);
  CHECK(wrong_ties<float8_e4m3fnuz, to_float8_e4m3fnuz>() == 0);
  CHECK(to_bfloat16(std::bit_cast<float>(0x3F808000u)).bits == 0x3F80);
  CHECK(to_bfloat16(std::bit_cast<float>(0x3F808001u)).bits == 0x3F81);
  CHECK(to_bfloat16(std::bit_cast<float>(0x3F818000u)).bits == 0x3F82);
  CHECK(to_bfloat16(std::bit_cast<float>(0x00008001u)).bits == 0x0001);
}

TEST_CASE("widening: known values") {
  CHECK(to_float(half{0x3C00}) == 1.0f);
  CHECK(to_float(half{0x0001}) == 0x1p-24f);
  CHECK(to_float(half{0xFBFF}) == -65504.0f);
  CHECK(to_float(half{0x7C00}) == kInf);
  CHECK(std::isnan(to_float(half{0x7C01})));
  CHECK(std::signbit(to_float(half{0x8000})));
  CHECK(to_float(bfloat16{0x4049}) == 3.140625f);
  CHECK(to_float(float8_e5m2{0x7B}) == 57344.0f);
  CHECK(to_float(float8_e4m3fn{0x7E}) == 448.0f);
  CHECK(std::isnan(to_float(float8_e4m3fn{0xFF})));
  CHECK(to_float(float8_e4m3fn{0x01}) == 0x1p-9f);
  CHECK(to_float(float8_e5m2fnuz{0x7F}) == 57344.0f);
  CHECK(to_float(float8_e4m3fnuz{0x7F}) == 240.0f);
  CHECK(std::isnan(to_float(float8_e4m3fnuz{0x80})));
  CHECK(to_float(float8_e8m0fnu{0}) == 0x1p-127f);
  CHECK(to_float(float8_e8m0fnu{127}) == 1.0f);
  CHECK(to_float(float8_e8m0fnu{254}) == 0x1p127f);
  CHECK(std::isnan(to_float(float8_e8m0fnu{255})));
}

TEST_CASE("narrowing: the edges of each type") {
  CHECK(to_half(65519.996f).bits == 0x7BFF);
  CHECK(to_half(65520.0f).bits == 0x7C00);
  CHECK(to_half(-1e9f).bits == 0xFC00);
  CHECK((to_half(kNaN).bits & 0x7FFF) > 0x7C00);
  CHECK((to_half(std::bit_cast<float>(0x7FFFFFFFu)).bits & 0x7FFF) > 0x7C00);
  CHECK(to_half(0x1p-25f).bits == 0);
  CHECK(to_half(-0x1p-25f).bits == 0x8000);
  CHECK(to_bfloat16(3.4e38f).bits == 0x7F80);
  CHECK(to_bfloat16(std::bit_cast<float>(0x7F800001u)).bits == 0x7FC0);
  CHECK(to_float8_e5m2(61439.0f).bits == 0x7B);
  CHECK(to_float8_e5m2(61440.0f).bits == 0x7C);
  CHECK(to_float8_e4m3fn(449.0f).bits == 0x7E);
  CHECK(to_float8_e4m3fn(-kInf).bits == 0xFE);
  CHECK((to_float8_e4m3fn(kNaN).bits & 0x7F) == 0x7F);
  CHECK(to_float8_e4m3fnuz(247.9f).bits == 0x7F);
  CHECK(to_float8_e4m3fnuz(248.0f).bits == 0x80);
  CHECK(to_float8_e4m3fnuz(-0.0f).bits == 0x00);
  CHECK(to_float8_e4m3fnuz(-1e-9f).bits == 0x00);
  CHECK(to_float8_e5m2fnuz(-61440.0f).bits == 0x80);
  CHECK(to_float8_e5m2fnuz(kInf).bits == 0x80);
  CHECK(to_float8_e8m0fnu(-1.0f).bits == 127);
  CHECK(to_float8_e8m0fnu(1.5f).bits == 128);
  CHECK(to_float8_e8m0fnu(1.4999999f).bits == 127);
  CHECK(to_float8_e8m0fnu(6.0f).bits == 130);
  CHECK(to_float8_e8m0fnu(0.0f).bits == 0);
  CHECK(to_float8_e8m0fnu(kInf).bits == 255);
}

TEST_CASE("float64 and integers reach small floats through float32") {
  CHECK(one<half>(1 + 0x1p-11 + 0x1p-40).bits == 0x3C00);  // rounded once it would be 3C01
  CHECK(one<half>(std::int64_t{65519}).bits == 0x7BFF);
  CHECK(one<half>(std::int64_t{65520}).bits == 0x7C00);
  CHECK(one<bfloat16>(std::int64_t{(1LL << 40) + (1LL << 32) + 1}).bits == 0x5380);
  CHECK(one<float8_e4m3fn>(std::uint64_t{1} << 63).bits == 0x7E);
}

TEST_CASE("integers keep every digit") {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min(), kMax = std::numeric_limits<std::int64_t>::max();
  CHECK(one<std::uint64_t>(kMax) == static_cast<std::uint64_t>(kMax));
  CHECK(one<std::uint64_t>(std::int64_t{-1}) == std::numeric_limits<std::uint64_t>::max());
  CHECK(one<std::int32_t>(std::int64_t{0x1'2345'6789}) == 0x2345'6789);
  CHECK(one<std::int8_t>(std::uint8_t{200}) == -56);
  CHECK(one<double>((std::int64_t{1} << 53) - 1) == 9007199254740991.0);
  CHECK(one<double>(kMin) == -0x1p63);
  CHECK(one<double>(std::numeric_limits<std::uint64_t>::max()) == 0x1p64);
  CHECK(one<float>(std::numeric_limits<std::uint64_t>::max()) == 0x1p64f);
  CHECK(one<float>(std::int64_t{(1LL << 62) + (1LL << 38) + 1}) == 0x1p62f + 0x1p39f);  // through float64 it would be 2^62
}

TEST_CASE("float to integer truncates; out of range saturates; NaN is 0") {
  CHECK(one<std::int32_t>(-1.9) == -1);
  CHECK(one<std::int8_t>(127.9f) == 127);
  CHECK(one<std::int8_t>(-128.9f) == -128);
  CHECK(one<std::int8_t>(1e9f) == 127);
  CHECK(one<std::uint8_t>(-5.0f) == 0);
  CHECK(one<std::uint8_t>(256.0) == 255);
  CHECK(one<std::int64_t>(kInf) == std::numeric_limits<std::int64_t>::max());
  CHECK(one<std::int64_t>(-1e30) == std::numeric_limits<std::int64_t>::min());
  CHECK(one<std::uint64_t>(0x1p63) == std::uint64_t{1} << 63);
  CHECK(one<std::uint64_t>(1e30f) == std::numeric_limits<std::uint64_t>::max());
  CHECK(one<std::uint64_t>(-1.0) == 0);
  CHECK(one<std::uint32_t>(4294967295.5) == 4294967295u);
  CHECK(one<std::int32_t>(kNaN) == 0);
  CHECK(one<std::int64_t>(std::numeric_limits<double>::quiet_NaN()) == 0);
}

TEST_CASE("bool: not zero; a byte other than 0 reads as 1") {
  const std::vector<std::uint8_t> bytes{0, 1, 2, 128, 255};
  CHECK(converted<float>(DType::bool_, bytes, DType::float32) == std::vector<float>{0, 1, 1, 1, 1});
  CHECK(converted<std::uint8_t>(DType::bool_, bytes, DType::bool_) == std::vector<std::uint8_t>{0, 1, 1, 1, 1});
  CHECK(converted<std::uint8_t>(DType::float32, std::vector<float>{0, -0.0f, 0.5f, kNaN, 0x1p-149f}, DType::bool_) ==
        std::vector<std::uint8_t>{0, 0, 1, 1, 1});
  CHECK(converted<std::uint8_t>(DType::int64, std::vector<std::int64_t>{0, std::int64_t{1} << 40}, DType::bool_) ==
        std::vector<std::uint8_t>{0, 1});
  CHECK(converted<std::uint8_t>(DType::complex64, std::vector<float>{0, 0, 0, 2, 3, 0, -0.0f, 0}, DType::bool_) ==
        std::vector<std::uint8_t>{0, 1, 1, 0});
}

TEST_CASE("complex numbers") {
  CHECK(converted<float>(DType::complex64, std::vector<float>{1, 2, 3, 4}, DType::float32) == std::vector<float>{1, 3});
  CHECK(converted<double>(DType::float32, std::vector<float>{5, 6}, DType::complex128) == std::vector<double>{5, 0, 6, 0});
  using Bits = std::vector<std::uint16_t>;
  CHECK(converted<std::uint16_t>(DType::complex128, std::vector<double>{1, -2}, DType::complex32) == Bits{0x3C00, 0xC000});
  CHECK(converted<std::uint16_t>(DType::complex64, std::vector<float>{1, -2}, DType::bcomplex32) == Bits{0x3F80, 0xC000});
  CHECK(converted<std::int32_t>(DType::complex32, Bits{0x4900, 0x3C00}, DType::int32) == std::vector<std::int32_t>{10});
}

TEST_CASE("every pair: lengths around a block, any alignment, nothing beside the target touched") {
  std::size_t pairs = 0, wrong = 0;
  for (unsigned f = 0; f < 47; ++f) {
    for (unsigned t = 0; t < 47; ++t) {
      const auto from = static_cast<DType>(f), to = static_cast<DType>(t);
      if (!convertible(from, to)) continue;
      ++pairs;
      const std::size_t in_size = item_size(from), out_size = item_size(to);
      std::vector<std::byte> in(300 * in_size + 1), reference(300 * out_size);
      for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::byte>((i * 197 + (i >> 3)) & 0x3F);  // numbers small enough
      for (std::size_t i = 0; i < 300; ++i) {
        const auto from_one = std::span<const std::byte>(in).subspan(1 + i * in_size, in_size);
        wrong += !convert(from, from_one, to, std::span(reference).subspan(i * out_size, out_size));
      }
      for (const std::size_t n : {std::size_t{0}, std::size_t{5}, std::size_t{128}, std::size_t{300}}) {
        std::vector<std::byte> out(n * out_size + 2, std::byte{0xA5});
        wrong += !convert(from, std::span<const std::byte>(in).subspan(1, n * in_size), to, std::span(out).subspan(1, n * out_size));
        wrong += n != 0 && std::memcmp(out.data() + 1, reference.data(), n * out_size) != 0;
        wrong += out.front() != std::byte{0xA5} || out.back() != std::byte{0xA5};
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(pairs == 22 * 22 + 11);  // real and complex ones with each other; quantised, bits and float4 with themselves
}

TEST_CASE("what cannot be converted") {
  std::byte room[16] = {};
  const auto refused = [&room](DType from, std::size_t in, DType to, std::size_t out) {
    const auto result = convert(from, std::span(room).first(in), to, std::span(room).first(out));
    return result ? ErrorCode::no_data : result.error().code();
  };
  CHECK(refused(DType::qint8, 4, DType::float32, 16) == ErrorCode::wrong_dtype);
  CHECK(refused(DType::float32, 4, DType::bits8, 1) == ErrorCode::wrong_dtype);
  CHECK(refused(static_cast<DType>(30), 4, static_cast<DType>(30), 4) == ErrorCode::wrong_dtype);
  CHECK(refused(DType::float32, 8, DType::float16, 2) == ErrorCode::buffer_size);
  CHECK(refused(DType::float32, 7, DType::float16, 2) == ErrorCode::buffer_size);
  CHECK(refused(DType::float32, 8, DType::float32, 4) == ErrorCode::buffer_size);
  const auto result = convert(DType::float32, std::span(room).first(8), DType::float16, std::span(room).first(2));
  CHECK(result.error().message() == "cannot convert float32 to float16: 8 and 2 bytes are not as many elements");
}

TEST_CASE("swap_bytes") {
  const auto swapped = [](DType dtype) {
    std::vector<std::uint8_t> bytes(16);
    for (std::size_t i = 0; i < 16; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    swap_bytes(dtype, std::as_writable_bytes(std::span(bytes)).subspan(0, 15));  // the last element may be cut
    return bytes;
  };
  CHECK(swapped(DType::int16) == std::vector<std::uint8_t>{1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 14, 15});
  CHECK(swapped(DType::float32) == std::vector<std::uint8_t>{3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 12, 13, 14, 15});
  CHECK(swapped(DType::complex64) == std::vector<std::uint8_t>{3, 2, 1, 0, 7, 6, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15});
  CHECK(swapped(DType::complex32) == std::vector<std::uint8_t>{1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 12, 13, 14, 15});
  CHECK(swapped(DType::float64) == std::vector<std::uint8_t>{7, 6, 5, 4, 3, 2, 1, 0, 8, 9, 10, 11, 12, 13, 14, 15});
  CHECK(swapped(DType::uint8)[0] == 0);
  CHECK(swapped(DType::float8_e5m2)[1] == 1);
}
