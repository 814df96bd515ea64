// SPDX-License-Identifier: MIT
// Was a binary file transferred as text? Asked once reading it has failed.
#pragma once

#include <brine/source.hpp>

#include <string_view>

namespace brine {

/// What became of the bytes ("every LF became CR LF"), or nothing. Looks at the file's beginning and end; where a zip's directory tells how many bytes
/// were lost or won, also at what is before it (search_reach()).
std::string_view text_damage(const Source& source);

/// Of a file from which bytes are missing, where text_damage() is not sure: could they be CRs? It has next to no CR LF, and LFs enough.
bool may_lack_cr(const Source& source, std::uint64_t missing);

/// text_damage() by the first bytes of a file that begins neither like a zip nor like a pickle any more.
std::string_view text_damage_of_start(std::string_view start) noexcept;

}  // namespace brine
