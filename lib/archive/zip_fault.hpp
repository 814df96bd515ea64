// SPDX-License-Identifier: MIT
// How the zip reader words its errors: kind, code, the offset of the faulty field in the file, one sentence with expected and found.
#pragma once

#include <brine/error.hpp>

#include "support/text.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace brine {

/// An archive that is damaged, or that two readers could read differently.
[[gnu::cold]] Error zip_fault(ErrorCode code, std::uint64_t offset, std::string text);

/// The same of one record: the text begins with its quoted name.
[[gnu::cold]] Error zip_fault(ErrorCode code, std::uint64_t offset, std::string_view record, std::string_view text);

/// A field with the wrong number: "the end record says 3 entries, the zip64 end record says 4".
[[gnu::cold]] Error zip_mismatch(ErrorCode code, std::uint64_t offset, std::string_view record, std::string_view field, std::uint64_t found,
                                 std::string_view other, std::uint64_t expected);

}  // namespace brine
