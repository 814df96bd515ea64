// SPDX-License-Identifier: MIT
// Files that were transferred as text are told so; others are not.
#include "support/torch_file.hpp"

#include <doctest/doctest.h>

using namespace brine;
using namespace brine::test;

namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

/// Latin-1 as UTF-8, or U+FFFD for each byte that is no ASCII.
std::string encoded(std::string_view bytes, bool doubled) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) out += c;
    else if (doubled) (out += static_cast<char>(0xC0 | byte >> 6)) += static_cast<char>(0x80 | (byte & 0x3F));
    else out += "\xEF\xBF\xBD";
  }
  return out;
}

void check_damage(std::string_view bytes, std::string_view what) {
  const Error error = check_load(bytes, ErrorKind::corrupt, ErrorCode::transferred_as_text);
  CHECK(error.text().starts_with("the file was transferred as text: "));
  CHECK_MESSAGE(error.text().find(what) != std::string::npos, error.text());
  CHECK(error.text().find("transfer it again as binary") != std::string::npos);
}

std::string uint8s(std::string_view pattern, std::size_t times) {
  std::string out;
  while (times-- > 0) out += pattern;
  return out;
}

/// A weight of any bytes, as zip or as stream.
std::string checkpoint(const std::string& data, bool legacy) {
  const auto n = static_cast<std::int64_t>(data.size() / 4);
  const std::vector<StorageData> storages(1, StorageData{"0", data});
  if (legacy) return legacy_stream(Pickle(2).vector("0", n, true), storages);
  return torch_zip(Pickle(2).vector("0", n), storages);
}

std::string noise(std::size_t n) {
  std::string out;
  std::uint32_t state = 1;
  while (n-- > 0) out += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return out;
}

}  // namespace

TEST_CASE("line ends of one system made those of another, and encodings") {
  for (const bool legacy : {false, true}) {
    CAPTURE(legacy);
    for (const std::string& data : {counting(5), noise(4000)}) {
      const std::string file = checkpoint(data, legacy);
      CHECK(load(source_over(file)));
      check_damage(replaced(file, "\n", "\r\n"), "every LF became CR LF");
      check_damage(encoded(file, true), "Latin-1");
      check_damage(encoded(file, false), "U+FFFD");
    }
    check_damage(replaced(checkpoint(noise(3'000'000), legacy), "\r\n", "\n"), "every CR LF became LF");
  }
  check_damage(replaced(checkpoint(uint8s("\r\nab", 6), false), "\r\n", "\n"), "every CR LF became LF");
}

TEST_CASE("the pickle of one int: its zip has one LF") {
  check_damage(replaced(torch_zip(Pickle(2).integer(1), {}), "\n", "\r\n"), "every LF became CR LF");
  check_damage(encoded(torch_zip(Pickle(2).integer(1), {}), false), "U+FFFD");
}

TEST_CASE("a small stream that lacks bytes may have been cut, or transferred as text: both are said") {
  const std::string file = checkpoint(uint8s("\r\nab", 6), true);
  const Error error = check_load(replaced(file, "\r\n", "\n"), ErrorKind::corrupt, ErrorCode::storage_size);
  CHECK(error.text().find("is cut short") != std::string::npos);
  CHECK(error.text().find("transfer it again as binary") != std::string::npos);
  CHECK(check_load(file.substr(0, file.size() - 7), ErrorKind::corrupt, ErrorCode::storage_size).text().find("as text") == std::string::npos);
}

TEST_CASE("other damage is not taken for it") {
  for (const bool legacy : {false, true}) {
    const std::string file = checkpoint(noise(2'000'000), legacy);
    for (const std::string& bytes : {file.substr(0, 1'500'000), file.substr(0, 1'000'000) + file.substr(1'000'005)}) {
      const auto loaded = load(source_over(bytes));
      REQUIRE_FALSE(loaded);
      CHECK(loaded.error().code() != ErrorCode::transferred_as_text);
      CHECK(loaded.error().text().find("as text") == std::string::npos);
    }
  }
  // Small numbers: CR and LF are frequent, and never neighbours.
  std::string numbers;
  for (std::int64_t i = 0; i < 100'000; ++i) numbers += elements<std::int64_t>({i % 16});
  for (const bool legacy : {false, true}) {
    const std::string file = checkpoint(numbers, legacy);
    const auto loaded = load(source_over(file.substr(0, file.size() - 1000)));
    CHECK((!loaded && loaded.error().code() != ErrorCode::transferred_as_text));
  }
  // A sound zip of texts with CR LF, which has another fault.
  ZipBuilder zip;
  zip.add("a/data.pkl", "one\r\ntwo\r\nthree\r\nfour\r\n");
  zip.add("b/readme.txt", "\r\n\r\n");
  check_load(zip.lay_out().bytes(), ErrorKind::corrupt, ErrorCode::zip_name);
}
