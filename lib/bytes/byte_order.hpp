// SPDX-License-Identifier: MIT
// The one place that asks for this machine's byte order. Numbers of a file go through cursor.hpp and buffer.hpp, which need not ask.
#pragma once

#include <boost/endian/conversion.hpp>

namespace brine {

inline constexpr bool kBigEndianMachine = boost::endian::order::native == boost::endian::order::big;

}  // namespace brine
