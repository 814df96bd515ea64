// SPDX-License-Identifier: MIT
#include "tensor/dtype_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace brine;

namespace {

std::vector<DType> all() {
  std::vector<DType> out;
  for (unsigned i = 0; i < 256; ++i) {
    if (!name(static_cast<DType>(i)).empty()) out.push_back(static_cast<DType>(i));
  }
  return out;
}

}  // namespace

TEST_CASE("all dtypes: names both ways, sizes, one class at most") {
  const auto dtypes = all();
  CHECK(dtypes.size() == 33);
  CHECK(dtypes.back() == DType::bcomplex32);
  for (const DType dtype : dtypes) {
    CAPTURE(name(dtype));
    CHECK(dtype_from_name(name(dtype)) == dtype);
    CHECK(item_size(dtype) >= 1);
    CHECK(item_size(dtype) <= 16);
    CHECK(is_complex(dtype) + is_floating(dtype) + is_quantised(dtype) <= 1);
  }
  CHECK(name(DType::bool_) == "bool");
  CHECK(name(DType::float4_e2m1fn_x2) == "float4_e2m1fn_x2");
  CHECK(item_size(DType::complex32) == 4);
  CHECK(item_size(DType::bits16) == 2);
  CHECK(item_size(DType::qint32) == 4);
  CHECK(is_floating(DType::float8_e8m0fnu));
  CHECK(is_quantised(DType::quint2x4));
  CHECK(is_complex(DType::bcomplex32));
}

TEST_CASE("what is no dtype") {
  for (const char* text : {"", "float", "half", "torch.float32", "Float32", "uint1", "int4", "bool_", "float32 "}) {
    CAPTURE(text);
    CHECK_FALSE(dtype_from_name(text).has_value());
  }
  for (const unsigned number : {30u, 43u, 47u, 255u}) {
    CHECK(name(static_cast<DType>(number)).empty());
    CHECK(item_size(static_cast<DType>(number)) == 0);
    CHECK(storage_class_name(static_cast<DType>(number)).empty());
  }
}

TEST_CASE("dtypes as people write them") {
  for (const auto& [text, dtype] : {std::pair("torch.float16", DType::float16), {"half", DType::float16}, {"FP16", DType::float16}, {"bf16", DType::bfloat16},
                                    {"torch.double", DType::float64}, {"f32", DType::float32}, {"float", DType::float32}, {"long", DType::int64},
                                    {"Float32", DType::float32}, {"F8_E4M3", DType::float8_e4m3fn}, {"torch.bool", DType::bool_}}) {
    CAPTURE(text);
    CHECK(dtype_from_text(text) == dtype);
  }
  for (const char* text : {"", "fp8", "torch.", "float15", "torch.torch.half", "a text that is far longer than any dtype's name"}) {
    CAPTURE(text);
    CHECK_FALSE(dtype_from_text(text).has_value());
  }
}

TEST_CASE("storage classes") {
  CHECK(dtype_of_storage_class("FloatStorage") == DType::float32);
  CHECK(dtype_of_storage_class("HalfStorage") == DType::float16);
  CHECK(dtype_of_storage_class("LongStorage") == DType::int64);
  CHECK(dtype_of_storage_class("ByteStorage") == DType::uint8);
  CHECK(dtype_of_storage_class("QUInt4x2Storage") == DType::quint4x2);
  CHECK(dtype_of_storage_class("ComplexDoubleStorage") == DType::complex128);
  CHECK(dtype_of_storage_class("UInt16Storage") == DType::uint16);  // TorchScript only
  for (const char* text : {"", "Storage", "UntypedStorage", "TypedStorage", "FloatTensor", "Float", "floatStorage"}) {
    CAPTURE(text);
    CHECK_FALSE(dtype_of_storage_class(text).has_value());
  }
  CHECK(is_untyped_storage_class("UntypedStorage"));
  CHECK(is_untyped_storage_class("_UntypedStorage"));
  CHECK_FALSE(is_untyped_storage_class("TypedStorage"));

  CHECK(storage_class_name(DType::bfloat16) == "BFloat16Storage");
  CHECK(storage_class_name(DType::uint16).empty());
  CHECK(storage_class_name(DType::complex32).empty());
  std::size_t named = 0;
  for (const DType dtype : all()) {
    const auto storage = storage_class_name(dtype);
    if (storage.empty()) continue;
    ++named;
    CHECK(dtype_of_storage_class(storage) == dtype);
  }
  CHECK(named == 17);  // what dir(torch) has, without Storage, TypedStorage and UntypedStorage
}

TEST_CASE("old tensor classes") {
  CHECK(dtype_of_tensor_class("FloatTensor") == DType::float32);
  CHECK(dtype_of_tensor_class("CharTensor") == DType::int8);
  CHECK(dtype_of_tensor_class("BFloat16Tensor") == DType::bfloat16);
  CHECK(dtype_of_tensor_class("BoolTensor") == DType::bool_);
  std::size_t known = 0;
  for (const DType dtype : all()) {
    std::string text(storage_class_name(dtype));
    if (text.empty()) continue;
    text.replace(text.size() - 7, 7, "Tensor");
    known += dtype_of_tensor_class(text) == dtype;
  }
  CHECK(known == 10);
  for (const char* text : {"", "Tensor", "FTensor", "ComplexFloatTensor", "QInt8Tensor", "FloatStorage", "UInt16Tensor"}) {
    CAPTURE(text);
    CHECK_FALSE(dtype_of_tensor_class(text).has_value());
  }
}
