// SPDX-License-Identifier: MIT
// A table of system calls of which the nth does something else: fails, is interrupted, writes less, or is the process's last.
//
//   failing.start(3, Act::fail, ENOSPC);
//   save_file(path, {.system = &kFailingCalls}, …);
//   failing.seen >= 3                                // was it reached?
#pragma once

#include "bytes/system_calls.hpp"

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

namespace brine::test {

enum class Act {
  nothing,
  fail,         ///< with errno `number`; what close would have closed is closed
  less,         ///< writev takes one byte
  zero,         ///< writev takes none
  kill_before,  ///< SIGKILL instead of the call
  kill_after,   ///< SIGKILL behind it
};

/// One for the process, as the calls are plain functions.
struct FailingCalls {
  int nth = 0, seen = 0, number = 0;
  Act act = Act::nothing;
  std::string name;   ///< of the nth call
  std::string order;  ///< the names of all, in order

  void start(int the_nth, Act the_act, int error_number = 0) { *this = FailingCalls{the_nth, 0, error_number, the_act, {}, {}}; }
  bool reached() const { return seen >= nth; }

  /// What the call `what` is to do.
  Act next(std::string_view what) {
    (order += order.empty() ? "" : " ") += what;
    if (++seen != nth) return Act::nothing;
    name = what;
    if (act == Act::kill_before) std::raise(SIGKILL);
    return act;
  }

  template <class Call>
  auto make(std::string_view what, Call&& call) -> decltype(call()) {
    const Act now = next(what);
    if (now == Act::fail) {
      if (what == "close") call();
      errno = number;
      return -1;
    }
    const auto result = call();
    if (now == Act::kill_after) std::raise(SIGKILL);
    return result;
  }
};

inline FailingCalls failing;

inline const SystemCalls kFailingCalls = {
    [](const char* path, int flags, mode_t mode) { return failing.make("open", [&] { return kSystemCalls.open(path, flags, mode); }); },
    [](int file, const iovec* parts, int count) -> ssize_t {
      return failing.make("writev", [&]() -> ssize_t {
        if (failing.seen == failing.nth && failing.act == Act::zero) return 0;
        if (failing.seen != failing.nth || failing.act != Act::less) return kSystemCalls.writev(file, parts, count);
        const iovec one{parts[0].iov_base, 1};
        return kSystemCalls.writev(file, &one, 1);
      });
    },
    [](int file, off_t size) { return failing.make("reserve", [&] { return kSystemCalls.reserve(file, size); }); },
    [](int file, off_t size) { return failing.make("truncate", [&] { return kSystemCalls.truncate(file, size); }); },
    [](int file, uid_t owner, gid_t group) {
      return failing.make("change_owner", [&] { return kSystemCalls.change_owner(file, owner, group); });
    },
    [](int file, mode_t mode) { return failing.make("change_mode", [&] { return kSystemCalls.change_mode(file, mode); }); },
    [](int file) { return failing.make("sync", [&] { return kSystemCalls.sync(file); }); },
    [](int file) { return failing.make("close", [&] { return kSystemCalls.close(file); }); },
    [](const char* from, const char* to) { return failing.make("rename", [&] { return kSystemCalls.rename(from, to); }); },
    [](const char* path) { return failing.make("unlink", [&] { return kSystemCalls.unlink(path); }); },
};

}  // namespace brine::test
