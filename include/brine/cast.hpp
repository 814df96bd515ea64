// SPDX-License-Identifier: MIT
// What StateDict::cast() and Edits::cast() are asked, and what they tell.
#pragma once

#include <brine/export.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

/// What a cast has cost. A handle: all copies count the same. Values are converted, and counted, when they are saved or copied out; each once, however
/// often they are read from the start, so that it is complete when save() is done. Values count that no tensor views, but their storage has.
class BRINE_API CastReport {
 public:
  struct Counts;
  CastReport();
  std::uint64_t values() const noexcept;    ///< converted in all
  std::uint64_t infinite() const noexcept;  ///< finite before, and now infinite; or now NaN, where the type has no infinity
  std::uint64_t zero() const noexcept;      ///< now 0, and not before: too small, or NaN as an integer
  std::uint64_t clamped() const noexcept;   ///< now the largest or least number of the type, infinities too: float8_e4m3fn, integers

  // As soon as cast() is done:
  std::uint64_t tensors() const noexcept;   ///< that change their dtype
  /// Weights that stay as they are and are no integers: of one kind, "complex" or what kept_tensor_kind() says.
  struct Kept {
    std::string_view kind;
    std::uint64_t count = 0;
    std::vector<std::string> names;         ///< the first 20, long ones cut
  };
  std::vector<Kept> kept() const;

  Counts* counts() const noexcept { return counts_.get(); }  ///< the library's own

 private:
  std::shared_ptr<Counts> counts_;
};

struct CastOptions {
  std::string glob = "*";  ///< which names
  bool everywhere = false; ///< of Edits::cast(): every tensor below the place, and not its weights alone; names are paths from there
  bool lossy = false;      ///< floats to integers too, and complex numbers to their real parts
  CastReport report = {};  ///< where to ask afterwards
};

}  // namespace brine
