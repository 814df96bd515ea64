// SPDX-License-Identifier: MIT
// ZipDirectory: from the end of the file to checked entries, the rules in the order in which they can be asked.
#include "archive/zip_directory.hpp"

#include "archive/zip_end.hpp"
#include "archive/zip_fault.hpp"
#include "archive/zip_headers.hpp"
#include "archive/zip_name.hpp"
#include "bytes/cursor.hpp"
#include "bytes/guard.hpp"
#include "bytes/read_ahead.hpp"
#include "support/hash_index.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace brine {

namespace {

/// Rule 1.
Result<void> check_start(ReadAhead& bytes, std::uint64_t size) {
  const auto fault = [](std::string text) {
    return Error(ErrorKind::not_a_checkpoint, ErrorCode::zip_signature, std::move(text)).at_offset(0);
  };
  if (size < zip::kSignatureSize) return fault("no zip: the file has " + std::to_string(size) + " bytes");
  const std::byte* start = bytes.at(0, zip::kSignatureSize);
  if (start == nullptr) return bytes.error();
  const auto found = little_at<std::uint32_t>(start);
  if (found == zip::kLocalSignature) return {};
  if (found == zip::kEndSignature) return fault("an empty zip: it has no records");
  if ((found & 0xFFFF) == (zip::kLocalSignature & 0xFFFF)) {  // still "PK": a zip whose first bytes are damaged
    return zip_fault(ErrorCode::zip_signature, 0, "the first local header lacks its signature, found " + hex(found, 8));
  }
  return fault("no zip: expected the signature 0x04034b50, found " + hex(found, 8));
}

/// Rules 5 and 6: the records follow each other from byte 0 to the directory, in whatever order the directory lists them.
Result<void> check_records(ReadAhead& bytes, std::span<ZipEntry> entries, std::uint64_t directory_offset) {
  const auto by_offset = [](const ZipEntry& a, const ZipEntry& b) { return a.data_offset < b.data_offset; };
  std::vector<std::uint32_t> order;
  if (!std::is_sorted(entries.begin(), entries.end(), by_offset)) {
    order.resize(entries.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return by_offset(entries[a], entries[b]); });
  }
  const auto nth = [&](std::size_t i) -> ZipEntry& { return entries[order.empty() ? i : order[i]]; };

  if (const std::uint64_t first = nth(0).data_offset; first != 0) {
    return zip_fault(ErrorCode::zip_overlap, 0, "the first " + std::to_string(first) + " bytes belong to no record");
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    constexpr std::size_t ahead = 8;
    if (i + ahead < entries.size()) bytes.prefetch(nth(i + ahead).data_offset);
    const std::uint64_t next = i + 1 < entries.size() ? nth(i + 1).data_offset : directory_offset;
    if (next > directory_offset) {
      return zip_mismatch(ErrorCode::zip_overlap, nth(i + 1).data_offset, nth(i + 1).name, "the local header's offset", next,
                          "the directory starts at", directory_offset);
    }
    if (next == nth(i).data_offset) {
      return zip_fault(
          ErrorCode::zip_overlap, next, nth(i).name,
          i + 1 == entries.size() ? "the record starts where the directory does" : "two entries of the directory share this local header");
    }
    BRINE_TRY(check_zip_local(bytes, nth(i), next));
  }
  return {};
}

}  // namespace

std::uint64_t ZipDirectory::place_of(const ZipEntry& entry) const noexcept {
  const auto at = static_cast<std::uint64_t>(entry.name.data() - bytes_.text().data());
  return offset_ + at - zip::entry::kSize;
}

/// Rule 7: one top folder for all. PyTorch takes that of the first entry.
Result<void> ZipDirectory::check_folder() const {
  const auto fault = [this](const ZipEntry& e, std::string_view text) { return zip_fault(ErrorCode::zip_name, place_of(e) + zip::entry::kSize, e.name, text); };
  for (const ZipEntry& e : entries_) {
    if (e.name.size() > root_.size() && e.name[root_.size()] == '/' && e.name.starts_with(root_) && root_ != "__MACOSX") [[likely]] continue;
    if (e.name.starts_with("__MACOSX/")) {
      return fault(e, "macOS put its own records into the archive, which PyTorch refuses too; remove them with: zip -d FILE '__MACOSX/*'");
    }
    if (e.name.find('/') == e.name.npos) return fault(e, "the record is in no folder, and PyTorch expects all in one: zip the folder, not what is in it");
    return fault(e, "the record is not in the top folder of the first one, " + in_quotes(root_));
  }
  return {};
}

