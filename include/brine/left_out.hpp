// SPDX-License-Identifier: MIT
// LeftOut: what an edit takes away, in few words.
#pragma once

#include <brine/export.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

/// A place that is left out: "optimizer", or with a star at the end all that begins so: "head.*".
struct LeftOut {
  std::string path;          ///< printable, and cut where it is long
  std::size_t tensors = 0;   ///< at all places in it
  bool is_tensor = false;    ///< it is one itself
};

/// The first of them, those with tensors before all others, each in the order of the file.
struct LeftOutList {
  std::vector<LeftOut> places;
  std::size_t more = 0, more_tensors = 0;  ///< places that follow, and the tensors in them
};

/// A name of a dict; `tensors` and `is_tensor` are as above.
struct NameFate {
  std::string_view name;
  bool gone = false;
  std::size_t tensors = 0;
  bool is_tensor = false;
};
/// The names that are gone, by the shortest that say it: "head.*" where several of them, and no other name, begin with "head.". At most `max`.
BRINE_API LeftOutList left_out(std::span<const NameFate> names, std::size_t max);

}  // namespace brine
