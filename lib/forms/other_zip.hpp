// SPDX-License-Identifier: MIT
// What a sound zip is that is not a checkpoint itself, in words: its kind, the checkpoints it holds, and what to do with it.
#pragma once

#include "archive/archive.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace brine {

/// A zip that the strict directory refuses, though what it is called by shows that it is none of PyTorch's: an app with a signature between its records,
/// a document with comments. Nothing where it may be a checkpoint.
std::optional<Error> other_zip_by_names(const Source& source);

/// Nothing where the zip has a data.pkl in its one top folder, and nothing that says it is of another kind. Looks at names, and at the first bytes of
/// members that may be checkpoints. Requires: the archive was opened with ZipFolders::any.
std::optional<Error> other_zip(const Archive& archive);

/// The members' names for a message, those that hold checkpoints first: "policy.pth, data and 3 more".
std::string member_list(const Archive& archive);

/// Where in the bytes, from `from` on, the next legacy stream begins (with the pickle of PyTorch's magic number, of protocol 2 to 5), or npos.
std::size_t find_stream(std::string_view bytes, std::size_t from = 0) noexcept;
inline constexpr std::size_t kStreamStart = 24;  ///< bytes by which a stream is known

}  // namespace brine
