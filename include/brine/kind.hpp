// SPDX-License-Identifier: MIT
// Kind: what a value of the object tree is.
#pragma once

#include <brine/export.hpp>

#include <cstdint>
#include <string_view>

namespace brine {

/// What a pickled object is. OrderedDict, defaultdict and Counter are dicts; deque is a list; torch.Size, device and layout are tuples.
enum class Kind : std::uint8_t {
  absent, none, boolean, integer, floating, complex, string, bytes, bytearray, list, tuple, dict, set, frozenset,
  global,   ///< a class or function, by name; dtypes too (torch.float32)
  storage,  ///< a bare storage
  tensor,
  object,   ///< anything else: kept as callee, arguments and state; never run
};
BRINE_API std::string_view name(Kind kind) noexcept;  ///< Python's word: "dict", "str", "NoneType", …

struct GlobalName {
  std::string_view module, name;  ///< Python 3 names: "collections", "OrderedDict"
};

}  // namespace brine
