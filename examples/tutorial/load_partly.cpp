// SPDX-License-Identifier: MIT
// load_partly FILE: weights into a network whose last layer is another one.
#include "net.hpp"

#include <cstdio>

void load(const char* title, Net net, const brine::StateDict& weights, const brine::LoadStateDictOptions& options) {
  brine::Parameters mine = net.parameters();
  const auto report = brine::load_state_dict(mine, weights, options);
  std::printf("-- %s\n%s\n", title, report ? report->to_string().c_str() : report.error().text().c_str());
  if (report) std::printf("loaded %d of %zu\n", static_cast<int>(report->loaded), mine.size());
}

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: load_partly FILE\n", stderr), 2;
  const auto weights = brine::load(argv[1]).value().state_dict().value();

  load("head instead of fc, strict", Net("head", 5), weights, {.model_name = "OtherNet"});
  load("head instead of fc, not strict", Net("head", 5), weights, {.strict = false, .model_name = "OtherNet"});
  load("fc of another shape, not strict", Net("fc", 5), weights, {.strict = false, .model_name = "Net"});
  load("fc of another shape, passed over", Net("fc", 5), weights, {.skip_mismatched = true});
  return 0;
}
