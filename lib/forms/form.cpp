// SPDX-License-Identifier: MIT
// Which form is it? By content; what is no form is named.
#include "forms/form.hpp"

#include "forms/detect.hpp"
#include "forms/explain.hpp"
#include "forms/other_zip.hpp"
#include "support/try.hpp"

namespace brine {

namespace {

/// Is it no sound zip, or no pickle at all? Of a sound zip that is something else, its directory says what.
bool is_about_the_whole(FileFormat format, const Error& fault) {
  if (format == FileFormat::pickle) return fault.kind() == ErrorKind::not_a_checkpoint;
  return fault.kind() == ErrorKind::corrupt && fault.code() >= ErrorCode::zip_signature && fault.code() <= ErrorCode::zip_size && fault.place().record.empty();
}

/// What is done with a file of each form.
template <class Out>
struct Way {
  Result<Out> (*zip)(Archive archive, const Opening& opening);
  Result<Out> (*legacy)(const Opening& opening);
};

template <class Out>
Result<Out> go_zip(const Opening& opening, const Way<Out>& way) {
  BRINE_LET(archive, Archive::open(opening.part.source, opening.limits, ZipFolders::any));
  if (auto other = other_zip(*archive)) return std::move(*other);
  return way.zip(std::move(*archive), opening);
}

template <class Out>
Result<Out> go_known(FileFormat format, const Opening& opening, const Way<Out>& way) {
  auto out = format == FileFormat::zip ? go_zip(opening, way) : way.legacy(opening);
  if (out) return out;
  Error fault = std::move(out).error();
  if (format == FileFormat::zip && (fault.kind() == ErrorKind::corrupt || fault.kind() == ErrorKind::unsupported) && fault.place().record.empty())
    if (auto other = other_zip_by_names(opening.part.source)) return std::move(*other);
  const bool whole = is_about_the_whole(format, fault);
  if (whole || format == FileFormat::pickle) fault = explain_damage(opening.part.source, std::move(fault));
  return whole && fault.code() != ErrorCode::transferred_as_text ? explain_around(opening.part, std::move(fault)) : std::move(fault);
}

template <class Out>
Result<Out> go(const Opening& opening, const Way<Out>& way) {
  const auto found = detect(opening.part.source);
  if (!found) return found.error();
  switch (found->format) {
    case FileFormat::zip:
    case FileFormat::pickle: return go_known(found->format, opening, way);
    case FileFormat::tar:
      return Error(ErrorKind::unsupported, ErrorCode::other_format, "this is a checkpoint in the tar format of PyTorch 0.1.1 to 0.1.9, which brine does not read yet");
    case FileFormat::other: break;
  }
  std::string text = "the file is not a checkpoint: it is " + std::string(found->what);
  if (!found->advice.empty()) text += "; " + std::string(found->advice);
  Error fault(ErrorKind::not_a_checkpoint, ErrorCode::other_format, std::move(text));
  return found->sure ? std::move(fault) : explain_around(opening.part, std::move(fault));
}

}  // namespace

Result<Opened> open_form(const Opening& opening) { return go<Opened>(opening, {open_zip, open_legacy}); }

Result<std::vector<PickleAt>> find_pickles(const Opening& opening) { return go<std::vector<PickleAt>>(opening, {find_zip_pickles, find_legacy_pickles}); }

}  // namespace brine
