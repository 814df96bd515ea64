// SPDX-License-Identifier: MIT
// The shortest names that say which names of a dict are gone.
#pragma once

#include <brine/left_out.hpp>

#include <cstdint>

namespace brine {

/// Names that are gone and told as one.
struct GoneTogether {
  std::size_t first;        // its number
  std::size_t prefix = 0;   // bytes of its name that all share; 0: it is alone
  std::size_t tensors = 0;
  bool is_tensor = false;   // alone, and one itself
};
/// In the order of their first names. Takes the time of sorting; long names are told by themselves.
std::vector<GoneTogether> gone_together(std::span<const NameFate> names);

/// The numbers of the first `max`, those with tensors before the others; `out` is told what follows.
std::vector<std::size_t> choose_left_out(std::span<const GoneTogether> all, std::size_t max, LeftOutList& out);

}  // namespace brine
