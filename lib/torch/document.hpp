// SPDX-License-Identifier: MIT
// Document: one pickle run into a graph, with all that the run needs and leaves. A zip has one, a legacy stream five.
#pragma once

#include "bytes/bytes.hpp"
#include "support/notes.hpp"
#include "torch/torch_calls.hpp"

#include <string>

namespace brine {

/// A pickle of a file.
struct PickleAt {
  std::string record;  ///< "archive/data.pkl"; in a stream "object pickle at byte 137"
  Bytes bytes;         ///< exactly up to STOP in a stream; the whole record in an archive
  std::uint64_t packed = UINT64_MAX;  ///< of a deflated record

  /// Its bytes as limits count them, see Limits::pickle_ratio.
  std::uint64_t counted(const Limits& limits) const noexcept {
    const std::uint64_t base = limits.metadata_base / 8, size = bytes.span.size();
    return size <= base || size - base <= packed ? size : packed + base;
  }
};

class Document {
 public:
  /// `limits` and `ids` are borrowed.
  Document(PickleAt from, const Limits& limits, const PersistentIds& ids);

  /// Runs the pickle, once. Nothing may follow its STOP. `policy` may be null. Fails with: as Machine::run, in the record.
  Result<void> run(const Policy* policy = nullptr);

  // In the order in which they are needed, so destroyed in the other: the graph's texts lie in the pickle, its tensors name storages.
  const PickleAt pickle;
  const Limits& limits;
  const PersistentIds& ids;
  Budget budget;  ///< of what is kept for the tree
  Notes notes;
  Storages storages;
  TorchCalls calls;
  Graph graph;
  Ref root;
  int protocol = 0;
};

}  // namespace brine
