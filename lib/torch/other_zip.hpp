// SPDX-License-Identifier: MIT
// What a sound zip is that is no checkpoint itself, in words: its kind, the checkpoints it holds, and what to do with it.
#pragma once

#include "archive/archive.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace brine {

/// Nothing where the zip has a data.pkl in its one top folder, and nothing that says it is of another kind. Looks at names, and at the first bytes of
/// members that may be checkpoints. Requires: the archive was opened with ZipFolders::any.
std::optional<Error> other_zip(const Archive& archive);

/// The members' names for a message, those that hold checkpoints first: "policy.pth, data and 3 more".
std::string member_list(const Archive& archive);

/// The first 15 bytes of every legacy stream of today's making: the pickle of PyTorch's magic number.
inline constexpr std::string_view kMagicPickle("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E", 15);

}  // namespace brine
