// SPDX-License-Identifier: MIT
// model FILE: the model itself, as print(model) shows it.
#include <brine/brine.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: model FILE\n", stderr), 2;
  const auto ckpt = brine::load(argv[1]);
  if (!ckpt) return std::printf("%s\n", ckpt.error().message().c_str()), 1;

  const auto model = brine::Module::of(ckpt->root());  // a view of what was pickled; no class is needed, and nothing is run
  if (!model) return std::printf("%s: %s\n", argv[1], model.error().message().c_str()), 1;
  std::printf("%s\n%s\n", model->repr().c_str(), model->training() ? "in training mode" : "in eval mode");
  return 0;
}
