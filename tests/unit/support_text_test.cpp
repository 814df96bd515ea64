// SPDX-License-Identifier: MIT
#include "support/text.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace brine;
using namespace std::string_literals;

namespace {

/// The definition, byte by byte (Unicode 15, table 3-7), against which the fast one is held.
bool slow_is_utf8(const std::string& s, bool surrogates) {
  const auto in = [&s](std::size_t i, unsigned low, unsigned high) {
    return i < s.size() && static_cast<unsigned char>(s[i]) >= low && static_cast<unsigned char>(s[i]) <= high;
  };
  for (std::size_t i = 0; i < s.size();) {
    if (in(i, 0x00, 0x7F)) i += 1;
    else if (in(i, 0xC2, 0xDF) && in(i + 1, 0x80, 0xBF)) i += 2;
    else if (in(i, 0xE0, 0xE0) && in(i + 1, 0xA0, 0xBF) && in(i + 2, 0x80, 0xBF)) i += 3;
    else if (in(i, 0xED, 0xED) && in(i + 1, 0x80, surrogates ? 0xBF : 0x9F) && in(i + 2, 0x80, 0xBF)) i += 3;
    else if (in(i, 0xE1, 0xEF) && !in(i, 0xED, 0xED) && in(i + 1, 0x80, 0xBF) && in(i + 2, 0x80, 0xBF)) i += 3;
    else if (in(i, 0xF0, 0xF0) && in(i + 1, 0x90, 0xBF) && in(i + 2, 0x80, 0xBF) && in(i + 3, 0x80, 0xBF)) i += 4;
    else if (in(i, 0xF1, 0xF3) && in(i + 1, 0x80, 0xBF) && in(i + 2, 0x80, 0xBF) && in(i + 3, 0x80, 0xBF)) i += 4;
    else if (in(i, 0xF4, 0xF4) && in(i + 1, 0x80, 0x8F) && in(i + 2, 0x80, 0xBF) && in(i + 3, 0x80, 0xBF)) i += 4;
    else return false;
  }
  return true;
}

}  // namespace

TEST_CASE("is_utf8: examples") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("fc.weight"));
  CHECK(is_utf8("layer.0.名前.weight"));
  CHECK(is_utf8("\xF4\x8F\xBF\xBF"));
  CHECK(is_utf8("\0"s));
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("\xC0\x80"));
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(is_utf8("abcdefgh\xE2\x82"));
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));
  CHECK(is_utf8("\xED\xA0\x80", true));
  CHECK_FALSE(is_utf8("\xC0\x80", true));
}

TEST_CASE("is_utf8: every sequence of two bytes and of chosen bytes, at every place of a text") {
  const unsigned char chosen[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                  0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF};
  const auto same = [](const std::string& s) {
    return is_utf8(s) == slow_is_utf8(s, false) && is_utf8(s, true) == slow_is_utf8(s, true);
  };
  std::size_t wrong = 0;
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) wrong += !same({static_cast<char>(a), static_cast<char>(b)});
  }
  for (const unsigned char a : chosen) {
    for (const unsigned char b : chosen) {
      for (const unsigned char c : chosen) {
        for (const unsigned char d : chosen) {
          const std::string middle{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)};
          wrong += !same(middle);
          const std::size_t before = (a + b + c + d) % 19u;
          wrong += !same(std::string(before, 'x') + middle + std::string((b + d) % 11u, 'y'));
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("escaped: what could steer a terminal, and what is no UTF-8") {
  CHECK(escaped("plain 名前") == "plain 名前");
  CHECK(escaped("a\nb\x1B[31m\x7F") == "a\\x0ab\\x1b[31m\\x7f");
  CHECK(escaped("\0"s) == "\\x00");
  CHECK(escaped("\\x0a") == "\\\\x0a");
  CHECK(escaped("\xC2\x85") == "\\u0085");          // C1: next line
  CHECK(escaped("a\u202Eb\u2066") == "a\\u202eb\\u2066");  // right-to-left override, isolate
  CHECK(escaped("\u2028\u200F\u061C") == "\\u2028\\u200f\\u061c");
  CHECK(escaped("\xFF" "a\xC3") == "\\xffa\\xc3");
  CHECK(escaped("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // a lone surrogate
  CHECK(escaped("\u206A") == "\\u206a");
  CHECK(printable("C:\\a\n") == "C:\\a\\x0a");
  CHECK(printable(std::string(5000, 'a') + "\u202E\xFF") == std::string(5000, 'a') + "\\u202e\\xff");  // all of it
  CHECK(in_quotes("it's\t") == "\"it's\\x09\"");
  CHECK(in_quotes("a'b\"") == "'a\\'b\"'");
  CHECK(shell_word("a.b") == "a.b");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("(1, 2)") == "'(1, 2)'");
  CHECK(shell_word("it's") == "$'it\\'s'");
  CHECK(shell_word("a\u202e\x1b\\") == "$'a\\u202e\\x1b\\\\'");
  CHECK(concat({"a", "", "bc"}) == "abc");
}

TEST_CASE("escaped: cut, but not inside a character") {
  CHECK(escaped("abcdef", 6) == "abcdef");
  CHECK(escaped("abcdefg", 6) == "abcdef…");
  CHECK(escaped("abé", 3) == "ab…");
  CHECK(escaped("abéd", 4) == "abé…");
  CHECK(escaped("a\U0001F600", 4) == "a…");
  CHECK(escaped("a\x80\x80\x80\x80", 3) == "a\\x80\\x80…");  // no character to keep whole
  CHECK(escaped("abc", 0) == "…");
  CHECK(escaped("", 0).empty());
}
