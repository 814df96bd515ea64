// SPDX-License-Identifier: MIT
// The zip form: torch.save since 1.6. Records: <root>/data.pkl, byteorder, version, data/<key> … Source: torch/serialization.py,
// caffe2/serialize/inline_container.cc.
#include "forms/form.hpp"

#include "archive/zip_format.hpp"
#include "bytes/byte_order.hpp"
#include "bytes/cursor.hpp"
#include "forms/file_layout.hpp"
#include "forms/storage_file.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace brine {

namespace {

// The records that say how the file was written, and the pickle.
constexpr std::string_view kOwn[] = {"data.pkl", ".format_version", ".storage_alignment", "byteorder", "version", ".data/version", ".data/serialization_id"};

class ZipForm final : public Form {
 public:
  ZipForm(Archive archive, const Opening& opening)
      : archive_(std::move(archive)), file_(opening.part, &archive_, opening.limits, opening.inflated), inflated_(opening.inflated) {}

  void verify(const Verdict& each, const std::function<void(std::uint64_t)>& read) const override {
    for (const ZipEntry& e : archive_.directory().entries()) {
      const bool has_crc = e.crc != 0 || e.size == 0;
      each(e.size, has_crc, has_crc || e.method != zip::kStored ? archive_.verify(e) : read_all(archive_.source(), e.data_offset, e.size));
      read(e.size);
    }
  }

  std::vector<Extra> extras() const override {
    const ZipDirectory& directory = archive_.directory();
    std::vector<Extra> out;
    for (const ZipEntry& e : directory.entries()) {
      const std::string_view record = e.name.substr(directory.root().size() + 1);
      if (!used_[static_cast<std::size_t>(&e - directory.entries().data())] && std::find(std::begin(kOwn), std::end(kOwn), record) == std::end(kOwn))
        out.push_back({record, e.size, &e});
    }
    if (directory.comment_offset() < archive_.source().size()) out.push_back({{}, archive_.source().size() - directory.comment_offset(), nullptr});
    return out;
  }

  Result<void> read_extra(const Extra& part, std::uint64_t offset, std::span<std::byte> out) const override {
    if (!part.record) return archive_.source().read_at(archive_.directory().comment_offset() + offset, out);
    return archive_.read_at(*static_cast<const ZipEntry*>(part.record), offset, out, inflated_);
  }

  void describe(SaveOptions& options, FileLayout& layout) const override {
    const ZipDirectory& directory = archive_.directory();
    options.root = std::string(directory.root());
    for (const ZipEntry& e : directory.entries()) {
      layout.records.emplace_back(e.name.substr(directory.root().size() + 1));
      layout.record_crcs.push_back(e.crc != 0 || e.size == 0);  // skip_data() leaves them out of storages alone
    }
    const auto has = [&](std::string_view record) { return directory.find_record(record) != nullptr; };
    options.profile = has(".format_version") ? Profile::torch_2_7 : has("byteorder") ? Profile::torch_2_1 : Profile::torch_1_6;
    options.crc = directory.find_record("data.pkl")->crc != 0;
    layout.keep_keys = true;
    layout.big_endian = foreign_ != kBigEndianMachine;
    layout.id_half = id_half_;
    layout.version = version_;
    options.alignment = alignment_;
  }

