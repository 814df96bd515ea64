// SPDX-License-Identifier: MIT
// detect(): the dispatch of PyTorch's own loader, and a name for what is none of its formats.
#include "forms/detect.hpp"

#include "archive/zip_format.hpp"
#include "bytes/bytes.hpp"
#include "bytes/cursor.hpp"
#include "bytes/guard.hpp"
#include "forms/detect_magic.hpp"
#include "forms/detect_pickle.hpp"
#include "forms/text_damage.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace brine {

namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kLook = 4096;

/// A field of octal digits, as tar has its numbers; nothing when there is none.
std::optional<std::uint64_t> octal(std::string_view field) {
  std::uint64_t value = 0;
  const auto first = field.find_first_not_of(' ');
  if (first == field.npos || field[first] < '0' || field[first] > '7') return std::nullopt;
  for (const char c : field.substr(first)) {
    if (c < '0' || c > '7') break;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// Would Python's tarfile take the first block for a header? Then torch.load takes the file for a tar, whatever else it may be.
bool is_tar_header(std::string_view start) {
  constexpr std::size_t block = 512, sum_at = 148, sum_size = 8;
  if (start.size() < block) return false;
  std::string_view field = start.substr(sum_at, sum_size);
  std::int64_t sum = 0, signed_sum = 0, wanted = 0;
  for (std::size_t i = 0; i < block; ++i) {
    const char c = i >= sum_at && i < sum_at + sum_size ? ' ' : start[i];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  const auto lead = static_cast<unsigned char>(field[0]);
  if (lead == 0x80 || lead == 0xFF) {  // a binary number
    std::uint64_t bits = lead == 0xFF ? ~std::uint64_t{0} : 0;  // a negative one
    for (const char c : field.substr(1)) bits = bits << 8 | static_cast<unsigned char>(c);
    wanted = static_cast<std::int64_t>(bits);
  } else {  // as int(text, 8) takes it
    field = field.substr(0, field.find('\0'));
    field.remove_prefix(std::min(field.find_first_not_of(" \t\n\v\f\r"), field.size()));
    const bool negative = field.starts_with('-');
    if (negative || field.starts_with('+')) field.remove_prefix(1);
    if (field.starts_with("0o") || field.starts_with("0O")) field.remove_prefix(2);
    for (const char c : field)
      if (c >= '0' && c <= '7') wanted = wanted * 8 + (c - '0');
      else if (c != '_') break;
    if (negative) wanted = -wanted;
  }
  return wanted == sum || wanted == signed_sum;
}

/// PyTorch's oldest format, told from any other tar by its first real member; headers that only describe the next one are passed over.
Detected tar_kind(std::string_view start) {
  constexpr std::size_t block = 512, name_size = 100, size_at = 124, size_size = 12, type_at = 156;
  for (std::size_t at = 0; start.size() >= at + block;) {
    const auto header = start.substr(at, block);
    const auto name = header.substr(0, std::min(header.find('\0'), name_size));
    for (const auto member : {"sys_info"sv, "pickle"sv, "storages"sv, "tensors"sv}) {
      if (name == member) return {FileFormat::tar, {}, {}};
    }
    const char type = header[type_at];
    const auto size = octal(header.substr(size_at, size_size));
    if ((type != 'x' && type != 'g') || !size || *size > kLook) break;
    at += block + (static_cast<std::size_t>(*size) + block - 1) / block * block;
  }
  return {FileFormat::other, "a tar archive", "unpack it and give brine the checkpoint inside"};
}

bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == bytes.npos; }

/// An end record without a comment.
bool ends_like_zip(std::string_view end) {
  if (end.size() < zip::end::kSize) return false;
  const auto record = end.substr(end.size() - zip::end::kSize);
  return record.starts_with("PK\5\6") && record.ends_with("\0\0"sv);
}

Detected classify(std::string_view start, std::string_view end, std::uint64_t size) {
  if (start.starts_with("PK\3\4")) return {FileFormat::zip, {}, {}};
  if (start.starts_with("PK") && !start.starts_with("PK\5\6") && ends_like_zip(end))
    return {FileFormat::zip, {}, {}};  // damaged: archive/ says how
  if (is_safetensors(start, size)) return {FileFormat::other, kSafetensors.what, kSafetensors.advice};  // its first bytes may be anything's
  if ((start.size() > 262 && start.substr(257).starts_with("ustar")) || is_tar_header(start)) return tar_kind(start);
  if (const Magic* magic = find_magic(start)) return {FileFormat::other, magic->what, magic->advice};
  const bool behind = !start.starts_with('\x80') && ends_like_zip(end);  // every pickle of torch.save says its protocol
  if (!behind && (looks_like_pickle(start, start.size() == size) || !text_damage_of_start(start).empty())) return {FileFormat::pickle, {}, {}};
  if (all_zero(start) && all_zero(end))
    return {FileFormat::other, "a file of zeros", "a download or a copy did not finish: fetch the file again", false};
  if (behind) return {FileFormat::other, "a zip archive with other bytes in front of it", "PyTorch looks for a zip at the first byte only", false};
  if (const Magic* form = find_by_form(start)) return {FileFormat::other, form->what, form->advice, form != &kText};
  return {FileFormat::other, "no file of a known kind", {}, false};
}

}  // namespace

Result<Detected> detect(const Source& source) {
  return guarded("detecting the format", [&]() -> Result<Detected> {
    if (source.size() == 0) return Error(ErrorKind::not_a_checkpoint, ErrorCode::empty_file, "the file is empty").in_file(source.name());
    std::array<std::byte, 2 * kLook> buffer;
    const auto n = static_cast<std::size_t>(std::min(source.size(), kLook));
    const auto start = std::span(buffer).first(n), end = std::span(buffer).last(n);
    BRINE_TRY(source.read_at(0, start));
    BRINE_TRY(source.read_at(source.size() - n, end));
    const auto text = [](std::span<const std::byte> bytes) {
      return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    return classify(text(start), text(end), source.size());
  });
}

}  // namespace brine
