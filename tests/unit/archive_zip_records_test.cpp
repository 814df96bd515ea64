// SPDX-License-Identifier: MIT
// The rules about single records: local headers, ranges, names, methods, flags and sizes (rules 5 to 8), and zip64 numbers.
#include "support/zip_check.hpp"

using namespace brine;
using namespace brine::test;

namespace {

ZipBuilder honest() {
  ZipBuilder zip;
  zip.add("archive/data.pkl", "a pickle");
  zip.deflate("archive/code", std::string(300, 'c'));
  zip.add("archive/version", "3\n");
  return zip;
}

/// Lays the honest archive out, damages its second record, expects the error at `field` of a part.
template <class Damage>
void second_refused(Damage&& damage, std::uint64_t ZipRecord::* part, std::uint64_t field, ErrorCode code,
                    ErrorKind kind = ErrorKind::corrupt) {
  ZipBuilder zip = honest().lay_out();
  damage(zip.records[1]);
  check_refused(zip.bytes(), code, zip.records[1].*part + field, kind);
}

const auto local_at = &ZipRecord::local_at, entry_at = &ZipRecord::entry_at;

}  // namespace

TEST_CASE("rule 5: the local header says what the directory says") {
  const auto code = ErrorCode::zip_local_header;
  second_refused([](ZipRecord& r) { r.local.signature += 1; }, local_at, 0, code);
  second_refused([](ZipRecord& r) { r.local.flags = zip::kFlagUtf8; }, local_at, zip::local::kFlags, code);
  second_refused([](ZipRecord& r) { r.local.flags = zip::kFlagDescriptor; }, local_at, zip::local::kFlags, code);
  second_refused([](ZipRecord& r) { r.local.method = zip::kStored; }, local_at, zip::local::kMethod, code);
  second_refused([](ZipRecord& r) { r.local.crc += 1; }, local_at, zip::local::kCrc, code);
  second_refused([](ZipRecord& r) { r.local.crc = 0; }, local_at, zip::local::kCrc, code);
  second_refused([](ZipRecord& r) { r.entry.crc = 0; }, local_at, zip::local::kCrc, code);
  second_refused([](ZipRecord& r) { r.local.size += 1; }, local_at, zip::local::kUnpacked, code);
  second_refused([](ZipRecord& r) { r.local.size = 0; }, local_at, zip::local::kUnpacked, code);
  second_refused([](ZipRecord& r) { r.local.packed -= 1; }, local_at, zip::local::kPacked, code);
  second_refused([](ZipRecord& r) { r.local.size = zip::kSaturated32; }, local_at, zip::local::kUnpacked, code);
  second_refused([](ZipRecord& r) { r.local.name = "archive/CODE"; }, local_at, zip::local::kSize, code);
  second_refused([](ZipRecord& r) { r.local.name_length = 3; }, local_at, zip::local::kNameLength, code);
  second_refused([](ZipRecord& r) { r.local.extra_length = 60000; }, local_at, 0, ErrorCode::zip_overlap);
  second_refused([](ZipRecord& r) { r.local.extra_length = 2; }, local_at, 0, ErrorCode::zip_overlap);
  second_refused([](ZipRecord& r) { r.entry.packed = 60000, r.entry.size = 60000; }, local_at, 0, ErrorCode::zip_overlap);

  ZipBuilder zip = honest();
  zip.records[1].local.extra = "ab";
  zip.lay_out();
  check_refused(zip.bytes(), code, zip.records[1].local_at + zip::local::kSize + 12);
}

TEST_CASE("rule 5: descriptors") {
  const auto refused = [](bool zip64, auto&& damage, std::uint64_t field, ErrorCode code = ErrorCode::zip_local_header) {
    ZipBuilder zip = honest();
    ZipBuilder::describe(zip.records[1], zip64);
    damage(zip.records[1]);
    zip.lay_out();
    check_refused(zip.bytes(), code, zip.records[1].descriptor_at + field);
  };
  const auto flip = [](std::size_t at) { return [at](ZipRecord& r) { r.descriptor[at] ^= 1; }; };
  refused(false, flip(0), 0);
  refused(false, flip(4), 4);
  refused(false, flip(8), 8);
  refused(false, flip(12), 12);
  refused(true, flip(8), 8);
  refused(true, flip(16), 16);
  refused(true, flip(23), 16);
  const auto size = [](std::size_t n) { return [n](ZipRecord& r) { r.descriptor.resize(n); }; };
  for (const std::size_t n : {0U, 11U, 13U, 15U, 17U, 20U, 24U}) refused(false, size(n), 0, ErrorCode::zip_overlap);
  for (const std::size_t n : {0U, 12U, 16U, 23U, 25U}) refused(true, size(n), 0, ErrorCode::zip_overlap);

  // 8-byte sizes although the local extra has no zip64 block, and the other way round.
  ZipBuilder zip = honest();
  ZipBuilder::describe(zip.records[1], true);
  zip.records[1].local.extra.clear();
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[1].descriptor_at);

  // No flag, but a descriptor.
  zip = honest();
  zip.records[1].descriptor = std::string(16, 'd');
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[1].descriptor_at);
}

