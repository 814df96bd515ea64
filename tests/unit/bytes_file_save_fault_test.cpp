// SPDX-License-Identifier: MIT
// Saving when the system does not: every call failing in turn, and the process killed at every call. The target is the old file or the
// whole new one; after an error there is no other.
#include "bytes/file_save.hpp"
#include "support/failing_calls.hpp"
#include "support/temporary_folder.hpp"

#include <array>

#include <sys/wait.h>
#include <unistd.h>

using namespace brine;
using namespace brine::test;

namespace {

const std::string kOld(5'000, 'o');

/// A few small pieces and large ones, more than the 1 MiB from which on space is reserved.
std::string piece(std::size_t i) { return std::string(i % 3 == 0 ? 100 : 150'000, static_cast<char>('a' + i % 26)); }
constexpr std::size_t kPieces = 14;

std::string whole() {
  std::string out;
  for (std::size_t i = 0; i < kPieces; ++i) out += piece(i);
  return out;
}

Result<void> save(const std::filesystem::path& path) {
  const FileSaveOptions options{.fsync = true, .expected_size = 2'000'000, .system = &kFailingCalls};
  return save_file(path, options, [](Sink& sink) -> Result<void> {
    for (std::size_t i = 0; i < kPieces; ++i) {
      const std::string bytes = piece(i);
      if (auto done = sink.write(std::as_bytes(std::span(bytes))); !done) return done;
    }
    return {};
  });
}

struct Fault {
  Act act;
  int number;
};

}  // namespace

TEST_CASE("the calls of a save") {
  TemporaryFolder folder;
  write_whole(folder / "m.pth", kOld);
  failing.start(0, Act::nothing);
  REQUIRE(save(folder / "m.pth"));
  CHECK(failing.order == "open open reserve writev writev writev writev writev writev writev writev writev "
                         "truncate change_mode sync close rename sync close");
  CHECK(read_whole(folder / "m.pth") == whole());
}

TEST_CASE("every call failing in turn") {
  TemporaryFolder folder;
  const std::string expected = whole();
  const auto target = folder / "m.pth";
  for (const bool old : {true, false}) {
    for (const Fault fault :
         {Fault{Act::fail, EIO}, {Act::fail, ENOSPC}, {Act::fail, EACCES}, {Act::fail, EINTR}, {Act::less, 0}, {Act::zero, 0}}) {
      for (int nth = 1;; ++nth) {
        std::filesystem::remove(target);
        if (old) write_whole(target, kOld);
        failing.start(nth, fault.act, fault.number);
        const auto saved = save(target);
        if (!failing.reached()) break;
        CAPTURE(old);
        CAPTURE(static_cast<int>(fault.act));
        CAPTURE(fault.number);
        CAPTURE(failing.name);
        CAPTURE(failing.order);
        const bool placed = failing.order.find("rename") != std::string::npos && failing.name != "rename";
        const std::string now = read_whole(target);
        if (saved || placed) {
          CHECK(now == expected);
        } else {
          CHECK(now == (old ? kOld : ""));
        }
        CHECK(folder.listing() == (saved || placed || old ? "m.pth" : ""));
        if (!saved) {
          CHECK(saved.error().kind() == ErrorKind::io);
          CHECK(saved.error().place().file == target.native());
        }

        // Which failures are one?
        const bool interrupted = fault.act == Act::fail && fault.number == EINTR && failing.name != "rename";
        const bool half_write = fault.act == Act::less;
        const bool no_reserve = failing.name == "reserve" && fault.number == EACCES;
        const bool other_call = fault.act == Act::zero && failing.name != "writev";
        const bool folder_close = failing.name == "close" && placed;
        CHECK(saved.has_value() == (interrupted || half_write || no_reserve || other_call || folder_close));
      }
    }
  }
}

TEST_CASE("space and modes that the file system does not have are no failure") {
  TemporaryFolder folder;
  for (const int number : {EOPNOTSUPP, ENOSYS}) {
    for (int nth = 1;; ++nth) {
      write_whole(folder / "m.pth", kOld);
      failing.start(nth, Act::fail, number);
      const auto saved = save(folder / "m.pth");
      if (!failing.reached()) break;
      if (failing.name == "reserve" || failing.name == "change_mode") {
        REQUIRE(saved);
        CHECK(read_whole(folder / "m.pth") == whole());
      }
    }
  }
}

TEST_CASE("a temporary name that is taken is not touched") {
  TemporaryFolder folder;
  write_whole(folder / "m.pth", kOld);
  failing.start(2, Act::fail, EEXIST);
  REQUIRE(save(folder / "m.pth"));
  CHECK(failing.order.starts_with("open open open reserve"));
  CHECK(read_whole(folder / "m.pth") == whole());
}

TEST_CASE("killed at every call") {
  const std::string expected = whole();
  for (const Act act : {Act::kill_before, Act::kill_after}) {
    for (int nth = 1;; ++nth) {
      TemporaryFolder folder;
      const auto target = folder / "m.pth";
      write_whole(target, kOld);
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        failing.start(nth, act);
        const auto saved = save(target);
        ::_exit(saved ? 0 : 1);
      }
      int status = -1;
      REQUIRE(::waitpid(child, &status, 0) == child);
      const std::string now = read_whole(target);
      CAPTURE(nth);
      if (WIFEXITED(status)) {
        CHECK(WEXITSTATUS(status) == 0);
        CHECK(now == expected);
        CHECK(nth == 20);  // all calls of the case above, and one more
        break;
      }
      CHECK(WTERMSIG(status) == SIGKILL);
      CHECK((now == kOld || now == expected));
      CHECK(nth < 100);
    }
  }
}
