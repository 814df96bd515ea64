// SPDX-License-Identifier: MIT
#include "element_text.hpp"

#include "date_text.hpp"

#include <algorithm>
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

// As a Python literal.
void append_bytes(std::string& out, std::span<const std::byte> bytes) {
  out += "b'";
  for (const std::byte b : bytes) {
    const auto u = std::to_integer<unsigned>(b);
    if (u == '\\' || u == '\'') out += '\\';
    if (u >= 0x20 && u < 0x7F) out += static_cast<char>(u);
    else out += {'\\', 'x', "0123456789abcdef"[u >> 4], "0123456789abcdef"[u & 15]};
  }
  out += "'";
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

bool has_numpy_text(std::string_view dtype) noexcept { return std::string_view("USMmV").find(dtype[1]) != std::string_view::npos; }

void append_numpy_element(std::string& out, std::string_view dtype, std::span<const std::byte> element) {
  const bool big = dtype[0] == '>';
  const auto number = [&]<class T>(std::size_t at, T value) {
    for (std::size_t k = 0; k < sizeof value; ++k) value |= std::to_integer<T>(element[at + (big ? sizeof value - 1 - k : k)]) << (8 * k);
    return value;
  };
  std::size_t size = element.size();
  const auto drop_zeros = [&](std::size_t unit) {  // numpy does not tell them from padding
    while (size >= unit && std::ranges::all_of(element.subspan(size - unit, unit), [](std::byte b) { return b == std::byte{0}; })) size -= unit;
  };
  switch (dtype[1]) {
    case 'U': {
      drop_zeros(4);
      std::string text;
      for (std::size_t at = 0; at < size; at += 4) append_utf8(text, number(at, std::uint32_t{0}));
      out += "'" + brine::printable(text) + "'";
      break;
    }
    case 'S': drop_zeros(1); [[fallthrough]];
    case 'V': append_bytes(out, element.first(size)); break;
    case 'M': case 'm': append_date(out, dtype, static_cast<std::int64_t>(number(0, std::uint64_t{0}))); break;
    default: break;
  }
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
