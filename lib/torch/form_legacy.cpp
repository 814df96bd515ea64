// SPDX-License-Identifier: MIT
// The legacy stream: torch.save from 0.1.10 to 1.5, and later on request. Five pickles one after the other (magic number, protocol version,
// sys_info, the object, the sorted storage keys), then each storage: an i64 element count and the raw elements, little-endian always.
// Nothing is aligned and nothing has a length. Source: torch/serialization.py, _legacy_save and _legacy_load.
#include "torch/form.hpp"

#include "archive/text_damage.hpp"
#include "bytes/cursor.hpp"
#include "graph/walk.hpp"
#include "pickle/machine.hpp"
#include "support/checked.hpp"
#include "support/text.hpp"
#include "torch/explain.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>

namespace brine {

namespace {

constexpr std::string_view kMagicBytes("\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19", 10);
constexpr std::int64_t kProtocolVersion = 1001;

Error corrupt(ErrorCode code, std::string text) { return Error(ErrorKind::corrupt, code, std::move(text)); }

/// One of the small pickles around the object's, in a graph of its own.
struct Small {
  explicit Small(std::uint64_t limit) : budget(limit, ErrorCode::metadata_too_large), graph(budget), storages(budget), calls(storages, limits) {}
  Limits limits;
  Budget budget;
  Notes notes;
  Graph graph;
  Storages storages;
  TorchCalls calls;
  Ref value;
};

class LegacyForm final : public Form {
 public:
  explicit LegacyForm(const Opening& opening)
      : part_(opening.part), source_(part_.source), file_(source_, nullptr, opening), limits_(opening.limits), inflated_(opening.inflated) {}

  Format format() const noexcept override { return Format::legacy; }
  const PickleAt& pickle() const noexcept override { return pickles_[3]; }
  std::uint64_t end() const noexcept override { return at_; }
  void describe(SaveOptions&) const override {}
  void verify(const Verdict& each, const std::function<void(std::uint64_t)>& read) const override {
    each(at_, false, read_all(source_, 0, at_, read));
  }

  Result<void> open() {
    if (auto ok = take("magic number"); !ok) return not_legacy(std::move(ok).error());
    if (auto ok = check_magic(pickles_[0]); !ok) return not_legacy(std::move(ok).error());
    if (auto ok = take("protocol version"); !ok) return ok;
    const auto version = run(pickles_[1]);
    if (!version) return version.error();
    if ((*version)->value.kind != Kind::integer || (*version)->value.integer != kProtocolVersion)
      return corrupt(ErrorCode::legacy_header, "the protocol version is " + key_name((*version)->value) + ", known is 1001");
    if (auto ok = take("sys_info"); !ok) return ok;
    const auto info = run(pickles_[2]);  // says how the machine was, not how the data is: only its form counts
    if (!info) return info.error();
    if ((*info)->value.kind != Kind::dict) return corrupt(ErrorCode::legacy_header, "expected sys_info as a dict, found " + class_name((*info)->value));
    return take("object pickle");
  }

  Result<void> locate(Storages& storages, Notes& notes) override {
    if (auto ok = take("storage keys"); !ok) return ok;
    const auto keys = run(pickles_[4]);
    if (!keys) return keys.error();
    if ((*keys)->value.kind != Kind::list) return corrupt(ErrorCode::legacy_keys, "expected the storage keys as a list, found " + class_name((*keys)->value));
    for (const Ref& key : list_of((*keys)->value).items()) {
      const std::uint32_t i = key.kind == Kind::string ? storages.find(text_of(key)) : storages.size();
      if (i == storages.size())  // without its element size it cannot be stepped over
        return corrupt(ErrorCode::legacy_keys, "the list of storages names " + in_quotes(key_name(key)) + ", which the object does not use").at_offset(at_);
      if (auto ok = take_storage(storages[i]); !ok) return ok;
    }
    for (std::uint32_t i = 0; i < storages.size(); ++i)
      if (!storages[i].found && storages[i].nbytes != 0)
        return corrupt(ErrorCode::record_missing, "the file has no data for storage " + in_quotes(storages[i].key));
    return note_rest(notes);
  }

