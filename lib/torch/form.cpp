// SPDX-License-Identifier: MIT
// Which form is it? By content; what is no form is named.
#include "torch/form.hpp"

#include "archive/detect.hpp"

namespace brine {

Result<std::unique_ptr<Form>> open_form(Source source, const Opening& opening) {
  const auto found = detect(source);
  if (!found) return found.error();
  switch (found->format) {
    case FileFormat::zip: return open_zip_form(std::move(source), opening);
    case FileFormat::pickle: return open_legacy_form(std::move(source), opening);
    case FileFormat::tar:
      return Error(ErrorKind::unsupported, ErrorCode::other_format, "this is a checkpoint in the tar format of PyTorch 0.1.1 to 0.1.9, which brine does not read yet");
    case FileFormat::other: break;
  }
  std::string text = "the file is no checkpoint: it is " + std::string(found->what);
  if (!found->advice.empty()) text += "; " + std::string(found->advice);
  return Error(ErrorKind::not_a_checkpoint, ErrorCode::other_format, std::move(text));
}

}  // namespace brine
