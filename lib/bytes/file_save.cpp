// SPDX-License-Identifier: MIT
#include "bytes/file_save.hpp"

#include "bytes/file_sink.hpp"
#include "bytes/file_target.hpp"
#include "bytes/guard.hpp"
#include "support/hash_index.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace brine {

namespace {

/// The number that `call` returns, which is made again as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// A file over the limit of its size (ulimit -f) is an error here, not the end of the process, which would leave a file without its end:
/// the signal that writev sends to this thread beside EFBIG is held back, and taken away.
class NoSizeSignal {
 public:
  NoSizeSignal() noexcept {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGXFSZ);
    pending_ = is_pending();
    held_ = ::pthread_sigmask(SIG_BLOCK, &signal_, &old_) == 0;
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;
  ~NoSizeSignal() {
    if (!held_) return;
    int number = 0;
    if (!pending_ && is_pending()) ::sigwait(&signal_, &number);
    ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }

 private:
  static bool is_pending() noexcept {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1;
  }
  sigset_t signal_, old_;
  bool pending_ = false, held_ = false;
};

/// A file being written: closed, and removed unless it was put in its place.
class NewFile {
 public:
  explicit NewFile(const SystemCalls& system) noexcept : system_(system) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (file_ >= 0) system_.close(file_);
    if (sink_) sink_->file = -1;
    if (!path_.empty()) system_.unlink(path_.c_str());
  }

  Result<void> create(const FileTarget& target);
  Result<void> open(const FileTarget& target, const std::filesystem::path& path);
  Result<void> fill(const std::filesystem::path& target, const FileSaveOptions& options, const std::function<Result<void>(Sink&)>& write);
  Result<void> keep_owner_and_mode(const struct stat& old);
  Result<void> sync(bool wanted);
  Result<void> close();
  Result<void> place(const FileTarget& target);

 private:
  Error fault(std::string_view what) const { return system_error(ErrorCode::write_failed, what, errno); }

  const SystemCalls& system_;
  int file_ = -1;
  std::string path_;  // while it is there and not in its place
  std::shared_ptr<FileSink> sink_;
};

Result<void> NewFile::create(const FileTarget& target) {
  constexpr int most_tries = 100;
  // Nobody but us reads a file that may become another's, until it has that file's mode.
  const mode_t mode = target.exists ? 0600 : 0666;
  for (int i = 0; i < most_tries; ++i) {
    std::array<char, 16> digits;
    const auto [end, unused] = std::to_chars(digits.begin(), digits.end(), random_seed(), 16);
    path_ = concat({target.folder, "/.brine-", std::string_view(digits.data(), static_cast<std::size_t>(end - digits.begin())), ".tmp"});
    file_ = uninterrupted([&] { return system_.open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode); });
    if (file_ >= 0) return {};
    const int number = errno;
    path_.clear();
    if (number != EEXIST) return system_error(ErrorCode::open_failed, "no file can be made in " + in_quotes(target.folder), number);
  }
  return system_error(ErrorCode::open_failed, "no file can be made in " + in_quotes(target.folder), EEXIST);
}

Result<void> NewFile::open(const FileTarget& target, const std::filesystem::path& path) {
  file_ = uninterrupted([&] {
    return target.descriptor >= 0 ? ::fcntl(target.descriptor, F_DUPFD_CLOEXEC, 0)
                                  : system_.open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
  });
  if (file_ < 0) return system_error(ErrorCode::open_failed, "cannot open the file", errno);
  return {};
}

Result<void> NewFile::fill(const std::filesystem::path& target, const FileSaveOptions& options,
                           const std::function<Result<void>(Sink&)>& write) {
  sink_ = std::make_shared<FileSink>();
  sink_->name = target.native();
  sink_->system = &system_;
  sink_->file = file_;
  // A small file gains nothing. A file system that cannot reserve gets the bytes as they come.
  constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
  constexpr std::uint64_t max = std::numeric_limits<off_t>::max();
  bool reserved = false;
  if (!path_.empty() && options.expected_size >= worth_it && options.expected_size <= max) {
    const auto size = static_cast<off_t>(options.expected_size);
    reserved = uninterrupted([&] { return system_.reserve(file_, size); }) == 0;
    const bool hopeless = errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO;
    if (!reserved && hopeless) return fault("no room for " + std::to_string(size) + " bytes");
  }
  Sink sink = SinkMaker::make(sink_);
  BRINE_TRY(write(sink));
  BRINE_TRY(sink.flush());
  if (!reserved || sink_->written == options.expected_size) return {};
  if (uninterrupted([&] { return system_.truncate(file_, static_cast<off_t>(sink_->written)); }) == 0) return {};
  return fault("cannot cut the file to its size");
}

