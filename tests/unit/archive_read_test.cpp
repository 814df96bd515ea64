// SPDX-License-Identifier: MIT
// Reading records: slices, inflating, CRC, limits, and the same from every kind of source.
#include "bytes/buffer.hpp"
#include "support/temporary_file.hpp"
#include "support/zip_check.hpp"

#include <cstring>

using namespace brine;
using namespace brine::test;

namespace {

/// Text that deflates to about a third.
std::string words(std::size_t size) {
  std::string out;
  std::uint32_t state = 1;
  while (out.size() < size) {
    state = state * 1664525 + 1013904223;
    out.append("weight").append(std::to_string(state >> 16)).append(1, ' ');
  }
  out.resize(size);
  return out;
}

ZipBuilder one_deflated(std::string_view data) {
  ZipBuilder zip;
  zip.deflate("archive/data.pkl", data);
  return zip;
}

Archive open(const std::string& bytes) {
  auto archive = Archive::open(source_of(bytes), {});
  if (!archive) FAIL(archive.error().message());
  return std::move(*archive);
}

/// Reading the one record of `zip` fails by all ways, with this code.
void check_unreadable(ZipBuilder& zip, ErrorCode code) {
  const std::string bytes = zip.lay_out().bytes();
  const Archive archive = open(bytes);
  const ZipEntry& entry = archive.directory().entries()[0];
  Budget budget(1 << 30, ErrorCode::inflated_too_large);
  const auto whole = archive.read(entry, budget, true);
  REQUIRE_FALSE(whole);
  CAPTURE(whole.error().message());
  const std::uint64_t place = code == ErrorCode::zip_crc ? zip.records[0].entry_at + zip::entry::kCrc : zip.records[0].data_at;
  check_error(whole.error(), code, place);
  CHECK(budget.used() == 0);
  CHECK_FALSE(archive.verify(entry));
  if (code == ErrorCode::zip_crc || entry.size == 0) return;
  std::string out(entry.size, '\0');
  CHECK_FALSE(archive.read_at(entry, 0, std::as_writable_bytes(std::span(out)), budget));
}

}  // namespace

TEST_CASE("stored records are slices of the source") {
  ZipBuilder zip = ZipBuilder::torch_file({"some weights"});
  const std::string bytes = zip.lay_out().bytes();
  const Archive archive = open(bytes);
  Budget budget(0, ErrorCode::inflated_too_large);
  const ZipEntry* entry = archive.directory().find_record("data/0");
  REQUIRE(entry != nullptr);
  const auto record = archive.read(*entry, budget, true);
  REQUIRE(record);
  CHECK(record->span.data() == reinterpret_cast<const std::byte*>(bytes.data()) + zip.records[4].data_at);
  CHECK(record->text() == "some weights");
  std::string part(7, '\0');
  CHECK(archive.read_at(*entry, 5, std::as_writable_bytes(std::span(part)), budget));
  CHECK(part == "weights");
  CHECK(archive.verify(*entry));
  const auto past = archive.read_at(*entry, 6, std::as_writable_bytes(std::span(part)), budget);
  REQUIRE_FALSE(past);
  CHECK(past.error().code() == ErrorCode::out_of_range);
}

TEST_CASE("CRC: compared when asked for and when there is one") {
  ZipBuilder zip;
  zip.add("archive/data.pkl", "a pickle");
  zip.records[0].data[0] = 'A';
  check_unreadable(zip, ErrorCode::zip_crc);
  const std::string bytes = zip.bytes();
  const Archive archive = open(bytes);
  Budget budget(0, ErrorCode::inflated_too_large);
  CHECK(archive.read(archive.directory().entries()[0], budget, false).value().text() == "A pickle");

  zip.records[0].local.crc = zip.records[0].entry.crc = 0;
  const std::string without = zip.bytes();
  CHECK(read_record(open(without), "data.pkl") == "A pickle");
  CHECK(open(without).verify(open(without).directory().entries()[0]));
}

#if BRINE_HAVE_LIBZIP

