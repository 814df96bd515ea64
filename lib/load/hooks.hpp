// SPDX-License-Identifier: MIT
// What modules do with the state dict before nn.Module looks at it: loaders of their own and load pre-hooks, as PyTorch 2.13 has them.
#pragma once

#include <brine/load_state_dict.hpp>

#include "load/keys.hpp"
#include "load/parameters.hpp"

#include <optional>
#include <string>
#include <vector>

namespace brine {

struct Hooked {
  std::vector<std::string> missing;            // keys that come before the usual ones
  std::optional<LoadReport::Problem> problem;
  bool keeps_counter = false;                  // num_batches_tracked is absent and counts as there
};

/// Edits `keys` as the module does, which is below none that is None. Keys of a module are its own and its children's business only, so it
/// does not matter that those further up have not been looked at yet. Fails as old_spectral_norm_v().
Result<Hooked> run_hooks(const Parameters::Impl& model, std::uint32_t module, bool assign, LoadKeys& keys);

}  // namespace brine
