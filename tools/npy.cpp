// SPDX-License-Identifier: MIT
#include "npy.hpp"

#include <algorithm>
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
  std::string dict = "{'descr': " + descr + ", 'fortran_order': False, 'shape': (";
  for (const std::int64_t size : shape) dict += std::to_string(size) + ", ";
  if (shape.size() > 1) dict.resize(dict.size() - 2);
  if (shape.size() == 1) dict.resize(dict.size() - 1);
  dict += "), }";
  const bool ascii = std::all_of(dict.begin(), dict.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const std::size_t width = ascii && dict.size() < 65'000 ? 2 : 4;  // of the length
  dict.append(63 - (8 + width + dict.size()) % 64, ' ');
  dict += '\n';
  std::string out("\x93NUMPY", 6);
  out += width == 2 ? '\1' : '\3';
  out += '\0';
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(dict.size() >> (8 * i) & 0xFF);
  return out + dict;
}

}  // namespace tool
