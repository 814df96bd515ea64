// SPDX-License-Identifier: MIT
#include "bytes/bytes.hpp"

#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <string>

namespace brine {

namespace {

Error no_memory_for(std::uint64_t size, std::string_view what) {
  return Error(ErrorKind::limit, ErrorCode::out_of_memory,
               "memory ran out: " + std::string(what) + " needs " + std::to_string(size) + " bytes");
}

}  // namespace

Result<std::shared_ptr<std::byte[]>> allocate(std::uint64_t size, std::string_view what) {
  return guarded(what, [&]() -> Result<std::shared_ptr<std::byte[]>> {
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max())) return no_memory_for(size, what);
    auto* bytes = new (std::nothrow) std::byte[static_cast<std::size_t>(size)];  // not zeroed: it is about to be filled
    if (bytes == nullptr) return no_memory_for(size, what);
    return std::shared_ptr<std::byte[]>(bytes);
  });
}

Result<Bytes> fetch(const Source& source, std::uint64_t offset, std::uint64_t size, Budget& budget, std::string_view what) {
  return guarded(what, [&]() -> Result<Bytes> {
    if (!fits(offset, size, source.size())) {
      return Error(ErrorKind::usage, ErrorCode::out_of_range,
                   std::string(what) + ": " + std::to_string(size) + " bytes at byte " + std::to_string(offset) + " of " +
                       std::to_string(source.size()))
          .in_file(source.name());
    }
    if (source.in_memory()) {
      return Bytes{source.view().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)),
                   std::make_shared<const Source>(source)};
    }
    if (auto charged = budget.charge(size, what); !charged) return std::move(charged).error().in_file(source.name());
    auto buffer = allocate(size, what);
    const auto give_back = [&](Error&& error) -> Result<Bytes> {
      budget.release(size);
      return std::move(error).in_file(source.name());
    };
    if (!buffer) return give_back(std::move(buffer).error());
    const std::span<std::byte> span(buffer->get(), static_cast<std::size_t>(size));
    if (auto done = source.read_at(offset, span); !done) return give_back(std::move(done).error());
    return Bytes{span, std::move(*buffer)};
  });
}

Result<void> read_all(const Source& source, std::uint64_t offset, std::uint64_t size, const std::function<void(std::uint64_t)>& read) {
  constexpr std::uint64_t piece = std::uint64_t{1} << 20;
  BRINE_LET(buffer, allocate(std::min(piece, size), "a buffer"));
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t n = std::min(piece, size - done);
    BRINE_TRY(source.read_at(offset + done, {buffer->get(), static_cast<std::size_t>(n)}));
    if (read) read(n);
    done += n;
  }
  return {};
}

}  // namespace brine
