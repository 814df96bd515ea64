// SPDX-License-Identifier: MIT
#include "forms/part.hpp"

#include "forms/other_zip.hpp"
#include "support/text.hpp"
#include "support/try.hpp"

namespace brine {

namespace {

Result<Part> at_offset(Source source, const LoadOptions& options) {
  const std::uint64_t size = source.size();
  const auto outside = [](std::string text) { return Error(ErrorKind::usage, ErrorCode::out_of_range, std::move(text)); };
  if (options.offset > size) return outside("the offset " + std::to_string(options.offset) + " lies behind the end of the source, which has " + std::to_string(size) + " bytes");
  const std::uint64_t rest = size - options.offset, length = options.length.value_or(rest);
  if (length > rest)
    return outside("the length " + std::to_string(length) + " reaches behind the end of the source: " + std::to_string(rest) +
                   " bytes are left at byte " + std::to_string(options.offset));
  if (length == size) return Part{std::move(source), size, 0};
  BRINE_LET(part, source.part(options.offset, length));
  if (options.offset == 0) return Part{std::move(*part), size, 0};
  return Part{part->named(std::string(source.name()) + ", from byte " + std::to_string(options.offset)), size, options.offset};
}

/// A member that torch.save wrote inflates to little more than it is packed.
Result<void> check_inflated(const ZipEntry& e) {
  constexpr std::uint64_t factor = 64, base = std::uint64_t{16} << 20;
  if (e.size <= base || (e.size - base) / factor <= e.packed) return {};
  return Error(ErrorKind::limit, ErrorCode::inflated_too_large,
               "the member is deflated, and would need " + std::to_string(e.size) + " bytes of memory for its " + std::to_string(e.packed) +
                   ", more than 64 times as many; unpack it first");
}

Result<Part> member_of(Part zip, const std::string& name, const Limits& limits, Budget& inflated) {
  const std::string full = std::string(zip.source.name()) + ", member " + escaped(name, 200);
  auto archive = Archive::open(zip.source, limits, ZipFolders::any);
  if (!archive) {
    if (archive.error().code() != ErrorCode::zip_signature) return std::move(archive).error();
    return Error(ErrorKind::not_a_checkpoint, ErrorCode::zip_signature, "only a zip has members, and this file is none: " + archive.error().text());
  }
  const ZipEntry* e = archive->directory().find(name);
  if (!e) return Error(ErrorKind::usage, ErrorCode::missing_key, "the zip has no member " + in_quotes(name) + "; it holds " + member_list(*archive));
  if (e->method == zip::kStored) {
    BRINE_LET(part, zip.source.part(e->data_offset, e->size));
    const std::uint64_t at = *zip.offset + e->data_offset;
    return Part{part->named(full), zip.whole, at, std::make_shared<const Archive>(std::move(*archive)), e};
  }
  if (auto ok = check_inflated(*e); !ok) return std::move(ok).error().in_file(full);
  BRINE_LET(bytes, archive->read(*e, inflated, true));
  return Part{Source::memory(bytes->span, bytes->owner, full), zip.whole, std::nullopt, std::make_shared<const Archive>(std::move(*archive)), e};
}

}  // namespace

std::string Part::options(std::uint64_t from, std::uint64_t to) const {
  std::string out;
  if (!offset) return out;
  if (*offset + from != 0) out += "--offset " + std::to_string(*offset + from);
  if (*offset + to != whole) out += (out.empty() ? "--length " : " --length ") + std::to_string(to - from);
  return entry ? out + " without --member" : out;
}

Result<Part> choose_part(Source source, const LoadOptions& options, Budget& inflated) {
  auto part = at_offset(std::move(source), options);
  if (!part || options.member.empty()) return part;
  const std::string name(part->source.name());
  auto member = member_of(std::move(*part), options.member, options.limits, inflated);
  if (!member) return std::move(member).error().in_file(name);
  return member;
}

}  // namespace brine
