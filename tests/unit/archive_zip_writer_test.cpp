// SPDX-License-Identifier: MIT
// The zip writer against ZipBuilder, which lays the same format out field by field, and against the reader.
#include "archive/zip_writer.hpp"
#include "forms/serialization_id.hpp"
#include "forms/write_zip.hpp"
#include "support/zip_check.hpp"

#include <algorithm>
#include <map>
#include <new>
#include <stdexcept>

using namespace brine;
using namespace brine::test;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

using Records = std::vector<std::pair<std::string, std::string>>;

std::string written(const Records& records, const ZipLayout& layout) {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, layout);
  for (const auto& [name, data] : records) {
    if (auto done = writer.add(name, bytes_of(data)); !done) FAIL(done.error().message());
  }
  if (auto done = writer.finish(); !done) FAIL(done.error().message());
  CHECK(writer.size() == out.size());
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::string built(const Records& records, const std::string& root, std::uint64_t alignment) {
  ZipBuilder zip;
  for (const auto& [name, data] : records) zip.torch(root + '/' + name, data, 0, alignment);
  zip.end64.emplace();
  return zip.lay_out().bytes();
}

const Records kSmall = {{"data.pkl", "a pickle"}, {"byteorder", "little"}, {"data/0", std::string(1000, 'w')}, {"data/1", ""},
                        {"data/2", "\xC3\xA9"}, {"version", "3\n"}};

void check_error(const Result<void>& result, ErrorKind kind, std::string_view words) {
  REQUIRE_FALSE(result);
  CAPTURE(result.error().message());
  CHECK(name(result.error().kind()) == name(kind));
  CHECK(result.error().message().find(words) != std::string::npos);
}

/// The first call's error; and every later call gives the same.
void check_refused(const ZipLayout& layout, const Records& records, std::string_view words) {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, layout);
  Result<void> done;
  for (std::size_t i = 0; i < records.size(); ++i) {
    done = writer.add(records[i].first, bytes_of(records[i].second));
    if (i + 1 < records.size()) REQUIRE(done);
  }
  check_error(done, ErrorKind::usage, words);
  check_error(writer.add("fine", {}), ErrorKind::usage, words);
  check_error(writer.finish(), ErrorKind::usage, words);
}

}  // namespace

TEST_CASE("as the test's own builder lays it out, for every alignment") {
  for (const std::uint32_t alignment : {1U, 2U, 3U, 24U, 64U, 100U, 4096U, 16384U, 32768U, 65'500U}) {
    for (const std::string root : {"archive", "a", "m.v2", "\xC3\xA9"}) {
      CAPTURE(alignment);
      const std::string bytes = written(kSmall, {.root = root, .alignment = alignment});
      CHECK(bytes == built(kSmall, root, alignment));
      const auto archive = Archive::open(source_of(bytes), {});
      if (!archive) FAIL(archive.error().message());
      CHECK(archive->directory().root() == root);
      REQUIRE(archive->directory().entries().size() == kSmall.size());
      for (std::size_t i = 0; i < kSmall.size(); ++i) {
        const ZipEntry& e = archive->directory().entries()[i];
        CHECK(e.name == root + '/' + kSmall[i].first);
        CHECK(e.data_offset % alignment == 0);
        CHECK(e.crc == crc_of(kSmall[i].second));
        CHECK(read_record(*archive, kSmall[i].first) == kSmall[i].second);
      }
    }
  }
}

TEST_CASE("without CRCs") {
  const std::string bytes = written(kSmall, {.root = "archive", .crc = false});
  const auto archive = Archive::open(source_of(bytes), {});
  REQUIRE(archive);
  for (const ZipEntry& e : archive->directory().entries()) CHECK(e.crc == 0);
  CHECK(read_record(*archive, "data/0") == std::string(1000, 'w'));
}

TEST_CASE("data in pieces is the same data") {
  const std::string data(3'000'000, 'd');
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, {.root = "archive"});
  REQUIRE(writer.add("data/0", data.size(), [&](const ZipWriter::Emit& emit) -> Result<void> {
    std::size_t at = 0;
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{2'500'000}, data.size() - 2'500'001}) {
      if (auto done = emit(bytes_of(data).subspan(at, n)); !done) return done;
      at += n;
    }
    return {};
  }));
  REQUIRE(writer.add("data/1", 0, [](const ZipWriter::Emit&) { return Result<void>(); }));
  REQUIRE(writer.finish());
  CHECK(std::string(reinterpret_cast<const char*>(out.data()), out.size()) == built({{"data/0", data}, {"data/1", ""}}, "archive", 64));
}

