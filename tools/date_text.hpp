// SPDX-License-Identifier: MIT
// numpy's dates and times as numpy writes them: a datetime64 in ISO 8601, as exactly as its unit, a timedelta64 as a number of its unit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tool {

/// `dtype` is "<M8[25s]" or "<m8[ns]". Dates of no unit, and those beyond what 64 bits count, are given as their number.
void append_date(std::string& out, std::string_view dtype, std::int64_t value);

}  // namespace tool
