// SPDX-License-Identifier: MIT
#include "pickle/text_args.hpp"

#include <charconv>

namespace brine {

namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads exactly `digits` hexadecimal digits at `at`, moving it; false when they are not there.
bool hex(std::string_view text, std::size_t& at, int digits, std::uint32_t& out) noexcept {
  out = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    const int d = at < text.size() ? hex_digit(text[at]) : -1;
    if (d < 0) return false;
    out = out << 4 | static_cast<std::uint32_t>(d);
  }
  return true;
}

}  // namespace

std::optional<DecimalInt> parse_int(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative);
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  for (const char c : digits)
    if (c < '0' || c > '9') return std::nullopt;
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error == std::errc()) return DecimalInt{v};
  return DecimalInt{0, true};
}

std::optional<std::uint64_t> parse_memo_index(std::string_view line) noexcept {
  const auto v = parse_int(line);
  if (!v || v->big || v->value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(v->value);
}

std::optional<double> parse_FLOAT(std::string_view line) noexcept {
  double v = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), v);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  return v;
}

std::optional<std::string> parse_STRING(std::string_view line) {
  if (line.size() < 2 || line.front() != line.back() || (line.front() != '\'' && line.front() != '"')) return std::nullopt;
  const char quote = line.front();
  const std::string_view body = line.substr(1, line.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] == quote) return std::nullopt;
    if (body[i] != '\\') {
      out += body[i++];
      continue;
    }
    if (++i == body.size()) return std::nullopt;
    const char c = body[i++];
    constexpr std::string_view from = "\\'\"abfnrtv", to = "\\'\"\a\b\f\n\r\t\v";
    if (const auto known = from.find(c); known != std::string_view::npos) {
      out += to[known];
    } else if (c == 'x') {
      std::uint32_t v;
      if (!hex(body, i, 2, v)) return std::nullopt;
      out += static_cast<char>(v);
    } else if (c >= '0' && c <= '7') {
      int v = c - '0';
      for (int n = 1; n < 3 && i < body.size() && body[i] >= '0' && body[i] <= '7'; ++n) v = v * 8 + (body[i++] - '0');
      out += static_cast<char>(v & 0xFF);
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6), byte(0x80 | (c & 63));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63));
  } else {
    byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63));
  }
}

std::optional<std::string> parse_UNICODE(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    const char c = line[i++];
    const char kind = c == '\\' && i < line.size() ? line[i] : '\0';
    if (kind != 'u' && kind != 'U') {
      append_utf8(out, static_cast<unsigned char>(c));
      if (c == '\\' && kind == '\\') out += line[i++];  // "\\" is two backslashes, and starts no escape
      continue;
    }
    std::uint32_t v;
    ++i;
    if (!hex(line, i, kind == 'u' ? 4 : 8, v) || v > 0x10FFFF) return std::nullopt;
    append_utf8(out, v);
  }
  return out;
}

}  // namespace brine
