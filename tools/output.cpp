// SPDX-License-Identifier: MIT
#include "output.hpp"

#include "messages.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tool {

std::uint64_t most_output(const brine::Checkpoint& ckpt) {
  return 24 * ckpt.end_offset() + (std::uint64_t{1} << 20);
}

bool Output::flush(bool last) {
  if (last || out_.size() > 1 << 16) ok_ = ok_ && write_out(std::exchange(out_, {}), last);
  return ok_;
}

bool Output::add(std::string_view text) {
  if (full_ || !ok_) return false;
  if (text.size() > max_) {
    full_ = true;
    out_ += "… (the rest is left out: it would be more than 24 times what was read)\n";
    return false;
  }
  max_ -= text.size();
  out_ += text;
  return flush(false);
}

bool Output::close(std::string_view text) {
  out_ += text;
  return flush(true);
}

void add_table(Output& out, std::size_t rows, const std::function<Cells(std::size_t)>& row, std::string_view right) {
  constexpr std::size_t widest = 60;
  std::array<std::size_t, 8> width{};
  for (std::size_t r = 0; r < rows; ++r) {
    const Cells cells = row(r);
    for (std::size_t c = 0; c < cells.size(); ++c)
      if (const std::size_t w = columns(cells[c]); w <= widest) width[c] = std::max(width[c], w);
  }
  std::string line;
  for (std::size_t r = 0; r < rows; ++r) {
    const Cells cells = row(r);
    line.clear();
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::size_t w = columns(cells[c]);
      const std::string pad(w < width[c] ? width[c] - w : 0, ' ');
      const bool to_right = c < right.size() && right[c] == 'r';
      line += (c ? "  " : "") + (to_right ? pad + cells[c] : cells[c] + (c + 1 < cells.size() ? pad : ""));
    }
    if (!out.add(line += '\n')) return;
  }
}

}  // namespace tool
