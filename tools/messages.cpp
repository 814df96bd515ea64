// SPDX-License-Identifier: MIT
#include "messages.hpp"

#include "json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tool {

namespace {

bool json_errors = false;

int report(int status, const std::string& line, brine::ErrorKind kind, brine::ErrorCode code, const std::string& text, const brine::Place& at) {
  std::fprintf(stderr, "brine: %s\n", printable(line).c_str());
  if (!json_errors) return status;
  const auto known = [](const std::string& part) { return part.empty() ? std::nullopt : std::optional<std::string_view>(part); };
  JsonWriter json;
  json.object().key("error").object().field("kind", name(kind)).field("code", name(code)).field("message", text);
  json.field("file", known(at.file)).field("record", known(at.record)).field("offset", at.offset);
  json.field("opcode", known(at.opcode)).field("path", known(at.path)).end().end().close();
  return status;
}

std::string with_suffix(std::string text, std::string_view suffix) {
  if (suffix.empty()) return text;
  for (const std::string_view option : {"--at ", "--member ", "--offset ", "--length "})
    for (std::size_t at = 0; (at = text.find(option, at)) != text.npos; at += option.size()) text.insert(at + option.size() - 1, suffix);
  return text;
}

}  // namespace

void set_json_errors(bool on) { json_errors = on; }

int fail(const brine::Error& error, std::string_view suffix) {
  return report(kRefused, with_suffix(error.message(), suffix) + " [" + std::string(name(error.kind())) + "]", error.kind(), error.code(),
                with_suffix(error.text(), suffix), error.place());
}

int fail(const std::string& file, std::string text) { return fail(brine::Error(brine::ErrorKind::usage, brine::ErrorCode::bad_argument, std::move(text)).in_file(file)); }

int fail_usage(const std::string& message) {
  return report(kUsage, message, brine::ErrorKind::usage, brine::ErrorCode::bad_argument, message, {});
}

bool refuse_terminal(const std::string& what, const std::string& path) {
  struct stat status;
  if (!path.empty()) {
    if (::stat(path.c_str(), &status) != 0 || !S_ISCHR(status.st_mode)) return false;
    const int fd = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    const bool terminal = fd >= 0 && ::isatty(fd);
    if (fd >= 0) ::close(fd);
    if (!terminal) return false;
  } else if (!::isatty(STDOUT_FILENO)) {
    return false;
  }
  fail_usage(what + " is binary and does not go to a terminal; send it to a file or a pipe");
  return true;
}

bool write_out(std::string_view text, bool last) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && (!last || std::fflush(stdout) == 0)) return true;
  if (errno != EPIPE) std::fprintf(stderr, "brine: standard output: %s\n", std::strerror(errno));
  return false;
}

std::string cell(std::string_view text, std::size_t max) {
  const std::string out = printable(text);
  const std::size_t width = columns(out);
  if (width <= max) return out;
  const auto continues = [&](std::size_t i) { return (static_cast<unsigned char>(out[i]) & 0xC0) == 0x80; };
  std::size_t head = 0, tail = out.size();
  for (std::size_t n = 0; n < max / 2; ++n)
    do ++head;
    while (continues(head));
  for (std::size_t n = 0; n + 1 < max - max / 2; ++n)
    do --tail;
    while (continues(tail));
  return out.substr(0, head) + "…" + out.substr(tail);
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
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

std::string layout_text(const brine::Tensor& tensor) {
  return tensor.is_nested() ? "nested" : tensor.is_meta() ? "meta" : std::string(name(tensor.layout()));
}

std::string dtype_text(const brine::Tensor& tensor) {
  const std::string kind = layout_text(tensor), dtype(name(tensor.dtype()));
  return kind == "strided" ? dtype : dtype + " " + kind;
}

std::uint64_t bytes_of(const brine::Tensor& tensor) {
  if (tensor.is_meta()) return 0;
  if (!tensor.is_sparse() && !tensor.is_nested()) return tensor.nbytes();
  std::uint64_t out = 0;
  if (const auto parts = tensor.parts())
    for (const auto& part : *parts) out += part.tensor.nbytes();
  return out;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

}  // namespace tool