TEST_CASE("rule 6: records follow each other from byte 0 to the directory") {
  ZipBuilder zip = honest();
  zip.records[1].prefix = "gap";
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[0].descriptor_at);
  zip = honest();
  zip.gap = "gap";
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[2].descriptor_at);
  zip = honest();
  zip.records[0].listed = false;
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, 0);
  zip = honest();
  zip.records[1].listed = false;
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[0].descriptor_at);
  zip = honest();
  zip.records[2].listed = false;
  zip.lay_out();
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[1].descriptor_at);

  // Two entries, one local header; a header inside another record's data; offsets outside.
  zip = honest().lay_out();
  zip.records[1].entry.offset = 0;
  check_refused(zip.bytes(), ErrorCode::zip_overlap, 0);
  zip = honest().lay_out();
  zip.records[1].entry.offset -= 4;
  check_refused(zip.bytes(), ErrorCode::zip_overlap, 0);
  zip = honest().lay_out();
  zip.records[2].entry.offset = static_cast<std::uint32_t>(zip.directory_at);
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[1].descriptor_at);
  zip.records[2].entry.offset = 0xFFFFFF00;
  check_refused(zip.bytes(), ErrorCode::zip_overlap, 0xFFFFFF00);
  zip = honest().lay_out();
  zip.records[1].entry.packed = zip.records[1].local.packed += 5;
  zip.records[1].entry.size = zip.records[1].local.size += 5;
  check_refused(zip.bytes(), ErrorCode::zip_overlap, zip.records[1].local_at);
}

TEST_CASE("rule 7: names") {
  const auto refused = [](std::string name, std::size_t at, ErrorCode code = ErrorCode::zip_name, std::string data = "x") {
    CAPTURE(name);
    ZipBuilder zip = honest();
    zip.add(name, data);
    zip.lay_out();
    check_refused(zip.bytes(), code, zip.records[3].entry_at + zip::entry::kSize + at);
  };
  refused("", 0);
  refused("/archive/x", 0);
  refused("archive//x", 8);
  refused("archive/./x", 8);
  refused("archive/../x", 8);
  refused("archive/..", 8);
  refused("archive/a/..", 10);
  refused("../archive/x", 0);
  refused("archive/a\\b", 9);
  refused(std::string("archive/a\0b", 11), 9);
  refused("archive/\xFF", 0);
  refused("archive/abcdefgh\xC3", 0);
  refused("other/x", 0);
  refused("archive", 0);
  refused("archivex/y", 0);
  refused("Archive/x", 0);
  refused("archive/folder/", 14);  // a folder with data
  refused("archive/version", 0, ErrorCode::zip_duplicate_name);
  refused("archive/VERSION", 0, ErrorCode::zip_duplicate_name);
  refused("archive/Data.pKl", 0, ErrorCode::zip_duplicate_name);
  refused("__MACOSX/archive/._x", 0);

  ZipBuilder zip = honest();
  for (const char* fine :
       {"archive/...", "archive/.x", "archive/..x", "archive/x.", "archive/\xC3\xA9", "archive/a b", "archive/versions", "archive/@"}) {
    zip.add(fine, "x");
  }
  zip.add("archive/`", "x");  // differs from @ as a differs from A, and is no letter
  const std::string bytes = zip.lay_out().bytes();
  const auto directory = read_zip(bytes);
  if (!directory) FAIL(directory.error().message());
  CHECK(directory->find_record("\xC3\xA9") != nullptr);
}