  /// How the file was written, and its pickle.
  Result<PickleAt> open(const Limits& limits) {
    BRINE_TRY(check_version());
    BRINE_TRY(read_byte_order());
    BRINE_TRY(read_layout());
    const ZipEntry& entry = *archive_.directory().find_record("data.pkl");
    PickleAt pickle{std::string(entry.name), {}};
    if (entry.size > limits.pickle_bytes)
      return Error(ErrorKind::limit, ErrorCode::pickle_too_large,
                   "the pickle has " + std::to_string(entry.size) + " bytes; the limit is " + std::to_string(limits.pickle_bytes))
          .in_record(entry.name);
    if (entry.method != zip::kStored) {
      const std::uint64_t base = 8 * limits.metadata_base;
      pickle.packed = entry.packed;
      if (entry.size > base && (limits.pickle_ratio == 0 || (entry.size - base) / limits.pickle_ratio > entry.packed))
        return Error(ErrorKind::limit, ErrorCode::pickle_too_large,
                     "the pickle's " + std::to_string(entry.packed) + " packed bytes would need " + std::to_string(entry.size) + ", more than " +
                         std::to_string(limits.pickle_ratio) + " times as many and " + std::to_string(base) +
                         " (Limits::pickle_ratio); in a zip without compression it opens")
            .in_record(entry.name);
    }
    auto bytes = archive_.read(entry, inflated_, true);
    if (!bytes) return std::move(bytes).error().in_record(entry.name);
    pickle.bytes = std::move(*bytes);
    return pickle;
  }

  void note_crc(Notes& notes) const {
    const ZipEntry& entry = *archive_.directory().find_record("data.pkl");
    if (entry.crc == 0 && entry.size != 0)
      notes.add(Note::Code::crc_not_computed, {.file = {}, .record = std::string(entry.name), .offset = {}, .opcode = {}, .path = {}}, "the archive was written without CRCs");
  }

  /// Where the storages are that the pickle named.
  Result<void> locate(Storages& storages, Notes& notes) {
    const ZipDirectory& directory = archive_.directory();
    std::string name = std::string(directory.root()) + "/data/";
    const std::size_t stem = name.size();
    const ZipEntry *next = nullptr, *const end = directory.entries().data() + directory.entries().size();
    used_.resize(directory.entries().size());
    for (std::uint32_t i = 0; i < storages.size(); ++i) {
      StorageRecord& storage = storages[i];
      name.resize(stem);
      name += storage.key;
      const ZipEntry* entry = next && next != end && next->name == name ? next : directory.find(name);  // torch.save's order is the pickle's
      if (entry) next = entry + 1;
      else {
        if (storage.nbytes == 0) continue;  // some writers leave out what has no bytes
        return corrupt(ErrorCode::record_missing, "there is no record for storage " + in_quotes(storage.key)).in_record(name);
      }
      if (foreign_ && storage.mixed)
        return Error(ErrorKind::unsupported, ErrorCode::foreign_byte_order, "tensors of different element sizes share a storage of the other byte order").in_record(name);
      std::uint64_t skip = 0;
      if (entry->size != storage.nbytes) {
        if (auto prefix = cuda_prefix(*entry, storage)) skip = *prefix;
        else
          return corrupt(ErrorCode::storage_size, "the record has " + std::to_string(entry->size) + " bytes, the storage needs " + std::to_string(storage.nbytes)).in_record(name);
        notes.add(Note::Code::size_prefix, {.file = {}, .record = name, .offset = {}, .opcode = {}, .path = {}},
                  "an 8-byte element count stands before the data (PyTorch 1.6.0, CUDA)");
      }
      storage.entry = static_cast<std::uint32_t>(entry - directory.entries().data());
      used_[storage.entry] = true;
      if (entry->method == zip::kStored) file_.place(storage, entry->data_offset + skip, foreign_);
      else file_.place_packed(storage, storage.entry, foreign_);
    }
    return {};
  }

 private:
  Result<std::string> small_record(const ZipEntry& entry) {
    if (entry.size > 1024) return corrupt(ErrorCode::format_version, "the record is too long for what it says").in_record(entry.name);
    auto bytes = archive_.read(entry, inflated_, true);
    if (!bytes) return std::move(bytes).error().in_record(entry.name);
    return std::string(bytes->text());
  }

