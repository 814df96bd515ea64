// SPDX-License-Identifier: MIT
// Text from strangers: how a name, a path or a string of a file may stand on a terminal or in a log.
#pragma once

#include <brine/export.hpp>

#include <string>
#include <string_view>

namespace brine {

/// The text with control characters, DEL, C1 controls, bidirectional and line-separator controls as \uNNNN (those of one byte \xNN), and
/// bytes that are not UTF-8 as \xNN. All of it; a backslash stays single, so that what was escaped before stays as it is.
BRINE_API std::string printable(std::string_view text);

}  // namespace brine
