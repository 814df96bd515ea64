// SPDX-License-Identifier: MIT
// bytes → records, with libzip as the oracle: what the strict directory accepts, libzip must list with the same names, sizes and bytes.
//
// Left to ours alone: records whose CRC is 0 (libzip cannot read those: names and sizes are compared); inputs with more than one end
// record's signature (libzip may take another, or very long); names with control characters (libzip refuses them where flagged UTF-8).
#include "archive/archive.hpp"
#include "forms/detect.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#if BRINE_HAVE_LIBZIP
#include <zip.h>
#endif

using namespace brine;

namespace {

constexpr std::uint64_t kMaxInflated = 1 << 20;

[[noreturn]] void differ(const char* what, std::string_view name) {
  std::fprintf(stderr, "difference: %s, record '%.*s'\n", what, static_cast<int>(name.size()), name.data());
  std::abort();
}

std::size_t count_end_signatures(std::string_view bytes) {
  std::size_t n = 0;
  for (auto at = bytes.find("PK\5\6"); at != bytes.npos; at = bytes.find("PK\5\6", at + 1)) ++n;
  return n;
}

/// The record by all three ways of reading; nothing where it is refused. What is not refused must be the same by all of them.
std::shared_ptr<std::string> read_all_ways(const Archive& archive, const ZipEntry& entry) {
  Budget budget(kMaxInflated, ErrorCode::inflated_too_large);
  const auto whole = archive.read(entry, budget, true);
  if (!whole) return nullptr;
  if (whole->span.size() != entry.size) differ("read() gave another size", entry.name);
  if (!archive.verify(entry)) differ("read() accepts what verify() refuses", entry.name);
  auto text = std::make_shared<std::string>(whole->text());
  const std::uint64_t from = entry.size / 3, n = entry.size / 2;
  std::string part(n, '\0');
  if (!archive.read_at(entry, from, std::as_writable_bytes(std::span(part)), budget)) differ("read_at() refuses what read() gives", entry.name);
  if (text->compare(from, n, part) != 0) differ("read_at() gives other bytes than read()", entry.name);
  return text;
}

/// The same bytes behind a function must give the same verdict.
void check_callback(std::string_view bytes, const Result<Archive>& expected, const Limits& limits) {
  const auto read = [bytes](std::uint64_t offset, std::span<std::byte> out) {
    if (offset > bytes.size() || out.size() > bytes.size() - offset) differ("a read outside the source", {});
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return true;
  };
  const auto archive = Archive::open(Source::callback(bytes.size(), read), limits);
  if (archive.has_value() != expected.has_value()) differ("another verdict for a callback source", {});
  if (!archive) {
    if (archive.error().message() != expected.error().message()) differ("another error for a callback source", {});
    return;
  }
  const auto a = archive->directory().entries(), b = expected->directory().entries();
  if (a.size() != b.size()) differ("another count for a callback source", {});
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].data_offset != b[i].data_offset || a[i].size != b[i].size)
      differ("another listing for a callback source", a[i].name);
    const auto one = read_all_ways(*archive, a[i]), other = read_all_ways(*expected, b[i]);
    if (static_cast<bool>(one) != static_cast<bool>(other) || (one && *one != *other))
      differ("other bytes for a callback source", a[i].name);
  }
}

#if BRINE_HAVE_LIBZIP

void compare_record(zip_t* theirs, zip_uint64_t index, const Archive& ours, const ZipEntry& entry) {
  zip_stat_t st;
  if (zip_stat_index(theirs, index, 0, &st) != 0) differ("libzip has no such record", entry.name);
  if (st.size != entry.size || st.comp_size != entry.packed || st.comp_method != entry.method || st.crc != entry.crc)
    differ("numbers", entry.name);
  if (entry.crc == 0) return;
  const auto text = read_all_ways(ours, entry);
  if (!text) return;
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(theirs, index, 0), &zip_fclose);
  if (!file) differ("libzip cannot open the record", entry.name);
  std::string got(text->size() + 1, '\0');
  const zip_int64_t n = zip_fread(file.get(), got.data(), got.size());
  if (n < 0 || static_cast<std::size_t>(n) != text->size() || std::string_view(got).substr(0, text->size()) != *text)
    differ("bytes", entry.name);
  if (zip_fread(file.get(), got.data(), 1) != 0) differ("libzip finds more bytes, or an error", entry.name);
}

void compare_with_libzip(std::string_view bytes, const Archive& ours) {
  if (count_end_signatures(bytes) != 1) return;
  for (const ZipEntry& e : ours.directory().entries()) {
    for (const char c : e.name) {
      if (c >= 0 && c < ' ') return;
    }
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* opened = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (opened == nullptr) differ(zip_error_strerror(&error), "(libzip cannot open the archive)");
  const std::unique_ptr<zip_t, decltype(&zip_discard)> theirs(opened, &zip_discard);

  std::size_t next = 0;
  const auto entries = ours.directory().entries();
  const zip_int64_t count = zip_get_num_entries(theirs.get(), 0);
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    const std::string_view name = zip_get_name(theirs.get(), i, ZIP_FL_ENC_RAW);
    if (name.ends_with('/')) continue;
    if (next == entries.size()) differ("libzip lists more", name);
    if (name != entries[next].name) differ("names", name);
    compare_record(theirs.get(), i, ours, entries[next++]);
  }
  if (next != entries.size()) differ("libzip lists less", entries[next].name);
}

#else
void compare_with_libzip(std::string_view, const Archive&) {}
#endif

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A heap block of exactly this size: sanitizers see the first byte read past the end.
  const auto copy = std::make_unique<char[]>(size);
  if (size != 0) std::memcpy(copy.get(), data, size);
  const std::string_view bytes(copy.get(), size);
  const Source source = Source::memory(std::as_bytes(std::span(bytes)));

  if (const auto kind = detect(source); kind && kind->format == FileFormat::other && kind->what.empty())
    differ("another kind without a name", {});

  Limits limits;
  limits.records = 10'000;
  const auto archive = Archive::open(source, limits);
  check_callback(bytes, archive, limits);
  if (!archive) return 0;
  for (const ZipEntry& e : archive->directory().entries()) {
    if (archive->directory().find(e.name) != &e) differ("find() does not find", e.name);
    read_all_ways(*archive, e);
  }
  compare_with_libzip(bytes, *archive);
  return 0;
}
