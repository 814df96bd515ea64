// SPDX-License-Identifier: MIT
// What the examples of headers and README assume: a checkpoint, its weights, the program's own memory and functions.
#pragma once

#include <brine/brine.hpp>

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

inline void running(const char* example) { std::printf("%s\n", example); }

/// No example is to come here.
[[noreturn]] inline void fail(const std::string& message) {
  std::fprintf(stderr, "failed: %s\n", message.c_str());
  std::exit(1);
}
[[noreturn]] inline void log(const std::string& message) { fail(message); }

/// Looks at every byte, so that a sanitizer sees what is no longer there.
inline unsigned seen = 0;
inline void look(const void* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) seen += static_cast<const unsigned char*>(data)[i];
}
inline void look(std::string_view text) { look(text.data(), text.size()); }
template <class T>
void look(std::span<const T> numbers) {
  look(numbers.data(), numbers.size_bytes());
}
inline void look(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) look(text);
}
inline void look(const brine::Tensor& tensor) { look(tensor.shape()); }
inline void look(const brine::Checkpoint& checkpoint) { look(checkpoint.root().type_name()); }
inline void look(const brine::Value& value) { look(value.type_name()); }
template <class... Things>
void use(const Things&... things) {
  (look(things), ...);
}
template <class... Things>
void upload(const Things&... things) {
  use(things...);
}

inline struct Connection {
  bool send(std::span<const std::byte> bytes) {
    look(bytes);
    return true;
  }
} connection;

inline const brine::Error not_yet(brine::ErrorKind::usage, brine::ErrorCode::no_data, "main() opens it");
inline brine::Result<brine::Checkpoint> ckpt = not_yet, checkpoint = not_yet;
inline brine::Result<brine::StateDict> weights = not_yet;
inline std::vector<float> w(40), b(10), mean(64);

void run_examples();
