// SPDX-License-Identifier: MIT
// Compares tensors and storages by their bytes, in pieces.
#pragma once

#include <brine/diff.hpp>

#include "support/pointer_map.hpp"
#include "tensor/record.hpp"

#include <vector>

namespace brine {

class TensorComparer {
 public:
  explicit TensorComparer(const DiffOptions& options) : options_(options) {}

  /// Fails with: io, corrupt, limit.
  Result<TensorDifference> compare(const Tensor& a, const Tensor& b);
  /// The same of tensors that may be gone before the comparer is: remembers nothing.
  Result<TensorDifference> compare_once(const Tensor& a, const Tensor& b);
  /// Looks at no element.
  static TensorDifference compare_attributes(const Tensor& a, const Tensor& b);
  /// Are these bytes of the two storages the same?
  Result<bool> same_bytes(const Storage& a, const Storage& b, std::uint64_t first, std::uint64_t size);

  /// Equal, or within the tolerance.
  bool is_equal(const TensorDifference& d) const noexcept {
    return d.equal_bits || (d.same_dtype && d.same_shape && d.largest_difference && !d.nan_differs && *d.largest_difference <= options_.tolerance);
  }

 private:
  Result<TensorDifference> compare_values(const Tensor& a, const Tensor& b, TensorDifference out);
  Result<TensorDifference> compare_kinds(const Tensor& a, const Tensor& b, TensorDifference out);
  Result<void> compare_elements(const Tensor& a, const Tensor& b, std::uint64_t each, TensorDifference& out);
  void advance(std::uint64_t bytes);
  /// Bytes of a storage that are looked at: views of one can overlap, and there can be many.
  Result<void> charge(const StorageRecord& storage, std::uint64_t bytes);

  /// Bytes of a pair of storages that are known to be the same: views of one storage are many, and may overlap.
  struct Known {
    const StorageRecord *a, *b;
    std::uint64_t first, end;
  };
  /// What was found of a pair of tensors; they can have many names. By a's dims, which are its own.
  struct Found {
    TensorRecord a, b;
    TensorDifference difference;
  };
  const DiffOptions& options_;
  PointerMap found_of_;
  std::vector<Found> found_;
  PointerMap met_;
  std::uint64_t read_ = 0, max_ = std::uint64_t{64} << 20;
  PointerMap known_of_;
  std::vector<Known> known_;
  std::vector<std::byte> left_, right_;
  std::uint64_t done_ = 0;
};

}  // namespace brine
