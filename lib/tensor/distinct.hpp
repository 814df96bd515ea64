// SPDX-License-Identifier: MIT
// A tensor without the dimensions along which it is the same element again and again (stride 0), which a file can make as large as it likes.
#pragma once

#include "tensor/record.hpp"

#include <memory>
#include <vector>

namespace brine {

/// Requires: a plainly strided one. Which dimensions are left out, says `repeated`. Conj, neg and byte order stay.
inline Tensor without(const Tensor& tensor, const std::vector<bool>& repeated) {
  struct Distinct {
    TensorRecord record;
    std::vector<std::int64_t> dims;
    Tensor whole;  // keeps the storage alive
  };
  auto made = std::make_shared<Distinct>(Handles::record(tensor), std::vector<std::int64_t>(), tensor);
  for (const auto& part : {tensor.shape(), tensor.stride()})
    for (std::size_t d = 0; d < part.size(); ++d)
      if (!repeated[d]) made->dims.push_back(part[d]);
  made->record.ndim = static_cast<std::uint8_t>(made->dims.size() / 2);
  made->record.dims = made->dims.data();
  const TensorRecord* record = &made->record;
  return Handles::tensor(std::move(made), record);
}

}  // namespace brine
