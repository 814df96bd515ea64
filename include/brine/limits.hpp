// SPDX-License-Identifier: MIT
// Limits: every bound brine sets to what a file may ask for. The defaults open every honest file; there is no "0 means unlimited".
#pragma once

#include <cstddef>
#include <cstdint>

namespace brine {

struct Limits {
  /// Records of one archive. Stops directories made to exhaust memory (a directory entry is 46 bytes, its index about 80).
  std::uint64_t records = 4'000'000;

  /// Bytes of one pickle. Stops pickles that a 4 GiB string length or a deflated record would blow up.
  std::uint64_t pickle_bytes = std::uint64_t{2} << 30;

  /// Memory for the object graph, bytes: `metadata_factor` × pickle bytes + `metadata_base`. Stops opcodes of one byte that make
  /// large nodes. Nodes and memo entries are bounded by the pickle's bytes as well.
  std::uint64_t metadata_factor = 64;
  std::uint64_t metadata_base = std::uint64_t{1} << 20;

  /// Of a deflated pickle: it may be so many times its packed bytes, and 8 × `metadata_base`; and what other limits multiply are its packed bytes, and
  /// an eighth of `metadata_base`. Pickles of tensors deflate to a fifth. Stops 20 kB that would become gigabytes.
  std::uint64_t pickle_ratio = 64;

  /// The state dict of a whole model, in which shared modules are met under each of their names, may take as much again + 15 × `metadata_base`.
  /// Bytes of its names, in all: `names_factor` × pickle bytes + 4 × `metadata_base`. Stops modules in modules, or many parameters, under one
  /// long name: the pickle has it once, the state dict in each name.
  std::uint64_t names_factor = 8;

  /// Bytes inflated from deflated records, passed over in them to read a part, or fetched from a source that is not in memory, for one checkpoint. Stops zip bombs.
  std::uint64_t inflated_bytes = std::uint64_t{64} << 30;

  /// Inflated : packed of one record; deflate itself cannot exceed 1032. Stops a declared size that the data cannot have.
  std::uint64_t inflate_ratio = 1032;

  /// Dimensions of a tensor; PyTorch's own kernels stop at 64.
  std::uint64_t dimensions = 64;

  /// Bytes of a storage's location ("cpu", "cuda:0"). Stops one long text that is printed, or written, for each of very many tensors.
  std::uint64_t device_bytes = 255;

  /// Bytes of one copy out of a view. Stops views of stride 0: 24 bytes of storage can claim to be exabytes.
  std::uint64_t copy_bytes = std::uint64_t{64} << 30;

  /// Depth and nodes of a printed tree. Stop nested and shared containers that print as exponentially many lines.
  std::uint64_t print_depth = 1'000;
  std::uint64_t print_nodes = 10'000'000;

  /// Bytes of a text that brine makes of a tree, or of a model: `text_factor` × pickle bytes + 1 MiB. Stops long keys, and deep indentation, of
  /// very many small values.
  std::uint64_t text_factor = 24;
};

}  // namespace brine
