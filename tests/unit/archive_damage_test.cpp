// SPDX-License-Identifier: MIT
// Damage everywhere: every truncation is refused; every flipped bit is refused, or changes neither names nor bytes.
#include "support/zip_check.hpp"

#include <map>
#include <optional>

using namespace brine;
using namespace brine::test;

namespace {

using Contents = std::map<std::string, std::string>;

/// Every record, read with its CRC; nothing when anything is refused.
std::optional<Contents> contents(const std::string& bytes) {
  // An exact heap copy, so that sanitizers see a read past the end.
  const std::vector<std::byte> copy(std::as_bytes(std::span(bytes)).begin(), std::as_bytes(std::span(bytes)).end());
  const auto archive = Archive::open(Source::memory(copy), {});
  if (!archive) return std::nullopt;
  Contents out;
  for (const ZipEntry& entry : archive->directory().entries()) {
    Budget budget(1 << 20, ErrorCode::inflated_too_large);
    const auto record = archive->read(entry, budget, true);
    if (!record) return std::nullopt;
    out[std::string(entry.name)] = record->text();
  }
  return out;
}

std::string torch_archive() { return ZipBuilder::torch_file({"0123456789abcdef", ""}).lay_out().bytes(); }

std::string packed_archive() {
  ZipBuilder zip;
  zip.add("archive/data.pkl", "a pickle");
  if (BRINE_HAVE_LIBZIP) zip.deflate("archive/code", "code code code code");
  zip.add("archive/folder/", "");
  ZipBuilder::describe(zip.add("archive/version", "3\n"));
  return zip.lay_out().bytes();
}

}  // namespace

TEST_CASE("every truncation is refused") {
  for (const std::string& bytes : {torch_archive(), packed_archive()}) {
    REQUIRE(contents(bytes));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      CAPTURE(n);
      CHECK_FALSE(contents(bytes.substr(0, n)));
    }
  }
}

TEST_CASE("every flipped bit is refused, or changes nothing that is read") {
  for (const std::string& bytes : {torch_archive(), packed_archive()}) {
    const auto expected = contents(bytes);
    REQUIRE(expected);
    std::size_t harmless = 0;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << bit % 8));
      const auto found = contents(flipped);
      if (!found) continue;
      ++harmless;  // times, versions, padding …
      if (*found != *expected) {
        CAPTURE(bit);
        FAIL("other names or bytes");
      }
    }
    CHECK(harmless > 0);
    CHECK(harmless < bytes.size() * 8 * 2 / 3);
  }
}

TEST_CASE("two bytes swapped, a byte doubled or left out: the same") {
  for (const std::string& bytes : {torch_archive(), packed_archive()}) {
    const auto expected = contents(bytes);
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
      CAPTURE(i);
      std::string swapped = bytes;
      std::swap(swapped[i], swapped[i + 1]);
      if (const auto found = contents(swapped)) CHECK(*found == *expected);
      CHECK_FALSE(contents(bytes.substr(0, i) + bytes[i] + bytes.substr(i)));
      CHECK_FALSE(contents(bytes.substr(0, i) + bytes.substr(i + 1)));
    }
  }
}
