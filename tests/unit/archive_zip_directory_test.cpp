// SPDX-License-Identifier: MIT
// The ten rules of the zip directory: what is accepted, and one case for each way to break a rule, with code and place.
#include "support/zip_check.hpp"

using namespace brine;
using namespace brine::test;

namespace {

/// Two stored records, one of them deflated: the honest archive that the cases below damage.
ZipBuilder honest() {
  ZipBuilder zip;
  zip.add("archive/data.pkl", "a pickle");
  zip.add("archive/version", "3\n");
  return zip;
}

ZipBuilder described(bool zip64, bool signature) {
  ZipBuilder zip = honest();
  for (auto& r : zip.records) ZipBuilder::describe(r, zip64, signature);
  return zip;
}

}  // namespace

TEST_CASE("accepts: plain, described, with zip64 end record, in any order of the directory") {
  const auto accepted = [](ZipBuilder zip) {
    const std::string bytes = zip.lay_out().bytes();
    const auto archive = Archive::open(source_of(bytes), {});
    if (!archive) FAIL(archive.error().message());
    CHECK(archive->directory().root() == "archive");
    CHECK(read_record(*archive, "data.pkl") == "a pickle");
    CHECK(read_record(*archive, "version") == "3\n");
    CHECK(archive->directory().find("archive/version")->data_offset == zip.records[1].data_at);
  };
  accepted(honest());
  accepted(described(false, true));
  accepted(described(false, false));
  accepted(described(true, true));
  accepted(described(true, false));
  ZipBuilder zip = honest();
  zip.end64.emplace();
  accepted(zip);
  zip.end.comment = "a comment of the archive";
  accepted(zip);

  // Local headers may repeat the numbers although a descriptor follows.
  zip = described(false, true);
  zip.records[0].local.crc = zip.records[0].entry.crc;
  zip.records[0].local.size = zip.records[0].local.packed = zip.records[0].entry.size;
  accepted(zip);

  // The directory in another order than the records.
  zip = honest().lay_out();
  std::swap(zip.records[0].entry, zip.records[1].entry);
  const std::string bytes = zip.bytes();
  const auto archive = Archive::open(source_of(bytes), {});
  REQUIRE(archive);
  CHECK(archive->directory().entries()[0].name == "archive/version");
  CHECK(read_record(*archive, "data.pkl") == "a pickle");
}

TEST_CASE("accepts: what torch.save writes; aligned data, exact offsets") {
  ZipBuilder zip = ZipBuilder::torch_file({std::string(1000, 'w'), "", std::string(64, 'b')});
  const std::string bytes = zip.lay_out().bytes();
  const auto archive = Archive::open(source_of(bytes), {});
  if (!archive) FAIL(archive.error().message());
  CHECK(archive->directory().entries().size() == 9);
  for (std::size_t i = 0; i < zip.records.size(); ++i) {
    const ZipEntry& e = archive->directory().entries()[i];
    CHECK(e.name == zip.records[i].entry.name);
    CHECK(e.data_offset == zip.records[i].data_at);
    CHECK(e.data_offset % 64 == 0);
    CHECK(e.size == zip.records[i].data.size());
  }
  CHECK(read_record(*archive, "data/0") == std::string(1000, 'w'));
  CHECK(read_record(*archive, ".data/serialization_id") == std::string(40, '7'));
}

TEST_CASE("accepts: a record whose CRC was not computed, folders, a nested zip, empty deflated records") {
  ZipBuilder zip = honest();
  zip.records[0].local.crc = zip.records[0].entry.crc = 0;
  zip.add("archive/", "");
  zip.add("archive/data/", "");
  zip.deflate("archive/data/0", "");
  zip.records.emplace_back(zip.records.back()).data.clear();
  zip.records.back().local.name = zip.records.back().entry.name = "archive/data/1";
  zip.records.back().local.packed = zip.records.back().entry.packed = 0;
  zip.add("archive/nested", honest().lay_out().bytes());
  const std::string bytes = zip.lay_out().bytes();
  const auto archive = Archive::open(source_of(bytes), {});
  if (!archive) FAIL(archive.error().message());
  CHECK(archive->directory().entries().size() == 5);
  CHECK(archive->directory().find("archive/") == nullptr);
  CHECK(read_record(*archive, "data.pkl") == "a pickle");
  if (BRINE_HAVE_LIBZIP) CHECK(read_record(*archive, "data/0").empty());
  if (BRINE_HAVE_LIBZIP) CHECK(read_record(*archive, "data/1").empty());
  CHECK(read_record(*archive, "nested").size() == zip.records.back().data.size());
}

