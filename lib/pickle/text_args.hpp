// SPDX-License-Identifier: MIT
// The text arguments of protocol 0, by a strict grammar: CPython's C and Python readers and pickletools disagree about hexadecimal, blanks,
// underscores and leading zeros, so none of them is accepted.
#pragma once

#include "graph/graph.hpp"

#include <optional>
#include <string_view>

namespace brine {

/// An int of 64 bits, or `big`: it does not fit, and the digits are all there is.
struct DecimalInt {
  std::int64_t value = 0;
  bool big = false;
};
/// `-?(0|[1-9][0-9]*)`
std::optional<DecimalInt> parse_int(std::string_view text) noexcept;

/// PUT and GET: a decimal number without sign.
std::optional<std::uint64_t> parse_memo_index(std::string_view line) noexcept;

/// The whole line is one number; "nan", "inf" and "-inf" as Python writes them.
std::optional<double> parse_FLOAT(std::string_view line) noexcept;

/// STRING: quoted alike on both sides, Python 2's escapes; the bytes. Nothing when it is not so.
std::optional<std::string> parse_STRING(std::string_view line);

/// UNICODE: raw-unicode-escape (\uXXXX, \UXXXXXXXX, all else Latin-1); UTF-8. Nothing when an escape is not whole.
std::optional<std::string> parse_UNICODE(std::string_view line);

/// Appends a code point as UTF-8, surrogates as three bytes.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace brine
