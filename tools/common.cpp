// SPDX-License-Identifier: MIT
#include "common.hpp"

namespace tool {

std::function<std::string(std::string)> stream(const char* device) {
  return [device](std::string path) { return path == "-" ? device : path; };
}

std::string check_dtype(const std::string& dtype) {
  return brine::dtype_from_text(dtype) ? "" : "there is no dtype " + dtype + "; such are float16, bfloat16, float32, fp16, bf16";
}

std::function<std::string(const std::string&)> one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& text) {
    std::string list;
    for (const std::string& word : words) {
      if (word == text) return std::string();
      list += (&word == &words.front() ? "" : &word == &words.back() ? " or " : ", ") + word;
    }
    return "expected " + list + ", found " + text;
  };
}

std::string check_protocol(const std::string& text) { return text.size() == 1 && text[0] >= '1' && text[0] <= '5' ? "" : "expected a number from 1 to 5, found " + text; }

void Part::add_to(CLI::App& command, const std::string& suffix, const std::string& file) {
  command.add_option("--offset" + suffix, offset, "byte of " + file + " at which the checkpoint starts");
  command.add_option("--length" + suffix, length, "bytes that it has there, when others follow");
  command.add_option("--member" + suffix, member, "open this file in the zip (" + file + "): policy.pth");
}

void Part::choose(brine::LoadOptions& options) const {
  if (offset) options.offset = *offset;
  if (length) options.length = *length;
  if (member) options.member = *member;
}

void Common::add_to(CLI::App& command, bool with_at) {
  command.add_option("FILE", file, "the checkpoint (.pth, .pt, .bin, .ckpt); - is standard input")->required()->transform(stream("/dev/stdin"));
  if (with_at) command.add_option("--at", at, "place in the object tree, as ls --all prints it: model, optimizer.state.0");
  command.add_flag("--weights-only", weights_only, "refuse what torch.load(weights_only=True) refuses");
  command.add_flag("--no-mmap", plain, "read the file instead of mapping it: for files that others may cut short");
  part.add_to(command);
}

brine::LoadOptions Common::load_options() const {
  brine::LoadOptions options;
  options.weights_only = weights_only;
  options.file_mode = plain ? brine::FileMode::plain : brine::FileMode::mapped;
  part.choose(options);
  return options;
}

}  // namespace tool
