// SPDX-License-Identifier: MIT
#include "tensor/convert_block.hpp"

#include "tensor/float_bits.hpp"

#include <cstring>
#include <limits>

namespace brine {
namespace {

using namespace float_bits;

using Load = decltype(BlockPlan::load);
using Change = decltype(BlockPlan::change);
using Store = decltype(BlockPlan::store);

// Loads: every source belongs to one class, whose array holds its numbers exactly.

template <class T, auto Member>
void load(const std::byte* __restrict in, Numbers& __restrict numbers) noexcept {
  auto& array = numbers.*Member;
  for (std::size_t i = 0; i < kBlock; ++i) {
    T value;
    std::memcpy(&value, in + i * sizeof(T), sizeof(T));
    array[i] = static_cast<std::remove_reference_t<decltype(array[0])>>(value);
  }
}

template <class Bits, auto Widen>
void load_small(const std::byte* __restrict in, Numbers& __restrict numbers) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) {
    Bits bits;
    std::memcpy(&bits, in + i * sizeof(Bits), sizeof(Bits));
    numbers.floats[i] = Widen(bits);
  }
}

void load_bool(const std::byte* __restrict in, Numbers& __restrict numbers) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) numbers.integers[i] = in[i] != std::byte{0};
}

// Changes of class.

template <class From, auto Source, auto Target>
void change(Numbers& __restrict numbers, const IntegerRange&) noexcept {
  auto& target = numbers.*Target;
  for (std::size_t i = 0; i < kBlock; ++i) {
    target[i] = static_cast<std::remove_reference_t<decltype(target[0])>>(static_cast<From>((numbers.*Source)[i]));
  }
}

template <auto Source>
void truth(Numbers& __restrict numbers, const IntegerRange&) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) numbers.integers[i] = (numbers.*Source)[i] != 0;
}

/// Truncates; saturates at the target's range, and NaN becomes 0.
template <class Integer, auto Source>
void truncate(Numbers& __restrict numbers, const IntegerRange& range) noexcept {
  using Real = std::remove_cvref_t<decltype((numbers.*Source)[0])>;
  const auto begin = static_cast<Real>(range.begin), end = static_cast<Real>(range.end);  // powers of two: exact
  for (std::size_t i = 0; i < kBlock; ++i) {
    const Real value = (numbers.*Source)[i];
    std::int64_t result = 0;
    if (value >= end) result = range.max;
    else if (value > begin) result = static_cast<std::int64_t>(static_cast<Integer>(value));
    else if (value <= begin) result = range.min;
    numbers.integers[i] = result;
  }
}

// Stores.

template <class T, auto Member>
void store(const Numbers& __restrict numbers, std::byte* __restrict out) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const T value = static_cast<T>((numbers.*Member)[i]);  // integers wrap
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

template <class Bits, auto Narrow>
void store_small(const Numbers& __restrict numbers, std::byte* __restrict out) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const Bits bits = static_cast<Bits>(Narrow(numbers.floats[i]));
    std::memcpy(out + i * sizeof(Bits), &bits, sizeof(Bits));
  }
}

void store_bool(const Numbers& __restrict numbers, std::byte* __restrict out) noexcept {
  for (std::size_t i = 0; i < kBlock; ++i) out[i] = static_cast<std::byte>(numbers.integers[i] != 0);
}

enum class Class : std::uint8_t { floats, doubles, integers, unsigned64, none };

/// Everything that is known of one real dtype.
struct Real {
  Class kind = Class::none;
  Load load = nullptr;
  Store store = nullptr;
  IntegerRange range{};
};

constexpr auto kFloats = &Numbers::floats;
constexpr auto kDoubles = &Numbers::doubles;
constexpr auto kIntegers = &Numbers::integers;

template <class Bits, auto Widen, auto Narrow>
constexpr Real small_float() noexcept { return {Class::floats, load_small<Bits, Widen>, store_small<Bits, Narrow>, {}}; }

