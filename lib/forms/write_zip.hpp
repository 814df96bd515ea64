// SPDX-License-Identifier: MIT
// The mirror of form_zip: a pickle and its storages as the records of a torch.save archive, in a profile's order.
#pragma once

#include <brine/save_options.hpp>
#include <brine/sink.hpp>

#include "torch/reduce.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace brine {

/// Writes the archive. `options.root` is set. Fails with: io, usage, and as the storages' bytes do.
Result<void> write_zip(Sink& sink, std::string_view pickle, WrittenStorages storages, const SaveOptions& options);

/// About how many bytes that will be, for the disk's sake.
std::uint64_t zip_size(std::string_view pickle, const WrittenStorages& storages) noexcept;

/// The root PyTorch gives an archive that is saved to this path: the file's name without its last extension, or "archive" where the path
/// is not ASCII. Empty where PyTorch refuses the path (".pt"); ZipWriter refuses an empty root.
std::string archive_root(std::string_view path);

}  // namespace brine
