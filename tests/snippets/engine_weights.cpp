// SPDX-License-Identifier: MIT
// README's "an engine's own weights": the lines between the marks stand there word for word (tests/live/test_readme.py).
#include <brine/brine.hpp>

#include <cstdio>
#include <vector>

// [engine-weights]
brine::Result<void> save_linear(const std::vector<float>& weight, const std::vector<float>& bias, const char* path) {
  const auto w = brine::Tensor::borrow(std::span(weight), {3, 4});  // the engine's memory: no copy
  const auto b = brine::Tensor::borrow(std::span(bias), {3});
  if (!w) return w.error();
  if (!b) return b.error();

  brine::StateDict state;
  state.insert("fc.weight", *w);
  state.insert("fc.bias", *b);
  state.set_version("", 1);  // _metadata, as nn.Module.state_dict() has it
  state.set_version("fc", 1);
  return brine::save(state, path);
}
// [end]

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::vector<float> weight{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, bias{0.5f, -0.5f, 2};
  const auto done = save_linear(weight, bias, argv[1]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
