// SPDX-License-Identifier: MIT
// The mirror of rebuild: tensors as _rebuild_tensor_v2 and _v3, parameters, storages as persistent ids, numbered by first use.
// Source: torch/_tensor.py (_reduce_ex_internal), torch/nn/parameter.py, torch/serialization.py (persistent_id).
#pragma once

#include "pickle/emitter.hpp"
#include "support/memory.hpp"
#include "tensor/record.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace brine {

/// A storage to be written: under which key, and which bytes of it.
struct WrittenStorage {
  const StorageRecord* record;
  std::uint64_t offset, nbytes;  // all of it, or the part that is viewed (compact)
  std::uint32_t key_entry = 0;   // the memo entry of a numbered key
  DType dtype = DType::uint8;    // as which it was named first
  bool keeps_key = false;        // the file's own; else its number, in the order of first use
  bool done = false;             // for the one who writes them
};

using WrittenStorages = std::vector<WrittenStorage, HugePages<WrittenStorage>>;

struct ReduceOptions {
  bool keep_keys = false;  // the file's own keys (pointer numbers), instead of 0, 1, 2 …
  bool compact = false;    // only the part of a storage that its tensors view
  bool keep_calls = false;  // the calls of older releases, instead of what today's would be
  bool before_2_1 = false;  // for releases that do not know whether a sparse tensor is coalesced
};

class TorchReduce final : public Leaves {
 public:
  explicit TorchReduce(const ReduceOptions& options) : options_(options), surveying_(options.compact) {}

  Result<bool> tensor(Emitter& out, const Ref& tensor, const Origin*& origin) override;
  Result<void> wrapper_tail(Emitter& out, const Ref& parameter) override;
  Result<void> storage(Emitter& out, const Ref& storage) override;
  void expect(std::size_t values) override {  // there can be many dicts: never by a little
    if (const std::size_t size = storages_.size() + values; size > storages_.capacity()) storages_.reserve(std::max(size, 2 * storages_.capacity()));
  }
  void prefetch(const Emitter& out, const Ref& tensor) noexcept override {
    const StorageRecord* storage = strided_or_none(tensor_of(tensor)).storage;
    __builtin_prefetch(storage);
    out.memo().prefetch(storage);
  }

  /// In the order of their first use.
  WrittenStorages& storages() noexcept { return storages_; }
  /// For `compact`: the pickle was made once, every tensor has been seen; now it is made in earnest.
  void surveyed();

 private:
  struct Reach {
    std::int64_t first = INT64_MAX, last = -1;  // bytes of the storage that tensors view
    std::int64_t item = 1;                      // the largest element seen
  };
  void see(const TensorRecord& t);
  bool has_other_call(const TensorRecord& t) const noexcept;
  const Origin* call_of_kind(Graph& graph, const TensorRecord& t);
  Result<void> persistent_id(Emitter& out, const StorageRecord& record, DType dtype, bool untyped, const StorageView* view);
  Result<void> write_global(Emitter& out, std::string_view module, std::string_view name, std::uint16_t known);
  Result<void> empty_hooks(Emitter& out);
  Result<void> write_class(Emitter& out, const StorageRecord& record, DType dtype, bool untyped);
  void write_device(Emitter& out, const StorageRecord& record);
  WrittenStorage& add(const StorageRecord& record, std::size_t item);
  std::int64_t shift(const StorageRecord& storage, DType dtype) const noexcept;

  ReduceOptions options_;
  bool surveying_ = false;
  WrittenStorages storages_;
  std::unordered_map<const StorageRecord*, Reach> reach_;
  std::vector<std::optional<std::uint32_t>> globals_;  // by their known number, the memo entries of those written
  struct Written {
    const void* object = nullptr;
    std::uint32_t entry = 0;
  };
  std::optional<std::uint32_t> storage_word_;  // its memo entry
  Written class_, device_;                     // the last ones: most tensors have those of the tensor before
  Ref cpu_word_;
  Ref layouts_[7];  // torch.layout's objects: one each
  Ref rebuild_jagged_, jagged_class_;
};

}  // namespace brine
