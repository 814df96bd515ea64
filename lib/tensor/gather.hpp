// SPDX-License-Identifier: MIT
// Gathers a range of a view's elements, in row-major order, from wherever its storage is.
#pragma once

#include "tensor/record.hpp"

#include <span>

namespace brine {

/// Fills `out` with the elements from number `first` on, as the storage has them. Holds no more than a window of 4 MiB of a storage that is
/// not in memory. Requires: a strided tensor, and the elements exist. Fails as Storage::read() does.
Result<void> gather(const TensorRecord& tensor, const Storage& storage, std::int64_t first, std::span<std::byte> out);

}  // namespace brine
