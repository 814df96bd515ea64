// SPDX-License-Identifier: MIT
// DTensor: a tensor of torch.distributed.tensor, of which each process saves its own part.
//
//   auto d = brine::DTensor::of(ckpt->root()["w"]);
//   if (d && d->is_whole) use(d->local);                 // as Value::as_tensor() and StateDict give it
//   else if (d) use(d->local, d->placements);            // {"Shard(dim=0)"}: the other rows are in the other processes' files
#pragma once

#include <brine/result.hpp>
#include <brine/tensor.hpp>
#include <brine/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace brine {

struct BRINE_API DTensor {
  Tensor local;                         ///< what this file has of it: PyTorch's to_local()
  std::vector<std::int64_t> shape;      ///< of the whole tensor
  std::vector<std::string> placements;  ///< by dimension of the mesh, as PyTorch prints them: "Shard(dim=0)", "Replicate()", "Partial(sum)"
  /// Is `local` all of it? It has the whole's shape then, and is no summand of it (Partial), unless the mesh is of one process.
  bool is_whole = false;

  /// Fails with: usage (wrong_kind …: no DTensor), corrupt (tensor_arguments), limit.
  static Result<DTensor> of(const Value& value);
};

}  // namespace brine
