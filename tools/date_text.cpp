// SPDX-License-Identifier: MIT
#include "date_text.hpp"

#include <charconv>
#include <limits>

namespace tool {

namespace {

using Int = std::int64_t;

/// Rounds down. Requires: b > 0.
struct Parts {
  Int whole, rest;
  Parts(Int a, Int b) : whole(a / b), rest(a % b) {
    if (rest < 0) whole -= 1, rest += b;
  }
};

struct Unit {
  std::string_view name;
  Int in_day;  ///< of units from a day down to a second
  int digits;  ///< of a second's fraction
};
constexpr Unit kUnits[] = {{"D", 1, 0}, {"h", 24, 0}, {"m", 1440, 0}, {"s", 86400, 0}, {"ms", 0, 3}, {"us", 0, 6}, {"ns", 0, 9}, {"ps", 0, 12}, {"fs", 0, 15}, {"as", 0, 18}};

/// With zeros before it up to so many characters, its sign among them.
void append(std::string& out, std::string_view before, Int number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(number < 0, width - text.size(), '0');
  out.append(before).append(text);
}

/// Days since 1970-01-01. Eras of 400 years have 146,097 days; a year that begins in March has its leap day last.
void append_day(std::string& out, Int days) {
  const Parts era(days, 146'097);
  const Int shifted = era.rest + 719'468, day = shifted % 146'097;
  const Int year = (day - day / 1460 + day / 36'524 - day / 146'096) / 365;
  const Int in_year = day - (365 * year + year / 4 - year / 100), month = (5 * in_year + 2) / 153;
  append(out, "", year + 400 * (era.whole + shifted / 146'097) + (month >= 10), 4);
  append(out, "-", month < 10 ? month + 3 : month - 9, 2);
  append(out, "-", in_year - (153 * month + 2) / 5 + 1, 2);
}

void append_time(std::string& out, Int value, const Unit& unit) {
  Int scale = 1;
  for (int i = 0; i < unit.digits; ++i) scale *= 10;
  const Parts second(value, scale), day(second.whole, unit.digits ? 86'400 : unit.in_day);
  append_day(out, day.whole);
  const Int seconds = day.rest * (unit.digits ? 1 : 86'400 / unit.in_day);
  if (unit.in_day != 1) append(out, "T", seconds / 3600, 2);
  if (unit.in_day == 0 || unit.in_day > 24) append(out, ":", seconds / 60 % 60, 2);
  if (unit.in_day == 0 || unit.in_day > 1440) append(out, ":", seconds % 60, 2);
  if (unit.digits) append(out, ".", second.rest, static_cast<std::size_t>(unit.digits));
}

}  // namespace

void append_date(std::string& out, std::string_view dtype, std::int64_t value) {
  if (value == std::numeric_limits<Int>::min()) return void(out += "NaT");
  Int count = 1;
  std::string_view unit = dtype.substr(3);  // "[25s]"
  if (!unit.empty()) {
    unit = unit.substr(1, unit.size() - 2);
    unit.remove_prefix(static_cast<std::size_t>(std::from_chars(unit.data(), unit.data() + unit.size(), count).ptr - unit.data()));
  }
  const Int max = std::numeric_limits<Int>::max() / (unit == "W" ? 7 : 1) / (count > 0 ? count : 1) - (unit == "Y" ? 1970 : 0);
  const bool counted = count > 0 && value <= max && value >= -max;
  if (dtype[1] == 'M' && counted && unit == "Y") return append(out, "", 1970 + value * count, 4);
  if (dtype[1] == 'M' && counted && unit == "M") {
    const Parts year(value * count, 12);
    append(out, "", 1970 + year.whole, 4);
    return append(out, "-", year.rest + 1, 2);
  }
  if (dtype[1] == 'M' && counted && unit == "W") return append_day(out, 7 * value * count);
  for (const Unit& u : kUnits)
    if (dtype[1] == 'M' && counted && unit == u.name) return append_time(out, value * count, u);
  append(out, "", value, 0);
}

}  // namespace tool
