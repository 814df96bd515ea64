// SPDX-License-Identifier: MIT
#include "common.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tool {

std::function<std::string(std::string)> stream(const char* device) {
  return [device](std::string path) { return path == "-" ? device : path; };
}

void Common::add_to(CLI::App& command, bool with_at) {
  command.add_option("FILE", file, "the checkpoint (.pth, .pt, .bin, .ckpt); - is standard input")->required()->transform(stream("/dev/stdin"));
  if (with_at) command.add_option("--at", at, "place in the object tree, as ls --all prints it: model, optimizer.state.0");
  command.add_flag("--weights-only", weights_only, "refuse what torch.load(weights_only=True) refuses");
  command.add_flag("--no-mmap", plain, "read the file instead of mapping it: for files that others may cut short");
  command.add_option("--offset", offset, "byte at which the checkpoint starts in the file");
}

brine::LoadOptions Common::load_options() const {
  brine::LoadOptions options;
  options.weights_only = weights_only;
  options.file_mode = plain ? brine::FileMode::plain : brine::FileMode::mapped;
  options.offset = offset;
  return options;
}

std::string printable(std::string_view text) {
  std::string out;
  constexpr char hex[] = "0123456789abcdef";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // C1 controls (U+0080 to U+009F) move a terminal's cursor as the ASCII ones do.
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c < 32 || c == 127) {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : std::string("\\x") + hex[c >> 4] + hex[c & 15];
    } else if (c1) {
      const auto low = static_cast<unsigned char>(text[++i]);
      out += std::string("\\x") + hex[low >> 4] + hex[low & 15];
    } else {
      out += text[i];
    }
  }
  return out;
}

int fail(const brine::Error& error) { return fail(error.message() + " [" + std::string(name(error.kind())) + "]"); }

int fail(const std::string& message) {
  std::fprintf(stderr, "brine: %s\n", printable(message).c_str());
  return kRefused;
}

bool write_out(std::string_view text, bool last) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && (!last || std::fflush(stdout) == 0)) return true;
  if (errno != EPIPE) fail(std::string("standard output: ") + std::strerror(errno));
  return false;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit < 6) value /= 1000, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

std::string shape_text(const brine::Tensor& tensor) {
  std::string out = "[";
  for (const std::int64_t size : tensor.shape()) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

}  // namespace tool
