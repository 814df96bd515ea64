// SPDX-License-Identifier: MIT
#include "places.hpp"

namespace tool {

brine::Result<brine::StateDict> weights_of(const brine::Checkpoint& ckpt, const std::string& at) {
  auto weights = ckpt.state_dict(at);
  if (weights)
    for (const brine::Note& n : weights->notes())
      if (n.code == brine::Note::Code::nothing_kept) return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::no_state_dict, n.text).in_file(ckpt.file());
  return weights;
}

brine::Error no_place(const std::string& file, const std::string& at) {
  return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key,
                      "there is no place " + brine::printable(at) + "; brine ls --all and brine show list the places")
      .in_file(file);
}

}  // namespace tool
