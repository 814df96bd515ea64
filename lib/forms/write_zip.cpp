// SPDX-License-Identifier: MIT
#include "forms/write_zip.hpp"

#include "archive/zip_writer.hpp"
#include "bytes/byte_order.hpp"
#include "bytes/bytes.hpp"
#include "forms/file_layout.hpp"
#include "forms/serialization_id.hpp"
#include "support/try.hpp"
#include "tensor/byte_swap.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <unordered_map>

namespace brine {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;  // of what has to go through a buffer

class Writer {
 public:
  Writer(Sink& sink, std::string_view pickle, WrittenStorages storages, const SaveOptions& options)
      : zip_(sink, {options.root, options.alignment, options.crc}), pickle_(pickle), storages_(std::move(storages)), options_(options),
        layout_(options.layout ? *options.layout : new_file_) {}

  Result<void> run() {
    total_ = zip_size(pickle_, storages_);
    if (!layout_.records.empty())
      for (std::size_t i = 0; i < storages_.size(); ++i) by_name_.emplace(name(i), i);
    zip_.reserve(storages_.size() + layout_.records.size() + 8);
    const std::vector<std::string> records = order();
    for (std::size_t i = 0; i < records.size(); ++i) {
      zip_.set_crc(options_.crc && (i >= layout_.record_crcs.size() || layout_.record_crcs[i]));
      BRINE_TRY(write(records[i]));
    }
    zip_.set_crc(options_.crc);
    if (auto ok = rest(); !ok) return ok;  // storages that a file read as it was did not have
    return zip_.finish();
  }

 private:
  // Names of records; a single "data/" stands for all storages that are not named.
  std::vector<std::string> order() const {
    if (!layout_.records.empty()) return layout_.records;
    switch (options_.profile) {
      case Profile::torch_1_6: return {"data.pkl", "data/", "version"};
      case Profile::torch_2_1: return {"data.pkl", "byteorder", "data/", "version", ".data/serialization_id"};
      case Profile::torch_2_7: break;
    }
    return {"data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/", "version", ".data/serialization_id"};
  }

  Result<void> write(const std::string& record) {
    if (record == "data.pkl") return add(record, pickle_);
    if (record == ".format_version") return add(record, "1");
    if (record == ".storage_alignment") return add(record, std::to_string(options_.alignment));
    if (record == "byteorder") return add(record, wants_big() ? "big" : "little");
    if (record == "version" || record == ".data/version") return add(record, layout_.version);
    if (record == ".data/serialization_id") return add(record, serialization_id(zip_, layout_.id_half));
    if (record == "data/") return rest();
    const auto at = by_name_.find(record);
    return at == by_name_.end() ? Result<void>() : storage(at->second);
  }

  Result<void> rest() {
    if (options_.profile == Profile::torch_2_7) {
      for (std::size_t i = 0; i < storages_.size(); ++i)
        BRINE_TRY(storage(i));
      return {};
    }
    std::vector<std::size_t> order(storages_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    for (const std::size_t i : order)
      BRINE_TRY(storage(i));
    return {};
  }

  std::string key(std::size_t i) const { return storages_[i].keeps_key ? std::string(storages_[i].record->key) : std::to_string(i); }

  std::string_view name(std::size_t i) {
    name_.resize(kFolder.size());
    if (storages_[i].keeps_key) return name_.append(storages_[i].record->key);
    char digits[20];
    return name_.append(digits, std::to_chars(std::begin(digits), std::end(digits), i).ptr);
  }

  Result<void> add(std::string_view record, std::string_view text) { return zip_.add(record, std::as_bytes(std::span(text.data(), text.size()))); }

  Result<void> storage(std::size_t i) {
    if (std::exchange(storages_[i].done, true)) return {};
    if (options_.cancelled && options_.cancelled()) return Error(ErrorKind::io, ErrorCode::write_failed, "cancelled");
    auto done = write_storage(name(i), storages_[i]);
    if (done && options_.verify) done = verify(storages_[i]);
    if (done && options_.progress) options_.progress(zip_.size(), std::max(total_, zip_.size()));
    return done;
  }

  Result<void> write_storage(std::string_view name, const WrittenStorage& w) {
    const StorageRecord& r = *w.record;
    const bool swap = !r.untyped && item_size(r.dtype) > 1 && is_big(r) != wants_big();
    const std::byte* data = r.data;
    if (w.nbytes == 0) return zip_.add(name, {});
    if (data && !swap) return zip_.add(name, {data + w.offset, static_cast<std::size_t>(w.nbytes)});
    return zip_.add(name, w.nbytes, [&](const ZipWriter::Emit& emit) -> Result<void> {
      BRINE_LET(buffer, allocate(std::min(w.nbytes, kPiece), "a piece of a storage"));
      for (std::uint64_t at = 0; at < w.nbytes; at += kPiece) {
        const std::span<std::byte> piece(buffer->get(), static_cast<std::size_t>(std::min(kPiece, w.nbytes - at)));
        if (data) std::copy_n(data + w.offset + at, piece.size(), piece.data());
        else BRINE_TRY(r.reader->read(r, w.offset + at, piece));
        if (swap) swap_bytes(r.dtype, piece);
        BRINE_TRY(emit(piece));
      }
      return {};
    });
  }

  // The CRC of what was written is at hand; where that is not what the file holds, the file is read for it.
  Result<void> verify(const WrittenStorage& w) const {
    const StorageRecord& r = *w.record;
    if (!r.reader || w.nbytes == 0) return {};
    if (options_.crc && w.nbytes == r.nbytes && r.reader->crc(r) == zip_.last_crc()) return {};
    auto sound = r.reader->verify_crc(r);
    return sound ? Result<void>() : Result<void>(std::move(sound).error());
  }

  static bool is_big(const StorageRecord& r) noexcept { return r.foreign != kBigEndianMachine; }
  bool wants_big() const noexcept { return layout_.records.empty() ? kBigEndianMachine : layout_.big_endian; }

  static constexpr std::string_view kFolder = "data/";

  ZipWriter zip_;
  std::string name_{kFolder};  // of the storage that is written
  std::string_view pickle_;
  WrittenStorages storages_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::uint64_t total_ = 0;
  const SaveOptions& options_;
  const FileLayout new_file_;
  const FileLayout& layout_;
};

}  // namespace

Result<void> write_zip(Sink& sink, std::string_view pickle, WrittenStorages storages, const SaveOptions& options) {
  if (options.root == "__MACOSX") return Error(ErrorKind::usage, ErrorCode::bad_argument, "the root '__MACOSX' is macOS's own, and PyTorch refuses it");
  return Writer(sink, pickle, std::move(storages), options).run();
}

std::uint64_t zip_size(std::string_view pickle, const WrittenStorages& storages) noexcept {
  std::uint64_t size = pickle.size() + 1024;
  for (const WrittenStorage& s : storages) size += s.nbytes + 320;
  return size;
}

std::string archive_root(std::string_view path) {
  if (std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return "archive";
  const auto slash = path.find_last_of("/\\");
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  return std::string(name.substr(0, name.rfind('.')));
}

}  // namespace brine
