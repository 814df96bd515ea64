// SPDX-License-Identifier: MIT
// The texts of load_state_dict: PyTorch's, byte for byte.
#include "load/load_state_dict.hpp"

#include "support/text.hpp"

namespace brine {

namespace {

void append_list(std::string& out, const std::vector<std::string>& keys) {
  out += '[';
  for (const std::string& key : keys) {
    if (&key != &keys.front()) out += ", ";
    out += python_repr(key);
  }
  out += ']';
}

void append_line(std::string& out, std::string_view title, const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  out += title;
  for (const std::string& key : keys) {
    if (&key != &keys.front()) out += ", ";
    out += '"';
    out += key;
    out += '"';
  }
  out += ". \n\t";
}

}  // namespace

std::string LoadReport::to_string() const {
  if (all_matched()) return "<All keys matched successfully>";
  std::string out = "_IncompatibleKeys(missing_keys=";
  append_list(out, missing_keys);
  out += ", unexpected_keys=";
  append_list(out, unexpected_keys);
  return out += ')';
}

std::string error_text(const LoadReport& report, const LoadStateDictOptions& options) {
  std::string out = concat({"Error(s) in loading state_dict for ", options.model_name, ":\n\t"});
  if (options.strict) {
    append_line(out, "Missing key(s) in state_dict: ", report.missing_keys);
    append_line(out, "Unexpected key(s) in state_dict: ", report.unexpected_keys);
  }
  for (const LoadReport::Problem& p : report.problems) (out += p.text) += "\n\t";
  out.resize(out.size() - 2);
  return out;
}

}  // namespace brine