TEST_CASE("rule 7: __MACOSX is named, with the cure") {
  for (const bool first : {false, true}) {
    ZipBuilder zip;
    if (first) zip.add("__MACOSX/archive/._x", "x");
    zip.add("archive/x", "x");
    if (!first) zip.add("__MACOSX/archive/._x", "x");
    const std::string bytes = zip.lay_out().bytes();
    const auto directory = read_zip(bytes);
    REQUIRE_FALSE(directory);
    CHECK(directory.error().text().find("zip -d FILE '__MACOSX/*'") != std::string::npos);
  }
}

TEST_CASE("a record whose attributes call it a folder is refused: PyTorch goes by them") {
  second_refused([](ZipRecord& r) { r.entry.external = zip::kDosFolder; }, entry_at, zip::entry::kExternal, ErrorCode::zip_directory);
  ZipBuilder zip = honest();
  zip.add("archive/folder/", "").entry.external = zip::kDosFolder;
  zip.records[1].entry.external = 0x81A40020;  // a file, as other tools say it
  CHECK(read_zip(zip.lay_out().bytes()));
}

TEST_CASE("rule 7: a Unicode path block may not rename") {
  const auto with_block = [](std::string name, bool local) {
    ZipBuilder zip = honest();
    auto& extra = local ? zip.records[1].local.extra : zip.records[1].entry.extra;
    extra = extra_block(zip::kExtraUnicodePath, "\1CRC!" + name);
    return zip.lay_out();
  };
  CHECK(read_zip(with_block("archive/code", false).bytes()));
  CHECK(read_zip(with_block("archive/code", true).bytes()));
  const std::uint64_t content = 12 + zip::kExtraHeader;  // behind the name
  const ZipBuilder central = with_block("archive/evil", false), local = with_block("archive/evil", true);
  check_refused(central.bytes(), ErrorCode::zip_name, central.records[1].entry_at + zip::entry::kSize + content);
  check_refused(local.bytes(), ErrorCode::zip_name, local.records[1].local_at + zip::local::kSize + content);
}

TEST_CASE("rule 8: methods, flags, sizes") {
  const auto both = [](auto field, auto value) {
    return [=](ZipRecord& r) { r.local.*(field.first) = value, r.entry.*(field.second) = value; };
  };
  const auto method = std::pair(&ZipRecord::Local::method, &ZipRecord::Entry::method);
  const auto flags = std::pair(&ZipRecord::Local::flags, &ZipRecord::Entry::flags);
  for (const int m : {1, 6, 9, 12, 14, 93, 95, 99}) {
    second_refused(both(method, static_cast<std::uint16_t>(m)), entry_at, zip::entry::kMethod, ErrorCode::zip_method,
                   ErrorKind::unsupported);
  }
  for (int bit = 0; bit < 16; ++bit) {
    if ((bit >= 1 && bit <= 3) || bit == 11) continue;
    CAPTURE(bit);
    second_refused(both(flags, static_cast<std::uint16_t>(1 << bit)), entry_at, zip::entry::kFlags, ErrorCode::zip_flags,
                   ErrorKind::unsupported);
  }
  ZipBuilder zip = honest();
  both(flags, static_cast<std::uint16_t>(zip::kFlagsDeflate | zip::kFlagUtf8))(zip.records[1]);
  CHECK(read_zip(zip.lay_out().bytes()));

  // A stored record as long as its data; a deflated one as long as deflate can make it.
  second_refused([](ZipRecord& r) { r.local.method = r.entry.method = zip::kStored; }, entry_at, zip::entry::kUnpacked,
                 ErrorCode::zip_size);
  const auto declared = [](std::uint32_t more) {
    ZipBuilder z = honest();
    z.records[1].local.size = z.records[1].entry.size =
        static_cast<std::uint32_t>(z.records[1].data.size() * zip::kDeflateRatio + zip::kDeflateSlack) + more;
    return z.lay_out();
  };
  CHECK(read_zip(declared(0).bytes()));
  check_refused(declared(1).bytes(), ErrorCode::zip_size, declared(1).records[1].entry_at + zip::entry::kUnpacked);

  Limits limits;
  limits.inflate_ratio = 2;
  const std::string bytes = honest().lay_out().bytes();
  const auto directory = read_zip(bytes, limits);
  REQUIRE_FALSE(directory);
  check_error(directory.error(), ErrorCode::inflated_too_large, honest().lay_out().records[1].entry_at + zip::entry::kUnpacked,
              ErrorKind::limit);
}

