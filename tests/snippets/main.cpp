// SPDX-License-Identifier: MIT
// examples GOLDEN: all examples, in a new folder with the files they name. examples slim FROM TO, examples save_linear TO, examples next_epoch FROM TO:
// README's functions.
#include "prelude.hpp"

#include <filesystem>

#include <unistd.h>

namespace fs = std::filesystem;

brine::Result<void> slim(const char* from, const char* to);
brine::Result<void> save_linear(const std::vector<float>& weight, const std::vector<float>& bias, const char* path);
brine::Result<void> next_epoch(const brine::Checkpoint& checkpoint, const char* to);

namespace {

void check(const brine::Result<void>& done) {
  if (!done) fail(done.error().message());
}

void engine_weights(const char* to) {
  check(save_linear({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {0.5f, -0.5f, 2}, to));
}

void edit(const char* from, const char* to) {
  const auto opened = brine::load(from);
  if (!opened) fail(opened.error().message());
  check(next_epoch(*opened, to));
}

void run_all(const fs::path& golden) {
  std::string folder = (fs::temp_directory_path() / "brine-examples-XXXXXX").string();
  if (!::mkdtemp(folder.data())) fail("no folder for the examples");
  for (const char* name : {"resnet50.pth", "m.pth", "whole.pth"})
    fs::copy_file(golden / (name[0] == 'w' ? "whole_model.pth" : "resnet.pth"), fs::path(folder) / name);
  fs::copy_file(golden / "checkpoint_adam.pth", fs::path(folder) / "checkpoint.pt");
  fs::current_path(folder);
  ckpt = checkpoint = brine::load("resnet50.pth");
  if (!ckpt) fail(ckpt.error().message());
  weights = ckpt->state_dict();
  run_examples();
  check(slim("m.pth", "slim.pth"));
  engine_weights("engine.pth");
  edit("checkpoint.pt", "edited.pt");
  fs::current_path("/");
  fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (argc == 4 && what == "slim") check(slim(argv[2], argv[3]));
  else if (argc == 3 && what == "save_linear") engine_weights(argv[2]);
  else if (argc == 4 && what == "next_epoch") edit(argv[2], argv[3]);
  else if (argc == 2) run_all(fs::absolute(argv[1]));
  else return 2;
  return 0;
}
