// SPDX-License-Identifier: MIT
// What an engine does: loads weights into its own memory, and saves. run.py holds what is linked for it against what only tools need.
#include <brine/checkpoint.hpp>
#include <brine/load_state_dict.hpp>
#include <brine/save.hpp>

#include <cstdio>
#include <span>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 3) return std::puts("usage: lean IN OUT"), 0;
  const auto ckpt = brine::load(argv[1]);
  if (!ckpt) return std::puts(ckpt.error().message().c_str()), 1;
  const auto weights = ckpt->state_dict();
  if (!weights) return std::puts(weights.error().message().c_str()), 1;
  std::vector<float> weight(12);
  brine::Parameters mine;
  mine.add("fc.weight", std::span(weight), {4, 3});
  const auto report = brine::load_state_dict(mine, *weights, {.strict = false});
  if (!report) return std::puts(report.error().message().c_str()), 1;
  return brine::save(*weights, argv[2]) ? 0 : 1;
}
