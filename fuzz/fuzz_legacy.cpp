// SPDX-License-Identifier: MIT
// The legacy stream: the input stands behind PyTorch's magic number, so that all of it is the rest of a stream. Then as
// fuzz_checkpoint.cpp. A stream may start anywhere in its source: the same again behind a few other bytes.
#include "checkpoint_listing.hpp"
#include "mutate_file.hpp"

#include <string>

BRINE_FUZZ_MUTATOR(0)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string stream("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E\x80\x02\x4D\xE9\x03\x2E", 21);
  stream.append(reinterpret_cast<const char*>(data), size);
  const auto bytes = [&] { return reinterpret_cast<const std::uint8_t*>(stream.data()); };
  const std::string listing = brine::fuzz::check_checkpoint(bytes(), stream.size(), 0);
  stream.insert(0, "seven b");
  const std::string behind = brine::fuzz::check_checkpoint(bytes(), stream.size(), 7);
  if (listing.empty() != behind.empty()) brine::fuzz::differ("a stream that does not start its source", listing, behind);
  return 0;
}