/// Rule 7: unique, whatever the case; the same index finds by exact name later.
Result<void> ZipDirectory::index() {
  // Hashes run some entries ahead of their use, so that the slots are in the cache by then.
  constexpr std::uint32_t ahead = 16;
  std::array<std::uint64_t, ahead> hashes{};
  const auto count = static_cast<std::uint32_t>(entries_.size());
  index_.assign(HashIndex::slots_for(count + 1), 0);
  const auto hash = [&](std::uint32_t i) {
    if (i >= count) return;
    hashes[i % ahead] = hash_folded(entries_[i].name, seed_);
    HashIndex::prefetch(index_, hashes[i % ahead]);
  };
  for (std::uint32_t i = 0; i < ahead - 1; ++i) hash(i);
  for (std::uint32_t i = 0; i < count; ++i) {
    hash(i + ahead - 1);
    const std::string_view name = entries_[i].name;
    const auto other = HashIndex::find(index_, hashes[i % ahead], [&](std::uint32_t k) { return equal_folded(entries_[k].name, name); });
    if (other != HashIndex::npos) {
      return zip_fault(ErrorCode::zip_duplicate_name, place_of(entries_[i]) + zip::entry::kSize, name,
                       entries_[other].name == name
                           ? "two records of this name: readers could take either"
                           : "differs only by case from " + in_quotes(entries_[other].name) + ": PyTorch could take either");
    }
    HashIndex::insert(index_, hashes[i % ahead], i);
  }
  return {};
}

Result<void> ZipDirectory::parse(const Source& source, const Limits& limits, ZipFolders folders) {
  ReadAhead start(source);
  BRINE_TRY(check_start(start, source.size()));

  Budget budget(limits.inflated_bytes, ErrorCode::inflated_too_large, "Limits::inflated_bytes");
  const std::uint64_t tail_size = std::min(source.size(), kZipTail), tail_offset = source.size() - tail_size;
  BRINE_LET(tail, fetch(source, tail_offset, tail_size, budget, "the end of the zip"));
  BRINE_LET(end, find_zip_end(tail->span, tail_offset));
  if (end->count > limits.records || end->count >= HashIndex::npos) {
    return Error(ErrorKind::limit, ErrorCode::too_many_records,
                 "the archive has " + std::to_string(end->count) + " records, the limit is " + std::to_string(limits.records))
        .at_offset(end->count_offset);
  }
  if (end->count == 0) return zip_fault(ErrorCode::zip_directory, end->count_offset, "the archive's directory is empty");

  offset_ = end->directory_offset;
  comment_offset_ = end->end_offset + zip::end::kSize;
  if (offset_ >= tail_offset) {
    bytes_.span = tail->span.subspan(static_cast<std::size_t>(offset_ - tail_offset), static_cast<std::size_t>(end->directory_size));
    bytes_.owner = tail->owner;
  } else {
    BRINE_LET(directory, fetch(source, offset_, end->directory_size, budget, "the zip directory"));
    bytes_ = std::move(*directory);
    BRINE_TRY(refuse_other_ends(bytes_.span, offset_, end->end_offset));
  }
  const std::uint64_t rest = std::max(offset_, tail_offset) - tail_offset;
  if (auto fine = refuse_other_ends(tail->span.subspan(static_cast<std::size_t>(rest)), tail_offset + rest, end->end_offset); !fine)
    return fine;

  BRINE_LET(entries, read_zip_entries(bytes_.span, *end, limits));
  entries_ = std::move(*entries);
  root_ = entries_.front().name.substr(0, entries_.front().name.find('/'));
  if (auto fine = check_folder(); !fine) {
    if (folders == ZipFolders::one) return fine;
    outside_root_ = std::move(fine).error();
  }
  seed_ = random_seed();
  BRINE_TRY(index());
  BRINE_TRY(check_records(start, entries_, offset_));

  if (std::erase_if(entries_, [](const ZipEntry& e) { return e.is_folder(); }) != 0) return index();
  return {};
}

Result<ZipDirectory> ZipDirectory::read(const Source& source, const Limits& limits, ZipFolders folders) {
  return guarded("the zip directory", [&]() -> Result<ZipDirectory> {
    ZipDirectory directory;
    if (auto fine = directory.parse(source, limits, folders); !fine) return std::move(fine).error().in_file(source.name());
    return directory;
  });
}

const ZipEntry* ZipDirectory::find(std::string_view name) const noexcept {
  const auto found = HashIndex::find(index_, hash_folded(name, seed_), [&](std::uint32_t i) { return entries_[i].name == name; });
  return found == HashIndex::npos ? nullptr : &entries_[found];
}

const ZipEntry* ZipDirectory::find_record(std::string_view record) const {
  std::string name;
  name.reserve(root_.size() + 1 + record.size());
  name.append(root_).append(1, '/').append(record);
  return find(name);
}

}  // namespace brine
