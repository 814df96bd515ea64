// SPDX-License-Identifier: MIT
// The legacy stream: torch.save from 0.1.10 to 1.5, and later on request. Five pickles one after the other (magic number, protocol version,
// sys_info, the object, the sorted storage keys), then each storage: an i64 element count and the raw elements, little-endian always.
// Nothing is aligned and nothing has a length. Source: torch/serialization.py, _legacy_save and _legacy_load.
#include "forms/form.hpp"

#include "bytes/byte_order.hpp"
#include "bytes/cursor.hpp"
#include "forms/explain.hpp"
#include "forms/storage_file.hpp"
#include "forms/text_damage.hpp"
#include "graph/walk.hpp"
#include "pickle/scanner.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>

namespace brine {

namespace {

constexpr std::string_view kMagicBytes("\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19", 10);
constexpr std::int64_t kProtocolVersion = 1001;

class LegacyForm final : public Form {
 public:
  explicit LegacyForm(const Opening& opening) : file(opening.part, nullptr, opening.limits, opening.inflated) {}
  void describe(SaveOptions&, FileLayout&) const override {}
  void verify(const Verdict& each, const std::function<void(std::uint64_t)>& read) const override {
    each(end, false, read_all(file.source(), 0, end, read));
  }

  StorageFile file;
  std::uint64_t end = 0;
};

/// Reads one after the other, as nothing says where the next one is.
class LegacyReader {
 public:
  explicit LegacyReader(const Opening& opening) : part_(opening.part), source_(part_.source), limits_(opening.limits), inflated_(opening.inflated) {}

  std::uint64_t position() const noexcept { return at_; }

  /// The pickles before the object's.
  Result<std::vector<PickleAt>> header() {
    std::vector<PickleAt> out;
    const auto next = [&](const char* what) -> Result<std::unique_ptr<Document>> {
      BRINE_LET(pickle, take(what));
      out.push_back(std::move(*pickle));
      return run(out.back());
    };
    const auto magic = next("magic number");
    if (!magic) return explain_pickle(part_, magic.error(), at_);
    if (!is_big((*magic)->root) || big_of((*magic)->root).bytes() != kMagicBytes)
      return explain_pickle(part_, corrupt(ErrorCode::legacy_header, "the first pickle is not PyTorch's magic number"), at_);
    const auto version = next("protocol version");
    if (!version) return version.error();
    if ((*version)->root.kind != Kind::integer || (*version)->root.integer != kProtocolVersion)
      return corrupt(ErrorCode::legacy_header, "the protocol version is " + key_name((*version)->root) + ", known is 1001");
    const auto info = next("sys_info");  // says how the machine was, not how the data is: only its form counts
    if (!info) return info.error();
    if ((*info)->root.kind != Kind::dict) return corrupt(ErrorCode::legacy_header, "expected sys_info as a dict, found " + class_name((*info)->root));
    return out;
  }

  Result<PickleAt> take(const char* what) {
    PickleAt out{std::string(what) + " at byte " + std::to_string(at_), {}};
    std::uint64_t size = 0;
    auto bytes = scan(at_, size);
    if (!bytes) return std::move(bytes).error().in_record(out.record);
    at_ += size;
    out.bytes = std::move(*bytes);
    return out;
  }

  /// The list of keys, and the storages in its order.
  Result<void> locate(Storages& storages, const StorageFile& file) {
    BRINE_LET(pickle, take("storage keys"));
    const auto keys = run(std::move(*pickle));
    if (!keys) return keys.error();
    if ((*keys)->root.kind != Kind::list) return corrupt(ErrorCode::legacy_keys, "expected the storage keys as a list, found " + class_name((*keys)->root));
    for (const Ref& key : list_of((*keys)->root).items()) {
      const std::uint32_t i = key.kind == Kind::string ? storages.find(text_of(key)) : storages.size();
      if (i == storages.size())  // without its element size it cannot be stepped over
        return corrupt(ErrorCode::legacy_keys, "the list of storages names " + in_quotes(key_name(key)) + ", which the object does not use").at_offset(at_);
      BRINE_TRY(take_storage(storages[i], file));
    }
    for (std::uint32_t i = 0; i < storages.size(); ++i)
      if (!storages[i].found && storages[i].nbytes != 0)
        return corrupt(ErrorCode::record_missing, "the file has no data for storage " + in_quotes(storages[i].key));
    return {};
  }

  void note_rest(Notes& notes) const {
    if (at_ == source_.size()) return;
    const std::uint64_t at = part_.offset.value_or(0) + at_;
    const bool another = !checkpoint_at(source_, at_, source_.size()).empty();
    const std::string options = another ? part_.options(at_, source_.size()) : "";
    notes.add(another ? Note::Code::another_object : Note::Code::trailing_bytes, {.file = {}, .record = {}, .offset = at, .opcode = {}, .path = {}},
              (another ? "another saved object follows at byte "
                       : std::to_string(source_.size() - at_) + (source_.size() - at_ == 1 ? " byte follows the last storage, from byte "
                                                                                           : " bytes follow the last storage, from byte ")) +
                  std::to_string(at) + (options.empty() ? "" : ": " + options + " opens it"));
  }

