// SPDX-License-Identifier: MIT
// Memory that tensors share must be shared by the same ones in both trees: tied weights, views of one storage, one tensor in several places.
#pragma once

#include "inspect/compare_met.hpp"
#include "tensor/record.hpp"

#include <functional>
#include <string>
#include <vector>

namespace brine {

class Sharing {
 public:
  /// What the place of the pair is called, in a few words; asked for once.
  using Place = std::function<std::string()>;

  /// "", or how the storages of the two differ from those met before: "shares its storage with a in A only".
  std::string of_storages(const TensorRecord& a, const TensorRecord& b, const Place& here);
  std::string of_storages(const StorageRecord* a, const StorageRecord* b, const Place& here);
  /// Likewise of the tensors themselves: "is one tensor with a in A only". Nothing where the storages tell already.
  std::string of_tensors(const TensorRecord& a, const TensorRecord& b, const Place& here);

 private:
  struct Seen {
    std::string place;
    const TensorRecord *a = nullptr, *b = nullptr;
  };
  /// Those met as something, by their numbers.
  struct Objects {
    Partners partners;
    std::vector<Seen> seen;
    Partners::Meeting meet(const void* a, const void* b, const Place& here);
    std::string told(const char* what, const Partners::Meeting& meeting) const;
  };
  Objects storages_, tensors_;
};

}  // namespace brine
