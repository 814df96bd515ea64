// SPDX-License-Identifier: MIT
// Turns elements of the other byte order into the machine's, or back.
#pragma once

#include <brine/dtype.hpp>

#include <span>

namespace brine {

/// Reverses the bytes of each element in place, of each part where it is complex; one-byte elements stay.
/// Of any alignment. Bytes after the last whole element stay as they are.
void swap_bytes(DType dtype, std::span<std::byte> elements) noexcept;

}  // namespace brine
