// SPDX-License-Identifier: MIT
// BRINE_API marks what a shared build exports; a static build (the default) needs nothing.
#pragma once

#include <brine/version.hpp>

#if defined(BRINE_SHARED) && defined(_WIN32)
#  ifdef BRINE_BUILDING
#    define BRINE_API __declspec(dllexport)
#  else
#    define BRINE_API __declspec(dllimport)
#  endif
#elif defined(__GNUC__)
#  define BRINE_API __attribute__((visibility("default")))
#else
#  define BRINE_API
#endif

// What is called on the way to an error only: the compiler lays that way out for size, not for speed.
#if defined(__GNUC__)
#  define BRINE_COLD __attribute__((cold))
#else
#  define BRINE_COLD
#endif
