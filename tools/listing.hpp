// SPDX-License-Identifier: MIT
// What `ls` lists of one file: the rows, their order, and the totals.
#pragma once

#include "messages.hpp"
#include "output.hpp"

#include <deque>
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
    std::optional<std::uint32_t> crc = {};
  };
  brine::Checkpoint checkpoint;
  std::optional<brine::StateDict> state;  // else everything
  std::string at;
  std::vector<Row> rows;
  std::vector<ArrayRow> arrays;                                  // of everything
  std::vector<std::pair<std::string_view, brine::Value>> others; // of a state dict: what is no tensor
  std::vector<brine::Note> notes;
  bool root_is_tensor = false;  // of everything: the name "" is the root's, which is no container

  /// What the rows' names borrow from where everything is listed. Without their middles where they would have far more bytes than the file,
  /// which names once what stands on the way to many.
  std::deque<std::string> paths;
  bool whole_paths = true;

  /// The file's state dict (`all`: everything in it) at the place that `common` names. Fails with: what load() and state_dict() do; usage (missing_key).
  static brine::Result<Listing> of(const brine::Checkpoint& checkpoint, const std::string& at, bool all);

  /// Leaves what matches one of the globs. Fails with: usage (missing_key: one of them matches nothing).
  brine::Result<void> keep(const std::vector<std::string>& globs);
  /// "name", "size" (the largest first) or "dtype"; else the file's order stays.
  void sort(const std::string& by);
  /// Fills in the CRCs of all rows, and of the arrays that have one. Fails as crc_of().
  brine::Result<void> compute_crcs(bool mapped);
};

/// The paths of what was found, in order, as Listing::paths holds them; are they whole?
template <class At>
bool spell_paths(const brine::Checkpoint& checkpoint, const std::vector<At>& found, std::deque<std::string>& out) {
  std::uint64_t size = 0;
  for (const At& at : found) size += at.path_size();
  const bool whole = size <= most_output(checkpoint);
  for (const At& at : found) out.push_back(whole ? at.full_path() : at.path(64));
  return whole;
}

struct Totals {
  std::uint64_t tensors = 0, elements = 0, bytes = 0;  // bytes: of the tensors, or of the storages they share
  std::size_t storages = 0;
};
/// Each storage counts once.
Totals totals_of(const Listing& listing);
/// By the first `depth` parts of the names, in their order; bytes are the tensors' own.
std::vector<std::pair<std::string_view, Totals>> totals_by_prefix(const Listing& listing, std::size_t depth);

}  // namespace tool
