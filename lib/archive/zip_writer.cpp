// SPDX-License-Identifier: MIT
// ZipWriter: each record as it comes, and the directory's entries kept for the end.
#include "archive/zip_writer.hpp"

#include "archive/zip_end.hpp"
#include "archive/zip_name.hpp"
#include "bytes/cursor.hpp"
#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/hash_index.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <limits>

namespace brine {

namespace {

/// Data is summed and written in pieces that stay in the cache between the two.
constexpr std::size_t kPiece = std::size_t{1} << 20;

/// Data that is not worth a piece of its own.
constexpr std::size_t kSmall = 4096;

constexpr std::uint32_t kLargestAlignment = 65'536, kFirstIndex = 64;
constexpr std::size_t kLongestField = 0xFFFF;
constexpr std::size_t kUsualName = 12;  // "/data/12345"

Error wrong_size(std::string_view record, std::string_view more_or_less, std::uint64_t size) {
  return usage(ErrorCode::bad_argument, concat({"the data of ", in_quotes(record), " has ", more_or_less, " than the announced ", std::to_string(size), " bytes"}));
}

}  // namespace

ZipWriter::ZipWriter(Sink& sink, ZipLayout layout) : sink_(sink), layout_(std::move(layout)), base_(sink.position()), name_(layout_.root + '/') {}

template <class Work>
Result<void> ZipWriter::attempt(Work&& work) {
  return guarded("a zip", [&]() -> Result<void> {
    if (failed_) return *failed_;
    auto done = guarded("a zip", [&]() -> Result<void> {
      if (finished_) return usage(ErrorCode::bad_argument, "the archive is finished");
      if (within_) return usage(ErrorCode::bad_argument, "a record is not complete: an exception ended it, or its producer adds another");
      if (entry_offsets_.empty()) {
        BRINE_TRY(check_layout());
      }
      within_ = true;
      auto worked = work();
      within_ = false;
      return worked;
    });
    if (!done) failed_ = std::move(done).error();
    return failed_ ? Result<void>(*failed_) : Result<void>();
  });
}

Result<void> ZipWriter::add(std::string_view record, std::span<const std::byte> data) {
  return attempt([&]() -> Result<void> {
    ZipItem item{.size = data.size()};
    BRINE_TRY(begin(record, item));
    if (data.size() > kSmall) {
      BRINE_TRY(write_data(data, item.crc));
      return end(item);
    }
    if (layout_.crc) item.crc = libdeflate_crc32(0, data.data(), data.size());
    around_.bytes(data);
    return end(item);
  });
}

Result<void> ZipWriter::add(std::string_view record, std::uint64_t size, const Produce& produce) {
  return attempt([&]() -> Result<void> {
    ZipItem item{.size = size};
    BRINE_TRY(begin(record, item));
    std::uint64_t left = size;
    const Emit emit = [&](std::span<const std::byte> data) -> Result<void> {
      if (data.size() > left) return wrong_size(record, "more", size);
      left -= data.size();
      return write_data(data, item.crc);
    };
    BRINE_TRY(produce(emit));
    if (left != 0) return wrong_size(record, "less", size);
    return end(item);
  });
}

Result<void> ZipWriter::finish() {
  return attempt([&] { return write_end(); });
}

Result<void> ZipWriter::check_layout() const {
  if (layout_.root.empty()) return usage(ErrorCode::bad_argument, "an archive needs a root folder; a path like \".pt\" has no name to take it from");
  if (layout_.root.find('/') != std::string::npos) return usage(ErrorCode::bad_argument, "the root " + in_quotes(layout_.root) + " of an archive is one folder");
  if (auto fine = check_zip_name(layout_.root, 0); !fine) return usage(ErrorCode::bad_argument, fine.error().text());
  if (layout_.alignment == 0 || layout_.alignment > kLargestAlignment) {
    return usage(ErrorCode::bad_argument, "an alignment of " + std::to_string(layout_.alignment) + "; expected 1 to " + std::to_string(kLargestAlignment));
  }
  return {};
}

std::string_view ZipWriter::listed_name(std::uint32_t entry) const noexcept {
  const std::byte* header = directory_.data() + entry_offsets_[entry];
  return {reinterpret_cast<const char*>(header + zip::entry::kSize), little_at<std::uint16_t>(header + zip::entry::kNameLength)};
}

void ZipWriter::reserve(std::size_t records) {
  expected_ = static_cast<std::uint32_t>(std::min<std::size_t>(records, HashIndex::npos - 1));
}

void ZipWriter::enlarge_index() {
  const auto count = static_cast<std::uint32_t>(entry_offsets_.size());
  index_room_ = std::max({kFirstIndex, expected_, count < HashIndex::npos / 2 ? count * 2 : HashIndex::npos - 1});
  index_.assign(HashIndex::slots_for(std::size_t{index_room_} + 1), 0);
  for (std::uint32_t i = 0; i < count; ++i) HashIndex::insert(index_, hash_folded(listed_name(i), seed_), i);
  entry_offsets_.reserve(index_room_);
  directory_.expect(std::size_t{index_room_} * (zip::entry::kSize + layout_.root.size() + kUsualName));
}

/// Is name_ one that ZipDirectory takes? Then there is room in the index for it.
Result<void> ZipWriter::check_name() {
  if (name_.size() > kLongestField) return usage(ErrorCode::bad_argument, in_quotes(name_) + ": the name of a record is longer than 65,535 bytes");
  if (name_.ends_with('/')) return usage(ErrorCode::bad_argument, in_quotes(name_) + ": the name of a record ends in a slash, as a folder's does");
  if (!check_zip_name(std::string_view(name_).substr(layout_.root.size() + 1), 0)) return usage(ErrorCode::bad_argument, check_zip_name(name_, 0).error().text());

  const auto count = static_cast<std::uint32_t>(entry_offsets_.size());
  if (count == 0) seed_ = random_seed();
  if (count == index_room_) {
    if (count >= HashIndex::npos - 1) return usage(ErrorCode::bad_argument, "more records than an archive can have");
    enlarge_index();
  }
  return {};
}

/// Is there no such name yet? Then it is in the index as the next entry's.
Result<void> ZipWriter::reserve_name(std::uint64_t hash) {
  const auto other = HashIndex::find(index_, hash, [&](std::uint32_t i) { return equal_folded(listed_name(i), name_); });
  if (other != HashIndex::npos) {
    return usage(ErrorCode::bad_argument, in_quotes(name_) + (listed_name(other) == name_ ? ": two records of this name"
                                                              : ": differs only by case from " + in_quotes(listed_name(other))));
  }
  HashIndex::insert(index_, hash, static_cast<std::uint32_t>(entry_offsets_.size()));
  return {};
}

Result<void> ZipWriter::begin(std::string_view record, ZipItem& item) {
  name_.resize(layout_.root.size() + 1);
  name_.append(record);
  item.name = name_;
  item.offset = size();
  constexpr std::uint64_t around = 4 * kLongestField;  // more than stands around any data
  const auto end = checked_add(item.size, item.offset);
  if (!end || !checked_add(*end, around)) {
    return usage(ErrorCode::bad_argument, in_quotes(name_) + ": " + std::to_string(item.size) + " bytes do not fit behind what is there");
  }

  const std::uint64_t padding = item.padding(layout_.alignment);
  if (item.local_zip64_size() + zip::kExtraHeader + padding > kLongestField) {
    return usage(ErrorCode::bad_argument, "cannot align " + in_quotes(name_) + " to " + std::to_string(layout_.alignment) + " bytes: the filler would be too long");
  }
  BRINE_TRY(check_name());
  const std::uint64_t hash = hash_folded(name_, seed_);
  HashIndex::prefetch(index_, hash);
  around_.cut(0);
  append_zip_local(around_, item, padding);
  return reserve_name(hash);
}

Result<void> ZipWriter::write_around() {
  auto done = sink_.write(around_);
  around_.cut(0);
  return done;
}

Result<void> ZipWriter::write_data(std::span<const std::byte> data, std::uint32_t& crc) {
  BRINE_TRY(write_around());
  if (!layout_.crc) return sink_.write(data);
  while (!data.empty()) {
    const auto piece = data.first(data.size() < 2 * kPiece ? data.size() : kPiece);
    crc = libdeflate_crc32(crc, piece.data(), piece.size());
    BRINE_TRY(sink_.write(piece));
    data = data.subspan(piece.size());
  }
  return {};
}

Result<void> ZipWriter::end(const ZipItem& item) {
  last_crc_ = item.crc;
  if (item.size != 0) append_zip_descriptor(around_, item);
  BRINE_TRY(write_around());
  entry_offsets_.push_back(directory_.size());
  append_zip_entry(directory_, item);
  return {};
}

Result<void> ZipWriter::write_end() {
  if (entry_offsets_.empty()) return usage(ErrorCode::bad_argument, "an archive needs at least one record");
  constexpr std::uint64_t nowhere = ~std::uint64_t{0};
  if (!refuse_other_ends(directory_, size(), nowhere)) {
    return Error(ErrorKind::unsupported, ErrorCode::zip_end_record,
                 "a name, a CRC or a size of these records holds the bytes PK\\5\\6, which readers could take for the archive's end; "
                 "without CRCs or under another root it can be saved");
  }
  append_zip_end(around_, entry_offsets_.size(), size(), directory_.size());
  BRINE_TRY(sink_.write(directory_));
  BRINE_TRY(write_around());
  finished_ = true;
  return sink_.flush();
}

ZipWriter::Written ZipWriter::written(std::size_t record) const noexcept {
  const std::byte* header = directory_.data() + entry_offsets_[record];
  return {listed_name(static_cast<std::uint32_t>(record)).substr(layout_.root.size() + 1), little_at<std::uint32_t>(header + zip::entry::kCrc),
          little_at<std::uint32_t>(header + zip::entry::kUnpacked) == 0};
}

}  // namespace brine
