// SPDX-License-Identifier: MIT
// Source::file: a mapped file, a file read on demand, or a pipe that is read into memory whole.
//
// The size is taken once, when the file is opened. A mapping is private and read-only: nothing is ever written through it.
#include "bytes/bytes.hpp"
#include "bytes/file_descriptor.hpp"
#include "bytes/guard.hpp"
#include "bytes/source_impl.hpp"
#include "support/try.hpp"

#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace brine {

namespace {

/// Most that is taken from a pipe or a device, which cannot be mapped and may never end.
constexpr std::size_t kStreamBound = std::size_t{4} << 30;

Error system_error(ErrorCode code, std::string_view what, int number) {
  return Error(ErrorKind::io, code, std::string(what) + ": " + std::generic_category().message(number));
}

struct MappedImpl final : Source::Impl {
  void* mapping = nullptr;

  ~MappedImpl() override {
    if (mapping != nullptr) ::munmap(mapping, static_cast<std::size_t>(size));
  }
};

struct PlainImpl final : Source::Impl {
  FileDescriptor file;

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    for (std::size_t got = 0; got < out.size();) {
      const ssize_t n = ::pread(file.get(), out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
      if (n > 0) {
        got += static_cast<std::size_t>(n);
      } else if (n == 0) {
        return Error(ErrorKind::io, ErrorCode::read_failed,
                     "the file ends here; it had " + std::to_string(size) + " bytes when it was opened, and was cut short since")
            .at_offset(offset + got);
      } else if (errno != EINTR) {
        return system_error(ErrorCode::read_failed, "cannot read the file", errno).at_offset(offset + got);
      }
    }
    return {};
  }
};

/// All bytes of a pipe or a device.
Result<std::shared_ptr<Source::Impl>> read_stream(const FileDescriptor& file) {
  auto impl = std::make_shared<MemoryImpl>();
  impl->in_memory = true;
  std::shared_ptr<std::byte[]> buffer;
  std::size_t room = 0, got = 0;
  while (true) {
    if (got == room) {
      if (room == kStreamBound) {
        return Error(ErrorKind::io, ErrorCode::open_failed,
                     "is not a regular file and gives more than " + std::to_string(kStreamBound >> 30) + " GiB: save it to a file first");
      }
      const std::size_t more = room == 0 ? std::size_t{1} << 16 : room * 2;
      BRINE_LET(larger, allocate(more, "the bytes of a pipe"));
      if (got != 0) std::memcpy(larger->get(), buffer.get(), got);
      buffer = std::move(*larger);
      room = more;
    }
    const ssize_t n = ::read(file.get(), buffer.get() + got, room - got);
    if (n == 0) break;
    if (n > 0) {
      got += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      return system_error(ErrorCode::read_failed, "cannot read the file", errno).at_offset(got);
    }
  }
  impl->size = got;
  impl->bytes = std::span(buffer.get(), got);
  impl->owner = std::move(buffer);
  return std::shared_ptr<Source::Impl>(std::move(impl));
}

Result<std::shared_ptr<Source::Impl>> open_file(const std::filesystem::path& path, FileMode mode) {
  int number;
  do number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (number < 0 && errno == EINTR);
  if (number < 0) return system_error(ErrorCode::open_failed, "cannot open the file", errno);
  FileDescriptor file(number);

  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(ErrorCode::open_failed, "cannot examine the file", errno);
  if (S_ISDIR(status.st_mode)) {
    return Error(ErrorKind::io, ErrorCode::open_failed,
                 "is a directory; a checkpoint is one file (PyTorch does not read unpacked ones either)");
  }
  if (!S_ISREG(status.st_mode)) return read_stream(file);

  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0) {  // cannot be mapped, and needs not
    auto impl = std::make_shared<MemoryImpl>();
    impl->in_memory = true;
    return std::shared_ptr<Source::Impl>(std::move(impl));
  }
  if (mode == FileMode::mapped && size <= std::numeric_limits<std::size_t>::max()) {
    auto impl = std::make_shared<MappedImpl>();
    void* mapping = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (mapping != MAP_FAILED) {
      impl->mapping = mapping;
      impl->size = size;
      impl->in_memory = true;
      impl->bytes = std::span(static_cast<const std::byte*>(mapping), static_cast<std::size_t>(size));
      return std::shared_ptr<Source::Impl>(std::move(impl));
    }
  }
  // Plain, or a file system that cannot map.
  auto impl = std::make_shared<PlainImpl>();
  impl->file = std::move(file);
  impl->size = size;
  return std::shared_ptr<Source::Impl>(std::move(impl));
}

}  // namespace

Result<Source> Source::file(const std::filesystem::path& path, FileMode mode) {
  return guarded("opening a file", [&]() -> Result<Source> {
    auto impl = open_file(path, mode);
    if (!impl) return std::move(impl).error().in_file(path.native());
    (*impl)->name = path.native();
    const std::uint64_t size = (*impl)->size;
    return Source(std::move(*impl), 0, size);
  });
}

}  // namespace brine
