// SPDX-License-Identifier: MIT
// Classes that are none of Python's own. The graph knows them by number; what they are called stands in the tables that torch/classes.cpp gives.
#pragma once

#include "graph/node.hpp"

#include <string_view>

namespace brine {

struct ClassWords {
  std::string_view module, name;
};

/// Of what made a tuple or an object, Made::size to Made::array; empty for others.
ClassWords words_of(Made made) noexcept;
/// Of a tensor, by its tag; of a storage; of a global that is a value.
ClassWords tensor_words(std::uint16_t tag) noexcept;
extern const ClassWords kStorageWords, kValueWords;
/// What the repr of a global that is a value begins with, before its name.
extern const std::string_view kValueModule;

}  // namespace brine
