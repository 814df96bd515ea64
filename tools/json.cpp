// SPDX-License-Identifier: MIT
#include "json.hpp"

#include "messages.hpp"

#include <charconv>
#include <cmath>

namespace tool {

namespace {

constexpr char32_t kNoText = 0xFFFF;

struct Character {
  char32_t value;
  std::size_t size;  // bytes; 0: the byte is no UTF-8
};

// As CPython's "surrogatepass": lone surrogates are three bytes.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (size == 0 || size > text.size()) return {lead, 0};
  char32_t value = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {lead, 0};
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  const bool too_short = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  return too_short || value > 0x10FFFF ? Character{lead, 0} : Character{value, size};
}

void append_unit(std::string& out, char32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += "0123456789abcdef"[unit >> shift & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t marks = 0;    // U+FFFF just before
  bool after_high = false;  // and before them, or at once, a lone high surrogate
  const auto mark = [&out](std::size_t n) {
    while (n-- > 0) append_unit(out, kNoText);
  };
  while (!text.empty()) {
    const auto [c, size] = decode(text);
    text.remove_prefix(size ? size : 1);
    if (size == 1 && c >= 0x20 && c != 0x7F) {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<char>(c);
    } else if (size == 0) {
      mark(marks + 1);
      append_unit(out, 0xDC00 + c);
    } else if (c >= 0x10000) {
      append_unit(out, 0xD7C0 + (c >> 10));
      append_unit(out, 0xDC00 + (c & 0x3FF));
    } else {
      if (c >= 0xDC00 && c <= 0xDFFF) mark(marks + (after_high ? 2 : 0));
      append_unit(out, c);
    }
    if (c == kNoText && size == 3) {
      ++marks;
    } else {
      marks = 0;
      after_high = size == 3 && c >= 0xD800 && c <= 0xDBFF;
    }
  }
  out += '"';
}

JsonWriter& JsonWriter::open(char begin, char end) {
  separate();
  out_ += begin;
  ends_.push_back(end);
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end() {
  out_ += ends_.back();
  ends_.pop_back();
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return value(std::isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
  char text[32];
  return word({text, std::to_chars(text, text + sizeof text, number).ptr});
}

JsonWriter& JsonWriter::value(std::span<const std::int64_t> numbers) {
  array();
  for (const std::int64_t n : numbers) value(n);
  return end();
}

JsonWriter& JsonWriter::word(std::string_view text) {
  separate();
  out_ += text;
  return *this;
}

void JsonWriter::separate() {
  if (!first_ && !after_key_) out_ += ',';
  first_ = after_key_ = false;
  flush(false);
}

void JsonWriter::flush(bool last) {
  if (!last && out_.size() < 1 << 16) return;
  flushed_ += out_.size();
  if (counts_) ok_ = flushed_ <= max_;
  else if (ok_) ok_ = write_out(out_, last);
  out_.clear();
}

bool refuse_json(std::uint64_t max, const std::string& file) {
  fail(brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large,
                    "the listing would have more than " + std::to_string(max) +
                        " bytes, 24 times what was read and 1 MiB: the file names once what it uses very often")
           .in_file(file));
  return false;
}

bool write_json(std::uint64_t max, const std::string& file, const std::function<void(JsonWriter&)>& write) {
  JsonWriter counted(max);
  write(counted);
  if (!counted.close()) return refuse_json(max, file);
  JsonWriter out;
  write(out);
  return out.close();
}

bool JsonWriter::close() {
  out_ += '\n';
  first_ = true;
  flush(true);
  return ok_;
}

}  // namespace tool
