// SPDX-License-Identifier: MIT
// RunPickle: runs one pickle through the machine, with PyTorch's names known, and keeps what came of it.
#pragma once

#include "pickle/machine.hpp"
#include "support/graph_text.hpp"
#include "support/pickle_builder.hpp"
#include "torch/torch_calls.hpp"
#include "torch/weights_only.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

namespace brine::test {

class RunPickle {
 public:
  explicit RunPickle(std::string_view pickle, bool weights_only = false, const Limits& with = {})
      : limits(with),
        size_(pickle.size()),
        bytes_(std::make_unique<char[]>(size_)),
        budget(with.metadata_base + with.metadata_factor * size_, ErrorCode::metadata_too_large),
        storages(budget),
        calls(storages, limits, legacy_ids()),
        graph(budget) {
    std::copy(pickle.begin(), pickle.end(), bytes_.get());
    const WeightsOnly policy;
    const std::span<const char> all(bytes_.get(), size_);
    result.emplace(Machine(graph, calls, weights_only ? &policy : nullptr, notes, std::as_bytes(all), budget).run());
  }
  explicit RunPickle(const Pickle& pickle, bool weights_only = false) : RunPickle(pickle.bytes(), weights_only) {}

  bool ok() const { return result->has_value(); }
  const Error& error() const { return result->error(); }
  Ref value() const {
    if (!ok()) FAIL(error().message());
    return (*result)->value;
  }
  std::string text(bool origins = false) const { return graph_text(value(), origins); }
  bool inside(const void* p) const { return p >= bytes_.get() && p < bytes_.get() + size_; }

  Limits limits;
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
  Budget budget;
  Notes notes;
  Storages storages;
  TorchCalls calls;
  Graph graph;
  std::optional<Result<Unpickled>> result;
};

/// The text of the value that the pickle makes.
inline std::string text_of_pickle(const Pickle& pickle) { return RunPickle(pickle).text(); }
inline std::string made_by_pickle(const Pickle& pickle) { return RunPickle(pickle).text(true); }

/// The pickle is refused: with this code, at this byte, by this opcode ("" where the bytes are none).
inline void check_fault(std::string_view pickle, ErrorCode code, std::uint64_t offset, std::string_view opcode,
                        ErrorKind kind = ErrorKind::corrupt, bool weights_only = false) {
  const RunPickle run(pickle, weights_only);
  REQUIRE_FALSE(run.ok());
  const Error& error = run.error();
  CAPTURE(error.message());
  CHECK(name(error.code()) == name(code));
  CHECK(name(error.kind()) == name(kind));
  REQUIRE(error.place().offset.has_value());
  CHECK(*error.place().offset == offset);
  CHECK(error.place().opcode == opcode);
}

/// As above; the opcode at fault is the last of the pickle.
inline void check_last(const Pickle& before, Pickle whole, ErrorCode code, std::string_view opcode, ErrorKind kind = ErrorKind::corrupt) {
  check_fault(whole.bytes(), code, before.position(), opcode, kind);
}

}  // namespace brine::test
