// SPDX-License-Identifier: MIT
#include "element_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

namespace tool {

namespace {

template <class T>
void append_number(std::string& out, T v) {
  char text[48];
  out.append(text, std::to_chars(text, text + sizeof text, v).ptr);
}

template <class T>
T load_at(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&out](std::uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) byte(0xC0 | c >> 6);
  else if (c < 0x10000) byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F));
  else byte(0xF0 | (c >> 18 & 7)), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F));
  byte(0x80 | (c & 0x3F));
}

}  // namespace

void append_element(std::string& out, brine::DType dtype, const std::byte* p) {
  using enum brine::DType;
  const auto complex = [&](auto re, auto im) {
    append_number(out, re);
    if (!std::signbit(im)) out += '+';
    append_number(out, im);
    out += 'j';
  };
  switch (dtype) {
    case bool_: out += std::to_integer<int>(*p) ? "True" : "False"; break;
    case float32: append_number(out, load_at<float>(p)); break;
    case float64: append_number(out, load_at<double>(p)); break;
    case int64: append_number(out, load_at<std::int64_t>(p)); break;
    case uint64: append_number(out, load_at<std::uint64_t>(p)); break;
    case complex64: complex(load_at<float>(p), load_at<float>(p + 4)); break;
    case complex128: complex(load_at<double>(p), load_at<double>(p + 8)); break;
    default: break;
  }
}

std::optional<brine::DType> printed_as(brine::DType dtype) {
  using enum brine::DType;
  if (dtype == bool_ || dtype == uint64 || dtype == complex64 || dtype == complex128 || dtype == float64) return dtype;
  if (dtype == complex32) return complex64;
  if (brine::is_quantised(dtype)) return float32;  // what its integers stand for
  if (brine::is_floating(dtype) && brine::convertible(dtype, float32)) return float32;
  if (brine::convertible(dtype, int64) && !brine::is_complex(dtype)) return int64;
  return std::nullopt;
}

std::optional<std::string> text_element(std::string_view dtype, const std::byte* p, std::size_t itemsize) {
  if (dtype.size() < 2 || (dtype[1] != 'U' && dtype[1] != 'S')) return std::nullopt;
  const bool wide = dtype[1] == 'U';
  std::string text;
  std::size_t n = wide ? itemsize / 4 : itemsize;
  const auto unit = [&](std::size_t i) {
    if (!wide) return std::to_integer<std::uint32_t>(p[i]);
    const auto byte = [&](std::size_t k) { return std::to_integer<std::uint32_t>(p[4 * i + (dtype[0] == '>' ? 3 - k : k)]); };
    return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
  };
  while (n > 0 && unit(n - 1) == 0) --n;  // numpy does not tell them from padding
  for (std::size_t i = 0; i < n; ++i) wide ? append_utf8(text, unit(i)) : void(text += static_cast<char>(unit(i)));
  return text;
}

bool append_text_element(std::string& out, std::string_view dtype, const std::byte* p, std::size_t itemsize) {
  const auto text = text_element(dtype, p, itemsize);
  if (text) out += (dtype[1] == 'U' ? "'" : "b'") + brine::printable(*text) + "'";
  return text.has_value();
}

Separators::Separators(std::span<const std::int64_t> shape) noexcept {
  for (const std::int64_t size : shape) count_ *= static_cast<std::uint64_t>(size);
  if (!shape.empty()) row_ = static_cast<std::uint64_t>(shape.back());
  if (shape.size() > 2) matrix_ = row_ * static_cast<std::uint64_t>(shape[shape.size() - 2]);
}

void Separators::append(std::string& out) {
  ++done_;
  out += done_ % row_ ? ' ' : '\n';
  if (matrix_ != 0 && done_ % matrix_ == 0 && done_ < count_) out += '\n';
}

}  // namespace tool
