// SPDX-License-Identifier: MIT
// Small whole checkpoints around a pickle: a zip in torch.save's layout, a legacy stream; and loading them.
#pragma once

#include "support/pickle_builder.hpp"
#include "support/zip_builder.hpp"

#include <brine/brine.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace brine::test {

/// The bytes of these elements, in the machine's order.
template <class T>
std::string elements(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}
/// 0, 1, 2 … as float32.
inline std::string counting(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += elements<float>({static_cast<float>(i)});
  return out;
}

struct StorageData {
  std::string key, data;
  std::int64_t count = -1;  ///< of a legacy stream; else size / 4
};

struct ZipShape {
  std::string byteorder = "little", version = "3\n";  ///< empty: no such record
  bool deflate = false;                               ///< the storages
  std::string root = "archive";
  bool deflate_pickle = false;
};

std::string torch_zip(const Pickle& object, const std::vector<StorageData>& storages, const ZipShape& shape = {});

/// Magic number, protocol version, sys_info: the first 137 bytes as Python 3 writes them.
std::string legacy_header();
std::string legacy_stream(const Pickle& object, const std::vector<StorageData>& storages);

/// A source over its own copy of the bytes, so that sanitizers see a read past their end.
inline Source source_over(std::string_view bytes, std::string name = "m.pth") {
  const auto copy = std::make_shared<std::unique_ptr<std::byte[]>>(std::make_unique<std::byte[]>(bytes.size()));
  std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), copy->get());
  return Source::memory({copy->get(), bytes.size()}, copy, std::move(name));
}

/// The same bytes behind a function; counts how many bytes it was asked for.
inline Source callback_over(std::string bytes, std::shared_ptr<std::uint64_t> read = nullptr) {
  const std::size_t size = bytes.size();
  return Source::callback(size, [bytes = std::move(bytes), read](std::uint64_t offset, std::span<std::byte> out) {
    if (offset > bytes.size() || out.size() > bytes.size() - offset) return false;
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()) + offset, out.size(), out.data());
    if (read) *read += out.size();
    return true;
  }, "m.pth");
}

inline Checkpoint open_file(std::string_view bytes, const LoadOptions& options = {}) {
  auto loaded = load(source_over(bytes), options);
  if (!loaded) FAIL(loaded.error().message());
  return *loaded;
}
inline Checkpoint open_zip(const Pickle& object, const std::vector<StorageData>& storages, const ZipShape& shape = {}) {
  return open_file(torch_zip(object, storages, shape));
}

/// The tensor that is the root, and of the tensor under a key.
inline Tensor root_tensor(const Checkpoint& ckpt) { return ckpt.root().as_tensor().value(); }
inline Tensor tensor_under(const Checkpoint& ckpt, std::string_view key) { return ckpt.root()[key].as_tensor().value(); }

/// The error of a call that must fail, with this kind and code.
template <class T>
Error check_code(const Result<T>& result, ErrorKind kind, ErrorCode code) {
  REQUIRE_FALSE(result.has_value());
  CAPTURE(result.error().message());
  CHECK(name(result.error().kind()) == name(kind));
  CHECK(name(result.error().code()) == name(code));
  return result.error();
}
inline Error check_load(std::string_view bytes, ErrorKind kind, ErrorCode code, const LoadOptions& options = {}) {
  return check_code(load(source_over(bytes), options), kind, code);
}

/// Paths, dtypes and shapes of all tensors, one a line.
inline std::string tensor_list(const Checkpoint& ckpt) {
  std::string out;
  for (const TensorAt& t : ckpt.tensors()) {
    out += t.path() + " " + std::string(name(t.tensor.dtype())) + " [";
    for (const std::int64_t n : t.tensor.shape()) out += std::to_string(n) + " ";
    out += "]\n";
  }
  return out;
}

/// The elements as float, or the error's text.
inline std::string floats(const Tensor& t) {
  const auto all = t.to_vector<float>();
  if (!all) return all.error().text();
  std::string out;
  for (const float v : *all)
    out += (out.empty() ? "" : " ") + std::to_string(static_cast<int>(v)) + (v == static_cast<float>(static_cast<int>(v)) ? "" : "~");
  return out;
}

}  // namespace brine::test