  // The leading integer counts, as in PyTorch; 1 to 10 are known, and what torch.save writes is 3.
  Result<void> check_version() {
    const ZipEntry* entry = archive_.directory().find_record("version");
    if (!entry) entry = archive_.directory().find_record(".data/version");
    if (!entry) return corrupt(ErrorCode::record_missing, "the archive has no record version");
    BRINE_LET(text, small_record(*entry));
    version_ = *text;
    int version = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), version);
    if (error != std::errc()) return corrupt(ErrorCode::format_version, "expected a version number, found " + in_quotes(*text, 20)).in_record(entry->name);
    if (version < 1 || version > 10)
      return Error(ErrorKind::unsupported, ErrorCode::format_version, "format version " + std::to_string(version) + "; known are 1 to 10").in_record(entry->name);
    return {};
  }

  Result<void> read_byte_order() {
    const ZipEntry* entry = archive_.directory().find_record("byteorder");
    bool big = false;  // PyTorch's default, too, when the record is missing
    if (!entry) {  // its reader takes capitals for small letters
      const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
      const std::string name = std::string(archive_.directory().root()) + "/byteorder";
      for (const ZipEntry& e : archive_.directory().entries())
        if (std::equal(e.name.begin(), e.name.end(), name.begin(), name.end(), [&](char a, char b) { return lower(a) == lower(b); }))
          return corrupt(ErrorCode::byte_order, "there is no record byteorder, only one that differs in case").in_record(e.name);
    } else {
      BRINE_LET(text, small_record(*entry));
      if (*text != "little" && *text != "big")
        return corrupt(ErrorCode::byte_order, "the byte order " + in_quotes(*text, 20) + " is neither little nor big").in_record(entry->name);
      big = *text == "big";
    }
    foreign_ = big != kBigEndianMachine;
    return {};
  }

  // Of no consequence for reading; kept for saving the file again.
  Result<void> read_layout() {
    if (const ZipEntry* entry = archive_.directory().find_record(".storage_alignment")) {
      BRINE_LET(text, small_record(*entry));
      std::uint32_t alignment = 0;
      const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), alignment);
      if (error == std::errc() && alignment >= 1 && alignment <= 65536) alignment_ = alignment;
    }
    if (const ZipEntry* entry = archive_.directory().find_record(".data/serialization_id"); entry && entry->size == 40) {
      BRINE_LET(text, small_record(*entry));
      id_half_ = text->substr(0, 20);
    }
    return {};
  }

  // PyTorch 1.6.0 wrote an element count before the data of CUDA storages (pytorch/pytorch#46020).
  std::optional<std::uint64_t> cuda_prefix(const ZipEntry& entry, const StorageRecord& storage) {
    if (entry.size < 8 || entry.size - 8 != storage.nbytes || entry.method != zip::kStored) return std::nullopt;
    std::byte count[8];
    if (!archive_.source().read_at(entry.data_offset, count)) return std::nullopt;
    return Cursor(count).u64() * item_size(storage.dtype) == storage.nbytes ? std::optional<std::uint64_t>(8) : std::nullopt;
  }

  Archive archive_;
  StorageFile file_;
  Budget& inflated_;
  std::vector<bool> used_;        // records that are storages
  std::string id_half_;           // of .data/serialization_id: the writer's C++ library's
  std::string version_;           // the record's text
  std::uint32_t alignment_ = 64;
  bool foreign_ = false;
};

}  // namespace

Result<Opened> open_zip(Archive archive, const Opening& opening) {
  auto form = std::make_unique<ZipForm>(std::move(archive), opening);
  BRINE_LET(pickle, form->open(opening.limits));
  Opened out{Format::zip, opening.part.source.size(), nullptr, {}};
  form->note_crc(out.notes);
  auto document = std::make_unique<Document>(std::move(*pickle), opening.limits, zip_ids());
  BRINE_TRY(document->run(opening.policy));
  out.notes.append(document->notes);
  BRINE_TRY(form->locate(document->storages, out.notes));
  out.form = std::move(form);
  out.documents.push_back(std::move(document));
  return out;
}

Result<std::vector<PickleAt>> find_zip_pickles(Archive archive, const Opening& opening) {
  BRINE_LET(pickle, ZipForm(std::move(archive), opening).open(opening.limits));
  return std::vector<PickleAt>{std::move(*pickle)};
}

}  // namespace brine
