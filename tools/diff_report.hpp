// SPDX-License-Identifier: MIT
// What brine diff prints: a line for each difference, what was compared, and last what differs; or the same as JSON.
#pragma once

#include <brine/diff.hpp>

#include <cstdint>
#include <string>

namespace tool {

struct DiffReport {
  const brine::CheckpointDiff& found;
  bool equal;
  bool weights_only;           ///< then `found.weights` is all that was compared
  bool elements;               ///< of tensors; else only names, dtypes and shapes
  std::string root;            ///< the place that was compared; "": all
  std::string equal_text;      ///< "equal", "equal within the tolerance"

  /// At most so many bytes (Output). False, after a message, when standard output does not take it.
  bool print(std::uint64_t max) const;
  /// False also when it would have more than `max` bytes, which is said.
  bool print_json(const std::string& file_a, const std::string& file_b, std::uint64_t max) const;
};

}  // namespace tool
