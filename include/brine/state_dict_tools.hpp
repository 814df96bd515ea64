// SPDX-License-Identifier: MIT
// What one does with state dicts beside loading them: rename keys by pattern, tell the kinds of other values; diff.hpp compares two.
#pragma once

#include <brine/state_dict.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

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
/// s/^module.//     s/^encoder.layer.*.attn./blocks.\1.attention./     s/.gamma$/.weight/
/// Names keep their places; `_metadata` follows where a rule matches a module's name and its dot.
/// Fails with: usage — bad_argument (a rule that is none; two keys would have one name). Then nothing is changed.
BRINE_API Result<RemapReport> remap_keys(StateDict& state, std::span<const std::string> rules);

/// Of one of StateDict::others(): which kind of tensor it is, or in short holds, that is none of the state dict's own: "quantized" (in a packed weight),
/// "nested" (jagged), "distributed" (a DTensor), "uninitialized", "other"; empty where it is none.
BRINE_API std::string_view kept_tensor_kind(const Value& value);

}  // namespace brine
