// SPDX-License-Identifier: MIT
// What save() writes, in memory, and read again.
#pragma once

#include <brine/brine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace brine::test {

template <class Saved>
std::vector<std::byte> saved(const Saved& what, const SaveOptions& options = {}) {
  std::vector<std::byte> out;
  const auto done = save(what, Sink::memory(out), options);
  if (!done) FAIL(done.error().message());
  return out;
}

inline Checkpoint loaded(std::vector<std::byte> bytes) {
  const auto own = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return load(Source::memory(*own, own)).value();
}

}  // namespace brine::test
