// SPDX-License-Identifier: MIT
// Caster: tensors in another dtype, over storages that convert while they are read. What shares a storage as one dtype goes on to share one, at
// the same shapes, strides and offsets.
#pragma once

#include "state/cast_storage.hpp"

#include "graph/graph.hpp"

#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brine {

/// What cast tensors live in.
struct CastMemory {
  std::vector<std::shared_ptr<const void>> owners;  // of the tensors that were cast
  Budget budget;
  Graph graph;
  CastReader reader;
  CastReport report;
  CastMemory();
};

class Caster {
 public:
  Caster(DType to, const CastOptions& options);

  /// Floating-point tensors, where `to` is complex or everything is asked for those that are complex, too.
  bool changes(const TensorRecord& t) const noexcept;
  /// `t` in the other dtype, or `t` itself where it stays: the same for the same. A Parameter stays one, with its state. Conj and neg bits stay where
  /// the dtype has them; else they are resolved, and what shared memory with other bits no longer does.
  /// Fails with: usage (wrong_dtype: values would be lost that were not given up), limit.
  Result<const TensorRecord*> cast(const TensorRecord& t);

  /// A weight that stays as it is, for the report: complex, or a tensor kept as an object. Others are passed over.
  void pass(std::string_view name, const Ref& value);
  /// All that was asked for is done: the report tells of it.
  void report();

  const std::shared_ptr<CastMemory>& memory() const noexcept { return memory_; }

 private:
  Result<const TensorRecord*> cast_data(const TensorRecord& t);
  Result<const TensorRecord*> cast_kind(const TensorRecord& t);
  const StorageRecord* storage(const TensorRecord& t, bool negate);
  const Origin* call(const TensorRecord& t, const TensorRecord& cast, const TensorRecord* base);
  Ref only_neg();
  Ref callee(std::uint16_t known, std::string_view module, std::string_view name);

  const DType to_;
  const bool lossy_;
  std::shared_ptr<CastMemory> memory_ = std::make_shared<CastMemory>();
  std::unordered_map<const TensorRecord*, const TensorRecord*> done_;
  std::vector<CastReport::Kept> kept_;
  std::uint64_t changed_ = 0;
  struct As {  // how a storage's bytes are read
    DType dtype;
    bool swap, negate;
    auto operator<=>(const As&) const = default;
  };
  std::map<std::pair<const StorageRecord*, As>, const StorageRecord*> storages_;
};

}  // namespace brine
