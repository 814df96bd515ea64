// SPDX-License-Identifier: MIT
#include "support/text.hpp"

#include <cstdint>
#include <cstring>

namespace brine {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::uint64_t load8(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

struct CodePoint {
  std::uint32_t value;
  unsigned size;  // bytes of its encoding; 0 when the bytes are no UTF-8
};

/// The code point at p < end, whose first byte is not ASCII.
CodePoint decode(const char* p, const char* end, bool surrogates) noexcept {
  const auto byte = [p](int i) { return std::uint32_t{static_cast<unsigned char>(p[i])}; };
  const auto continues = [&byte](int i) { return (byte(i) & 0xC0) == 0x80; };
  const std::uint32_t lead = byte(0);
  const std::ptrdiff_t left = end - p;
  if (lead >= 0xC2 && lead <= 0xDF && left >= 2 && continues(1)) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead >= 0xE0 && lead <= 0xEF && left >= 3 && continues(1) && continues(2)) {
    const std::uint32_t value = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    const bool lone = value >= 0xD800 && value <= 0xDFFF;
    return value < 0x800 || (lone && !surrogates) ? CodePoint{0, 0} : CodePoint{value, 3};
  }
  if (lead >= 0xF0 && lead <= 0xF4 && left >= 4 && continues(1) && continues(2) && continues(3)) {
    const std::uint32_t value = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    return value < 0x10000 || value > 0x10FFFF ? CodePoint{0, 0} : CodePoint{value, 4};
  }
  return {0, 0};
}

/// What could move the cursor, start a line or turn the reading direction on a terminal.
bool steers(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x206F);
}

/// Characters up to U+FFFF that Python's repr escapes: the usual ones; its table of the unprintable is longer.
bool is_unprintable(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD || (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
         (c >= 0x205F && c <= 0x206F) || c == 0x3000 || (c >= 0xD800 && c <= 0xF8FF) || c == 0xFEFF;
}

std::string repr(std::string_view text, bool bytes) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(bytes ? "b" : "");
  out += quote;
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p != end;) {
    const auto first = static_cast<unsigned char>(*p);
    const CodePoint c = bytes || first < 0x80 ? CodePoint{first, 1} : decode(p, end, true);
    const std::size_t size = c.size == 0 ? 1 : c.size;
    if (*p == quote || *p == '\\') (out += '\\') += *p;
    else if (*p == '\n') out += "\\n";
    else if (*p == '\t') out += "\\t";
    else if (*p == '\r') out += "\\r";
    else if (c.size == 0 || (bytes && first > 0x7E)) append_hex(out, "\\x", first, 2);
    else if (is_unprintable(c.value)) append_hex(out, c.value < 0x100 ? "\\x" : "\\u", c.value, c.value < 0x100 ? 2 : 4);
    else out.append(p, size);
    p += size;
  }
  return out += quote;
}

std::string escape(std::string_view text, std::size_t max, bool double_backslash) {
  const bool cut = text.size() > max;
  std::size_t size = cut ? max : text.size();
  if (cut) {  // not inside a character
    std::size_t start = size;
    while (start > 0 && size - start < 3 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (static_cast<unsigned char>(text[start]) >= 0xC2) size = start;
  }

  std::string out;
  out.reserve(size + 3);
  const char* const end = text.data() + size;
  for (const char* p = text.data(); p != end;) {
    const auto first = static_cast<unsigned char>(*p);
    const CodePoint c = first < 0x80 ? CodePoint{first, 1} : decode(p, end, false);
    if (c.size == 0 || (c.size == 1 && steers(first))) append_hex(out, "\\x", first, 2);
    else if (steers(c.value)) append_hex(out, "\\u", c.value, 4);
    else out.append(p, c.size);
    if (first == '\\' && double_backslash) out += '\\';
    p += c.size == 0 ? 1 : c.size;
  }
  if (cut) out += "…";
  return out;
}

}  // namespace

void append_hex(std::string& out, std::string_view prefix, std::uint64_t value, int digits) {
  out += prefix;
  while (digits-- > 0) out += "0123456789abcdef"[value >> (4 * digits) & 0xF];
}

std::string hex(std::uint64_t value, int digits) {
  std::string out;
  append_hex(out, "0x", value, digits);
  return out;
}

std::string python_repr(std::string_view text) { return repr(text, false); }
std::string python_bytes_repr(std::string_view bytes) { return repr(bytes, true); }

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out += ']';
}

bool is_utf8(std::string_view text, bool surrogates) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  if (text.size() >= 8) {
    while (end - p >= 8 && (load8(p) & kHighBits) == 0) p += 8;
    if (end - p < 8 && (load8(end - 8) & kHighBits) == 0) return true;  // the rest with some of what was seen
  }
  while (p != end) {
    if (end - p >= 8 && (load8(p) & kHighBits) == 0) {
      p += 8;
    } else if (static_cast<unsigned char>(*p) < 0x80) {
      ++p;
    } else {
      const unsigned size = decode(p, end, surrogates).size;
      if (size == 0) return false;
      p += size;
    }
  }
  return true;
}

bool is_ascii(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8)
    if (load8(text.data() + at) & kHighBits) return false;
  for (; at < text.size(); ++at)
    if (static_cast<unsigned char>(text[at]) >= 0x80) return false;
  return true;
}

std::string escaped(std::string_view text, std::size_t max) { return escape(text, max, true); }
std::string printable(std::string_view text) { return escape(text, SIZE_MAX, false); }
std::string printable(std::string_view text, std::size_t max) { return escape(text, max, false); }

std::string in_quotes(std::string_view text, std::size_t max) {
  std::string inner = escape(text, max, true);
  const bool single = inner.find('\'') != inner.npos, in_double = single && inner.find('"') == inner.npos;
  if (single && !in_double)
    for (std::size_t at = 0; (at = inner.find('\'', at)) != inner.npos; at += 2) inner.insert(at, 1, '\\');
  const char quote = in_double ? '"' : '\'';
  return quote + inner + quote;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+=,@%";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return std::string(text);
  std::string inner = escape(text, SIZE_MAX, true);
  if (inner == text && text.find('\'') == text.npos) return "'" + inner + "'";
  for (std::size_t at = 0; (at = inner.find('\'', at)) != inner.npos; at += 2) inner.insert(at, 1, '\\');
  return "$'" + inner + "'";
}

std::string concat(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string out;
  out.reserve(size);
  for (const std::string_view part : parts) out += part;
  return out;
}

}  // namespace brine
