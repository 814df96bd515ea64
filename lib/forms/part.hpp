// SPDX-License-Identifier: MIT
// Which part of the caller's source is the checkpoint: LoadOptions::offset and length, then a member of the zip there.
#pragma once

#include <brine/load_options.hpp>

#include "archive/archive.hpp"
#include "support/budget.hpp"

#include <memory>
#include <optional>
#include <string>

namespace brine {

struct Part {
  Source source;                        ///< its name says what of the caller's it is: "m.zip, member policy.pth"
  std::uint64_t whole;                  ///< bytes of the caller's source
  std::optional<std::uint64_t> offset;  ///< of its first byte in the caller's source; nothing: it was inflated
  std::shared_ptr<const Archive> zip = {};  ///< that the member is in
  const ZipEntry* entry = nullptr;          ///< the member there; a stored one's CRC was not compared yet

  /// The command's options that open [from, to) of this part: "--offset 100 --length 20"; empty where there are none.
  std::string options(std::uint64_t from, std::uint64_t to) const;
};

/// Fails with: usage (out_of_range, missing_key), limit; with a member: as ZipDirectory::read and Archive::read do.
Result<Part> choose_part(Source source, const LoadOptions& options, Budget& inflated);

}  // namespace brine
