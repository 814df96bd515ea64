// SPDX-License-Identifier: MIT
// TorchReduce's storages: their numbers, and the persistent ids that name them.
#include "torch/reduce.hpp"

#include "support/try.hpp"
#include "tensor/dtype_table.hpp"
#include "torch/storages.hpp"
#include "torch/torch_calls.hpp"

#include <charconv>

namespace brine {

WrittenStorage& TorchReduce::add(const StorageRecord& record, std::size_t item) {
  // What a program made may end within an element, which no file can say.
  WrittenStorage written{&record, 0, record.cls ? record.nbytes : record.nbytes - record.nbytes % item};
  if (options_.compact) {
    const auto reach = reach_.find(&record);
    if (reach == reach_.end() || reach->second.last < 0) written.nbytes = 0;
    else written.offset = static_cast<std::uint64_t>(reach->second.first), written.nbytes = static_cast<std::uint64_t>(reach->second.last - reach->second.first + 1);
  }
  written.keeps_key = options_.keep_keys && record.cls;
  return storages_.emplace_back(written);
}

// The constants cpu, mps and meta are one object each; a device with a number is spelled anew by the backend every time.
void TorchReduce::write_device(Emitter& out, const StorageRecord& record) {
  // What no file names had its bytes in the pickle itself, of a backend that no location of a storage restores.
  const std::string_view device = record.cls || !record.key.empty() || record.device.empty() ? record.device : std::string_view("cpu");
  const bool named = !device.empty() || record.cls;  // a file may say ""
  if (device_.object && device_.object == device.data()) return out.again(device_.entry);
  if (named && device != "cpu" && device != "mps" && device != "meta") return static_cast<void>(out.fresh_text(device));
  if (named && record.cls) {
    device_ = {device.data(), out.text(make_text(device))};
    return;
  }
  if (cpu_word_.kind == Kind::absent || (named && text_of(cpu_word_) != device)) {
    if (!named) cpu_word_ = make_text(out.graph().copy("cpu"));
    else cpu_word_ = device == "cpu" && out.graph().own_texts[kCpuText].kind != Kind::absent ? out.graph().own_texts[kCpuText] : make_text(device);
  }
  out.text(cpu_word_);
}

Result<void> TorchReduce::write_class(Emitter& out, const StorageRecord& record, DType dtype, bool untyped) {
  if (!record.cls || record.untyped != untyped || (!untyped && record.dtype != dtype)) {
    if (untyped) return write_global(out, "torch.storage", "UntypedStorage", kUntypedStorage);
    return write_global(out, "torch", storage_class_name(dtype), static_cast<std::uint16_t>(kFirstStorage + static_cast<unsigned>(dtype)));
  }
  if (record.cls == class_.object) return out.again(class_.entry), Result<void>();
  const Ref cls = make_node(Kind::global, const_cast<GlobalNode*>(record.cls));
  BRINE_TRY(out.global(cls));
  if (const std::uint32_t* entry = out.entry(cls)) class_ = {record.cls, *entry};
  return {};
}

// ('storage', class, key, location, count[, view]) and BINPERSID.
Result<void> TorchReduce::persistent_id(Emitter& out, const StorageRecord& record, DType dtype, bool untyped, const StorageView* view) {
  if (view) return Error(ErrorKind::unsupported, ErrorCode::bad_argument, "cannot write a storage that is a part of another one by itself");
  const std::size_t item = untyped ? 1 : item_size(dtype);
  // Storages without bytes are one only by their key: torch.load gives every tensor one of its own.
  const auto is_unused = [&] { const auto reach = reach_.find(&record); return reach == reach_.end() || reach->second.last < 0; };
  const bool by_itself = record.cls && !options_.keep_keys && (record.nbytes == 0 || (options_.compact && !surveying_ && is_unused()));
  const std::uint32_t* known = by_itself ? nullptr : out.memo().add(&record, static_cast<std::uint32_t>(storages_.size()));
  WrittenStorage& written = known ? storages_[*known] : add(record, item);
  const DType stored = untyped ? DType::uint8 : dtype;
  if (!known) written.dtype = stored;
  else if (written.dtype != stored && record.nbytes != 0)  // PyTorch reads both as the first one, and does not save such
    return Error(ErrorKind::usage, ErrorCode::wrong_dtype, "two tensors view one storage as " + std::string(name(written.dtype)) + " and as " +
                                                               std::string(name(stored)) + ", which PyTorch's files cannot say");
  out.tuple_begin(5);
  if (storage_word_) out.again(*storage_word_);
  else storage_word_ = out.text(out.graph().own_texts[kStorageText].kind == Kind::absent ? make_text(out.graph().copy("storage")) : out.graph().own_texts[kStorageText]);

  BRINE_TRY(write_class(out, record, dtype, untyped));
  if (written.keeps_key) {
    if (record.key_shared) out.text(make_text(record.key));
    else out.fresh_text(record.key);
  } else if (known) {
    out.again(written.key_entry);
  } else {
    char digits[20];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), storages_.size() - 1).ptr;
    written.key_entry = out.fresh_text({digits, end});
  }
  write_device(out, record);
  out.integer(static_cast<std::int64_t>(written.nbytes / item));
  out.tuple_end(5);
  out.put();
  out.op(Op::BINPERSID);
  return {};
}

Result<void> TorchReduce::storage(Emitter& out, const Ref& storage) {
  const StorageRef s = storage_of(storage);
  if (surveying_) reach_[s.record] = {0, static_cast<std::int64_t>(s.record->nbytes) - 1};  // somebody holds it: all of it is wanted
  return persistent_id(out, *s.record, s.dtype, s.untyped, s.view);
}

}  // namespace brine
