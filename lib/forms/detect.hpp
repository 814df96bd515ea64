// SPDX-License-Identifier: MIT
// What kind of file is this? By content, never by name.
#pragma once

#include <brine/source.hpp>

#include <string_view>

namespace brine {

enum class FileFormat : std::uint8_t {
  zip,        ///< "PK\3\4": torch.save since 1.6, TorchScript, and any other zip
  pickle,     ///< starts like a pickle, of any protocol: the legacy stream, or a plain pickle (torch/ tells them apart)
  tar,        ///< torch.save up to 0.1.9: a tar whose first member is sys_info, pickle, storages or tensors
  other,      ///< `what` names it
};

struct Detected {
  FileFormat format;
  std::string_view what;    ///< for `other`: "a GGUF model", "a git-lfs pointer, not the file itself" …
  std::string_view advice;  ///< for `other`: what to do instead, or empty
  bool sure = true;         ///< for `other`: false when it may well be a checkpoint with other bytes in front
};

/// Looks at no more than the first and the last few kilobytes. Fails with: io; not_a_checkpoint (empty file).
Result<Detected> detect(const Source& source);

}  // namespace brine