TEST_CASE("find: by exact name only") {
  const std::string bytes = honest().lay_out().bytes();
  const auto directory = read_zip(bytes);
  REQUIRE(directory);
  CHECK(directory->find("archive/version")->size == 2);
  CHECK(directory->find_record("version") == directory->find("archive/version"));
  CHECK(directory->find("archive/VERSION") == nullptr);
  CHECK(directory->find("version") == nullptr);
  CHECK(directory->find("") == nullptr);
  CHECK(directory->find_record(std::string(100000, 'x')) == nullptr);
}

TEST_CASE("rule 1: the signature at byte 0") {
  const std::string bytes = honest().lay_out().bytes();
  check_refused("stub" + bytes, ErrorCode::zip_signature, 0, ErrorKind::not_a_checkpoint);
  check_refused("", ErrorCode::zip_signature, 0, ErrorKind::not_a_checkpoint);
  check_refused("PK", ErrorCode::zip_signature, 0, ErrorKind::not_a_checkpoint);
  check_refused(ZipBuilder().lay_out().bytes(), ErrorCode::zip_signature, 0, ErrorKind::not_a_checkpoint);
  ZipBuilder zip = honest();
  zip.records[0].local.signature = zip::kDescriptorSignature;
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_signature, 0);
}

TEST_CASE("rule 2: one end record, at the end") {
  ZipBuilder zip = honest().lay_out();
  const std::string bytes = zip.bytes();
  check_refused(bytes.substr(0, zip.end_at), ErrorCode::zip_end_record, zip.end_at);
  check_refused(bytes.substr(0, bytes.size() - 1), ErrorCode::zip_end_record, zip.end_at);
  check_refused(bytes + "junk", ErrorCode::zip_end_record, zip.end_at + zip::end::kCommentLength);
  check_refused(bytes + std::string(70000, 'j'), ErrorCode::zip_end_record, bytes.size() + 70000);

  zip.end.comment_length = 5;
  check_refused(zip.bytes(), ErrorCode::zip_end_record, zip.end_at + zip::end::kCommentLength);
  zip.end.comment_length.reset();

  // A second end record: in the comment, in the directory's names, in a zip64 field.
  zip.end.comment = "PK\5\6 is not a comment";
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_end_record, zip.end_at + zip::end::kSize);
  zip = honest();
  zip.add("archive/PK\5\6", "x");
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_end_record, zip.records[2].entry_at + zip::entry::kSize + 8);

  // The comment holds a whole archive: its end record is the last, and its offsets are not ours.
  zip = honest();
  zip.end.comment = honest().lay_out().bytes();
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_directory, zip.end_at + zip::end::kSize + honest().lay_out().end_at + zip::end::kCount);

  zip = honest();
  zip.records[1].entry.comment = "of an entry";
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_directory, zip.records[1].entry_at + zip::entry::kCommentLength);

  zip = honest().lay_out();
  zip.end.disk = 1;
  check_refused(zip.bytes(), ErrorCode::zip_end_record, zip.end_at + zip::end::kDisk);
  zip = honest().lay_out();
  zip.end.count_here = 1;
  check_refused(zip.bytes(), ErrorCode::zip_end_record, zip.end_at + zip::end::kCountHere);
}

TEST_CASE("rule 2: a second end record in a directory larger than the tail") {
  ZipBuilder zip;
  for (int i = 0; i < 2000; ++i) zip.add("archive/data/" + std::to_string(i) + (i == 10 ? "PK\5\6" : ""), "x");
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_end_record, zip.records[10].entry_at + zip::entry::kSize + 15);
}

