// SPDX-License-Identifier: MIT
#include "rereads.hpp"

#include <algorithm>

namespace tool {

brine::Result<void> Rereads::add(const brine::Tensor& tensor) {
  const brine::Storage storage = tensor.storage();
  if (!storage || tensor.numel() == 0) return {};
  if (met_.insert(storage.key().data()).second) {
    max_ += 4 * std::min<std::uint64_t>(storage.nbytes(), UINT64_MAX / 1024);
    return {};
  }
  std::uint64_t bytes = brine::item_size(tensor.dtype());  // what a stride of 0 repeats is read once
  for (std::size_t d = 0; d < tensor.shape().size(); ++d)
    if (tensor.stride()[d] != 0) bytes *= static_cast<std::uint64_t>(tensor.shape()[d]);
  again_ += bytes;
  if (again_ <= max_ && bytes <= max_) return {};
  return brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large,
                      "tensors view the same storages over and over, more than 4 times their bytes in all; a pattern chooses fewer");
}

}  // namespace tool
