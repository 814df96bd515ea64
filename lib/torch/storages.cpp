// SPDX-License-Identifier: MIT
#include "torch/storages.hpp"

#include "graph/walk.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "tensor/dtype_table.hpp"

#include <algorithm>

namespace brine {

namespace {

// THREATS §3: no NUL, no "..", nothing a record name of PyTorch never has.
bool is_key(std::string_view key) noexcept {
  const auto plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '/' || c == '-'; };
  return !key.empty() && key.size() <= 1024 && std::all_of(key.begin(), key.end(), plain) && key.find("..") == std::string_view::npos;
}

constexpr std::uint16_t kUntypedTag = 0x100;

}  // namespace

std::uint32_t Storages::find(std::string_view key) const noexcept { return find(key, hash_bytes(key, seed_)); }

std::uint32_t Storages::find(std::string_view key, std::uint64_t hash) const noexcept {
  if (index_.empty()) return size_;
  const auto i = HashIndex::find(index_, hash, [&](std::uint32_t n) { return (*this)[n].key == key; });
  return i == HashIndex::npos ? size_ : i;
}

Result<std::uint32_t> Storages::get_or_add(std::string_view key, std::string_view device, const GlobalNode& cls, DType dtype, bool untyped,
                                           std::uint64_t nbytes) {
  const std::uint64_t hash = hash_bytes(key, seed_);
  if (const std::uint32_t known = find(key, hash); known != size_) {
    if ((*this)[known].key.data() != key.data()) (*this)[known].key_shared = false;
    if ((*this)[known].nbytes == nbytes) return known;
    return corrupt(ErrorCode::storage_size, "storage " + in_quotes(key) + " has " + std::to_string(nbytes) + " bytes here and " +
                                                std::to_string((*this)[known].nbytes) + " elsewhere");
  }
  if (!views_.empty() && views_.contains(std::string(key))) return corrupt(ErrorCode::storage_key, "the storage key " + in_quotes(key) + " is that of another storage's view, too");
  if (size_ % kBlock == 0) {
    auto* block = arena_.array<StorageRecord>(kBlock);
    if (!block) return spent("the list of storages");
    std::uninitialized_default_construct_n(block, kBlock);
    blocks_.push_back(block);
  }
  if (index_.size() * 2 < (std::size_t{size_} + 1) * 3) {
    const std::size_t slots = HashIndex::slots_for(std::max<std::size_t>(16, std::size_t{size_} * 2));
    if (!budget_.take((slots - index_.size()) * sizeof(std::uint32_t))) return spent("the list of storages");
    index_.assign(slots, 0);
    for (std::uint32_t i = 0; i < size_; ++i) HashIndex::insert(index_, hash_bytes((*this)[i].key, seed_), i);
  }
  HashIndex::insert(index_, hash, size_);
  StorageRecord& record = (*this)[size_++];
  record.key = key;
  record.device = device;
  record.cls = &cls;
  record.dtype = dtype;
  record.untyped = untyped;
  record.nbytes = nbytes;
  return size_ - 1;
}

