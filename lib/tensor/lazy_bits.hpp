// SPDX-License-Identifier: MIT
// The bits of a tensor that negate or conjugate its elements when they are read.
#pragma once

#include <brine/dtype.hpp>

#include <cstddef>
#include <span>

namespace brine {

/// Can elements of this dtype be negated? PyTorch's "neg_cpu" is not implemented for the others.
bool can_be_negative(DType dtype) noexcept;

/// Turns the signs that the bits say, in place; the elements are in the machine's byte order. Bytes after the last whole element stay.
/// Requires: can_be_negative() where `neg`.
void resolve_bits(DType dtype, bool conj, bool neg, std::span<std::byte> elements) noexcept;

}  // namespace brine
