// SPDX-License-Identifier: MIT
// A whole file → every tensor read, the state dict, the printed tree, the disassembly. The same bytes behind a function, which gives
// them in small pieces, give the same; so does loading again; and weights_only accepts nothing that is not accepted without it.
#include "checkpoint_listing.hpp"
#include "mutate_file.hpp"

BRINE_FUZZ_MUTATOR(0)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  brine::fuzz::check_checkpoint(data, size, 0);
  return 0;
}
