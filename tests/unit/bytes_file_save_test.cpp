// SPDX-License-Identifier: MIT
// Saving files: what is at the target before and after, links, modes, pipes and devices, and what is refused.
#include "bytes/file_save.hpp"
#include "bytes/guard.hpp"
#include "support/temporary_folder.hpp"

#include <brine/source.hpp>

#include <functional>
#include <new>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace brine;
using namespace brine::test;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

Result<void> save(const std::filesystem::path& path, std::string_view text, const FileSaveOptions& options = {}) {
  return save_file(path, options, [text](Sink& sink) { return sink.write(bytes_of(text)); });
}

void check_refused(const std::filesystem::path& path, ErrorCode code, std::string_view words) {
  const auto saved = save(path, "new");
  REQUIRE_FALSE(saved);
  CAPTURE(saved.error().message());
  CHECK(saved.error().kind() == ErrorKind::io);
  CHECK(saved.error().code() == code);
  CHECK(saved.error().place().file == path.native());
  CHECK(saved.error().message().find(words) != std::string::npos);
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

/// Does `work` hold for a user without rights? Root may do everything, so a child gives them up.
bool as_nobody(const std::function<bool()>& work) {
  constexpr uid_t nobody = 65534;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(nobody) != 0) ::_exit(2);
    ::_exit(work() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a new file has the mode of the umask, an old one keeps its own") {
  TemporaryFolder folder;
  const mode_t mask = ::umask(027);
  REQUIRE(save(folder / "new.pth", "bytes"));
  ::umask(mask);
  CHECK(read_whole(folder / "new.pth") == "bytes");
  CHECK(mode_of(folder / "new.pth") == 0640);

  for (const mode_t mode : {0600U, 0666U, 0755U, 06711U}) {
    REQUIRE(::chmod((folder / "new.pth").c_str(), mode) == 0);
    REQUIRE(save(folder / "new.pth", "others"));
    CHECK(mode_of(folder / "new.pth") == mode);
  }
  CHECK(read_whole(folder / "new.pth") == "others");
  CHECK(folder.listing() == "new.pth");
}

TEST_CASE("owner and group are kept where they may be") {
  if (::geteuid() != 0) {
    MESSAGE("not tested: needs root");
    return;
  }
  TemporaryFolder folder;
  write_whole(folder / "m.pth", "old");
  REQUIRE(::chown((folder / "m.pth").c_str(), 12345, 23456) == 0);
  REQUIRE(::chmod((folder / "m.pth").c_str(), 02664) == 0);
  REQUIRE(save(folder / "m.pth", "new"));
  struct stat status {};
  REQUIRE(::stat((folder / "m.pth").c_str(), &status) == 0);
  CHECK(status.st_uid == 12345);
  CHECK(status.st_gid == 23456);
  CHECK(mode_of(folder / "m.pth") == 02664);

  // Nobody can give it back to its owner or group: their rights go to no other group.
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  REQUIRE(::chmod((folder / "m.pth").c_str(), 06662) == 0);
  CHECK(as_nobody([&] { return save(folder / "m.pth", "newer").has_value(); }));
  CHECK(read_whole(folder / "m.pth") == "newer");
  CHECK(mode_of(folder / "m.pth") == 0622);
}

TEST_CASE("any size, announced or not, with fsync or without") {
  TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, (std::size_t{1} << 20) + 3, std::size_t{5'000'000}}) {
    const std::string text(size, 'b');
    for (const std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{size}, std::uint64_t{2} << 20, ~std::uint64_t{0}}) {
      for (const bool fsync : {false, true}) {
        REQUIRE(save(folder / "m.pth", text, {.fsync = fsync, .expected_size = expected}));
        CHECK(std::filesystem::file_size(folder / "m.pth") == size);
        CHECK(read_whole(folder / "m.pth") == text);
      }
    }
  }
  CHECK(folder.listing() == "m.pth");
}

TEST_CASE("links are followed and stay") {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "deep");
  std::filesystem::create_symlink("deep/second", folder / "first");
  std::filesystem::create_symlink("../target.pth", folder / "deep/second");
  write_whole(folder / "target.pth", "old");
  REQUIRE(save(folder / "first", "through two links"));
  CHECK(std::filesystem::is_symlink(folder / "first"));
  CHECK(std::filesystem::is_symlink(folder / "deep/second"));
  CHECK_FALSE(std::filesystem::is_symlink(folder / "target.pth"));
  CHECK(read_whole(folder / "target.pth") == "through two links");

  std::filesystem::remove(folder / "target.pth");
  REQUIRE(save(folder / "first", "to nothing yet"));
  CHECK(read_whole(folder / "target.pth") == "to nothing yet");

  std::filesystem::create_symlink(folder.path() / "absolute.pth", folder / "link");
  REQUIRE(save(folder / "link", "absolute"));
  CHECK(read_whole(folder / "absolute.pth") == "absolute");
  CHECK(folder.listing() == "absolute.pth deep first link target.pth");

  std::filesystem::create_symlink("loop", folder / "loop");
  check_refused(folder / "loop", ErrorCode::open_failed, "Too many levels of symbolic links");
}

TEST_CASE("a relative path without a folder") {
  TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto saved = save("plain.pth", "here");
  std::filesystem::current_path(before);
  REQUIRE(saved);
  CHECK(folder.listing() == "plain.pth");
}

