// SPDX-License-Identifier: MIT
// Storages: those that the persistent ids of one pickle named, by key. Element count and size are known from the id; where the bytes are, the
// form tells after the pickle has run.
#pragma once

#include <brine/limits.hpp>

#include "graph/graph.hpp"
#include "pickle/calls.hpp"
#include "support/hash_index.hpp"
#include "tensor/record.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace brine {

/// An int of at most 64 bits.
inline std::optional<std::int64_t> int_of(const Ref& r) noexcept { return r.kind == Kind::integer && !is_big(r) ? std::optional(r.integer) : std::nullopt; }

/// Graph::own_texts of the persistent ids: the str 'storage', and the device of most of them. Those of a program's making are written with them, too.
enum : std::size_t { kStorageText, kCpuText };

class Storages {
 public:
  explicit Storages(Budget& budget) : budget_(budget), seed_(random_seed()), arena_(budget) {}
  Storages(const Storages&) = delete;

  /// The storage of a persistent id ('storage', class, key, location, numel), with `views` also with a sixth part (key, offset, count) or None.
  /// Fails with: corrupt (persistent_id, storage_key, storage_size), unsupported (storage_class), limit.
  Called from_id(Graph& graph, const Ref& id, const Limits& limits, bool views);

  /// Why there is no memory for `what`.
  Error spent(std::string_view what) const { return budget_.exceeded(sizeof(StorageRecord), what); }

  std::uint32_t size() const noexcept { return size_; }
  StorageRecord& operator[](std::uint32_t i) noexcept { return blocks_[i / kBlock][i % kBlock]; }
  const StorageRecord& operator[](std::uint32_t i) const noexcept { return blocks_[i / kBlock][i % kBlock]; }
  /// The number of the storage with this key, or size().
  std::uint32_t find(std::string_view key) const noexcept;

 private:
  static constexpr std::uint32_t kBlock = 256;
  std::uint32_t find(std::string_view key, std::uint64_t hash) const noexcept;
  Result<std::uint32_t> get_or_add(std::string_view key, std::string_view device, const GlobalNode& cls, DType dtype, bool untyped, std::uint64_t nbytes);

  Budget& budget_;
  const std::uint64_t seed_;
  Arena arena_;  // its own: a graph's may be taken back
  std::vector<StorageRecord*> blocks_;
  std::vector<std::uint32_t> index_;
  std::uint32_t size_ = 0;
  struct ViewOf {
    StorageView view;
    DType dtype;
  };
  static constexpr std::size_t kViewBytes = 128;  // of an entry of:
  std::unordered_map<std::string, ViewOf, KeyedHash> views_;  // copies: what stands in a call's arguments can be gone
};

/// The record and, for storages that are views, the view a storage Ref stands for. The Ref's dtype is a view's own, or that by which the storage was named first.
struct StorageRef {
  const StorageRecord* record;
  const StorageView* view;
  DType dtype;
  bool untyped;
};
StorageRef storage_of(const Ref& ref) noexcept;
/// And back, for a record that is no view.
Ref make_storage_ref(const StorageRecord* record, DType dtype, bool untyped) noexcept;

}  // namespace brine
