// SPDX-License-Identifier: MIT
// A text transfer changes bytes that a checkpoint has everywhere: LF ends the lines of GLOBAL opcodes and of the version record, 0x80 is PROTO, and
// what is neither text nor UTF-8 is in every header. So each kind of it leaves a form that no binary file has by accident.
#include "forms/text_damage.hpp"

#include "archive/zip_search.hpp"
#include "bytes/guard.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <array>

namespace brine {

namespace {

using namespace std::string_view_literals;

constexpr auto kToCrlf = "every LF became CR LF"sv;
constexpr auto kToLf = "every CR LF became LF"sv;
constexpr auto kReplaced = "bytes that are not UTF-8 were replaced by U+FFFD"sv;
constexpr auto kDoubled = "every byte from 0x80 on became two, as a character of Latin-1 is in UTF-8"sv;
constexpr auto kEncoded = "it was decoded from an 8-bit code and written as UTF-8"sv;

struct LineEnds {
  std::uint64_t lf = 0, crlf = 0;
  std::uint64_t cr_other = 0, other_lf = 0;  // pairs that are CR LF but for one byte, which is one of four

  explicit LineEnds(std::string_view bytes) {
    char last = 0;
    for (const char c : bytes) {
      if (c == '\n') {
        ++lf;
        crlf += last == '\r';
        other_lf += last == '\v' || last == '\f' || last == '\x0E' || last == '\x0F';
      } else if (last == '\r') {
        cr_other += c == '\b' || c == '\t' || c == '\v' || c == '\f';
      }
      last = c;
    }
  }

  std::uint64_t alike() const { return std::min(cr_other, other_lf); }
  /// Few, that is: CR CR LF has become CR LF.
  bool lack_crlf() const { return 16 * crlf <= alike(); }
};

/// UTF-8, but for a character that either end may have cut.
bool is_piece_of_utf8(std::string_view bytes) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  for (int i = 0; i < 3 && !bytes.empty() && continues(bytes.front()); ++i) bytes.remove_prefix(1);
  for (std::size_t cut = 0; cut < 4 && cut <= bytes.size(); ++cut)
    if (is_utf8(bytes.substr(0, bytes.size() - cut))) return true;
  return false;
}

/// A binary file that is UTF-8 throughout, with characters beyond ASCII.
std::string_view encoding(std::string_view start, std::string_view end) {
  if (!is_piece_of_utf8(start) || !is_piece_of_utf8(end)) return {};
  bool latin = true, any = false;
  for (const std::string_view part : {start, end})
    for (const char c : part)
      if (const auto byte = static_cast<unsigned char>(c); byte >= 0x80) {
        any = true;
        latin = latin && byte <= 0xC3;
      }
  if (!any) return {};
  if (start.find("\xEF\xBF\xBD") != start.npos) return kReplaced;
  return latin ? kDoubled : kEncoded;
}

/// The ends of lines, as few as they are: the directory says how many bytes came or went.
std::string_view counted(const Source& source, std::uint64_t directory, std::int64_t won) {
  const Bytes bytes = look_at(source, 0, directory);
  if (bytes.span.size() != directory) return {};
  const LineEnds ends(bytes.text());
  if (won > 0 && ends.crlf == static_cast<std::uint64_t>(won) && ends.lf == ends.crlf) return kToCrlf;
  if (won < 0 && ends.lack_crlf() && ends.lf >= static_cast<std::uint64_t>(-won)) return kToLf;
  return {};
}

}  // namespace

std::string_view text_damage(const Source& source) {
  constexpr std::uint64_t look = 64 * 1024;
  const Bytes first = look_at(source, 0, look), last = look_at(source, std::max(source.size(), look) - look, look);
  const std::string_view start = first.text();
  const bool is_zip = start.starts_with("PK\3\4");
  std::optional<ZipSeen> zip;
  if (is_zip) zip = find_last_zip(source, source.size());
  if (zip && zip->start == 0) return {};  // as many bytes as its directory says
  if (is_zip)
    if (const auto code = encoding(start, last.text()); !code.empty()) return code;
  if (const auto damage = text_damage_of_start(start); !damage.empty()) return damage;

  // One LF in 256 stands behind a CR by accident.
  const LineEnds ends(start);
  if (ends.lf >= 4 && ends.lf == ends.crlf) return kToCrlf;
  if (zip)
    if (const auto damage = counted(source, zip->directory, zip->start); !damage.empty()) return damage;

  // Almost none where pairs alike let expect a dozen is no accident either.
  constexpr std::uint64_t enough = 4 * 12;
  const Bytes whole = look_at(source, 0, source.size());
  const LineEnds all(whole.text());
  return all.lack_crlf() && all.alike() > enough ? kToLf : std::string_view();
}

bool may_lack_cr(const Source& source, std::uint64_t missing) {
  const Bytes whole = look_at(source, 0, source.size());
  const LineEnds ends(whole.text());
  return whole.span.size() == source.size() && ends.lack_crlf() && ends.lf >= missing && text_damage(source).empty();
}

std::string_view text_damage_of_start(std::string_view start) noexcept {
  if (start.starts_with("\x80\x02\x8A\x0D\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E")) return kToCrlf;  // the legacy magic number has one LF
  struct Proto {
    std::string_view bytes, damage;
  };
  // PROTO as a character, in front of its number.
  constexpr std::array protos{Proto{"\xEF\xBF\xBD", kReplaced}, Proto{"\xC2\x80", kDoubled}, Proto{"\xE2\x82\xAC", kEncoded}};
  for (const auto& [bytes, damage] : protos)
    if (start.size() > bytes.size() && start.starts_with(bytes) && start[bytes.size()] >= 2 && start[bytes.size()] <= 5) return damage;

  // The magic number's 80 02 8A 0A 6C in any other code of eight bits.
  const auto take_character = [&] {
    const std::size_t size = start.empty() ? 0 : static_cast<unsigned char>(start[0]) >= 0xE0 ? 3 : 2;
    if (size == 0 || start.size() <= size || static_cast<unsigned char>(start[0]) < 0xC2 || !is_utf8(start.substr(0, size))) return false;
    start.remove_prefix(size);
    return true;
  };
  if (!take_character() || !start.starts_with('\x02')) return {};
  start.remove_prefix(1);
  return take_character() && (start.starts_with("\nl") || start.starts_with("\r\nl")) ? kEncoded : std::string_view();
}

}  // namespace brine
