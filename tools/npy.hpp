// SPDX-License-Identifier: MIT
// NumPy's .npy format, version 1.0, or 3.0 where the header is long or not ASCII (numpy/lib/format.py).
#pragma once

#include <brine/tensor.hpp>

#include <optional>
#include <string>

namespace tool {

/// NumPy's descr of a dtype ("<f4"), or nothing where NumPy has none (bfloat16, float8, quantised).
std::optional<std::string> npy_descr(brine::DType dtype);

/// Magic, version and header of a row-major array, padded so that the data is 64-byte aligned. `descr` is Python's text: "'<f4'".
std::string npy_header(const std::string& descr, std::span<const std::int64_t> shape);

}  // namespace tool
