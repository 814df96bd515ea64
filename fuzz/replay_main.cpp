// SPDX-License-Identifier: MIT
// main() for a fuzz target without a fuzzer: feeds it every file of the folders (or files) given, then a few built-in ones.
//
// Stands in for libFuzzer in normal builds, so that seeds and old findings are run by `meson test` with any compiler. The last line printed
// before a crash names the input.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

void feed(std::string_view name, std::string_view bytes) {
  std::printf("%.*s, %zu bytes\n", static_cast<int>(name.size()), name.data(), bytes.size());
  std::fflush(stdout);
  // A heap block of exactly this size: sanitizers and valgrind see the first byte read past the end.
  const auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  LLVMFuzzerTestOneInput(copy.get(), bytes.size());
}

bool feed_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  feed(path.native(), bytes);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  // Inputs that need no file, so that a target without seeds is still run.
  feed("(empty)", {});
  feed("(one byte)", "\x80");
  feed("(zip signature)", "PK\x03\x04");
  feed("(pickle)", std::string_view("\x80\x02}q\x00.", 6));

  bool ok = true;
  for (int i = 1; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      ok = feed_file(argv[i]) && ok;
      continue;
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) ok = feed_file(file) && ok;
  }
  return ok ? 0 : 1;
}