TEST_CASE("zip64 numbers in the directory: exactly those whose fields are saturated") {
  const auto with = [](std::string block, auto&& saturate) {
    ZipBuilder zip = honest().lay_out();
    saturate(zip.records[1].entry);
    zip.records[1].entry.extra = std::move(block);
    const auto offset = zip.records[1].entry.offset;
    zip.lay_out();
    zip.records[1].entry.offset = offset;
    return zip;
  };
  const ZipBuilder plain = honest().lay_out();
  const std::uint64_t size = plain.records[1].entry.size, packed = plain.records[1].entry.packed, offset = plain.records[1].local_at;
  const auto block = [](std::initializer_list<std::uint64_t> v) { return extra_block(zip::kExtraZip64, numbers64(v)); };
  const auto all = [](ZipRecord::Entry& e) { e.size = e.packed = e.offset = zip::kSaturated32; };
  const auto last = [](ZipRecord::Entry& e) { e.offset = zip::kSaturated32; };
  const auto none = [](ZipRecord::Entry&) {};
  CHECK(read_zip(with(block({size, packed, offset}), all).bytes()));
  CHECK(read_zip(with(block({offset}), last).bytes()));

  const auto refused = [](const ZipBuilder& zip, std::uint64_t field, ErrorCode code = ErrorCode::zip_zip64) {
    check_refused(zip.bytes(), code, zip.records[1].entry_at + field);
  };
  const std::uint64_t length = zip::entry::kSize + 12 + 2;
  refused(with("", all), zip::entry::kUnpacked);
  refused(with("", last), zip::entry::kOffset);
  refused(with(block({size, packed}), all), length);
  refused(with(block({size, packed, offset, 0}), all), length);
  refused(with(block({offset, 0}), last), length);
  refused(with(block({size, packed}), none), length);
  refused(with(block({offset}) + block({offset}), last), length + 2 + 12);
  const ZipBuilder outside = with(block({std::uint64_t{1} << 63}), last);
  check_refused(outside.bytes(), ErrorCode::zip_overlap, outside.records[0].descriptor_at);
  const ZipBuilder huge = with(block({size, ~std::uint64_t{0}, offset}), all);
  check_refused(huge.bytes(), ErrorCode::zip_overlap, huge.records[1].local_at);
}

TEST_CASE("zip64 numbers in local headers: PyTorch's odd ones and others") {
  const auto with = [](std::string block, bool described, auto&& change) {
    ZipBuilder zip = honest().lay_out();
    if (described) ZipBuilder::describe(zip.records[1], true), zip.records[1].local.extra.clear();
    change(zip.records[1].local);
    zip.records[1].local.extra = std::move(block);
    return zip.lay_out();
  };
  const ZipBuilder plain = honest().lay_out();
  const std::uint64_t size = plain.records[1].entry.size, packed = plain.records[1].entry.packed, at = plain.records[1].local_at;
  const auto block = [](std::initializer_list<std::uint64_t> v) { return extra_block(zip::kExtraZip64, numbers64(v)); };
  const auto same = [](ZipRecord::Local&) {};
  const auto saturated = [](ZipRecord::Local& l) { l.size = l.packed = zip::kSaturated32; };
  CHECK(read_zip(with(block({size, 0}), true, same).bytes()));
  CHECK(read_zip(with(block({size, 0, at}), true, same).bytes()));
  CHECK(read_zip(with(block({0, 0}), true, saturated).bytes()));
  CHECK(read_zip(with(block({at}), true, same).bytes()));
  CHECK(read_zip(with(block({size, packed}), false, saturated).bytes()));
  CHECK(read_zip(with(block({at}), false, same).bytes()));

  const auto refused = [](const ZipBuilder& zip, std::uint64_t field, ErrorCode code = ErrorCode::zip_zip64) {
    check_refused(zip.bytes(), code, zip.records[1].local_at + zip::local::kSize + 12 + field);
  };
  refused(with(block({size + 1, 0}), true, same), 4);
  refused(with(block({size, 1}), true, same), 12);
  refused(with(block({size, 0}), false, saturated), 12);
  refused(with(block({size, packed, at + 1}), true, same), 20);
  refused(with(block({at + 1}), true, same), 4);
  refused(with(block({}), true, same), 2);
  refused(with(block({size, packed, at, 0}), true, same), 2);
  refused(with(block({size, packed}) + block({size, packed}), true, same), 24);
}
