// SPDX-License-Identifier: MIT
// The two halves of load_state_dict: a plan, which finds every key and every fault and writes nothing, and the copies.
#pragma once

#include <brine/load_state_dict.hpp>

#include "load/parameters.hpp"
#include "state/state_dict.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace brine {

struct LoadPlan {
  struct Copy {
    std::uint32_t item;
    Tensor tensor;
    bool assign;
  };
  LoadReport report;
  std::vector<Copy> copies;  // in PyTorch's order: of shared memory the last written wins
};

/// Walks the modules as PyTorch does. Fails as run_hooks(), and with what PyTorch raises at once: usage (not_a_tensor, copy_refused), of
/// lazy entries.
Result<LoadPlan> plan_load(const Parameters::Impl& model, const StateDict& state, const LoadStateDictOptions& options);

/// What copy_ would say to this pair of equal shape, or nothing when it would copy.
std::optional<std::string> copy_refusal(const Parameters::Impl::Item& target, const Tensor& source);

/// Memory for a lazy target that has none yet, to hold the source. Fails with: limit.
Result<void> make_memory(Parameters::Impl::Item& target, const Tensor& source);

/// The elements into the target's memory. Requires: no copy_refusal, equal shapes, and memory. Fails as Tensor::copy_to().
Result<void> copy_into(const Parameters::Impl::Item& target, const Tensor& source);

/// A lazy module's tensor, which has no shape yet.
bool is_uninitialised(const Value& value);

/// The tensor without its only dimension, which has one element.
Tensor first_element(const Tensor& tensor);

/// The class that type() names.
std::string tensor_type(DType dtype, bool sparse);

/// PyTorch's ScalarType names: Float, ComplexHalf, UInt16, Bits8, Float4_e2m1fn_x2.
std::string scalar_type(DType dtype);

std::string error_text(const LoadReport& report, const LoadStateDictOptions& options);

}  // namespace brine
