// SPDX-License-Identifier: MIT
// What fuzz_checkpoint.cpp and fuzz_legacy.cpp do with a file: load it in every way, list all that can be read, and compare.
#pragma once

#include <brine/brine.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace brine::fuzz {

[[noreturn]] inline void differ(const char* what, std::string_view one, std::string_view other) {
  std::fprintf(stderr, "difference: %s\n%.*s\n%.*s\n", what, static_cast<int>(one.size()), one.data(), static_cast<int>(other.size()),
               other.data());
  std::abort();
}

inline LoadOptions tight(bool weights_only, std::uint64_t offset) {
  LoadOptions options;
  options.weights_only = weights_only;
  options.offset = offset;
  options.limits.records = 10'000;
  options.limits.metadata_base = 1 << 16;
  options.limits.inflated_bytes = 1 << 20;
  options.limits.copy_bytes = 1 << 16;
  return options;
}

inline std::string hash(std::span<const std::byte> bytes) {
  std::uint64_t h = bytes.size();
  for (const std::byte b : bytes) h = h * 0x100000001B3 + std::to_integer<unsigned>(b);
  return std::to_string(h);
}

/// The tensor and its bytes, by every accessor; they must agree.
inline std::string listing(const Tensor& t) {
  std::string out(name(t.dtype()));
  for (const std::int64_t d : t.shape()) out += "," + std::to_string(d);
  for (const std::int64_t d : t.stride()) out += ";" + std::to_string(d);
  out += "+" + std::to_string(t.storage_offset()) + (t.requires_grad() ? "g" : "") + (t.is_conj() ? "c" : "") + (t.is_neg() ? "n" : "");
  if (t.nbytes() > (1 << 16)) {
    std::byte small[1];
    if (t.copy_to(small)) differ("a copy over the limit", out, {});
    return out;
  }
  std::string elements(t.nbytes(), '\0');
  const auto room = std::as_writable_bytes(std::span(elements));
  const auto copied = t.copy_to(room);
  out += copied ? hash(room) : copied.error().text();
  if (const auto lie = t.data_bytes(); lie && copied && !t.storage().foreign_byte_order() && hash(*lie) != hash(room))
    differ("data_bytes() and copy_to()", out, {});
  if (const auto floats = t.data<float>(); floats && hash(std::as_bytes(*floats)) != hash(room)) differ("data() and copy_to()", out, {});
  if (const auto cast = t.to_vector<double>()) out += hash(std::as_bytes(std::span(*cast)));
  if (t.is_sparse() || t.is_quantized()) {
    const auto dense = t.to_dense(room);
    out += dense ? "=" + hash(room) : dense.error().text();
    if (dense && t.is_sparse() && !(t.layout() == Layout::sparse_coo ? t.indices() : t.layout() == Layout::sparse_csr || t.layout() == Layout::sparse_bsr ? t.col_indices() : t.row_indices()))
      differ("filled in by indices that are refused", out, {});
  }
  if (const auto parts = t.parts())
    for (const TensorPart& part : *parts) out += std::string(part.name) + std::to_string(part.tensor.numel());
  if (const auto rows = t.unbind()) out += "rows" + std::to_string(rows->size());
  if (const auto raw = t.storage().bytes()) out += "/" + hash(*raw);
  if (const auto crc = t.storage().verify_crc()) out += *crc ? "C" : "-";
  return out;
}

/// All that can be read from the file, as text; its end; or the error.
struct Loaded {
  bool ok = false;
  std::uint64_t end = 0;
  std::string text;
};

inline Loaded load_and_list(const Source& source, const LoadOptions& options) {
  Loaded out;
  const auto loaded = load(source, options);
  if (!loaded) {
    out.text = loaded.error().message();
    return out;
  }
  out.ok = true;
  out.end = loaded->end_offset();
  const Checkpoint& ckpt = *loaded;
  if (ckpt.end_offset() > source.size() ||
      ckpt.metadata_bytes() > options.limits.metadata_base + options.limits.metadata_factor * ckpt.pickle_bytes())
    differ("a limit", {}, {});
  std::string& text = out.text;
  text = std::string(name(ckpt.format())) + " protocol " + std::to_string(ckpt.protocol()) + "\n";
  int left = 200;
  for (const TensorAt& t : ckpt.tensors()) {
    if (left-- == 0) break;
    text += t.path() + " " + listing(t.tensor) + "\n";
    if (t.path_size() < 1'000'000 && !ckpt.at(t.full_path()).exists()) differ("a path that leads nowhere", t.full_path(), {});
  }
  if (const auto weights = ckpt.state_dict()) {
    text += "weights at '" + std::string(weights->path()) + "'\n";
    left = 200;
    for (const auto& [name, tensor] : *weights) {
      if (left-- == 0) break;
      if (!weights->contains(name)) differ("a name that is not found", name, {});
      text += std::string(name) + " " + listing(tensor) + "\n";
    }
    for (const auto& [name, value] : weights->others()) text += std::string(name) + " " + value.type_name().substr(0, 200) + "\n";
    for (const Note& note : weights->notes()) text += note.text + "\n";
    if (const auto model = Module::of(ckpt.at(weights->path()))) {
      const std::string shown = model->repr(200);
      if (shown.size() > 200 * 256 + 100'000) differ("the bound of repr()", shown, {});
      text += shown + "\n";
    }
  } else {
    text += weights.error().message() + "\n";
  }
  text += ckpt.print({.depth = 50, .nodes = 2'000, .per_container = 200});
  for (const Note& note : ckpt.notes()) text += std::string(name(note.code)) + " " + note.text + "\n";
  return out;
}

/// Loads the bytes in every way; aborts where two disagree. The listing, or nothing where the file is refused.
inline std::string check_checkpoint(const std::uint8_t* data, std::size_t size, std::uint64_t offset) {
  // A heap block of exactly this size: sanitizers see the first byte read past the end.
  const auto copy = std::make_unique<std::byte[]>(size);
  if (size != 0) std::memcpy(copy.get(), data, size);
  const std::span<const std::byte> bytes(copy.get(), size);
  const Source source = Source::memory(bytes);
  const Loaded plain = load_and_list(source, tight(false, offset));

  const auto read = [bytes](std::uint64_t from, std::span<std::byte> out) {
    if (from > bytes.size() || out.size() > bytes.size() - from) differ("a read outside the source", {}, {});
    std::memcpy(out.data(), bytes.data() + from, out.size());
    return true;
  };
  LoadOptions roomy = tight(false, offset);
  roomy.limits.inflated_bytes += 8 * size;  // what is fetched from a function counts as well
  const Loaded called = load_and_list(Source::callback(size, read), roomy);
  if (plain.text != called.text && plain.text.find("limit") == std::string::npos) differ("a callback source", plain.text, called.text);

  const Loaded again = load_and_list(source, tight(false, offset));
  if (plain.text != again.text) differ("loaded again", plain.text, again.text);

  const Loaded strict = load_and_list(source, tight(true, offset));
  if (strict.ok && strict.text != plain.text) differ("weights_only", plain.text, strict.text);

  std::uint64_t instructions = 0;
  const auto listed =
      disassemble(source, [&](std::string_view, const Instruction&) { return ++instructions < 100'000; }, tight(false, offset));
  if (plain.ok && !listed) differ("what loads cannot be disassembled", listed.error().message(), {});
  return plain.ok ? plain.text : std::string();
}

}  // namespace brine::fuzz
