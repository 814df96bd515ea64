// SPDX-License-Identifier: MIT
// WeightsOnly: what torch.load(weights_only=True) refuses, refused with its message. Texts and list are those of PyTorch 2.13.
#pragma once

#include "pickle/calls.hpp"

namespace brine {

class WeightsOnly final : public Policy {
 public:
  Result<void> opcode(Op op) const override;
  Result<void> global(std::string_view module, std::string_view name) const override;
  Result<void> call(const Ref& callee, How how) const override;
  Result<void> build(const Ref& target) const override;
  Result<void> append(const Ref& target, Op op) const override;
  Result<void> set_item(const Ref& target, Op op) const override;
  Result<void> persistent(const Ref& id) const override;
};

}  // namespace brine
