// SPDX-License-Identifier: MIT
// Text from strangers: the UTF-8 check, and the escaped form that may stand in a message or on a terminal.
#pragma once

#include <brine/export.hpp>
#include <brine/limits.hpp>
#include <brine/text.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace brine {

/// Well-formed UTF-8? With `surrogates`, lone surrogates encoded as three bytes are allowed (CPython's "surrogatepass").
bool is_utf8(std::string_view text, bool surrogates = false) noexcept;

bool is_ascii(std::string_view text) noexcept;

/// Control characters, DEL, C1 controls, bidirectional and line-separator controls, and bytes that are not UTF-8 become \xNN or \uNNNN;
/// a text longer than `max` bytes is cut and ends in "…". The backslash itself is doubled.
std::string escaped(std::string_view text, std::size_t max = 200);

/// As escaped(), but a backslash stays single: for text that may have been escaped before, and for paths. (printable(text): all of it.)
std::string printable(std::string_view text, std::size_t max);

/// 'text', escaped and in quotes: in double ones where it has single ones, and no double ones, as Python shows it.
BRINE_COLD std::string in_quotes(std::string_view text, std::size_t max = 200);

/// The whole text as a shell takes it for one word: plain, in single quotes, or $'…' where it has what a terminal should not be given.
BRINE_COLD std::string shell_word(std::string_view text);

/// Bytes that a text made of so much metadata may have, see Limits::text_factor.
constexpr std::uint64_t text_bytes(std::uint64_t read, std::uint64_t factor = Limits{}.text_factor) noexcept {
  constexpr std::uint64_t max = std::uint64_t{1} << 62;
  return (factor != 0 && read > max / factor ? max : factor * read) + Limits{}.metadata_base;
}

/// Python's repr of a str (UTF-8, lone surrogates as three bytes): quotes chosen as Python chooses them, and what it does not print, up to U+FFFF, as escapes.
std::string python_repr(std::string_view text);
/// Python's repr of bytes: b'…'.
std::string python_bytes_repr(std::string_view bytes);

/// "[3, 4]".
std::string shape_text(std::span<const std::int64_t> shape);

/// Lower-case hexadecimal with so many digits behind the prefix.
void append_hex(std::string& out, std::string_view prefix, std::uint64_t value, int digits);
/// The same behind 0x.
std::string hex(std::uint64_t value, int digits);

/// The parts one after the other. For messages: a chain of operator+ is ten times the code.
BRINE_COLD std::string concat(std::initializer_list<std::string_view> parts);

}  // namespace brine
