// SPDX-License-Identifier: MIT
// load_state_dict_check DESCRIPTION MEMORY WEIGHTS OUT: loads WEIGHTS into a copy of MEMORY, described line by line, and writes the memory
// to OUT. Prints the result's or error's text, then one line for each assigned tensor. test_load_state_dict.py compares with PyTorch.
//
//   module NAME KIND TRACK EXTRA CLASS             TRACK 0, 1 or -; names in hexadecimal digits behind a colon
//   spectral_norm NAME PARAMETER DIM               of the module NAME; likewise:
//   weight_norm NAME PARAMETER
//   alias NAME OF
//   memory|meta|lazy NAME DTYPE SHAPE STRIDE OFFSET BYTES GRAD BUFFER PERSISTENT    SHAPE and STRIDE: numbers between commas, - for none
//   options STRICT ASSIGN SKIP VALIDATE NAME
#include <brine/brine.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

namespace {

std::string text_of(const std::string& hex) {
  std::string out;
  for (std::size_t i = 1; i + 1 < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

std::string hex_of(std::string_view text) {
  std::string out = ":";
  for (const char c : text) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += two;
  }
  return out;
}

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> out;
  std::istringstream in(text);
  for (std::string n; text != "-" && std::getline(in, n, ',');) out.push_back(std::stoll(n));
  return out;
}

std::string list(std::span<const std::int64_t> values) {
  std::string out;
  for (const std::int64_t v : values) out += (out.empty() ? "" : ",") + std::to_string(v);
  return out.empty() ? "-" : out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: load_state_dict_check DESCRIPTION MEMORY WEIGHTS OUT\n", stderr), 2;
  std::ifstream description(argv[1]), memory_file(argv[2], std::ios::binary);
  std::vector<char> memory{std::istreambuf_iterator<char>(memory_file), std::istreambuf_iterator<char>()};

  brine::Parameters mine;
  brine::LoadStateDictOptions options;
  std::map<std::string, brine::ModuleOptions> modules;
  std::string word, name, type, shape, stride, cls;
  while (description >> word) {
    if (word == "module") {
      int kind = 0, extra = 0;
      std::string track;
      description >> name >> kind >> track >> extra >> cls;
      brine::ModuleOptions& m = modules[name];
      m = {.kind = static_cast<brine::ModuleKind>(kind), .class_name = text_of(cls), .extra_state = extra != 0};
      if (track != "-") m.track_running_stats = track == "1";
      mine.module(text_of(name), m);
    } else if (word == "spectral_norm" || word == "weight_norm") {
      description >> name >> type;
      brine::ModuleOptions& m = modules[name];
      if (word == "weight_norm") m.weight_norm.push_back(text_of(type));
      else description >> m.spectral_norm.emplace_back(brine::SpectralNorm{.name = text_of(type)}).dim;
      mine.module(text_of(name), m);
    } else if (word == "alias") {
      description >> name >> type;
      mine.alias(text_of(name), text_of(type));
    } else if (word == "options") {
      options.assign_as_saved = true;
      description >> options.strict >> options.assign >> options.skip_mismatched >> options.validate_first >> name;
      options.model_name = text_of(name);
    } else {
      std::size_t offset = 0, size = 0;
      brine::EntryOptions entry;
      description >> name >> type >> shape >> stride >> offset >> size >> entry.requires_grad >> entry.buffer >> entry.persistent;
      entry.stride = numbers(stride);
      const std::vector<std::int64_t> sizes = numbers(shape);
      const auto bytes = std::as_writable_bytes(std::span(memory)).subspan(offset, size);
      const brine::DType dtype = *brine::dtype_from_name(type);
      if (word == "meta") mine.add_meta(text_of(name), dtype, sizes, entry);
      else if (word == "lazy") mine.add_lazy(text_of(name), dtype, entry);
      else if (entry.buffer) mine.add_buffer(text_of(name), dtype, bytes, sizes, entry);
      else mine.add(text_of(name), dtype, bytes, sizes, entry);
    }
  }
  const auto ckpt = brine::load(argv[3]);
  if (!ckpt) return std::fprintf(stderr, "%s\n", ckpt.error().message().c_str()), 1;
  const auto weights = ckpt->state_dict();
  if (!weights) return std::fprintf(stderr, "%s\n", weights.error().message().c_str()), 1;
  const auto done = brine::load_state_dict(mine, *weights, options);
  if (!done && done.error().kind() != brine::ErrorKind::usage) return std::fprintf(stderr, "%s\n", done.error().message().c_str()), 1;

  std::cout << hex_of(done ? done->to_string() : done.error().text()) << "\n";
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const auto entry = mine.entry(i);
    const brine::Tensor* t = mine.assigned(entry.name);
    if (!t) continue;
    std::vector<char> elements(t->nbytes());
    if (auto ok = t->copy_to(std::as_writable_bytes(std::span(elements))); !ok)
      return std::fprintf(stderr, "%s\n", ok.error().message().c_str()), 1;
    std::cout << hex_of(entry.name) << " " << brine::name(t->dtype()) << " " << list(t->shape()) << " " << list(t->stride()) << " "
              << hex_of({elements.data(), elements.size()}) << "\n";
  }
  return std::ofstream(argv[4], std::ios::binary).write(memory.data(), static_cast<std::streamsize>(memory.size())) ? 0 : 1;
}
