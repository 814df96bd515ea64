// SPDX-License-Identifier: MIT
// The one table of element types.
#include "tensor/dtype_table.hpp"

#include <algorithm>
#include <array>

namespace brine {
namespace {

enum Trait : std::uint8_t {
  kFloating = 1,
  kComplex = 2,
  kQuantised = 4,
  kStorage = 8,   // Python's PyTorch has the storage class
  kTensor = 16,   // … and the tensor class
};

struct Row {
  DType dtype;
  std::uint8_t size;
  std::uint8_t traits;
  std::string_view name;
  std::string_view storage;
};

constexpr auto kRows = std::to_array<Row>({
  {DType::uint8, 1, kStorage | kTensor, "uint8", "ByteStorage"},
  {DType::int8, 1, kStorage | kTensor, "int8", "CharStorage"},
  {DType::int16, 2, kStorage | kTensor, "int16", "ShortStorage"},
  {DType::int32, 4, kStorage | kTensor, "int32", "IntStorage"},
  {DType::int64, 8, kStorage | kTensor, "int64", "LongStorage"},
  {DType::float16, 2, kFloating | kStorage | kTensor, "float16", "HalfStorage"},
  {DType::float32, 4, kFloating | kStorage | kTensor, "float32", "FloatStorage"},
  {DType::float64, 8, kFloating | kStorage | kTensor, "float64", "DoubleStorage"},
  {DType::complex32, 4, kComplex, "complex32", "ComplexHalfStorage"},
  {DType::complex64, 8, kComplex | kStorage, "complex64", "ComplexFloatStorage"},
  {DType::complex128, 16, kComplex | kStorage, "complex128", "ComplexDoubleStorage"},
  {DType::bool_, 1, kStorage | kTensor, "bool", "BoolStorage"},
  {DType::qint8, 1, kQuantised | kStorage, "qint8", "QInt8Storage"},
  {DType::quint8, 1, kQuantised | kStorage, "quint8", "QUInt8Storage"},
  {DType::qint32, 4, kQuantised | kStorage, "qint32", "QInt32Storage"},
  {DType::bfloat16, 2, kFloating | kStorage | kTensor, "bfloat16", "BFloat16Storage"},
  {DType::quint4x2, 1, kQuantised | kStorage, "quint4x2", "QUInt4x2Storage"},
  {DType::quint2x4, 1, kQuantised | kStorage, "quint2x4", "QUInt2x4Storage"},
  {DType::bits1x8, 1, 0, "bits1x8", "Bits1x8Storage"},
  {DType::bits2x4, 1, 0, "bits2x4", "Bits2x4Storage"},
  {DType::bits4x2, 1, 0, "bits4x2", "Bits4x2Storage"},
  {DType::bits8, 1, 0, "bits8", "Bits8Storage"},
  {DType::bits16, 2, 0, "bits16", "Bits16Storage"},
  {DType::float8_e5m2, 1, kFloating, "float8_e5m2", "Float8_e5m2Storage"},
  {DType::float8_e4m3fn, 1, kFloating, "float8_e4m3fn", "Float8_e4m3fnStorage"},
  {DType::float8_e5m2fnuz, 1, kFloating, "float8_e5m2fnuz", "Float8_e5m2fnuzStorage"},
  {DType::float8_e4m3fnuz, 1, kFloating, "float8_e4m3fnuz", "Float8_e4m3fnuzStorage"},
  {DType::uint16, 2, 0, "uint16", "UInt16Storage"},
  {DType::uint32, 4, 0, "uint32", "UInt32Storage"},
  {DType::uint64, 8, 0, "uint64", "UInt64Storage"},
  {DType::float8_e8m0fnu, 1, kFloating, "float8_e8m0fnu", "Float8_e8m0fnuStorage"},
  {DType::float4_e2m1fn_x2, 1, kFloating, "float4_e2m1fn_x2", "Float4_e2m1fn_x2Storage"},
  {DType::bcomplex32, 4, kComplex, "bcomplex32", "BComplex32Storage"},
});

/// ScalarType has a gap: 30 to 43 are the sub-byte integers.
constexpr std::size_t index_of(DType dtype) noexcept {
  const auto number = static_cast<std::size_t>(dtype);
  return number < 30 ? number : number >= 44 ? number - 14 : kRows.size();
}

static_assert([] {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (index_of(kRows[i].dtype) != i) return false;
  }
  return true;
}());

constexpr Row kNone{DType::uint8, 0, 0, "", ""};  // for a number that is no DType

const Row& row(DType dtype) noexcept {
  const std::size_t index = index_of(dtype);
  return index < kRows.size() ? kRows[index] : kNone;
}

bool has(DType dtype, Trait trait) noexcept { return (row(dtype).traits & trait) != 0; }

template <class Predicate>
std::optional<DType> find(Predicate matches) noexcept {
  const auto found = std::find_if(kRows.begin(), kRows.end(), matches);
  return found == kRows.end() ? std::nullopt : std::optional(found->dtype);
}

}  // namespace

