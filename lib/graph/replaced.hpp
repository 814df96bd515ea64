// SPDX-License-Identifier: MIT
// Replaced: what is written in the place of a container or tensor, wherever it is met. Others are written as they are.
#pragma once

#include "graph/node.hpp"
#include "support/pointer_map.hpp"

#include <vector>

namespace brine {

class Replaced {
 public:
  /// Identity decides: one object is replaced by one object. The first one set stays.
  void set(const Ref& what, const Ref& by) {
    if (!numbers_.add(what.pointer, static_cast<std::uint32_t>(by_.size()))) by_.push_back(by);
  }
  const Ref& of(const Ref& ref) const noexcept {
    if (!is_container(ref) && ref.kind != Kind::tensor) return ref;
    const std::uint32_t* number = numbers_.find(ref.pointer);
    return number ? by_[*number] : ref;
  }

 private:
  PointerMap numbers_;
  std::vector<Ref> by_;
};

}  // namespace brine
