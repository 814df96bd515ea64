// SPDX-License-Identifier: MIT
// The content of .data/serialization_id: 40 digits that PyTorch makes of the records' names and CRCs, and that no reader needs.
//
// The first half depends on the order in which the C++ library of the program that wrote the file walks a hash set; it is made here as
// libstdc++ (Linux) makes it on any machine.
#pragma once

#include "archive/zip_writer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace brine {

/// PyTorch's hash_combine.
constexpr std::uint64_t combine_hashes(std::uint64_t seed, std::uint64_t value) noexcept {
  return seed ^ (value + 0x9E3779B9 + (seed << 6) + (seed >> 2));
}
/// std::hash<std::string> of libstdc++ with 64 bits.
std::uint64_t libstdcxx_hash(std::string_view text) noexcept;
/// The hashes of distinct names, given in order of insertion, combined in the order in which libstdc++'s unordered_set iterates.
std::uint64_t combined_name_hashes(std::span<const std::uint64_t> hashes);

/// What the record holds if it is written now; `first_half`, 20 digits, replaces the first half.
std::string serialization_id(const ZipWriter& zip, std::string_view first_half = {});

}  // namespace brine
