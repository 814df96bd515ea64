// SPDX-License-Identifier: MIT
#include "forms/explain.hpp"

#include "archive/zip_search.hpp"
#include "forms/other_zip.hpp"
#include "forms/text_damage.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <vector>

namespace brine {

namespace {

struct Span {
  std::uint64_t from, to;
  std::string_view what;  ///< empty: no checkpoint
};

Error with_text(const Error& fault, std::string text) {
  Error out(fault.kind(), fault.code(), std::move(text));
  if (!fault.place().record.empty()) out = std::move(out).in_record(fault.place().record);
  if (fault.place().offset) out = std::move(out).at_offset(*fault.place().offset);
  if (!fault.place().opcode.empty()) out = std::move(out).at_opcode(fault.place().opcode);
  return out;
}

/// The zips, the last first; back to where a search would look at.
std::vector<Span> find_zips(const Source& source) {
  std::vector<Span> out;
  auto zip = find_last_zip(source, source.size());
  for (; zip && zip->start >= 0; zip = find_last_zip(source, out.back().from)) {
    const auto from = static_cast<std::uint64_t>(zip->start);
    if (from >= zip->end || checkpoint_at(source, from, zip->end).empty()) break;
    out.push_back({from, zip->end, "a zip archive"});
    if (from == 0 || source.size() - from > search_reach(source)) break;
  }
  return out;
}

/// The first legacy stream; whatever follows belongs to it, or is noted when it is read.
std::vector<Span> find_legacy(const Source& source) {
  const Bytes bytes = look_at(source, 0, source.size());
  const auto at = find_stream(bytes.text());
  if (at == std::string_view::npos) return {};
  return {{at, source.size(), "a checkpoint in the old format"}};
}

}  // namespace

std::string_view checkpoint_at(const Source& source, std::uint64_t at, std::uint64_t end) {
  const Bytes start = look_at(source, at, std::min<std::uint64_t>(end - at, kStreamStart));
  if (find_stream(start.text()) == 0) return "a checkpoint in the old format";
  if (!start.text().starts_with("PK\3\4")) return {};
  const auto part = source.part(at, end - at);
  const auto directory = part ? ZipDirectory::read(*part, Limits{}) : part.error();
  return directory && directory->find_record("data.pkl") ? "a zip archive" : std::string_view();
}

Error explain_damage(const Source& source, Error fault) {
  if (fault.kind() != ErrorKind::corrupt && fault.kind() != ErrorKind::not_a_checkpoint) return fault;
  const std::string_view damage = text_damage(source);
  if (damage.empty()) return fault;
  Error out(ErrorKind::corrupt, ErrorCode::transferred_as_text,
            "the file was transferred as text: " + std::string(damage) + "; transfer it again as binary" +
                (fault.kind() == ErrorKind::corrupt ? " (" + fault.text() + ")" : ""));
  return fault.place().offset && fault.place().record.empty() ? std::move(out).at_offset(*fault.place().offset) : std::move(out);
}

Error explain_pickle(const Part& part, Error fault, std::uint64_t end) {
  if (fault.kind() == ErrorKind::io || fault.kind() == ErrorKind::limit) return fault;
  if (end == 0)
    return Error(ErrorKind::not_a_checkpoint, ErrorCode::other_format, "the file is not a checkpoint: it starts like a pickle, but does not go on as one (" + fault.text() + ")");
  const std::string plain = "a plain pickle (pickle.dump), not a file of torch.save, and brine does not read it yet";
  const auto error = [](std::string text) { return Error(ErrorKind::unsupported, ErrorCode::other_format, std::move(text)); };
  if (checkpoint_at(part.source, end, part.source.size()).empty()) return error("this is " + plain);
  const std::string options = part.options(end, part.source.size());
  return error("the file starts with " + plain + "; a checkpoint follows at byte " + std::to_string(end) + (options.empty() ? "" : ": " + options + " opens it"));
}

Error explain_around(const Part& part, Error fault) {
  const Source& source = part.source;
  const std::uint64_t size = source.size();
  std::vector<Span> spans = find_zips(source);
  if (spans.empty()) spans = find_legacy(source);
  if (spans.empty()) {
    const auto zip = find_last_zip(source, size);
    const Bytes first = look_at(source, 0, zip::kSignatureSize);
    if (!zip || zip->start != 0 || first.text().starts_with("PK")) return fault;
    if (zip->first == 0)
      return Error(ErrorKind::corrupt, ErrorCode::zip_signature,
                   "the first bytes are damaged: expected a zip's PK\\x03\\x04, found " + escaped(first.text()) + "; fetch the file again")
          .at_offset(0);
    return with_text(fault, "the file is a zip archive with other bytes in front of it, from which its offsets count: zip -J FILE takes them off");
  }
  if (spans.size() == 1 && spans[0].from == 0 && spans[0].to == size) return fault;
  std::vector<Span> all;  // and what is between them
  for (std::uint64_t at = 0; !spans.empty(); spans.pop_back()) {
    if (spans.back().from > at) all.push_back({at, spans.back().from, checkpoint_at(source, at, spans.back().from)});
    all.push_back(spans.back());
    at = spans.back().to;
  }
  if (const std::uint64_t end = all.back().to; end != size) all.push_back({end, size, checkpoint_at(source, end, size)});

  constexpr std::size_t max = 6;
  std::string text = "the file is not one checkpoint alone: ";
  for (std::size_t n = 0; n < all.size() && n < max; ++n) {
    const Span& span = all[n];
    const std::string options = span.what.empty() ? "" : part.options(span.from, span.to);
    text += (n ? ", bytes " : "bytes ") + std::to_string(span.from) + " to " + std::to_string(span.to) + " are " + std::string(span.what.empty() ? "something else" : span.what);
    if (!options.empty()) text += " (" + options + " opens it)";
  }
  if (all.size() > max) text += ", and " + std::to_string(all.size() - max) + " more parts follow";
  return with_text(fault, std::move(text));
}

}  // namespace brine
