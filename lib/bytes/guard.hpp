// SPDX-License-Identifier: MIT
// guarded(): running out of memory becomes an Error, wherever exceptions are on.
#pragma once

#include <brine/result.hpp>

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brine {

/// Says so without needing any memory itself.
inline Error out_of_memory(std::string_view what) noexcept {
  std::string text("out of memory");  // fits into the string itself
#if defined(__cpp_exceptions)
  try {
    if (!what.empty()) text.append(": ").append(what);
  } catch (const std::bad_alloc&) {
    // then without the name
  }
#else
  static_cast<void>(what);
#endif
  return Error(ErrorKind::limit, ErrorCode::out_of_memory, std::move(text));
}

/// What `work` returns (a Result); std::bad_alloc and std::length_error become a limit error, out_of_memory, that names `what`.
template <class Work>
auto guarded(std::string_view what, Work&& work) -> decltype(work()) {
#if defined(__cpp_exceptions)
  try {
    return std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return out_of_memory(what);
  } catch (const std::length_error&) {  // a container that was asked for more than it can ever hold
    return out_of_memory(what);
  }
#else
  static_cast<void>(what);
  return std::forward<Work>(work)();
#endif
}

}  // namespace brine
