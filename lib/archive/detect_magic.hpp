// SPDX-License-Identifier: MIT
// Files that are no checkpoint: how to know them, what to call them, and what to advise.
#pragma once

#include <string_view>

namespace brine {

struct Magic {
  std::string_view bytes;
  std::size_t offset;
  std::string_view what, advice;
};

/// The table's entry that fits the beginning of a file, or null.
const Magic* find_magic(std::string_view start) noexcept;

/// By form, for files without fixed bytes at a fixed place; null where nothing is known. `size` is the whole file's.
const Magic* find_by_form(std::string_view start, unsigned long long size) noexcept;

}  // namespace brine
