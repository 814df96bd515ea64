// SPDX-License-Identifier: MIT
// For test_random_trees.py. random_trees save SEED COUNT FOLDER: random trees as FOLDER/0.pth …, one line for each: its number, and its
// protocol, or "refused" for what no file can say. random_trees compare SEED COUNT FOLDER: the same trees beside what is now in those files.
#include <brine/brine.hpp>

#include "support/value_choices.hpp"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

using namespace brine;

namespace {

std::vector<std::uint8_t> choices(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> out(random() % 400);
  for (auto& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

std::string difference(const Value& tree, const std::string& path) {
  const auto file = load(path);
  return file ? test::SameTree(test::SameTree::By::python).difference(tree, file->root()) : file.error().message();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const bool compare = std::string_view(argv[1]) == "compare";
  const auto seed = std::strtoull(argv[2], nullptr, 10), count = std::strtoull(argv[3], nullptr, 10);
  for (unsigned long long i = 0; i < count; ++i) {
    const auto bytes = choices(seed + i);
    test::ValueChoices some(bytes);
    const SaveOptions options = some.options();
    const Value tree = some.value();
    const std::string path = std::string(argv[4]) + "/" + std::to_string(i) + ".pth";
    if (compare) {
      std::printf("%llu %s\n", i, difference(tree, path).c_str());
    } else if (const auto saved = save(tree, path, options)) {
      std::printf("%llu %d\n", i, options.protocol);
    } else if (saved.error().code() == ErrorCode::wrong_dtype) {  // two dtypes over one storage
      std::printf("%llu refused\n", i);
    } else {
      std::fprintf(stderr, "%llu: %s\n", i, saved.error().message().c_str());
      return 1;
    }
  }
  return 0;
}
