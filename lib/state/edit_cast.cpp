// SPDX-License-Identifier: MIT
// StateDict::cast.
#include "bytes/guard.hpp"
#include "state/cast.hpp"
#include "state/state_dict.hpp"
#include "torch/access.hpp"

namespace brine {

Result<void> StateDict::cast(DType dtype, std::string_view glob) {
  return guarded("a state dict", [&] { return cast(dtype, {.glob = std::string(glob)}); });
}

Result<void> StateDict::cast(DType dtype, const CastOptions& options) {
  return guarded("a state dict", [&]() -> Result<void> {
    Caster caster(dtype, options);
    auto& owners = caster.memory()->owners;
    StateDict out = *this;
    for (Item& e : out.edit().items) {
      if (!matches_glob(options.glob, e.name)) continue;
      const Impl::Kept* kept = impl_->kept_of(e);
      caster.pass(e.name, kept ? kept->value : make_tensor_ref(&Handles::record(e.tensor)));
      if (kept) continue;
      const TensorRecord& record = Handles::record(e.tensor);
      auto cast = caster.cast(record);
      if (!cast) return std::move(cast).error().at_path(e.name).in_file(impl_->file);
      if (*cast == &record) continue;
      const std::shared_ptr<const void> owner = Handles::owner(e.tensor);
      if (owners.empty() || owners.back().owner_before(owner) || owner.owner_before(owners.back())) owners.push_back(owner);
      e.tensor = Handles::tensor(caster.memory(), *cast);
    }
    *this = std::move(out);
    caster.report();
    return {};
  });
}

}  // namespace brine