template <class T>
constexpr Real integer() noexcept {
  using Limits = std::numeric_limits<T>;
  const double begin = static_cast<double>(Limits::min()), end = 2.0 * static_cast<double>(Limits::max() / 2 + 1);
  return {sizeof(T) == 8 && !Limits::is_signed ? Class::unsigned64 : Class::integers, load<T, kIntegers>, store<T, kIntegers>,
          {begin, end, static_cast<std::int64_t>(Limits::min()), static_cast<std::int64_t>(Limits::max())}};
}

Real real(DType dtype) noexcept {
  using std::uint8_t, std::uint16_t;
  switch (dtype) {
    case DType::uint8: return integer<std::uint8_t>();
    case DType::int8: return integer<std::int8_t>();
    case DType::int16: return integer<std::int16_t>();
    case DType::int32: return integer<std::int32_t>();
    case DType::int64: return integer<std::int64_t>();
    case DType::uint16: return integer<std::uint16_t>();
    case DType::uint32: return integer<std::uint32_t>();
    case DType::uint64: return integer<std::uint64_t>();
    case DType::bool_: return {Class::integers, load_bool, store_bool, {}};
    case DType::float32: return {Class::floats, load<float, kFloats>, store<float, kFloats>, {}};
    case DType::float64: return {Class::doubles, load<double, kDoubles>, store<double, kDoubles>, {}};
    case DType::float16: return small_float<uint16_t, widen<kHalf>, narrow<kHalf>>();
    case DType::bfloat16: return small_float<uint16_t, widen_bfloat16, narrow_bfloat16>();
    case DType::float8_e5m2: return small_float<uint8_t, widen<kE5M2>, narrow<kE5M2>>();
    case DType::float8_e4m3fn: return small_float<uint8_t, widen<kE4M3FN>, narrow<kE4M3FN>>();
    case DType::float8_e5m2fnuz: return small_float<uint8_t, widen<kE5M2FNUZ>, narrow<kE5M2FNUZ>>();
    case DType::float8_e4m3fnuz: return small_float<uint8_t, widen<kE4M3FNUZ>, narrow<kE4M3FNUZ>>();
    case DType::float8_e8m0fnu: return small_float<uint8_t, widen_e8m0, narrow_e8m0>();
    default: return {};
  }
}

/// From one class to what the target stores. All narrow floats are stored from float32: PyTorch rounds twice.
Change change_of(Class from, Class to, bool to_bool) noexcept {
  using std::int64_t, std::uint64_t;
  const bool signed_source = from == Class::integers;
  if (to == Class::floats) {
    if (from == Class::doubles) return change<double, kDoubles, kFloats>;
    if (from == Class::floats) return nullptr;
    return signed_source ? change<int64_t, kIntegers, kFloats> : change<uint64_t, kIntegers, kFloats>;
  }
  if (to == Class::doubles) {
    if (from == Class::floats) return change<float, kFloats, kDoubles>;
    if (from == Class::doubles) return nullptr;
    return signed_source ? change<int64_t, kIntegers, kDoubles> : change<uint64_t, kIntegers, kDoubles>;
  }
  if (from == Class::floats && to_bool) return truth<kFloats>;
  if (from == Class::doubles && to_bool) return truth<kDoubles>;
  if (from == Class::floats) return to == Class::unsigned64 ? truncate<uint64_t, kFloats> : truncate<int64_t, kFloats>;
  if (from == Class::doubles) return to == Class::unsigned64 ? truncate<uint64_t, kDoubles> : truncate<int64_t, kDoubles>;
  return nullptr;
}

}  // namespace

bool is_real_number(DType dtype) noexcept { return real(dtype).kind != Class::none; }

BlockPlan make_plan(DType from, DType to) noexcept {
  const Real source = real(from), target = real(to);
  return {source.load, change_of(source.kind, target.kind, to == DType::bool_), target.store, target.range};
}

}  // namespace brine
