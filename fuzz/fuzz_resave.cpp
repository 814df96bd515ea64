// SPDX-License-Identifier: MIT
// Whatever the reader accepts is saved again, or refused with an error. The new file reads equal, and saved once more it is the same; so for the
// state dict, for --compact, and as it was read. The first byte chooses how.
#include "checkpoint_listing.hpp"
#include "mutate_file.hpp"

#include <brine/save.hpp>

#include <algorithm>
#include <vector>

using namespace brine;

namespace {

/// A printed tree without the keys of its storages: they are numbered anew.
std::string without_keys(std::string text) {
  constexpr std::string_view mark = "storage '";
  for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos;) {
    at += mark.size();
    const std::size_t end = text.rfind("' ", std::min(text.find('\n', at), text.size()));
    if (end != text.npos && end > at) text.erase(at, end - at);
  }
  return text;
}

/// What the file holds, by place: without the notes and the form's own facts. Compacted, a tensor lies elsewhere in its storage.
std::string contents(const Checkpoint& ckpt, bool layout) {
  std::string text;
  int left = 100;
  for (const TensorAt& t : ckpt.tensors()) {
    if (left-- == 0) break;
    text += t.path() + " " + std::string(name(t.tensor.dtype()));
    for (const std::int64_t d : t.tensor.shape()) text += "," + std::to_string(d);
    if (layout) {
      for (const std::int64_t d : t.tensor.stride()) text += ";" + std::to_string(d);
      text += "+" + std::to_string(t.tensor.storage_offset());
    }
    text += t.tensor.requires_grad() ? "g" : "";
    if (t.tensor.nbytes() <= (1 << 16)) {
      std::vector<std::byte> elements(t.tensor.nbytes());
      if (t.tensor.copy_to(elements)) text += " " + fuzz::hash(elements);
    }
    text += "\n";
  }
  return layout ? text + without_keys(ckpt.print({.depth = 50, .nodes = 2'000, .per_container = 200})) : text;
}

/// Empty where it cannot be written: that is an error of a kind that says so.
template <class Saved>
std::vector<std::byte> saved(const Saved& what, const SaveOptions& options) {
  std::vector<std::byte> out;
  if (auto done = save(what, Sink::memory(out), options); !done) {
    if (done.error().message().empty()) fuzz::differ("an error without a text", {}, {});
    out.clear();
  }
  return out;
}

LoadOptions limits() {
  LoadOptions options = fuzz::tight(false, 0);
  options.limits.metadata_base = 1 << 20;  // what is written is a little larger than what was read
  options.limits.metadata_factor *= 4;
  return options;
}

Checkpoint loaded(const std::vector<std::byte>& bytes, const char* what) {
  auto ckpt = load(Source::memory(bytes), limits());
  if (!ckpt) fuzz::differ(what, ckpt.error().message(), {});
  return *ckpt;
}

void check(const Checkpoint& ckpt, const SaveOptions& options, bool layout, const char* what) {
  const auto bytes = saved(ckpt.root(), options);
  if (bytes.empty()) return;
  const Checkpoint again = loaded(bytes, what);
  const std::string one = contents(ckpt, layout), other = contents(again, layout);
  if (one != other) fuzz::differ(what, one, other);
  if (saved(again.root(), options) != bytes) fuzz::differ("saved once more", what, {});
}

}  // namespace

BRINE_FUZZ_MUTATOR(1)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<std::byte> file(reinterpret_cast<const std::byte*>(data) + 1, reinterpret_cast<const std::byte*>(data) + size);
  const auto ckpt = load(Source::memory(file), fuzz::tight(false, 0));
  if (!ckpt) return 0;

  SaveOptions options;
  options.profile = static_cast<Profile>(data[0] % 3);
  options.protocol = 1 + data[0] / 3 % 5;
  check(*ckpt, options, true, "by default");
  options.compact = true;
  check(*ckpt, options, false, "compact");

  const auto as_read = SaveOptions::as_read(*ckpt);
  check(*ckpt, as_read, true, "as read");

  if (const auto weights = ckpt->state_dict()) {
    if (const auto bytes = saved(*weights, {}); !bytes.empty()) loaded(bytes, "state dict");
    StateDict edited = *weights;
    edited.add_prefix("p.");
    if (const auto bytes = saved(edited, {}); !bytes.empty()) {
      const Checkpoint again = loaded(bytes, "edited");
      const auto back = again.state_dict();
      if (!edited.empty() && (!back || back->size() != edited.size()))
        fuzz::differ("edited", back ? "another size" : back.error().message(), {});
    }
  }
  return 0;
}