TEST_CASE("rule 3: the zip64 end record") {
  const auto damaged = [](auto&& damage) {
    ZipBuilder zip = honest();
    zip.end64.emplace();
    zip.lay_out();
    damage(zip);
    return zip;
  };
  const auto refused = [&](auto&& damage, std::uint64_t ZipBuilder::*part, std::uint64_t field, ErrorCode code = ErrorCode::zip_zip64) {
    const ZipBuilder zip = damaged(damage);
    check_refused(zip.bytes(), code, zip.*part + field);
  };
  const auto end64 = &ZipBuilder::end64_at, locator = &ZipBuilder::locator_at, end = &ZipBuilder::end_at;
  refused([](ZipBuilder& z) { z.end64->signature = 1; }, end64, 0);
  refused([](ZipBuilder& z) { z.end64->record_size += 1; }, end64, zip::end64::kRecordSize);
  refused([](ZipBuilder& z) { z.end64->disk = 1; }, end64, zip::end64::kDisk);
  refused([](ZipBuilder& z) { z.end64->directory_disk = 1; }, end64, zip::end64::kDisk);
  refused([](ZipBuilder& z) { z.end64->count_here = 1; }, end64, zip::end64::kCountHere);
  refused([](ZipBuilder& z) { z.end64->count_here = z.end64->count = 3; }, end, zip::end::kCount);
  refused([](ZipBuilder& z) { z.end64->directory_size += 1; }, end, zip::end::kDirectorySize);
  refused([](ZipBuilder& z) { z.end64->directory_offset += 1; }, end, zip::end::kDirectoryOffset);
  refused([](ZipBuilder& z) { z.end64->locator_offset -= 1; }, locator, zip::locator::kOffset);
  refused([](ZipBuilder& z) { z.end64->locator_disk = 1; }, locator, zip::locator::kDisk);
  refused([](ZipBuilder& z) { z.end64->locator_disks = 2; }, locator, zip::locator::kDisk);
  // Without its locator the zip64 end record is 76 bytes between the directory and the end record.
  refused([](ZipBuilder& z) { z.end64->locator_signature = 1; }, end, zip::end::kCount, ErrorCode::zip_directory);

  // Saturated fields are fine with it, and not without it.
  ZipBuilder zip = damaged([](ZipBuilder& z) {
    z.end.count = z.end.count_here = zip::kSaturated16;
    z.end.directory_size = z.end.directory_offset = zip::kSaturated32;
  });
  CHECK(read_zip(zip.bytes()));
  zip = honest().lay_out();
  zip.end.directory_offset = zip::kSaturated32;
  check_refused(zip.bytes(), ErrorCode::zip_zip64, zip.end_at + zip::end::kDirectorySize);
}

TEST_CASE("rule 4: the directory is walked exactly") {
  const auto refused = [](auto&& damage, std::uint64_t at_of_end, std::uint64_t at_of_entry, ErrorCode code = ErrorCode::zip_directory) {
    ZipBuilder zip = honest().lay_out();
    damage(zip);
    check_refused(zip.bytes(), code, at_of_end != 0 ? zip.end_at + at_of_end : zip.records[1].entry_at + at_of_entry);
  };
  const auto count = [](std::uint16_t n) { return [n](ZipBuilder& z) { z.end.count = z.end.count_here = n; }; };
  refused(count(1), 0, 0);
  refused(count(0), zip::end::kCount, 0);
  refused(count(3), zip::end::kCount, 0);
  refused(count(60000), zip::end::kCount, 0);
  refused([](ZipBuilder& z) { z.end.directory_size += 1; }, zip::end::kCount, 0);
  refused([](ZipBuilder& z) { z.end.directory_offset += 1; }, zip::end::kCount, 0);
  refused([](ZipBuilder& z) { z.records[1].entry.signature = 1; }, 0, 0);
  refused([](ZipBuilder& z) { z.records[1].entry.disk = 1; }, 0, zip::entry::kDisk);
  refused([](ZipBuilder& z) { z.records[1].entry.name_length = 60000; }, 0, zip::entry::kNameLength);
  refused([](ZipBuilder& z) { z.records[1].entry.extra_length = 1; }, 0, zip::entry::kNameLength);

  ZipBuilder zip = honest().lay_out();
  zip.end.directory_offset += 1, zip.end.directory_size -= 1;
  check_refused(zip.bytes(), ErrorCode::zip_directory, zip.directory_at + 1);

  zip = honest();
  zip.records[1].entry.extra = "abc";
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_directory, zip.records[1].entry_at + zip::entry::kSize + 15);
  zip.records[1].entry.extra = extra_block(0x1234, "content");
  zip.records[1].entry.extra[2] = 8;
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_directory, zip.records[1].entry_at + zip::entry::kSize + 15 + 2);
}

TEST_CASE("rules 3 and 4: a count that exceeds the limit is a limit") {
  const std::string bytes = honest().lay_out().bytes();
  Limits limits;
  limits.records = 2;
  CHECK(read_zip(bytes, limits));
  limits.records = 1;
  const auto directory = read_zip(bytes, limits);
  REQUIRE_FALSE(directory);
  check_error(directory.error(), ErrorCode::too_many_records, honest().lay_out().end_at + zip::end::kCount, ErrorKind::limit);
}
