// SPDX-License-Identifier: MIT
// numpy's names in pickles, and its dtype objects. The calls stay objects of the graph, marked as what they make; Array reads them when it is asked to.
#pragma once

#include "pickle/calls.hpp"

#include <brine/dtype.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brine {

class Array;

/// The first number of numpy's names; behind all of torch's.
inline constexpr std::uint16_t kFirstNumpy = 1088;

/// The number of one of numpy's functions that make data, or 0.
std::uint16_t numpy_known(std::string_view module, std::string_view name) noexcept;

/// Is it a class? Requires: a number of numpy_known().
bool numpy_is_class(std::uint16_t known) noexcept;

/// The object that such a call makes; of no kind when memory is spent. Marks the dtype as read: one that changes later is another one.
Ref numpy_object(const CallSite& site, const Ref& callee, const Ref& args);

/// What a numpy scalar is equal to as a key, and what PyTorch's weights_only and Python's repr take it for: a bool, int, float, complex, str or bytes; absent
/// where it is none (a datetime, a structure, a scalar of other bytes). Its text is the graph's.
Ref numpy_plain(Graph& graph, const Ref& scalar);

/// Array::of() where no words are needed for what it is not; borrows the graph.
std::optional<Array> array_of(const Graph& graph, const Ref& object);

/// A dtype of numpy: its kind is one of b i u f c S U V O m M, or T of StringDType.
struct NumpyType {
  std::string text;  ///< numpy's dtype.str
  std::uint64_t itemsize = 0;
  char kind = 0, order = '|';
  bool record = false;  ///< of numpy.record, which is a void whose fields are attributes
};
/// PyTorch's dtype for one of numpy's, by its kind and itemsize, or nothing.
std::optional<DType> dtype_of_numpy(char kind, std::uint64_t itemsize) noexcept;
/// Fails with: corrupt, unsupported.
Result<NumpyType> numpy_type(const Ref& dtype);
/// numpy's dtype.descr. Fails as Array::descr().
Result<std::string> numpy_descr(const Graph& graph, const Ref& dtype);

/// "numpy.ndarray <f8 [3, 4]", "numpy.float64 0.5", "numpy.dtype '<f4'": one line, for print(); what is wrong with it, where something is.
std::string numpy_summary(const Graph& graph, const Ref& object);

}  // namespace brine
