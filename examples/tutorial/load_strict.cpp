// SPDX-License-Identifier: MIT
// load_strict FILE: weights into the engine's own memory; every name has to be there, and no other.
#include "net.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: load_strict FILE\n", stderr), 2;
  const auto weights = brine::load(argv[1]).value().state_dict().value();  // .value() throws where there is none

  Net net;
  brine::Parameters mine = net.parameters();
  const auto report = brine::load_state_dict(mine, weights);  // strict is the default, as in PyTorch
  if (!report) return std::printf("%s\n", report.error().text().c_str()), 1;
  std::printf("%s\n", report->to_string().c_str());
  std::printf("fc.bias is");
  for (const float v : net.last_bias) std::printf(" %g", static_cast<double>(v));
  std::puts("");
  return 0;
}
