// SPDX-License-Identifier: MIT
#include "forms/detect_pickle.hpp"

#include "bytes/cursor.hpp"

namespace brine {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.'; }

/// Takes the line at the front of `rest`, without its newline; an absent newline gives an empty line.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end == rest.npos ? 0 : end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return line;
}

template <class Test>
bool all(std::string_view text, Test test) {
  for (const char c : text) {
    if (!test(c)) return false;
  }
  return !text.empty();
}

bool take_number(std::string_view& rest, std::string_view extra) {
  return all(take_line(rest), [extra](char c) { return is_digit(c) || extra.find(c) != extra.npos; });
}

bool take_name(std::string_view& rest) { return all(take_line(rest), is_word); }

bool take_bytes(std::string_view& rest, std::size_t n) {
  if (rest.size() < n) return false;
  rest.remove_prefix(n);
  return true;
}

/// A length and as many bytes; those may reach past what is seen of the file.
bool take_counted(std::string_view& rest, std::size_t width) {
  if (rest.size() < width) return false;
  Cursor cursor(std::as_bytes(std::span(rest.data(), rest.size())));
  const std::size_t n = width == 1 ? cursor.u8() : cursor.u32();
  rest.remove_prefix(width);
  rest.remove_prefix(n < rest.size() ? n : rest.size());
  return true;
}

/// One opcode of protocol 0 or 1 and its argument. `marks` are those still on the stack, which some opcodes use up.
bool take_opcode(std::string_view& rest, bool first, int& marks) {
  const char op = rest.front();
  rest.remove_prefix(1);
  switch (op) {
    case '(': return ++marks, true;
    case ')': case ']': case '}': case 'N': return true;
    case 'd': case 'e': case 'l': case 'o': case 't': case 'u': case '1': return marks-- > 0;
    case 'a': case 'b': case 'Q': case 'R': case 's': case '0': case '2': return !first;
    case 'I': return take_number(rest, "-");
    case 'L': return take_number(rest, "-L");
    case 'F': return take_number(rest, "-+.einfa");
    case 'p': case 'g': return !first && take_number(rest, {});
    case 'c': return take_name(rest) && take_name(rest);
    case 'i': return marks-- > 0 && take_name(rest) && take_name(rest);
    case 'S': {
      const auto line = take_line(rest);
      return line.size() >= 2 && line.front() == line.back() && (line.front() == '\'' || line.front() == '"');
    }
    case 'V': case 'P': return rest.find('\n') != rest.npos && (take_line(rest), true);
    case 'K': return take_bytes(rest, 1);
    case 'M': return take_bytes(rest, 2);
    case 'J': return take_bytes(rest, 4);
    case 'G': return take_bytes(rest, 8);
    case 'q': case 'h': return !first && take_bytes(rest, 1);
    case 'r': case 'j': return !first && take_bytes(rest, 4);
    case 'U': return take_counted(rest, 1);
    case 'T': case 'X': return take_counted(rest, 4);
    default: return false;
  }
}

}  // namespace

bool looks_like_pickle(std::string_view start, bool whole) noexcept {
  if (start.size() < 2) return false;
  if (start[0] == '\x80') return start[1] >= 0 && start[1] <= 5;

  // Eight opcodes in a row, or fewer up to STOP, are no accident. (PyTorch's magic number is one of fewer: "L…L\n.")
  constexpr int enough = 8;
  std::string_view rest = start;
  int marks = 0;
  for (int i = 0; i < enough; ++i) {
    if (rest.empty()) return !whole && i > 1;  // a long argument took the rest of what is seen
    if (rest.front() == '.') return i > 0;
    if (!take_opcode(rest, i == 0, marks)) return false;
  }
  return true;
}

}  // namespace brine
