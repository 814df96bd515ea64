// SPDX-License-Identifier: MIT
// The mirror of form_zip: a pickle and its storages as the records of a torch.save archive, in a profile's order.
#pragma once

#include <brine/save.hpp>

#include "torch/reduce.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace brine {

/// Writes the archive. `options.root` is set. Fails with: io, usage, and as the storages' bytes do.
Result<void> write_zip(Sink& sink, std::string_view pickle, WrittenStorages storages, const SaveOptions& options);

/// About how many bytes that will be, for the disk's sake.
std::uint64_t zip_size(std::string_view pickle, const WrittenStorages& storages) noexcept;

}  // namespace brine
