// SPDX-License-Identifier: MIT
#include "bytes/file_sink.hpp"

#include <cerrno>
#include <system_error>

namespace brine {

Error system_error(ErrorCode code, std::string_view what, int number) {
  return Error(ErrorKind::io, code, std::string(what) + ": " + std::generic_category().message(number));
}

Result<void> FileSink::put(std::span<const std::byte> first, std::span<const std::byte> second) {
  while (!first.empty() || !second.empty()) {
    const auto part = [](std::span<const std::byte> bytes) { return iovec{const_cast<std::byte*>(bytes.data()), bytes.size()}; };
    const iovec parts[] = {part(first.empty() ? second : first), part(second)};
    const ssize_t n = system->writev(file, parts, first.empty() || second.empty() ? 1 : 2);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_error(ErrorCode::write_failed, "cannot write to the file", n == 0 ? EIO : errno).at_offset(written);
    written += static_cast<std::uint64_t>(n);
    // The system may have taken less than was offered.
    const std::size_t of_first = std::min(first.size(), static_cast<std::size_t>(n));
    first = first.subspan(of_first);
    second = second.subspan(static_cast<std::size_t>(n) - of_first);
  }
  return {};
}

}  // namespace brine
