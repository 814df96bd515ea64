// SPDX-License-Identifier: MIT
// The collection of bad archives that lies beside the checkout: BRINE_SHARED/hostile/zip against the verdicts in hostile/EXPECTED.tsv.
// Each is opened, and every record read with its CRC, within a second.
#include "archive/archive.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

using namespace brine;

namespace {

std::optional<Error> open_and_read(const std::filesystem::path& path, FileMode mode) {
  auto source = Source::file(path, mode);
  if (!source) return std::move(source).error();
  auto archive = Archive::open(*source, {});
  if (!archive) return std::move(archive).error();
  Budget budget(1 << 30, ErrorCode::inflated_too_large);
  for (const ZipEntry& entry : archive->directory().entries()) {
    auto record = archive->read(entry, budget, true);
    if (!record) return std::move(record).error();
  }
  return std::nullopt;
}

bool is_one_of(std::string_view kind, std::string_view kinds) {
  while (true) {
    const auto bar = kinds.find('|');
    if (kinds.substr(0, bar) == kind) return true;
    if (bar == kinds.npos) return false;
    kinds.remove_prefix(bar + 1);
  }
}

}  // namespace

TEST_CASE("every archive of the collection gets its verdict, within a second") {
  const char* shared = std::getenv("BRINE_SHARED");
  const std::filesystem::path folder = std::filesystem::path(shared ? shared : "") / "hostile";
  std::ifstream table(folder / "EXPECTED.tsv");
  if (!shared || !table) {
    std::puts("skipped: BRINE_SHARED names no folder with hostile/EXPECTED.tsv");
    return;
  }
  int seen = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string file, stage, verdict, kinds;
    std::getline(fields, file, '\t');
    std::getline(fields, stage, '\t');
    std::getline(fields, verdict, '\t');
    std::getline(fields, kinds, '\t');
    if (!file.starts_with("zip/") || stage != "archive") continue;
    CAPTURE(file);
    ++seen;
    for (const auto mode : {FileMode::mapped, FileMode::plain}) {
      const auto start = std::chrono::steady_clock::now();
      const auto error = open_and_read(folder / file, mode);
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      CHECK(time.count() < 1.0);
      CAPTURE(error ? error->message() : std::string());
      if (error && error->code() == ErrorCode::zip_disabled) continue;  // packed, and this build has no libzip
      CHECK(error.has_value() == (verdict == "refuse"));
      if (error) CHECK(is_one_of(name(error->kind()), kinds));
    }
  }
  CHECK(seen > 0);
}
