// SPDX-License-Identifier: MIT
// Names of records: what rule 7 allows, and comparing without regard to ASCII case.
#pragma once

#include <brine/result.hpp>

#include <cstdint>
#include <string_view>

namespace brine {

/// One name: non-empty, UTF-8, no NUL, no backslash, no leading slash, no component that is empty, "." or ".."; a trailing slash is
/// allowed (a directory entry). `offset` is the name's place in the file. Fails with: corrupt (zip_name).
Result<void> check_zip_name(std::string_view name, std::uint64_t offset);

/// A keyed hash that is equal for names that differ in ASCII case only.
std::uint64_t hash_folded(std::string_view name, std::uint64_t seed) noexcept;

/// Equal under ASCII case folding?
bool equal_folded(std::string_view a, std::string_view b) noexcept;

}  // namespace brine