 private:
  // The bytes of the pickle that starts at `from`. A source that is not in memory is read in growing pieces until STOP is met.
  Result<Bytes> scan(std::uint64_t from, std::uint64_t& size) const {
    const std::uint64_t rest = std::min(source_.size() - from, limits_.pickle_bytes);
    std::uint64_t window = source_.in_memory() ? rest : std::min<std::uint64_t>(rest, 1 << 16);
    for (;;) {
      auto bytes = fetch(source_, from, window, inflated_, "the pickle at byte " + std::to_string(from));
      if (!bytes) return bytes;
      Scanner scanner(bytes->span);
      Scanned ins{};
      while (scanner.next(ins))
        if (ins.op == Op::STOP) {
          size = scanner.position();
          bytes->span = bytes->span.first(size);
          return bytes;
        }
      if (window == rest) {
        if (rest == limits_.pickle_bytes && scanner.position() >= rest)
          return Error(ErrorKind::limit, ErrorCode::pickle_too_large, "the pickle is longer than the limit of " + std::to_string(rest) + " bytes");
        return scanner.fault();
      }
      if (!source_.in_memory()) inflated_.release(window);
      window = std::min(rest, window * 4);
    }
  }

  Result<std::unique_ptr<Document>> run(PickleAt pickle) const {
    auto document = std::make_unique<Document>(std::move(pickle), limits_, legacy_ids());
    BRINE_TRY(document->run());
    return document;
  }

  Result<void> take_storage(StorageRecord& storage, const StorageFile& file) {
    if (storage.found) return corrupt(ErrorCode::legacy_keys, "the list of storages names " + in_quotes(storage.key) + " twice").at_offset(at_);
    std::byte head[8];
    if (source_.size() - at_ < sizeof head) return short_by(sizeof head, storage);
    BRINE_TRY(source_.read_at(at_, head));
    const std::int64_t count = Cursor(head).i64();
    const auto nbytes = checked_multiply(count, static_cast<std::int64_t>(item_size(storage.dtype)));
    if (count < 0 || !nbytes || static_cast<std::uint64_t>(*nbytes) != storage.nbytes)
      return corrupt(ErrorCode::storage_size, "storage " + in_quotes(storage.key) + " has " + std::to_string(count) + " elements here, the object says " +
                                                  std::to_string(storage.nbytes / item_size(storage.dtype)) + if_text(1)).at_offset(at_);
    at_ += sizeof head;
    if (!fits(at_, storage.nbytes, source_.size())) return short_by(storage.nbytes, storage);
    file.place(storage, at_, kBigEndianMachine);
    at_ += storage.nbytes;
    return {};
  }

  Error short_by(std::uint64_t need, const StorageRecord& storage) const {
    return corrupt(ErrorCode::storage_size, "the file is cut short: storage " + in_quotes(storage.key) + " needs " + std::to_string(need) + " bytes, " +
                                                std::to_string(source_.size() - at_) + " are left" + if_text(need - (source_.size() - at_))).at_offset(at_);
  }

  std::string if_text(std::uint64_t missing) const {
    return may_lack_cr(source_, missing) ? "; a transfer as text, which makes LF of CR LF, does that: transfer it again as binary" : "";
  }

  const Part& part_;
  const Source& source_;
  const Limits& limits_;
  Budget& inflated_;
  std::uint64_t at_ = 0;
};

}  // namespace

Result<Opened> open_legacy(const Opening& opening) {
  LegacyReader reader(opening);
  BRINE_TRY(reader.header());
  BRINE_LET(pickle, reader.take("object pickle"));
  auto document = std::make_unique<Document>(std::move(*pickle), opening.limits, legacy_ids());
  BRINE_TRY(document->run(opening.policy));
  auto form = std::make_unique<LegacyForm>(opening);
  BRINE_TRY(reader.locate(document->storages, form->file));
  Opened out{Format::legacy, form->end = reader.position(), nullptr, {}};
  out.notes.append(document->notes);
  reader.note_rest(out.notes);
  out.form = std::move(form);
  out.documents.push_back(std::move(document));
  return out;
}

Result<std::vector<PickleAt>> find_legacy_pickles(const Opening& opening) {
  LegacyReader reader(opening);
  auto out = reader.header();
  if (!out) return out;
  for (const char* what : {"object pickle", "storage keys"}) {
    BRINE_LET(pickle, reader.take(what));
    out->push_back(std::move(*pickle));
  }
  return out;
}

}  // namespace brine