TEST_CASE("data of another size than announced, and a producer that fails") {
  const auto produced = [](std::uint64_t size, const ZipWriter::Produce& produce) {
    std::vector<std::byte> out;
    Sink sink = Sink::memory(out);
    ZipWriter writer(sink, {.root = "archive"});
    auto done = writer.add("data/0", size, produce);
    CHECK_FALSE(writer.finish());
    return done;
  };
  const ZipWriter::Produce three = [](const ZipWriter::Emit& emit) { return emit(bytes_of("123")); };
  check_error(produced(4, three), ErrorKind::usage, "'data/0' has less than the announced 4 bytes");
  check_error(produced(2, three), ErrorKind::usage, "'data/0' has more than the announced 2 bytes");
  check_error(produced(0, three), ErrorKind::usage, "more than the announced 0 bytes");
  check_error(produced(~std::uint64_t{0}, three), ErrorKind::usage, "do not fit");
  check_error(produced(3, [](const ZipWriter::Emit&) { return Result<void>(Error(ErrorKind::io, ErrorCode::read_failed, "gone")); }),
              ErrorKind::io, "gone");
}

TEST_CASE("a record that is not complete lets no other follow") {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, {.root = "archive"});
  check_error(writer.add("data/0", 3, [&](const ZipWriter::Emit&) { return writer.add("data/1", {}); }), ErrorKind::usage, "not complete");
  ZipWriter other(sink, {.root = "archive"});
  const ZipWriter::Produce throwing = [](const ZipWriter::Emit&) -> Result<void> { throw std::runtime_error("mine"); };
  CHECK_THROWS_AS(static_cast<void>(other.add("data/0", 3, throwing)), std::runtime_error);
  check_error(other.add("data/1", {}), ErrorKind::usage, "not complete");
  check_error(other.finish(), ErrorKind::usage, "not complete");
  ZipWriter third(sink, {.root = "archive"});
  check_error(third.add("data/0", 3, [](const ZipWriter::Emit&) -> Result<void> { throw std::bad_alloc(); }), ErrorKind::limit, "memory");
}

