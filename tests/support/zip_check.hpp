// SPDX-License-Identifier: MIT
// What the archive tests say again and again: open these bytes, expect that error there.
#pragma once

#include "archive/archive.hpp"
#include "support/zip_builder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace brine::test {

/// The caller keeps `bytes`.
inline Source source_of(const std::string& bytes) { return Source::memory(std::as_bytes(std::span(bytes)), nullptr, "test.zip"); }

inline Result<ZipDirectory> read_zip(const std::string& bytes, const Limits& limits = {}) {
  return ZipDirectory::read(source_of(bytes), limits);
}

inline void check_error(const Error& error, ErrorCode code, std::uint64_t offset, ErrorKind kind = ErrorKind::corrupt) {
  CAPTURE(error.message());
  CHECK(name(error.code()) == name(code));
  CHECK(name(error.kind()) == name(kind));
  REQUIRE(error.place().offset.has_value());
  CHECK(*error.place().offset == offset);
  CHECK(error.place().file == "test.zip");
}

/// The directory reader refuses these bytes.
inline void check_refused(const std::string& bytes, ErrorCode code, std::uint64_t offset, ErrorKind kind = ErrorKind::corrupt) {
  const auto directory = read_zip(bytes);
  REQUIRE_FALSE(directory);
  check_error(directory.error(), code, offset, kind);
}

inline std::string text_of(const Bytes& bytes) { return std::string(bytes.text()); }

/// The record's bytes, its CRC checked; the test fails where that fails.
inline std::string read_record(const Archive& archive, std::string_view record) {
  const ZipEntry* entry = archive.directory().find_record(record);
  REQUIRE(entry != nullptr);
  Budget budget(std::uint64_t{1} << 30, ErrorCode::inflated_too_large);
  auto bytes = archive.read(*entry, budget, true);
  if (!bytes) FAIL(bytes.error().message());
  return text_of(*bytes);
}

}  // namespace brine::test