Result<void> NewFile::keep_owner_and_mode(const struct stat& old) {
  mode_t mode = old.st_mode & 07777;
  struct stat own {};
  if (::fstat(file_, &own) != 0) return fault("cannot examine the file");
  if (own.st_uid != old.st_uid && system_.change_owner(file_, old.st_uid, static_cast<gid_t>(-1)) != 0) mode &= 01777;
  // Where the group cannot be kept, the rights it had are not another group's.
  if (own.st_gid != old.st_gid && system_.change_owner(file_, static_cast<uid_t>(-1), old.st_gid) != 0) {
    mode = (mode & 01707) | ((mode & 07) << 3);
  }
  if (uninterrupted([&] { return system_.change_mode(file_, mode); }) == 0) return {};
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) return {};  // a file system without modes
  return fault("cannot give the file the mode of the one it replaces");
}

Result<void> NewFile::sync(bool wanted) {
  if (!wanted || uninterrupted([&] { return system_.sync(file_); }) == 0) return {};
  if (errno == EINVAL || errno == EROFS || errno == EOPNOTSUPP) return {};  // a pipe, a device
  return fault("cannot force the file to the disk");
}

Result<void> NewFile::close() {
  sink_->file = -1;
  const int file = std::exchange(file_, -1);
  if (system_.close(file) != 0 && errno != EINTR) return fault("cannot close the file");  // a network file system writes here
  return {};
}

Result<void> NewFile::place(const FileTarget& target) {
  if (system_.rename(path_.c_str(), target.path().c_str()) != 0) return fault("cannot put the file in its place");
  path_.clear();
  return {};
}

/// The folder that holds the name, opened before anything is done, so that little can fail after it.
class Folder {
 public:
  explicit Folder(const SystemCalls& system) noexcept : system_(system) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    if (file_ >= 0) system_.close(file_);
  }

  Result<void> open(const std::string& path) {
    file_ = uninterrupted([&] { return system_.open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); });
    if (file_ < 0) return system_error(ErrorCode::open_failed, "cannot open the folder " + in_quotes(path), errno);
    return {};
  }
  Result<void> sync() {
    if (file_ < 0 || uninterrupted([&] { return system_.sync(file_); }) == 0 || errno == EINVAL || errno == EOPNOTSUPP) return {};
    return system_error(ErrorCode::write_failed, "the file is saved whole, but forcing its name to the disk failed", errno);
  }

 private:
  const SystemCalls& system_;
  int file_ = -1;
};

Result<void> save(const std::filesystem::path& path, const FileSaveOptions& options, const std::function<Result<void>(Sink&)>& write) {
  BRINE_LET(target, find_file_target(path));
  const NoSizeSignal held_back;
  Folder folder(*options.system);
  NewFile file(*options.system);
  Result<void> done;
  const auto then = [&done](Result<void> next) { return (done = std::move(next)).has_value(); };

  if (target->straight) {
    then(file.open(*target, path)) && then(file.fill(path, options, write)) && then(file.sync(options.fsync)) && then(file.close());
    return done;
  }
  if (options.fsync && !then(folder.open(target->folder))) return done;
  then(file.create(*target)) && then(file.fill(path, options, write)) &&
      (!target->exists || then(file.keep_owner_and_mode(target->status))) && then(file.sync(options.fsync)) && then(file.close()) &&
      then(file.place(*target)) && then(folder.sync());
  return done;
}

}  // namespace

Result<void> save_file(const std::filesystem::path& target, const FileSaveOptions& options,
                       const std::function<Result<void>(Sink&)>& write) {
  return guarded("saving a file", [&]() -> Result<void> {
    auto done = save(target, options, write);
    if (!done) return std::move(done).error().in_file(target.native());
    return done;
  });
}

Result<void> write_file(const std::filesystem::path& path, const std::function<Result<void>(Sink& sink)>& write) { return save_file(path, {}, write); }

}  // namespace brine
