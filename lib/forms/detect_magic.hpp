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

/// By form, for files without fixed bytes at a fixed place; null where nothing is known.
const Magic* find_by_form(std::string_view start) noexcept;

/// Any text: what find_by_form() says of a file that is nothing better.
extern const Magic kText;

/// safetensors begin with the length of their header, which may be the first bytes of any other format. `size` is the whole file's.
extern const Magic kSafetensors;
bool is_safetensors(std::string_view start, unsigned long long size) noexcept;

}  // namespace brine
