// SPDX-License-Identifier: MIT
// The options of `convert` that edit the weights' names: one after the other, as the command line has them.
#pragma once

#include "left_out.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

namespace tool {

class NameEdits {
 public:
  void add_to(CLI::App& command);
  /// To be called when `command` has been parsed.
  void take(const CLI::App& command);

  bool empty() const { return steps_.empty(); }
  /// Did it change any? Fails with: usage (nothing is left; two weights of one name).
  brine::Result<bool> apply(brine::StateDict& weights, LeftOut& left) const;

 private:
  struct Step {
    std::string option, text;
    bool chooses() const { return option == "--only" || option == "--drop"; }
  };
  brine::Result<bool> rename(brine::StateDict& weights, const Step& step) const;
  static std::string told(const Step& step);
  std::string elsewhere(const brine::StateDict& from, std::size_t step) const;

  std::map<std::string, std::vector<std::string>> values_;  // what the parser fills
  std::vector<Step> steps_;
};

}  // namespace tool
