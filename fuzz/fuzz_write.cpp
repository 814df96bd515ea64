// SPDX-License-Identifier: MIT
// Choices → a tree of values, or a state dict → a file in memory → loaded: equal, what is shared too. Saved as it was read, and with the same
// options, it is the same file.
#include "support/value_choices.hpp"

#include <cstdio>
#include <cstdlib>

using namespace brine;

namespace {

[[noreturn]] void differ(const char* what, const std::string& text) {
  std::fprintf(stderr, "difference: %s: %s\n", what, text.c_str());
  std::abort();
}

template <class Saved>
std::vector<std::byte> saved(const Saved& what, const SaveOptions& options) {
  std::vector<std::byte> out;
  if (auto done = save(what, Sink::memory(out), options); !done) {
    // Two dtypes over one storage cannot be said, nor a storage that ends within an element.
    if (done.error().kind() != ErrorKind::usage && done.error().kind() != ErrorKind::unsupported)
      differ("not saved", done.error().message());
    out.clear();
  }
  return out;
}

Checkpoint loaded(const std::vector<std::byte>& bytes) {
  auto ckpt = load(Source::memory(bytes));
  if (!ckpt) differ("not loaded", ckpt.error().message());
  return *ckpt;
}

void check_again(const Checkpoint& ckpt, const std::vector<std::byte>& bytes, const SaveOptions& options) {
  if (saved(ckpt.root(), options) != bytes) differ("saved again", "other bytes");
  if (saved(ckpt.root(), SaveOptions::as_read(ckpt)) != bytes) differ("saved as read", "other bytes");
}

void check_state(const StateDict& state, const SaveOptions& options) {
  const auto bytes = saved(state, options);
  if (bytes.empty()) return;
  const Checkpoint ckpt = loaded(bytes);
  if (const auto back = ckpt.state_dict(); back && back->path().empty()) {
    if (back->size() != state.size()) differ("a state dict", "another size");
    test::SameTree same;
    auto other = back->begin();
    for (const auto& a : state) {
      const auto& b = *other++;
      if (a.name != b.name) differ("a state dict", "another name");
      if (const char* what = same.tensors(a.tensor, b.tensor)) differ("a state dict", what);
    }
  } else if (!state.empty()) {
    differ("a state dict", "is none");
  }
  check_again(ckpt, bytes, options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::ValueChoices choices({data, size});
  const SaveOptions options = choices.options();
  if (choices.below(4) == 0) {
    check_state(choices.state(), options);
    return 0;
  }
  const Value root = choices.value();
  const auto bytes = saved(root, options);
  if (bytes.empty()) return 0;
  const Checkpoint ckpt = loaded(bytes);
  if (const std::string what = test::SameTree().difference(root, ckpt.root()); !what.empty()) differ("loaded", what);
  check_again(ckpt, bytes, options);
  return 0;
}
