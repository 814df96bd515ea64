// SPDX-License-Identifier: MIT
// save FILE: weights that were made in C++, as a file that load_state_dict takes.
#include <brine/brine.hpp>

#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: save FILE\n", stderr), 2;
  const std::vector<float> weight{1, 2, 3, 4, 5, 6, 7, 8}, bias{0.5f, -0.5f};

  brine::StateDict state;
  state.insert("weight", brine::Tensor::borrow(std::span(weight), {2, 4}).value());  // the engine's memory: no copy
  state.insert("bias", brine::Tensor::borrow(std::span(bias), {2}).value());
  state.set_version("", 1);  // _metadata, as nn.Module.state_dict() has it

  const auto saved = brine::save(state, argv[1]);
  if (!saved) return std::printf("%s\n", saved.error().message().c_str()), 1;
  std::puts("saved");
  return 0;
}
