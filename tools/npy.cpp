// SPDX-License-Identifier: MIT
#include "npy.hpp"

#include <bit>

namespace tool {

std::optional<std::string> npy_descr(brine::DType dtype) {
  using enum brine::DType;
  const std::string order(1, std::endian::native == std::endian::little ? '<' : '>');
  switch (dtype) {
    case bool_: return "|b1";
    case uint8: return "|u1";
    case int8: return "|i1";
    case uint16: return order + "u2";
    case int16: return order + "i2";
    case uint32: return order + "u4";
    case int32: return order + "i4";
    case uint64: return order + "u8";
    case int64: return order + "i8";
    case float16: return order + "f2";
    case float32: return order + "f4";
    case float64: return order + "f8";
    case complex64: return order + "c8";
    case complex128: return order + "c16";
    default: return std::nullopt;
  }
}

std::string npy_header(const std::string& descr, std::span<const std::int64_t> shape) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t size : shape) dict += std::to_string(size) + ", ";
  if (shape.size() > 1) dict.resize(dict.size() - 2);
  if (shape.size() == 1) dict.resize(dict.size() - 1);
  dict += "), }";
  constexpr std::size_t prefix = 10;
  dict.append(63 - (prefix + dict.size()) % 64, ' ');
  dict += '\n';
  const auto length = static_cast<unsigned>(dict.size());
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(length & 0xFF) + static_cast<char>(length >> 8) + dict;
}

}  // namespace tool
