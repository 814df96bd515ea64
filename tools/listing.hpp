// SPDX-License-Identifier: MIT
// What `ls` lists of one file: the rows, their order, and the totals.
#pragma once

#include "common.hpp"

#include <optional>
#include <vector>

namespace tool {

struct Listing {
  struct Row {
    std::string_view name;
    brine::Tensor tensor;
    std::optional<std::uint32_t> crc = {};
  };
  struct ArrayRow {
    std::string_view name;
    brine::Value value;
  };
  brine::Checkpoint checkpoint;
  std::optional<brine::StateDict> state;  // else everything
  std::string at;
  std::vector<Row> rows;
  std::vector<ArrayRow> arrays;                                  // of everything
  std::vector<std::pair<std::string_view, brine::Value>> others; // of a state dict: what is no tensor
  std::vector<brine::Note> notes;

  // What the rows' names borrow from.
  std::vector<brine::TensorAt> tensors_at;
  std::vector<brine::ArrayAt> arrays_at;

  /// The file's state dict (`all`: everything in it) at the place that `common` names. Fails with: what load() and state_dict() do; usage (missing_key).
  static brine::Result<Listing> of(const brine::Checkpoint& checkpoint, const std::string& at, bool all);

  /// Leaves what matches one of the globs. Fails with: usage (missing_key: one of them matches nothing).
  brine::Result<void> keep(const std::vector<std::string>& globs);
  /// "name", "size" (the largest first) or "dtype"; else the file's order stays.
  void sort(const std::string& by);
  /// Fills in the CRCs of all rows. Fails as crc_of().
  brine::Result<void> compute_crcs(bool mapped);
};

struct Totals {
  std::uint64_t tensors = 0, elements = 0, bytes = 0;  // bytes: of the tensors, or of the storages they share
  std::size_t storages = 0;
};
/// Each storage counts once.
Totals totals_of(const Listing& listing);
/// By the first `depth` parts of the names, in their order; bytes are the tensors' own.
std::vector<std::pair<std::string_view, Totals>> totals_by_prefix(const Listing& listing, std::size_t depth);

}  // namespace tool
