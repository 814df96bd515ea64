// SPDX-License-Identifier: MIT
// README's "load, edit, save": the lines between the marks stand there word for word (tests/live/test_readme.py).
#include <brine/brine.hpp>

#include <cstdio>

// [load-edit-save]
brine::Result<void> slim(const char* from, const char* to) {
  auto checkpoint = brine::load(from);                       // maps the file, copies nothing
  if (!checkpoint) return checkpoint.error();
  auto weights = checkpoint->state_dict();                   // a dict of tensors, {"state_dict": …}, or a whole pickled model
  if (!weights) return weights.error();
  weights->strip_prefix("module.");                          // as DataParallel wrote them
  weights->erase("fc.bias");
  if (auto ok = weights->cast(brine::DType::float16); !ok) return ok;
  return brine::save(*weights, to);                          // torch.load(to) reads it
}
// [end]

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto done = slim(argv[1], argv[2]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
