// SPDX-License-Identifier: MIT
// The version, and a clear word to compilers that are set below C++20.
#pragma once

#if defined(_MSVC_LANG) ? _MSVC_LANG < 202002L : __cplusplus < 202002L
#error "brine needs C++20: add -std=c++20"
#endif

#define BRINE_VERSION_MAJOR 0
#define BRINE_VERSION_MINOR 1
#define BRINE_VERSION_PATCH 0
#define BRINE_VERSION "0.1.0"
