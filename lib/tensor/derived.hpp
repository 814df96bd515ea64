// SPDX-License-Identifier: MIT
// Views that are made of another tensor when somebody asks for them.
#pragma once

#include "tensor/record.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace brine {

/// A tensor whose record is made for it; `of` keeps all that it refers to.
struct Derived {
  explicit Derived(const Tensor& from) : record(Handles::record(from)), of(from) {}
  TensorRecord record;
  std::vector<std::int64_t> dims;  // shape, then stride
  Tensor of;
};

/// A plain tensor of its own, with the body that `made` was given.
inline Tensor derived_tensor(std::shared_ptr<Derived> made) {
  made->record.dims = made->dims.data();
  made->record.ndim = static_cast<std::uint8_t>(made->dims.size() / 2);
  made->record.origin = nullptr;
  made->record.base = nullptr;
  made->record.form = TensorForm::v2;
  made->record.parameter = made->record.requires_grad = made->record.unset = false;
  const TensorRecord* record = &made->record;
  return Handles::tensor(std::move(made), record);
}

}  // namespace brine
