// SPDX-License-Identifier: MIT
// Why a file could not be read, where its bytes say more than the fault that was met first: it was transferred as text, or a checkpoint is only a part
// of it. Looks at search_reach() bytes of it.
#pragma once

#include "forms/part.hpp"

#include <string>

namespace brine {

/// The fault, or that the file was transferred as text.
Error explain_damage(const Source& source, Error fault);

/// The fault, or where in the file there are checkpoints, and which options open them.
Error explain_around(const Part& part, Error fault);

/// Why there is no checkpoint though the file starts like a pickle, which ends at `end` (0: nowhere): what it is instead. The fault, where that is io or limit.
Error explain_pickle(const Part& part, Error fault, std::uint64_t end);

/// What stands at byte `at`, if it is a checkpoint: "a zip archive", "a checkpoint in the old format"; else nothing. `end`: where it ends at the latest.
std::string_view checkpoint_at(const Source& source, std::uint64_t at, std::uint64_t end);

}  // namespace brine