  Result<std::vector<PickleAt>> all_pickles() const override {
    std::vector<PickleAt> out = pickles_;
    std::uint64_t size = 0;
    auto keys = scan(at_, size);
    if (!keys) return std::move(keys).error();
    out.push_back({"storage keys at byte " + std::to_string(at_), std::move(*keys)});
    return out;
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

  Result<void> take(const char* what) {
    const std::string record = std::string(what) + " at byte " + std::to_string(at_);
    std::uint64_t size = 0;
    auto bytes = scan(at_, size);
    if (!bytes) return std::move(bytes).error().in_record(record);
    at_ += size;
    pickles_.push_back({record, std::move(*bytes)});
    return {};
  }

  Result<std::unique_ptr<Small>> run(const PickleAt& pickle) const {
    auto small = std::make_unique<Small>(limits_.metadata_base + limits_.metadata_factor * pickle.bytes.span.size());
    auto value = Machine(small->graph, small->calls, nullptr, small->notes, pickle.bytes.span, small->budget).run();
    if (!value) return std::move(value).error().in_record(pickle.record);
    small->value = value->value;
    return small;
  }

  Result<void> check_magic(const PickleAt& pickle) const {
    const auto small = run(pickle);
    if (!small) return small.error();
    const Ref& magic = (*small)->value;
    if (is_big(magic) && big_of(magic).bytes() == kMagicBytes) return {};
    return corrupt(ErrorCode::legacy_header, "the first pickle is not PyTorch's magic number");
  }

  Error not_legacy(Error cause) const {
    if (cause.kind() == ErrorKind::io || cause.kind() == ErrorKind::limit) return cause;
    if (pickles_.empty())
      return Error(ErrorKind::not_a_checkpoint, ErrorCode::other_format, "the file is not a checkpoint: it starts like a pickle, but does not go on as one (" + cause.text() + ")");
    const std::string plain = "a plain pickle (pickle.dump), not a file of torch.save, and brine does not read it yet";
    const auto error = [](std::string text) { return Error(ErrorKind::unsupported, ErrorCode::other_format, std::move(text)); };
    const std::uint64_t end = pickles_[0].bytes.span.size();
    if (checkpoint_at(source_, end, source_.size()).empty()) return error("this is " + plain);
    const std::string options = part_.options(end, source_.size());
    return error("the file starts with " + plain + "; a checkpoint follows at byte " + std::to_string(end) + (options.empty() ? "" : ": " + options + " opens it"));
  }

  Result<void> take_storage(StorageRecord& storage) {
    if (storage.found) return corrupt(ErrorCode::legacy_keys, "the list of storages names " + in_quotes(storage.key) + " twice").at_offset(at_);
    std::byte head[8];
    if (source_.size() - at_ < sizeof head) return short_by(sizeof head, storage);
    if (auto ok = source_.read_at(at_, head); !ok) return ok;
    const std::int64_t count = Cursor(head).i64();
    const auto nbytes = checked_multiply(count, static_cast<std::int64_t>(item_size(storage.dtype)));
    if (count < 0 || !nbytes || static_cast<std::uint64_t>(*nbytes) != storage.nbytes)
      return corrupt(ErrorCode::storage_size, "storage " + in_quotes(storage.key) + " has " + std::to_string(count) + " elements here, the object says " +
                                                  std::to_string(storage.nbytes / item_size(storage.dtype)) + if_text(1)).at_offset(at_);
    at_ += sizeof head;
    if (!fits(at_, storage.nbytes, source_.size())) return short_by(storage.nbytes, storage);
    file_.place(storage, at_, boost::endian::order::native == boost::endian::order::big);
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

  Result<void> note_rest(Notes& notes) {
    if (at_ == source_.size()) return {};
    const std::uint64_t at = part_.offset.value_or(0) + at_;
    const bool another = !checkpoint_at(source_, at_, source_.size()).empty();
    const std::string options = another ? part_.options(at_, source_.size()) : "";
    notes.add(another ? Note::Code::another_object : Note::Code::trailing_bytes, {.file = {}, .record = {}, .offset = at, .opcode = {}, .path = {}},
              (another ? "another saved object follows at byte " : std::to_string(source_.size() - at_) + (source_.size() - at_ == 1 ? " byte follows the last storage, from byte " : " bytes follow the last storage, from byte ")) + std::to_string(at) +
                  (options.empty() ? "" : ": " + options + " opens it"));
    return {};
  }

  const Part& part_;
  const Source& source_;
  StorageFile file_;
  const Limits& limits_;
  Budget& inflated_;
  std::vector<PickleAt> pickles_;
  std::uint64_t at_ = 0;
};

}  // namespace

Result<std::unique_ptr<Form>> open_legacy_form(const Opening& opening) {
  auto form = std::make_unique<LegacyForm>(opening);
  if (auto ok = form->open(); !ok) return std::move(ok).error();
  return std::unique_ptr<Form>(std::move(form));
}

}  // namespace brine
