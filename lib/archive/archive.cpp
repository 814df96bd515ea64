// SPDX-License-Identifier: MIT
// Archive: records as slices, as reads, or inflated. What a record's bytes are was settled by the directory; here they are only fetched.
#include "archive/archive.hpp"

#include "archive/inflaters.hpp"
#include "archive/zip_fault.hpp"
#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <libdeflate.h>

#include <algorithm>

namespace brine {

namespace {

std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes) { return libdeflate_crc32(crc, bytes.data(), bytes.size()); }

Result<void> compare_crc(const ZipDirectory& directory, const ZipEntry& entry, std::uint32_t found) {
  if (found == entry.crc) return {};
  return zip_fault(ErrorCode::zip_crc, directory.place_of(entry) + zip::entry::kCrc, entry.name,
                   "the CRC of the data is " + hex(found, 8) + ", the directory says " + hex(entry.crc, 8));
}

/// The CRC of a stored record that is not in memory, through one small buffer.
Result<std::uint32_t> read_crc(const Source& source, const ZipEntry& entry) {
  constexpr std::uint64_t piece = std::uint64_t{1} << 20;
  BRINE_LET(buffer, allocate(std::min(piece, entry.size), "a buffer"));
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < entry.size;) {
    const std::uint64_t n = std::min(piece, entry.size - done);
    const std::span<std::byte> span(buffer->get(), static_cast<std::size_t>(n));
    BRINE_TRY(source.read_at(entry.data_offset + done, span));
    crc = crc32(crc, span);
    done += n;
  }
  return crc;
}

/// Inflates into memory of the budget's.
Result<Bytes> inflate_whole(const Source& source, const ZipEntry& entry, Budget& budget, std::string_view what) {
  BRINE_TRY(budget.charge(entry.size, what));
  auto buffer = allocate(entry.size, what);
  const auto fill = [&]() -> Result<void> {
    if (!buffer) return std::move(buffer).error();
    if (entry.size == 0 && entry.packed == 0) return {};  // some writers call an empty record deflated
    BRINE_LET(inflater, Inflater::open(source, entry));
    BRINE_TRY((*inflater)->read({buffer->get(), static_cast<std::size_t>(entry.size)}));
    return (*inflater)->finish();
  };
  if (auto done = fill(); !done) {
    budget.release(entry.size);
    return std::move(done).error();
  }
  return Bytes{std::span(buffer->get(), static_cast<std::size_t>(entry.size)), std::move(*buffer)};
}

/// The CRC of a deflated record, inflated to its end.
Result<std::uint32_t> inflate_crc(const Source& source, const ZipEntry& entry) {
  constexpr std::uint64_t piece = 64 * 1024;
  std::uint32_t crc = 0;
  if (entry.size == 0 && entry.packed == 0) return crc;
  BRINE_LET(inflater, Inflater::open(source, entry));
  BRINE_LET(buffer, allocate(std::min(piece, entry.size), "a buffer"));
  while ((*inflater)->position() < entry.size) {
    const std::span<std::byte> span(buffer->get(), static_cast<std::size_t>(std::min(piece, entry.size - (*inflater)->position())));
    BRINE_TRY((*inflater)->read(span));
    crc = crc32(crc, span);
  }
  BRINE_TRY((*inflater)->finish());
  return crc;
}

}  // namespace

Archive::Archive(Source source, ZipDirectory directory)
    : source_(std::move(source)), directory_(std::move(directory)), owner_(std::make_shared<const Source>(source_)), inflaters_(std::make_unique<Inflaters>()) {}
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;
Archive::~Archive() = default;

Result<Archive> Archive::open(Source source, const Limits& limits, ZipFolders folders) {
  return guarded("an archive", [&]() -> Result<Archive> {
    BRINE_LET(directory, ZipDirectory::read(source, limits, folders));
    return Archive(std::move(source), std::move(*directory));
  });
}

Result<Bytes> Archive::read(const ZipEntry& entry, Budget& budget, bool check_crc) const {
  return guarded("a record", [&]() -> Result<Bytes> {
    if (entry.method == zip::kStored && source_.in_memory()) {
      const Bytes slice{source_.view().subspan(static_cast<std::size_t>(entry.data_offset), static_cast<std::size_t>(entry.size)), owner_};
      if (check_crc && entry.crc != 0) {
        if (auto same = compare_crc(directory_, entry, crc32(0, slice.span)); !same) return std::move(same).error().in_file(source_.name());
      }
      return slice;
    }
    const std::string what = "the record " + escaped(entry.name);
    auto bytes = entry.method == zip::kStored ? fetch(source_, entry.data_offset, entry.size, budget, what)
                                              : inflate_whole(source_, entry, budget, what);
    if (!bytes) return std::move(bytes).error().in_file(source_.name());
    if (check_crc && entry.crc != 0) {
      if (auto same = compare_crc(directory_, entry, crc32(0, bytes->span)); !same) {
        budget.release(entry.size);
        return std::move(same).error().in_file(source_.name());
      }
    }
    return bytes;
  });
}

Result<void> Archive::read_at(const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> out, Budget& budget) const {
  return guarded("a record", [&]() -> Result<void> {
    if (!fits(offset, out.size(), entry.size)) {
      return Error(ErrorKind::usage, ErrorCode::out_of_range,
                   in_quotes(entry.name) + " has " + std::to_string(entry.size) + " bytes; " + std::to_string(out.size()) +
                       " were asked for at byte " + std::to_string(offset))
          .in_file(source_.name());
    }
    if (out.empty()) return {};
    if (entry.method == zip::kStored) return source_.read_at(entry.data_offset + offset, out);

    if (auto done = inflaters_->read(source_, entry, offset, out, budget); !done) return std::move(done).error().in_file(source_.name());
    return {};
  });
}

Result<void> Archive::verify(const ZipEntry& entry) const {
  return guarded("a record", [&]() -> Result<void> {
    std::uint32_t crc = 0;
    if (entry.method != zip::kStored) {
      auto inflated = inflate_crc(source_, entry);
      if (!inflated) return std::move(inflated).error().in_file(source_.name());
      crc = *inflated;
    } else if (entry.crc == 0) {
      return {};
    } else if (source_.in_memory()) {
      crc = crc32(0, source_.view().subspan(static_cast<std::size_t>(entry.data_offset), static_cast<std::size_t>(entry.size)));
    } else {
      auto read = read_crc(source_, entry);
      if (!read) return std::move(read).error().in_file(source_.name());
      crc = *read;
    }
    if (entry.crc == 0) return {};
    if (auto same = compare_crc(directory_, entry, crc); !same) return std::move(same).error().in_file(source_.name());
    return {};
  });
}

}  // namespace brine