TEST_CASE("a name as long as names can be") {
  TemporaryFolder folder;
  REQUIRE(save(folder / std::string(255, 'n'), "bytes"));
  check_refused(folder / std::string(256, 'n'), ErrorCode::open_failed, "File name too long");
}

TEST_CASE("saving over a mapped file: the mapping keeps the old bytes") {
  TemporaryFolder folder;
  const std::string old(100'000, 'o');
  write_whole(folder / "m.pth", old);
  const auto source = Source::file(folder / "m.pth");
  REQUIRE(source);
  // The new file is made of the old one, as when a checkpoint is loaded, changed and saved.
  REQUIRE(save_file(folder / "m.pth", {}, [&](Sink& sink) -> Result<void> {
    if (auto done = sink.write(bytes_of("new head ")); !done) return done;
    return sink.write(source->view());
  }));
  CHECK(read_whole(folder / "m.pth") == "new head " + old);
  CHECK(std::equal(source->view().begin(), source->view().end(), bytes_of(old).begin()));
}

TEST_CASE("what cannot be saved to: the path, and the system's words") {
  TemporaryFolder folder;
  check_refused(folder.path(), ErrorCode::open_failed, "is a directory");
  const std::string words = "no file can be made in '" + (folder / "no").string() + "': No such file";
  check_refused(folder / "no/folder.pth", ErrorCode::open_failed, words);
  check_refused(folder / "new/", ErrorCode::open_failed, "Is a directory");
  check_refused("", ErrorCode::open_failed, "No such file");
  write_whole(folder / "file", "a file");
  check_refused(folder / "file/m.pth", ErrorCode::open_failed, "Not a directory");
  check_refused("/proc/m.pth", ErrorCode::open_failed, "no file can be made in '/proc'");
  CHECK(folder.listing() == "file");
}

TEST_CASE("no right to write: neither to the folder nor to the file") {
  TemporaryFolder folder;
  write_whole(folder / "m.pth", "old");
  REQUIRE(::chmod((folder / "m.pth").c_str(), 0666) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  const auto refused = [&](const char* words) {
    return as_nobody([&] {
      const auto saved = save(folder / "m.pth", "new");
      return !saved && saved.error().code() == ErrorCode::open_failed && saved.error().message().find(words) != std::string::npos;
    });
  };
  CHECK(refused("no file can be made in"));
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  REQUIRE(::chmod((folder / "m.pth").c_str(), 0444) == 0);
  CHECK(refused("cannot write to the file: Permission denied"));
  CHECK(read_whole(folder / "m.pth") == "old");
  CHECK(folder.listing() == "m.pth");
}

TEST_CASE("an error of the caller's leaves the old file and no other") {
  TemporaryFolder folder;
  write_whole(folder / "m.pth", "old");
  std::optional<Sink> kept;
  const auto saved = save_file(folder / "m.pth", {}, [&](Sink& sink) -> Result<void> {
    kept = sink;
    REQUIRE(sink.write(bytes_of("half of")));
    return Error(ErrorKind::corrupt, ErrorCode::zip_crc, "the source is damaged");
  });
  REQUIRE_FALSE(saved);
  CHECK(saved.error().kind() == ErrorKind::corrupt);
  CHECK(read_whole(folder / "m.pth") == "old");
  CHECK(folder.listing() == "m.pth");
  CHECK_FALSE(kept->flush());  // the file is gone

  const auto no_memory = save_file(folder / "m.pth", {}, [&](Sink&) -> Result<void> { throw std::bad_alloc(); });
  REQUIRE_FALSE(no_memory);
  CHECK(no_memory.error().code() == ErrorCode::out_of_memory);
  CHECK_THROWS_AS(static_cast<void>(save_file(folder / "m.pth", {}, [&](Sink&) -> Result<void> { throw std::runtime_error("mine"); })),
                  std::runtime_error);
  CHECK(read_whole(folder / "m.pth") == "old");
  CHECK(folder.listing() == "m.pth");
}

TEST_CASE("a sink's failure counts even where the caller does not look") {
  TemporaryFolder folder;
  const auto saved = save_file("/dev/full", {}, [&](Sink& sink) -> Result<void> {
    static_cast<void>(sink.write(bytes_of(std::string(100'000, 'x'))));
    return {};
  });
  REQUIRE_FALSE(saved);
  CHECK(saved.error().message() == "/dev/full: byte 0: cannot write to the file: No space left on device");
}

TEST_CASE("pipes and devices are written straight") {
  TemporaryFolder folder;
  REQUIRE(save("/dev/null", "nothing", {.fsync = true, .expected_size = 5'000'000}));

  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string text(300'000, 'p');
  std::string got;
  std::thread reader([&] { got = read_whole(pipe); });
  const auto saved = save(pipe, text);
  reader.join();
  REQUIRE(saved);
  CHECK(got == text);
  CHECK(folder.listing() == "pipe");
}

TEST_CASE("a descriptor of this process is written where it stands, not replaced") {
  TemporaryFolder folder;
  const int file = ::open((folder / "out").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  REQUIRE(::write(file, "before ", 7) == 7);
  std::filesystem::create_symlink("/dev/fd/" + std::to_string(file), folder / "link");
  REQUIRE(save("/dev/fd/" + std::to_string(file), "middle "));
  REQUIRE(save(folder / "link", "after"));
  REQUIRE(::write(file, ".", 1) == 1);
  ::close(file);
  CHECK(read_whole(folder / "out") == "before middle after.");
  CHECK(folder.listing() == "link out");
}
