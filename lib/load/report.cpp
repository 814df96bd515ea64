// SPDX-License-Identifier: MIT
// The texts of load_state_dict: PyTorch's, byte for byte.
#include "load/load_state_dict.hpp"

#include "support/text.hpp"

namespace brine {

namespace {

void append_hex(std::string& out, std::string_view prefix, unsigned value, int digits) {
  out += prefix;
  while (digits-- > 0) out += "0123456789abcdef"[value >> (4 * digits) & 0xF];
}

/// Characters up to U+FFFF that Python's repr escapes: the usual ones; its table of the unprintable is longer.
bool is_unprintable(unsigned c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD || (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
         (c >= 0x205F && c <= 0x206F) || c == 0x3000 || (c >= 0xD800 && c <= 0xF8FF) || c == 0xFEFF;
}

void append_list(std::string& out, const std::vector<std::string>& keys) {
  out += '[';
  for (const std::string& key : keys) {
    if (&key != &keys.front()) out += ", ";
    out += python_repr(key);
  }
  out += ']';
}

void append_line(std::string& out, std::string_view title, const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  out += title;
  for (const std::string& key : keys) {
    if (&key != &keys.front()) out += ", ";
    out += '"';
    out += key;
    out += '"';
  }
  out += ". \n\t";
}

}  // namespace

std::string size_text(std::span<const std::int64_t> shape) {
  std::string out = "torch.Size([";
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d) out += ", ";
    out += std::to_string(shape[d]);
  }
  return out += "])";
}

std::string python_repr(std::string_view text) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t n) { return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0u; };
    const unsigned first = at(0);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    const unsigned c = size == 1   ? first
                       : size == 2 ? (first & 31) << 6 | (at(1) & 63)
                       : size == 3 ? (first & 15) << 12 | (at(1) & 63) << 6 | (at(2) & 63)
                                   : 0x10000;
    if (c == '\\' || c == static_cast<unsigned char>(quote)) (out += '\\') += text[i];
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (is_unprintable(c)) append_hex(out, c < 0x100 ? "\\x" : "\\u", c, c < 0x100 ? 2 : 4);
    else out += text.substr(i, size);
    i += size - 1;
  }
  return out += quote;
}

std::string LoadReport::to_string() const {
  if (all_matched()) return "<All keys matched successfully>";
  std::string out = "_IncompatibleKeys(missing_keys=";
  append_list(out, missing_keys);
  out += ", unexpected_keys=";
  append_list(out, unexpected_keys);
  return out += ')';
}

std::string error_text(const LoadReport& report, const LoadStateDictOptions& options) {
  std::string out = concat({"Error(s) in loading state_dict for ", options.model_name, ":\n\t"});
  if (options.strict) {
    append_line(out, "Missing key(s) in state_dict: ", report.missing_keys);
    append_line(out, "Unexpected key(s) in state_dict: ", report.unexpected_keys);
  }
  for (const LoadReport::Problem& p : report.problems) (out += p.text) += "\n\t";
  out.resize(out.size() - 2);
  return out;
}

}  // namespace brine
