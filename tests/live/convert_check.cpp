// SPDX-License-Identifier: MIT
// convert_check FROM TO IN OUT: converts the elements in the file IN with brine::convert. convert_check.py compares with PyTorch.
#include <brine/convert.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: convert_check FROM TO IN OUT\n", stderr), 2;
  const auto from = brine::dtype_from_name(argv[1]), to = brine::dtype_from_name(argv[2]);
  if (!from || !to) return std::fputs("no such dtype\n", stderr), 2;

  std::ifstream file(argv[3], std::ios::binary);
  const std::vector<char> in{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<char> out(in.size() / brine::item_size(*from) * brine::item_size(*to));
  const auto done = brine::convert(*from, std::as_bytes(std::span(in)), *to, std::as_writable_bytes(std::span(out)));
  if (!done) return std::fprintf(stderr, "%s\n", done.error().message().c_str()), 1;
  return std::ofstream(argv[4], std::ios::binary).write(out.data(), static_cast<std::streamsize>(out.size())) ? 0 : 1;
}