TEST_CASE("inflate: sizes around the pieces that libzip reads and gives") {
  for (const std::size_t size : {1U, 2U, 100U, 8191U, 8192U, 65535U, 65536U, 65537U, 200000U, 1000000U}) {
    for (const bool noise : {false, true}) {
      CAPTURE(size);
      std::string data = noise ? words(size) : std::string(size, 'z');
      ZipBuilder zip = one_deflated(data);
      const std::string bytes = zip.lay_out().bytes();
      const Archive archive = open(bytes);
      CHECK((read_record(archive, "data.pkl") == data));
      const ZipEntry& entry = archive.directory().entries()[0];
      CHECK(archive.verify(entry));
      for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{size} / 2, std::uint64_t{size} - 1, std::uint64_t{size}}) {
        std::string part(std::min<std::size_t>(size - from, 70'000), '\0');
        Budget some(1 << 30, ErrorCode::inflated_too_large);
        CHECK(archive.read_at(entry, from, std::as_writable_bytes(std::span(part)), some));
        CHECK((part == data.substr(from, part.size())));
      }
    }
  }
}

TEST_CASE("inflate: parts of a large record in any order; what is passed over is bounded") {
  constexpr std::size_t size = std::size_t{48} << 20;
  std::string data(size, '\0');
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i >> 12);
  ZipBuilder zip = one_deflated(data);
  const std::string bytes = zip.lay_out().bytes();
  const Archive archive = open(bytes);
  const ZipEntry& entry = archive.directory().entries()[0];
  Budget budget(std::uint64_t{1} << 30, ErrorCode::inflated_too_large);
  std::string part(10'000, '\0');
  const auto check = [&](std::size_t from) {
    CHECK(archive.read_at(entry, from, std::as_writable_bytes(std::span(part)), budget));
    CHECK((part == std::string_view(data).substr(from, part.size())));
  };
  for (std::size_t end = size; end > 30'000; end -= 20'000) check(end - part.size());  // backwards
  for (std::size_t from = 0; from + part.size() < size; from += 100'000) check(from);       // forwards
  part.resize(3 << 20);
  for (std::size_t from = 0; from + part.size() < size; from += 1'000'000) check(from);  // overlapping
  part.resize(20 << 20);
  check(size / 2), check(size / 3), check(0);
  const std::uint64_t used = budget.used();
  CHECK(used < std::uint64_t{12} * size);  // not 2,500 times

  Budget spent(size / 2, ErrorCode::inflated_too_large);
  part.resize(100);
  const Archive again = open(bytes);
  CHECK(again.read_at(entry, size / 2 - 100, std::as_writable_bytes(std::span(part)), spent));
  CHECK(again.read_at(entry, 100, std::as_writable_bytes(std::span(part)), spent));              // little is passed over
  CHECK(again.read_at(entry, size / 2 - 100, std::as_writable_bytes(std::span(part)), spent));   // it was inflated last
  const auto refused = again.read_at(entry, size - 100, std::as_writable_bytes(std::span(part)), spent);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::inflated_too_large);
}