TEST_CASE("names and layouts that the reader would refuse") {
  const ZipLayout fine{.root = "archive"};
  check_refused(fine, {{"", "x"}}, "ends in a slash");
  check_refused(fine, {{"folder/", ""}}, "ends in a slash");
  check_refused(fine, {{"/x", ""}}, "empty part");
  check_refused(fine, {{"a//x", ""}}, "empty part");
  check_refused(fine, {{"../x", ""}}, "leads elsewhere");
  check_refused(fine, {{"a\\b", ""}}, "backslash");
  check_refused(fine, {{std::string("a\0b", 3), ""}}, "NUL");
  check_refused(fine, {{"\xFF", ""}}, "not UTF-8");
  check_refused(fine, {{std::string(65'528, 'n'), ""}}, "longer than 65,535 bytes");
  check_refused(fine, {{"data/0", "x"}, {"data/1", "x"}, {"data/0", "y"}}, "two records of this name");
  check_refused(fine, {{"data/a", "x"}, {"DATA/A", "x"}}, "differs only by case from 'archive/data/a'");
  check_refused({.root = ""}, {{"x", ""}}, "needs a root");
  check_refused({.root = "a/b"}, {{"x", ""}}, "one folder");
  check_refused({.root = ".."}, {{"x", ""}}, "leads elsewhere");
  check_refused({.root = "a\\b"}, {{"x", ""}}, "backslash");
  check_refused({.root = "a", .alignment = 0}, {{"x", ""}}, "an alignment of 0");
  check_refused({.root = "a", .alignment = 65'537}, {{"x", ""}}, "an alignment of 65537");

  // The padding block's own length is a 16-bit number: in a few places the largest alignments do not fit.
  const Records far = {{"x", std::string(65'536 - 16, 'x')}, {std::string(65'536 - 35, 'n'), ""}};
  check_refused({.root = "a", .alignment = 65'536}, far, "the filler");
}

TEST_CASE("a name as long as names can be") {
  const Records records = {{std::string(65'527, 'n'), "x"}, {"b", "y"}};
  const std::string bytes = written(records, {.root = "archive"});
  CHECK(bytes == built(records, "archive", 64));
  CHECK(read_zip(bytes));
}

TEST_CASE("bytes in the directory that the reader would take for another end") {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, {.root = "archive"});
  REQUIRE(writer.add("PK\5\6", {}));
  check_error(writer.finish(), ErrorKind::unsupported, "readers could take for the archive's end");
}

TEST_CASE("the end comes once, and needs a record") {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter empty(sink, {.root = "archive"});
  check_error(empty.finish(), ErrorKind::usage, "at least one record");
  ZipWriter writer(sink, {.root = "archive"});
  REQUIRE(writer.add("x", {}));
  REQUIRE(writer.finish());
  check_error(writer.add("y", {}), ErrorKind::usage, "finished");
  check_error(writer.finish(), ErrorKind::usage, "finished");
}

TEST_CASE("a sink that fails anywhere") {
  const std::string large(70'000, 'x');
  for (int nth = 1;; ++nth) {
    int calls = 0;
    Sink sink = Sink::callback([&](std::span<const std::byte>) { return ++calls < nth; });
    ZipWriter writer(sink, {.root = "archive"});
    Result<void> done;
    for (const char* name : {"data/0", "data/1"}) {
      if (done) done = writer.add(name, bytes_of(large));
    }
    if (done) done = writer.finish();
    if (calls < nth) {
      CHECK(done);
      CHECK(nth == 6);
      break;
    }
    check_error(done, ErrorKind::io, "did not take");
    check_error(writer.finish(), ErrorKind::io, "did not take");
  }
}

TEST_CASE("an archive behind other bytes counts from its own start") {
  std::vector<std::byte> out(7, std::byte{'x'});
  Sink sink = Sink::memory(out);
  REQUIRE(sink.write(bytes_of("and more")));
  ZipWriter writer(sink, {.root = "archive"});
  for (const auto& [name, data] : kSmall) REQUIRE(writer.add(name, bytes_of(data)));
  REQUIRE(writer.finish());
  const std::string bytes(reinterpret_cast<const char*>(out.data()), out.size());
  CHECK(bytes.substr(15) == built(kSmall, "archive", 64));
}

TEST_CASE("70,000 records") {
  Records records;
  for (int i = 0; i < 70'000; ++i) records.emplace_back("data/" + std::to_string(i), i % 7 == 0 ? "" : std::to_string(i));
  const std::string bytes = written(records, {.root = "archive"});
  const auto directory = read_zip(bytes);
  REQUIRE(directory);
  REQUIRE(directory->entries().size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const ZipEntry& e = directory->entries()[i];
    const auto& [name, data] = records[i];
    if (e.name.substr(8) != name || bytes.substr(e.data_offset, e.size) != data || e.crc != crc_of(data)) FAIL(name);
  }
  records.resize(1'000);  // the builder's time grows with the square
  CHECK(written(records, {.root = "archive"}) == built(records, "archive", 64));
}

TEST_CASE("more than 4 GiB") {
  // A disk of holes: what is written from `zeros` is not kept.
  constexpr std::uint64_t huge = (std::uint64_t{4} << 30) + 10;
  const std::vector<std::byte> zeros(std::size_t{32} << 20);
  std::map<std::uint64_t, std::string> pieces;
  std::uint64_t end = 0;
  Sink sink = Sink::callback([&](std::span<const std::byte> bytes) {
    if (bytes.data() < zeros.data() || bytes.data() >= zeros.data() + zeros.size()) {
      pieces[end] = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    end += bytes.size();
    return true;
  });
  const auto hole = [&](std::uint64_t size) {
    return [&zeros, size](const ZipWriter::Emit& emit) -> Result<void> {
      for (std::uint64_t left = size; left != 0;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, zeros.size()));
        if (auto done = emit(std::span(zeros).first(n)); !done) return done;
        left -= n;
      }
      return {};
    };
  };

  ZipBuilder zip;
  ZipWriter writer(sink, {.root = "archive", .crc = false});
  const auto add = [&](const std::string& name, std::uint64_t size) {
    zip.torch("archive/" + name, {}, size);
    REQUIRE(writer.add(name, size, hole(size)));
  };
  add("data.pkl", 100);
  add("data/0", huge);               // sizes in the local block
  add("data/1", 20);                 // an offset in the local block
  add("data/2", 0);                  // no descriptor
  add("data/3", zip::kSaturated32);  // exactly the number that says "see the block", and the offset too
  add("data/4", zip::kSaturated32 - 1);
  REQUIRE(writer.finish());
  zip.lay_out();

  const Source source = Source::callback(end, [&](std::uint64_t offset, std::span<std::byte> out) {
    std::fill(out.begin(), out.end(), std::byte{0});
    for (const auto& [at, text] : pieces) {
      for (std::uint64_t i = std::max(at, offset); i < std::min(at + text.size(), offset + out.size()); ++i) {
        out[static_cast<std::size_t>(i - offset)] = static_cast<std::byte>(text[static_cast<std::size_t>(i - at)]);
      }
    }
    return true;
  });
  const auto directory = ZipDirectory::read(source, {});
  if (!directory) FAIL(directory.error().message());
  REQUIRE(directory->entries().size() == zip.records.size());
  for (std::size_t i = 0; i < zip.records.size(); ++i) {
    const auto& [name, at, packed, size, crc, method, flags] = directory->entries()[i];
    CHECK(name == zip.records[i].entry.name);
    CHECK(at == zip.records[i].data_at);
    CHECK(size == zip.records[i].data_size());
  }
  CHECK(end == zip.end_at + zip::end::kSize);
}

TEST_CASE("the root of a path: PyTorch's rule") {
  CHECK(archive_root("model.pth") == "model");
  CHECK(archive_root("a.b.c.pt") == "a.b.c");
  CHECK(archive_root("noext") == "noext");
  CHECK(archive_root("trail.") == "trail");
  CHECK(archive_root("/some.where/model.pt") == "model");
  CHECK(archive_root("some.where/model") == "model");
  CHECK(archive_root("back\\slash.pt") == "slash");
  CHECK(archive_root("d\xC3\xA9/m.pt") == "archive");
  CHECK(archive_root(".hidden") == "");
  CHECK(archive_root("folder/") == "");
  CHECK(archive_root("") == "");
}

TEST_CASE("the serialization id of what was written so far") {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, {.root = "archive"});
  CHECK(serialization_id(writer) == std::string(40, '0'));
  REQUIRE(writer.add("data.pkl", bytes_of("a pickle")));
  REQUIRE(writer.add("data/0", {}));
  const std::string id = serialization_id(writer);
  CHECK(id.size() == 40);
  const std::string kept = "12345678901234567890";
  CHECK(serialization_id(writer, kept) == kept + id.substr(20));
  CHECK(serialization_id(writer, "1234") == id);
  CHECK(serialization_id(writer, "1234567890123456789x") == id);
}
