// SPDX-License-Identifier: MIT
// diff() and what it tells, as the tests of it look at them.
#pragma once

#include <brine/brine.hpp>

#include <string>
#include <vector>

namespace brine::test {

using Differ = Difference::Kind;

inline Comparison compared(const Value& a, const Value& b, const DiffOptions& options = {}) { return diff(a, b, options).value(); }

/// "path: text" of each difference.
inline std::string told(const Value& a, const Value& b) {
  std::string out;
  for (const Difference& d : compared(a, b).differences) out += (out.empty() ? "" : "; ") + d.path + ": " + d.text;
  return out;
}

inline Tensor floats(std::vector<float> v) { return Tensor::copy(std::span<const float>(v), {static_cast<std::int64_t>(v.size())}).value(); }

}  // namespace brine::test
