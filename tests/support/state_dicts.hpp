// SPDX-License-Identifier: MIT
// Small tensors and state dicts of them.
#pragma once

#include <brine/brine.hpp>

#include <numeric>
#include <utility>
#include <vector>

namespace brine::test {

/// float32, row-major: first, first + 1, …
inline Tensor numbers(std::initializer_list<std::int64_t> shape, float first = 1) {
  std::int64_t count = 1;
  for (const std::int64_t s : shape) count *= s;
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return *Tensor::copy(std::span<const float>(values), shape);
}

inline StateDict dict(std::initializer_list<std::pair<const char*, Tensor>> entries) {
  StateDict out;
  for (const auto& [name, tensor] : entries) out.insert(name, tensor);
  return out;
}

}  // namespace brine::test