std::string_view name(DType dtype) noexcept { return row(dtype).name; }
std::size_t item_size(DType dtype) noexcept { return row(dtype).size; }
bool is_complex(DType dtype) noexcept { return has(dtype, kComplex); }
bool is_floating(DType dtype) noexcept { return has(dtype, kFloating); }
bool is_quantised(DType dtype) noexcept { return has(dtype, kQuantised); }

std::optional<DType> dtype_from_name(std::string_view name) noexcept {
  return find([name](const Row& r) { return r.name == name; });
}

std::optional<DType> dtype_from_text(std::string_view text) noexcept {
  constexpr std::size_t kLongest = 32;
  char lower[kLongest];
  if (text.size() > kLongest) return std::nullopt;
  std::transform(text.begin(), text.end(), lower, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::string_view name(lower, text.size());
  if (name.starts_with("torch.")) name.remove_prefix(6);
  if (const auto known = dtype_from_name(name)) return known;
  struct Alias {
    std::string_view name;
    DType dtype;
  };
  static constexpr Alias aliases[] = {
    {"half", DType::float16}, {"fp16", DType::float16}, {"f16", DType::float16}, {"bf16", DType::bfloat16},
    {"float", DType::float32}, {"single", DType::float32}, {"fp32", DType::float32}, {"f32", DType::float32},
    {"double", DType::float64}, {"fp64", DType::float64}, {"f64", DType::float64},
    {"chalf", DType::complex32}, {"cfloat", DType::complex64}, {"cdouble", DType::complex128},
    {"byte", DType::uint8}, {"u8", DType::uint8}, {"u16", DType::uint16}, {"u32", DType::uint32}, {"u64", DType::uint64},
    {"i8", DType::int8}, {"short", DType::int16}, {"i16", DType::int16}, {"int", DType::int32}, {"i32", DType::int32},
    {"long", DType::int64}, {"i64", DType::int64},
    {"float8_e4m3", DType::float8_e4m3fn}, {"fp8_e4m3", DType::float8_e4m3fn}, {"f8_e4m3", DType::float8_e4m3fn}, {"e4m3", DType::float8_e4m3fn},
    {"fp8_e4m3fn", DType::float8_e4m3fn}, {"e4m3fn", DType::float8_e4m3fn},
    {"fp8_e5m2", DType::float8_e5m2}, {"f8_e5m2", DType::float8_e5m2}, {"e5m2", DType::float8_e5m2},
  };
  for (const Alias& alias : aliases)
    if (alias.name == name) return alias.dtype;
  return std::nullopt;
}

std::optional<DType> dtype_of_storage_class(std::string_view class_name) noexcept {
  return find([class_name](const Row& r) { return r.storage == class_name; });
}

bool is_untyped_storage_class(std::string_view class_name) noexcept {
  return class_name == "UntypedStorage" || class_name == "_UntypedStorage";
}

std::string_view storage_class_name(DType dtype) noexcept { return has(dtype, kStorage) ? row(dtype).storage : ""; }

std::string_view class_stem(DType dtype) noexcept { return row(dtype).storage.substr(0, row(dtype).storage.find("Storage")); }

std::optional<DType> dtype_of_tensor_class(std::string_view class_name) noexcept {
  constexpr std::string_view kEnd = "Tensor", kStorageEnd = "Storage";
  if (!class_name.ends_with(kEnd)) return std::nullopt;
  class_name.remove_suffix(kEnd.size());
  return find([=](const Row& r) {
    return (r.traits & kTensor) != 0 && r.storage.size() == class_name.size() + kStorageEnd.size() && r.storage.starts_with(class_name);
  });
}

}  // namespace brine
