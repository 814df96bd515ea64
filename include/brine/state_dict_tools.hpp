// SPDX-License-Identifier: MIT
// What one does with state dicts beside loading them: compare two, rename keys by pattern.
#pragma once

#include <brine/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace brine {

/// How two state dicts differ.
struct StateDiff {
  struct Entry {
    std::string name = {};
    const Tensor* a = nullptr;  ///< borrowed from the state dicts; null for a value that is no tensor
    const Tensor* b = nullptr;
    bool same_dtype = true, same_shape = true;
    bool equal_bits = true;     ///< same dtype and shape, and every element the same bits
    /// The values differ, and by at most this: of numbers of the same shape, compared as float64. NaN against NaN is no difference, against
    /// a number infinity. Unset where they cannot be compared, or were not to be.
    std::optional<double> largest_difference = {};
    std::uint64_t differing = 0;  ///< elements whose values differ
  };
  std::vector<std::string> only_in_a, only_in_b;  ///< each in its own order
  std::vector<Entry> differing;                   ///< of the keys both have, those that differ, in the order of a
  std::size_t compared = 0;                       ///< keys that both have
  bool same_order = true;                         ///< the keys that both have stand in the same order

  /// Same keys, dtypes, shapes and bits; order does not count.
  bool equal() const noexcept { return only_in_a.empty() && only_in_b.empty() && differing.empty(); }
};

/// Compares by name. `values` false looks at names, dtypes and shapes only. Values that are no tensors count by name and kind, not by
/// content. The Tensor pointers of the result borrow from `a` and `b`. Fails with: io, corrupt, limit, as Tensor::copy_to(); the path names
/// the entry.
BRINE_API Result<StateDiff> diff(const StateDict& a, const StateDict& b, bool values = true);

/// What remap_keys did.
struct RemapReport {
  struct Renamed {
    std::string from, to;
  };
  std::vector<Renamed> renamed;      ///< in the order of the state dict
  std::vector<std::size_t> matches;  ///< names that each rule changed
};

/// Renames keys by rules "s/old/new/", tried in order, each on what the ones before left; any character may stand for the slash.
/// The first place where `old` matches is replaced. In `old`, ^ at the start and $ at the end hold it to the ends of the name, * is any
/// text without a dot, ** any text, as little as will do; all other characters are themselves. In `new`, \1 to \9 are what the stars
/// matched.
///   s/^module.//     s/^encoder.layer.*.attn./blocks.\1.attention./     s/.gamma$/.weight/
/// Names keep their places; `_metadata` follows where a rule matches a module's name and its dot.
/// Fails with: usage — bad_argument (a rule that is none; two keys would have one name). Then nothing is changed.
BRINE_API Result<RemapReport> remap_keys(StateDict& state, std::span<const std::string> rules);

}  // namespace brine
