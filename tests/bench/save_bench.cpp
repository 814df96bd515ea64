// SPDX-License-Identifier: MIT
// One save, for save_bench.py, in a process of its own: save_bench save|own|write FILE OUT prints "total MILLISECONDS" and "cpu MILLISECONDS".
//
//   save   brine::save of FILE's state dict, whose tensors lie in the mapped file
//   own    brine::save of a state dict that the program makes of arrays of its own, with the same names and numbers
//   write  the floor: plain write()s of the same bytes from memory, a MiB each, with which the page cache is quickest
#include <brine/brine.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Watch {
  Clock::time_point start = Clock::now();
  std::clock_t cpu = std::clock();

  void print() const {
    std::printf("total %.6f\n", std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    std::printf("cpu %.6f\n", static_cast<double>(std::clock() - cpu) * 1e3 / CLOCKS_PER_SEC);
  }
};

bool plain_write(const std::string& bytes, const char* out) {
  const int file = ::open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  for (std::size_t done = 0; file >= 0 && done < bytes.size();) {
    const ssize_t n = ::write(file, bytes.data() + done, std::min(bytes.size() - done, std::size_t{1} << 20));
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return file >= 0 && ::close(file) == 0;
}

brine::StateDict own_state(const brine::StateDict& like, const std::vector<std::vector<std::byte>>& arrays) {
  brine::StateDict state;
  auto array = arrays.begin();
  for (const auto& [name, tensor] : like) {
    auto mine = brine::Tensor::borrow(*array++, tensor.dtype(), tensor.shape());
    if (mine) state.insert(name, *mine);
  }
  return state;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  if (std::strcmp(argv[1], "write") == 0) {
    std::ifstream in(argv[2], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const Watch watch;
    if (!plain_write(bytes, argv[3])) return 1;
    watch.print();
    return 0;
  }
  const auto ckpt = brine::load(argv[2]);
  if (!ckpt) return 1;
  const auto weights = ckpt->state_dict();
  if (!weights) return 1;
  std::size_t touched = 0;  // its pages are mapped, as an engine's own memory is
  for (const auto& [name, tensor] : *weights)
    if (const auto bytes = tensor.data_bytes())
      for (std::size_t i = 0; i < bytes->size(); i += 4096) touched += std::to_integer<std::size_t>((*bytes)[i]);
  brine::StateDict state = *weights;
  std::vector<std::vector<std::byte>> arrays;
  if (std::strcmp(argv[1], "own") == 0) {
    for (const auto& [name, tensor] : *weights) {
      const auto bytes = tensor.data_bytes();
      arrays.emplace_back(bytes->begin(), bytes->end());
    }
    state = own_state(*weights, arrays);
  }
  const Watch watch;
  const auto done = brine::save(state, argv[3]);
  watch.print();
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done && touched != 1 ? 0 : 1;
}
