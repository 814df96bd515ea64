// SPDX-License-Identifier: MIT
// list FILE: the weights of a file, whichever way it was saved.
#include <brine/brine.hpp>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: list FILE\n", stderr), 2;
  const auto ckpt = brine::load(argv[1]);  // maps the file, copies nothing
  if (!ckpt) return std::printf("%s\n", ckpt.error().message().c_str()), 1;
  const auto weights = ckpt->state_dict();  // finds them in a dict and in a whole model
  if (!weights) return std::printf("%s\n", weights.error().message().c_str()), 1;

  std::printf("%s\n", weights->from_module() ? "a whole model" : "only weights");
  for (const auto& [name, tensor] : *weights) {
    std::printf("  %-24s", std::string(name).c_str());
    if (const auto values = tensor.data<float>()) {  // a span into the file
      std::printf("%3zu values, the first is %g\n", values->size(), static_cast<double>(values->front()));
    } else {
      std::printf("%s\n", std::string(brine::name(tensor.dtype())).c_str());
    }
  }
  return 0;
}
