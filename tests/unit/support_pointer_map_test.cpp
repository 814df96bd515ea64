// SPDX-License-Identifier: MIT
#include "support/pointer_map.hpp"

#include <doctest/doctest.h>

using namespace brine;

namespace {

const void* address(std::uint64_t v) { return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(v)); }

/// Adds `count` addresses, `step` apart, and looks for them and their neighbours.
void check_addresses(std::uint64_t first, std::uint64_t step, std::uint32_t count, bool reserved) {
  CAPTURE(step);
  PointerMap map;
  if (reserved) map.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool is_new = map.add(address(first + i * step), i) == nullptr;
    if (!is_new) FAIL(i);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t* known = map.find(address(first + i * step));
    if (known == nullptr || *known != i) FAIL(i);
    if (step > 1 && map.contains(address(first + i * step + 1))) FAIL(i);
    if (const std::uint32_t* kept = map.add(address(first + i * step), i + 1); kept == nullptr || *kept != i) FAIL(i);
  }
}

}  // namespace

TEST_CASE("what was added is found, and keeps its first number") {
  for (const std::uint64_t step : {1u, 3u, 9u, 64u, 100u, 4096u, 1u << 20})
    for (const bool reserved : {false, true}) check_addresses(0x7f00'0000'1003, step, 20'000, reserved);
}

TEST_CASE("nothing, and the null address, is not found") {
  PointerMap map;
  CHECK(map.find(address(16)) == nullptr);
  CHECK(map.add(nullptr, 1) == nullptr);
  CHECK(map.add(nullptr, 2) == nullptr);
  CHECK_FALSE(map.contains(nullptr));
}