Called Storages::from_id(Graph& graph, const Ref& id, const Limits& limits, bool views) {
  if (!is_tuple(id)) return std::nullopt;
  const auto part = tuple_of(id).items();
  if (part.empty() || part[0].kind != Kind::string || text_of(part[0]) != "storage") return std::nullopt;
  if (part.size() != 5 && (part.size() != 6 || !views))
    return corrupt(ErrorCode::persistent_id, std::string("a storage's persistent id has 5 ") + (views ? "or 6 " : "") + "parts, this one " + std::to_string(part.size()));

  if (part[1].kind != Kind::global) return corrupt(ErrorCode::persistent_id, "expected a class as storage class, found " + escaped(class_name(part[1]), 100));
  const GlobalNode& cls = global_of(part[1]);
  const bool untyped = is_untyped_storage_class(cls.name);
  const auto dtype = untyped ? std::optional(DType::uint8) : dtype_of_storage_class(cls.name);
  if (!dtype)
    return Error(ErrorKind::unsupported, ErrorCode::storage_class,
                 "expected one of PyTorch's storage classes, found " + in_quotes(std::string(cls.module) + "." + std::string(cls.name)));

  if (part[2].kind != Kind::string || !is_key(text_of(part[2])))
    return corrupt(ErrorCode::storage_key, part[2].kind == Kind::string ? "expected a storage key of letters, digits and _./-, found " + in_quotes(text_of(part[2]))
                                                                        : "expected a str as storage key, found " + escaped(class_name(part[2]), 100));
  const std::string_view device = part[3].kind == Kind::string ? text_of(part[3]) : std::string_view();
  if (part[3].kind != Kind::string && part[3].kind != Kind::none)
    return corrupt(ErrorCode::persistent_id, "expected a str as the storage's location, found " + escaped(class_name(part[3]), 100));

  if (device.size() > limits.device_bytes)
    return Error(ErrorKind::limit, ErrorCode::device_too_long, "the location of storage " + in_quotes(text_of(part[2])) + " is a text of " + std::to_string(device.size()) +
                                                                   " bytes; Limits::device_bytes is " + std::to_string(limits.device_bytes));

  const auto numel = int_of(part[4]);
  const auto nbytes = numel ? checked_multiply(*numel, static_cast<std::int64_t>(item_size(*dtype))) : std::nullopt;
  if (!numel || *numel < 0 || !nbytes)
    return corrupt(ErrorCode::storage_size, "expected the element count of storage " + in_quotes(text_of(part[2])) + " as an int of 64 bits, found " +
                                                (!numel ? class_name(part[4]) : *numel < 0 ? "a negative one" : "one whose bytes are more"));
  if (graph.own_texts[kStorageText].kind == Kind::absent) graph.own_texts[kStorageText] = part[0];
  if (graph.own_texts[kCpuText].kind == Kind::absent && device == "cpu") graph.own_texts[kCpuText] = part[3];
  const auto number = get_or_add(text_of(part[2]), device, cls, *dtype, untyped, static_cast<std::uint64_t>(*nbytes));
  if (!number) return number.error();

  // torch.load makes a storage of the class that names it first; one without bytes is made each time.
  const StorageRecord& record = (*this)[*number];
  const bool empty = record.nbytes == 0;
  Ref out = make_storage_ref(&record, empty ? *dtype : record.dtype, empty ? untyped : record.untyped);
  if (part.size() == 6 && part[5].kind != Kind::none) {
    const auto view = is_tuple(part[5]) ? tuple_of(part[5]).items() : std::span<const Ref>();
    const auto offset = view.size() == 3 ? int_of(view[1]) : std::nullopt, count = view.size() == 3 ? int_of(view[2]) : std::nullopt;
    if (!offset || !count) return corrupt(ErrorCode::persistent_id, "a storage's view is (key, offset, count)");
    if (*offset < 0 || *count < 0 || !fits(static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*count), static_cast<std::uint64_t>(*numel)))
      return corrupt(ErrorCode::storage_size, "the view of storage " + in_quotes(text_of(part[2])) + " reaches outside it");
    const auto* kept = graph.arena().make<StorageView>(&record, *offset, *count);
    if (!kept || !budget_.take(kViewBytes + (view[0].kind == Kind::string ? text_of(view[0]).size() : 0))) return spent("the list of storages");
    // Views and storages share their keys: torch.load takes what it met first. Keys of other kinds count as one.
    const std::string key(view[0].kind == Kind::string ? text_of(view[0]) : std::string_view());
    const auto [known, is_new] = views_.try_emplace(key, ViewOf{*kept, *dtype});
    const StorageView& first = known->second.view;
    if (find(key) != size_ || first.root != kept->root || first.offset != kept->offset || first.numel != kept->numel || known->second.dtype != *dtype)
      return corrupt(ErrorCode::storage_key, "the key " + in_quotes(key) + " of a storage's view is another storage's, too");
    out = make_storage_ref(&record, *dtype, untyped);
    out.flags = kStorageView;
    out.pointer = kept;
  }
  return out;
}

Ref make_storage_ref(const StorageRecord* record, DType dtype, bool untyped) noexcept {
  Ref out;
  out.kind = Kind::storage;
  out.tag = static_cast<std::uint16_t>(static_cast<std::uint16_t>(dtype) | (untyped ? kUntypedTag : 0));
  out.pointer = record;
  return out;
}

StorageRef storage_of(const Ref& ref) noexcept {
  const auto* view = ref.flags & kStorageView ? static_cast<const StorageView*>(ref.pointer) : nullptr;
  return {view ? view->root : static_cast<const StorageRecord*>(ref.pointer), view, static_cast<DType>(ref.tag & 0xFF), (ref.tag & kUntypedTag) != 0};
}

}  // namespace brine
