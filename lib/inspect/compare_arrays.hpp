// SPDX-License-Identifier: MIT
// Compares numpy's arrays and scalars of numbers as tensors are compared: by their elements, in whatever words numpy pickled them.
#pragma once

#include "inspect/compare_met.hpp"
#include "inspect/compare_tensors.hpp"

#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace brine {

struct ArrayDifference {
  TensorDifference elements;
  std::string text;  ///< "" where they are equal
};

class ArrayComparer {
 public:
  ArrayComparer(const Graph& a, const Graph& b, TensorComparer& tensors, Texts& texts) : a_(a), b_(b), tensors_(tensors), texts_(texts) {}

  /// Nothing where one of the two is none of numpy's own classes, or its dtype is none of PyTorch's: objects like any other.
  /// Fails with: io, corrupt, limit.
  Result<std::optional<ArrayDifference>> compare(const Ref& a, const Ref& b);

 private:
  using Bytes = std::tuple<const void*, const void*, std::string, std::string>;
  const Graph &a_, &b_;
  TensorComparer& tensors_;
  Texts& texts_;
  std::map<Bytes, TensorDifference> found_;  // one bytes object can be the elements of many arrays
};

}  // namespace brine
