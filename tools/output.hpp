// SPDX-License-Identifier: MIT
// Text on standard output that a file cannot make longer than 24 times what was read, and 1 MiB: names and shapes that it has once can stand in very
// many lines.
#pragma once

#include <brine/brine.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// Bytes that may be printed of it.
std::uint64_t most_output(const brine::Checkpoint& ckpt);

class Output {
 public:
  explicit Output(std::uint64_t max) : max_(max - std::min(max, kEnd)) {}

  /// False when no more is taken: the bound is reached, which a line says then, or standard output is closed.
  bool add(std::string_view text);
  /// What comes last, whatever came before. False, after a message, when standard output did not take everything.
  bool close(std::string_view text = {});

 private:
  static constexpr std::uint64_t kEnd = 1 << 16;  // for what comes last
  bool flush(bool last);
  std::uint64_t max_;
  std::string out_;
  bool ok_ = true, full_ = false;
};

using Cells = std::vector<std::string>;

/// Columns as wide as their cells, up to a cap: what is longer shifts its own line only. `row` is asked twice for each of the rows; the cells of the
/// columns that are 'r' in `right` stand to the right.
void add_table(Output& out, std::size_t rows, const std::function<Cells(std::size_t)>& row, std::string_view right);

}  // namespace tool
