// SPDX-License-Identifier: MIT
#include "archive/zip_search.hpp"

#include "archive/zip_format.hpp"
#include "bytes/cursor.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace brine {

namespace {

constexpr auto u16 = &little_at<std::uint16_t>;
constexpr auto u32 = &little_at<std::uint32_t>;
constexpr auto u64 = &little_at<std::uint64_t>;

/// The zip whose end record is at `at`, if it ends at `end` or before it.
std::optional<ZipSeen> read_end(const Source& source, std::uint64_t at, std::uint64_t end) {
  constexpr std::uint64_t before = zip::end64::kSize + zip::locator::kSize;
  const std::uint64_t from = at - std::min(at, before);
  const Bytes bytes = look_at(source, from, at - from + zip::end::kSize);
  if (bytes.span.size() != at - from + zip::end::kSize) return std::nullopt;
  const std::byte* record = bytes.span.data() + (at - from);
  if (u32(record) != zip::kEndSignature) return std::nullopt;
  ZipSeen out{0, 0, at + zip::end::kSize + u16(record + zip::end::kCommentLength), 0};
  if (out.end > end) return std::nullopt;

  std::uint64_t size = u32(record + zip::end::kDirectorySize), offset = u32(record + zip::end::kDirectoryOffset), directory_end = at;
  if (at - from == before && u32(record - zip::locator::kSize) == zip::kLocatorSignature && u32(bytes.span.data()) == zip::kEnd64Signature) {
    size = u64(bytes.span.data() + zip::end64::kDirectorySize);
    offset = u64(bytes.span.data() + zip::end64::kDirectoryOffset);
    directory_end = from;
  }
  if (size < zip::entry::kSize || size > directory_end || offset > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  out.directory = directory_end - size;
  out.start = static_cast<std::int64_t>(out.directory) - static_cast<std::int64_t>(offset);
  const Bytes entry = look_at(source, out.directory, zip::entry::kSize);
  if (entry.span.size() != zip::entry::kSize || u32(entry.span.data()) != zip::kEntrySignature) return std::nullopt;
  out.first = u32(entry.span.data() + zip::entry::kOffset);
  return out;
}

}  // namespace

std::uint64_t search_reach(const Source& source) noexcept { return std::uint64_t{source.in_memory() ? 64u : 1u} << 20; }

Bytes look_at(const Source& source, std::uint64_t from, std::uint64_t size) {
  if (from > source.size()) return {};
  size = std::min({size, source.size() - from, search_reach(source)});
  Budget budget(size, ErrorCode::inflated_too_large);
  auto bytes = fetch(source, from, size, budget, "a search");
  return bytes ? std::move(*bytes) : Bytes{};
}

std::optional<ZipSeen> find_last_zip(const Source& source, std::uint64_t end) {
  std::uint64_t window = std::min<std::uint64_t>(end, 64 * 1024);  // mostly it ends here
  for (std::uint64_t seen = 0;;) {
    const Bytes bytes = look_at(source, end - window, window);
    const auto* begin = reinterpret_cast<const char*>(bytes.span.data());
    for (std::size_t left = bytes.span.size() - std::min<std::size_t>(bytes.span.size(), static_cast<std::size_t>(seen)); left >= zip::kSignatureSize; --left) {
      const char* p = begin + left - zip::kSignatureSize;
      if (p[2] != 5 || std::memcmp(p, "PK\5\6", zip::kSignatureSize) != 0) continue;  // the third byte is the rarest
      if (auto zip = read_end(source, end - window + left - zip::kSignatureSize, end)) return zip;
    }
    const std::uint64_t max = std::min(end, search_reach(source));
    if (window >= max) return std::nullopt;
    seen = window - zip::kSignatureSize;
    window = max;
  }
}

}  // namespace brine
