// SPDX-License-Identifier: MIT
// What PyTorch's files call the element types beside their names: storage classes and the tensor classes of its first releases.
#pragma once

#include <brine/dtype.hpp>

namespace brine {

/// By a storage class's name alone, without module: "FloatStorage". Also knows the names that only TorchScript writes, whose C++ pickler
/// makes a class name of every dtype ("ComplexHalfStorage", "UInt16Storage"). Nothing for untyped storages and other names.
std::optional<DType> dtype_of_storage_class(std::string_view class_name) noexcept;

/// "UntypedStorage", or "_UntypedStorage" as 1.11 and 1.12 had it: bytes, whose dtype stands elsewhere.
bool is_untyped_storage_class(std::string_view class_name) noexcept;

/// The storage class that Python's PyTorch has for this dtype, or "" where it has none (and saves an UntypedStorage with the dtype).
std::string_view storage_class_name(DType dtype) noexcept;

/// What such a class's name begins with: "Float" of FloatTensor.
std::string_view class_stem(DType dtype) noexcept;

/// By an old tensor class's name: "FloatTensor" … "BFloat16Tensor", "BoolTensor".
std::optional<DType> dtype_of_tensor_class(std::string_view class_name) noexcept;

}  // namespace brine
