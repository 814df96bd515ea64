// SPDX-License-Identifier: MIT
#include "forms/storage_file.hpp"

#include "support/try.hpp"

namespace brine {

void StorageFile::place(StorageRecord& storage, std::uint64_t offset, bool foreign) const noexcept {
  storage.reader = this;
  storage.offset = offset;
  storage.foreign = foreign;
  storage.found = true;
  if (source_.in_memory()) storage.data = source_.view().data() + offset;
}

void StorageFile::place_packed(StorageRecord& storage, std::uint32_t entry, bool foreign) const noexcept {
  storage.reader = this;
  storage.entry = entry;
  storage.foreign = foreign;
  storage.packed = storage.found = true;
}

Result<void> StorageFile::read(const StorageRecord& storage, std::uint64_t offset, std::span<std::byte> out) const {
  if (storage.packed) return archive_->read_at(archive_->directory().entries()[storage.entry], offset, out, inflated_);
  return source_.read_at(storage.offset + offset, out);
}

Result<std::span<const std::byte>> StorageFile::fetch(const StorageRecord& storage) const {
  const std::lock_guard guard(lock_);
  if (const std::byte* data = storage.data) return std::span(data, storage.nbytes);  // another thread was first
  const std::string what = "storage " + std::string(storage.key);
  Result<Bytes> bytes = storage.packed ? archive_->read(archive_->directory().entries()[storage.entry], inflated_, false)
                                       : brine::fetch(source_, storage.offset, storage.nbytes, inflated_, what);
  if (!bytes) return std::move(bytes).error();
  storage.data = bytes->span.data();
  return (kept_[&storage] = std::move(*bytes)).span;
}

std::optional<std::uint32_t> StorageFile::crc(const StorageRecord& storage) const {
  if (!archive_) return std::nullopt;
  const ZipEntry& entry = archive_->directory().entries()[storage.entry];
  return entry.crc == 0 ? std::nullopt : std::optional(entry.crc);
}

Result<bool> StorageFile::verify_crc(const StorageRecord& storage) const {
  if (!archive_ || !storage.reader) return false;
  const ZipEntry& entry = archive_->directory().entries()[storage.entry];
  if (entry.crc == 0 && entry.size != 0) return false;
  BRINE_TRY(archive_->verify(entry));
  return true;
}

}  // namespace brine
