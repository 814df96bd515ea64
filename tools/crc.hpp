// SPDX-License-Identifier: MIT
// CRC-32 of elements, in pieces: what is listed may be larger than memory, and a view that repeats one element may claim to be exabytes.
#pragma once

#include <brine/brine.hpp>

#include <cstdint>
#include <optional>

namespace tool {

/// Over the elements, row-major and little-endian; nothing where there are no plain elements (quint4x2, quint2x4). `mapped`: the file's bytes are in
/// memory. What dimensions of stride 0 repeat is read once. Fails with: limit (a view that overlaps itself more than 16 times), and as copy_part.
brine::Result<std::optional<std::uint32_t>> crc_of(const brine::Tensor& tensor, bool mapped);

/// Over the elements, row-major, in the array's own byte order; nothing for arrays of objects.
std::optional<std::uint32_t> crc_of(const brine::Array& array);

}  // namespace tool
