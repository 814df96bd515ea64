// SPDX-License-Identifier: MIT
// One save, for save_bench.py, in a process of its own: save_bench save|write FILE OUT prints "total MILLISECONDS".
//
//   save   brine::save of FILE's state dict, whose tensors lie in the mapped file
//   write  the floor: one plain write() of the same bytes, from memory
#include <brine/brine.hpp>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

void print(Clock::time_point start) { std::printf("total %.6f\n", std::chrono::duration<double, std::milli>(Clock::now() - start).count()); }

bool plain_write(const std::string& bytes, const char* out) {
  const int file = ::open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  for (std::size_t done = 0; file >= 0 && done < bytes.size();) {
    const ssize_t n = ::write(file, bytes.data() + done, bytes.size() - done);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return file >= 0 && ::close(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  if (std::strcmp(argv[1], "write") == 0) {
    std::ifstream in(argv[2], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto start = Clock::now();
    if (!plain_write(bytes, argv[3])) return 1;
    print(start);
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
  const auto start = Clock::now();
  const auto done = brine::save(*weights, argv[3]);
  print(start);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done && touched != 1 ? 0 : 1;
}
