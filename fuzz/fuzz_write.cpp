// SPDX-License-Identifier: MIT
// Choices → a tree of values, or a state dict → a file in memory → loaded: equal, what is shared too. Saved as it was read, and with the same
// options, it is the same file. Behind the byte FF, and one that chooses the options, a pickle: what it makes, within a tree of the caller's.
#include "mutate_file.hpp"

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

void check_value(const Value& root, const SaveOptions& options) {
  const auto bytes = saved(root, options);
  if (bytes.empty()) return;
  const Checkpoint ckpt = loaded(bytes);
  if (const std::string what = test::SameTree().difference(root, ckpt.root()); !what.empty()) differ("loaded", what);
  check_again(ckpt, bytes, options);
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

/// What a pickle makes, within a tree of the caller's.
void check_put_in(std::string_view pickle, const SaveOptions& options) {
  std::vector<fuzz::Record> records = {{"data.pkl", std::string(pickle)}, {"byteorder", "little"}};
  for (const char* key : {"0", "1", "2", "3"}) records.push_back({"data/" + std::string(key), std::string(64, *key)});
  records.push_back({"version", "3\n"});
  const auto file = fuzz::zip_of(records);
  if (!file) return;
  const auto ckpt = load(Source::memory(std::as_bytes(std::span(*file))));
  if (!ckpt) return;
  Tree tree;
  const Value dict = tree.dict(), root = tree.list({dict});
  if (!tree.set(dict, "it", ckpt->root()) || !tree.set(dict, "around", root)) differ("not put in", "");
  check_value(root, options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2 && data[0] == 0xFF) {
    test::ValueChoices choices({data + 1, 1});
    check_put_in({reinterpret_cast<const char*>(data) + 2, size - 2}, choices.options());
    return 0;
  }
  test::ValueChoices choices({data, size});
  const SaveOptions options = choices.options();
  if (choices.below(4) == 0) {
    check_state(choices.state(), options);
    return 0;
  }
  check_value(choices.value(), options);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max, unsigned seed) {
  return fuzz::mutate_file(data, size, max, seed, size > 2 && data[0] == 0xFF ? 2 : size);  // choices are mutated by bytes
}
