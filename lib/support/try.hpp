// SPDX-License-Identifier: MIT
// Handing on an Error, as `?` and `co_await` do elsewhere: statements of a function that returns a Result.
#pragma once

/// Does it; where that fails, so does the function.
#define BRINE_TRY(...)                                    \
  do {                                                    \
    if (auto tried = (__VA_ARGS__); !tried) return std::move(tried).error(); \
  } while (false)

/// A Result of that name, which has a value from here on: *name, name->member.
#define BRINE_LET(name, ...)     \
  auto name = (__VA_ARGS__);     \
  if (!name) return std::move(name).error()
