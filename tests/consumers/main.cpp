// SPDX-License-Identifier: MIT
// What a first program with brine does. Built by the three projects beside this file against an installed brine.
#include <brine/brine.hpp>

#include <cstdio>
#include <span>
#include <string_view>

int main(int argc, char** argv) {
  // Without a file: bytes that are no checkpoint, which must come back as a value and not as a crash.
  if (argc < 2) {
    constexpr std::string_view text = "hello, I am a text file\n";
    const auto ckpt = brine::load(brine::Source::memory(std::as_bytes(std::span(text)), nullptr, "hello.txt"));
    if (ckpt) return 1;
    std::printf("brine %s: %s\n", BRINE_VERSION, ckpt.error().message().c_str());
    return ckpt.error().kind() == brine::ErrorKind::not_a_checkpoint ? 0 : 1;
  }

  const auto ckpt = brine::load(argv[1]);
  if (!ckpt) {
    std::fprintf(stderr, "%s\n", ckpt.error().message().c_str());
    return 1;
  }
  for (const auto& found : ckpt->tensors()) {
    std::printf("%s: %zu dimensions\n", found.path().c_str(), found.tensor.shape().size());
  }
  return 0;
}