TEST_CASE("inflate: every length of packed data, so that its last byte falls anywhere in a piece") {
  const std::string noise = words(40'000);
  std::size_t min = ~std::size_t{0}, max = 0;
  for (std::size_t size = 1; size < 40'000; size += 397) {
    ZipBuilder zip = one_deflated(noise.substr(0, size));
    min = std::min(min, zip.records[0].data.size());
    max = std::max(max, zip.records[0].data.size());
    const std::string bytes = zip.lay_out().bytes();
    CHECK((read_record(open(bytes), "data.pkl") == noise.substr(0, size)));

    // One byte more of packed data, or one less, is always seen.
    zip.records[0].data.push_back('\0');
    zip.records[0].local.packed = zip.records[0].entry.packed += 1;
    check_unreadable(zip, ErrorCode::zip_inflate);
    zip.records[0].data.resize(zip.records[0].data.size() - 2);
    zip.records[0].local.packed = zip.records[0].entry.packed -= 2;
    check_unreadable(zip, ErrorCode::zip_inflate);
  }
  CHECK(min < 100);
  CHECK(max > 8192);
}

TEST_CASE("inflate: a stream that ends early, does not end, or gives another size") {
  const std::string data = words(1000);
  const auto sized = [&](int more) {
    ZipBuilder zip = one_deflated(data);
    zip.records[0].local.size = zip.records[0].entry.size = static_cast<std::uint32_t>(static_cast<int>(data.size()) + more);
    return zip;
  };
  for (const int more : {-1000, -999, -500, -1, 1, 2, 500}) {
    CAPTURE(more);
    ZipBuilder zip = sized(more);
    check_unreadable(zip, ErrorCode::zip_inflate);
    zip.records[0].local.crc = zip.records[0].entry.crc = 0;  // the CRC is not what finds it
    check_unreadable(zip, ErrorCode::zip_inflate);
  }
  // The final block's mark taken off: all the data is there, and the stream goes on.
  ZipBuilder zip = one_deflated(data);
  REQUIRE((zip.records[0].data[0] & 1) == 1);
  zip.records[0].data[0] = static_cast<char>(zip.records[0].data[0] & ~1);
  check_unreadable(zip, ErrorCode::zip_inflate);

  // Two streams in a row; 100 kB of trailing bytes; no stream at all.
  zip = one_deflated(data);
  zip.records[0].data += zip.records[0].data;
  zip.records[0].local.packed = zip.records[0].entry.packed *= 2;
  check_unreadable(zip, ErrorCode::zip_inflate);
  zip = one_deflated(data);
  zip.records[0].data += std::string(100'000, 't');
  zip.records[0].local.packed = zip.records[0].entry.packed += 100'000;
  check_unreadable(zip, ErrorCode::zip_inflate);
  zip = one_deflated(data);
  std::fill(zip.records[0].data.begin(), zip.records[0].data.end(), '\xFF');
  check_unreadable(zip, ErrorCode::zip_inflate);
  zip.records[0].data.clear();
  zip.records[0].local.packed = zip.records[0].entry.packed = 0;
  zip.records[0].local.size = zip.records[0].entry.size = 10;
  check_unreadable(zip, ErrorCode::zip_inflate);
}

TEST_CASE("inflate: a stream may not refer back to before its start") {
  // A fixed block: a match of length 3 at distance 1, then the end. Bits, low first: 1 10 | 0000001 | 00000 | 0000000.
  ZipBuilder zip = one_deflated("xxx");
  zip.records[0].data = std::string("\x03\x02\x00", 3);
  zip.records[0].local.packed = zip.records[0].entry.packed = 3;
  check_unreadable(zip, ErrorCode::zip_inflate);
}

TEST_CASE("inflate: charged to the budget; a packed CRC is checked") {
  const std::string data = words(5000);
  const std::string bytes = one_deflated(data).lay_out().bytes();
  const Archive archive = open(bytes);
  const ZipEntry& entry = archive.directory().entries()[0];
  Budget budget(9999, ErrorCode::inflated_too_large);
  CHECK(archive.read(entry, budget, true));
  CHECK(budget.used() == 5000);
  const auto much = archive.read(entry, budget, true);
  REQUIRE_FALSE(much);
  CHECK(much.error().kind() == ErrorKind::limit);
  CHECK(much.error().code() == ErrorCode::inflated_too_large);
  CHECK(budget.used() == 5000);

  ZipBuilder zip = one_deflated(data);
  zip.records[0].local.crc = zip.records[0].entry.crc ^= 1;
  check_unreadable(zip, ErrorCode::zip_crc);
}

TEST_CASE("inflate: an end record inside the packed data does not mislead libzip") {
  // Stored blocks of deflate keep their bytes as they are.
  ZipBuilder inner;
  inner.add("archive/data.pkl", "another pickle");
  std::string data;
  for (int i = 0; i < 300; ++i) data += inner.lay_out().bytes();
  ZipBuilder zip = one_deflated("");
  ZipRecord& r = zip.records[0];
  Buffer block;
  block.u8(1).u16(static_cast<std::uint16_t>(data.size())).u16(static_cast<std::uint16_t>(~data.size())).text(data);
  r.data = block.text();
  r.local.packed = r.entry.packed = static_cast<std::uint32_t>(r.data.size());
  r.local.size = r.entry.size = static_cast<std::uint32_t>(data.size());
  r.local.crc = r.entry.crc = crc_of(data);
  const std::string bytes = zip.lay_out().bytes();
  CHECK((read_record(open(bytes), "data.pkl") == data));
}

#else

TEST_CASE("without libzip packed records are refused with words that say so, and all else works") {
  ZipBuilder zip = one_deflated(words(1000));
  zip.add("archive/version", "3\n");
  const std::string bytes = zip.lay_out().bytes();
  const Archive archive = open(bytes);
  CHECK(read_record(archive, "version") == "3\n");
  Budget budget(1 << 30, ErrorCode::inflated_too_large);
  const auto packed = archive.read(archive.directory().entries()[0], budget, true);
  REQUIRE_FALSE(packed);
  check_error(packed.error(), ErrorCode::zip_disabled, zip.records[0].data_at, ErrorKind::unsupported);
}

#endif

TEST_CASE("every kind of source gives the same archive") {
  ZipBuilder zip = ZipBuilder::torch_file({words(100'000), "", words(7)});
  zip.deflate("archive/code/a.py", words(30'000));
  zip.deflate("archive/code/b.py", "");
  const std::string bytes = zip.lay_out().bytes();
  TemporaryFile file;
  file.write(bytes);
  int calls = 0;
  const auto read_at = [&](std::uint64_t offset, std::span<std::byte> out) {
    ++calls;
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return true;
  };
  const Archive expected = open(bytes);
  const Source sources[] = {*Source::file(file.path()), *Source::file(file.path(), FileMode::plain),
                            Source::callback(bytes.size(), read_at)};
  for (const Source& source : sources) {
    const auto archive = Archive::open(source, {});
    if (!archive) FAIL(archive.error().message());
    const auto a = archive->directory().entries(), b = expected.directory().entries();
    REQUIRE(a.size() == b.size());
    Budget budget(1 << 20, ErrorCode::inflated_too_large);
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].name == b[i].name);
      CHECK(a[i].data_offset == b[i].data_offset);
      CHECK(a[i].size == b[i].size);
      if (a[i].method == zip::kDeflated && !BRINE_HAVE_LIBZIP) continue;
      const auto one = archive->read(a[i], budget, true), other = expected.read(b[i], budget, true);
      REQUIRE(one);
      REQUIRE(other);
      CHECK((one->text() == other->text()));
      CHECK(archive->verify(a[i]));
      std::string part(a[i].size / 2, '\0');
      CHECK(archive->read_at(a[i], a[i].size / 3, std::as_writable_bytes(std::span(part)), budget));
      CHECK((part == one->text().substr(a[i].size / 3, part.size())));
    }
  }
  calls = 0;
  CHECK(Archive::open(sources[2], {}));
  CHECK(calls <= 4);
}

TEST_CASE("a callback that fails in the middle is an io error") {
  const std::string bytes = [] {
    ZipBuilder zip;
    for (int i = 0; i < 3000; ++i) zip.deflate("archive/data/" + std::to_string(i), words(100));
    return zip.lay_out().bytes();
  }();
  int left = 1000;
  const Source source = Source::callback(bytes.size(), [&](std::uint64_t offset, std::span<std::byte> out) {
    if (left-- <= 0) return false;
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return true;
  }, "asset");
  const auto archive = Archive::open(source, {});
  REQUIRE(archive);
  const int needed = 1000 - left;
  CHECK(needed < 20);  // for 3000 records
  Budget budget(1 << 20, ErrorCode::inflated_too_large);
  left = 0;
  const auto record = archive->read(archive->directory().entries()[7], budget, true);
  REQUIRE_FALSE(record);
  if (BRINE_HAVE_LIBZIP) CHECK(record.error().kind() == ErrorKind::io);
  for (int allowed = 0; allowed < needed; ++allowed) {
    left = allowed;
    const auto refused = Archive::open(source, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == ErrorKind::io);
  }
}

TEST_CASE("an archive keeps the memory's owner alive, and its records do too") {
  auto owner = std::make_shared<const std::string>(ZipBuilder::torch_file({"weights"}).lay_out().bytes());
  const std::weak_ptr<const std::string> watch = owner;
  Bytes record;
  {
    const auto bytes = std::as_bytes(std::span(*owner));
    const auto archive = Archive::open(Source::memory(bytes, std::move(owner)), {});
    REQUIRE(archive);
    CHECK_FALSE(watch.expired());
    Budget budget(0, ErrorCode::inflated_too_large);
    record = *archive->read(*archive->directory().find_record("data/0"), budget, true);
  }
  CHECK_FALSE(watch.expired());
  CHECK(record.text() == "weights");
  record = {};
  CHECK(watch.expired());
}
