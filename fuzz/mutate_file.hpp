// SPDX-License-Identifier: MIT
// A fuzz target's custom mutator: pickles are mutated by whole opcodes (mutate_pickle.hpp), those of a zip inside it, which is put together
// again with right sizes and CRCs. One time in three the fuzzer's own mutations, by bytes. Engines that do not know of it never call it.
#pragma once

#include "mutate_pickle.hpp"

#include "archive/archive.hpp"
#include "archive/zip_writer.hpp"

#include <cstring>
#include <optional>

extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);

namespace brine::fuzz {

struct Record {
  std::string name, data;
};

/// The records of an archive under the folder "archive" as torch.save lays them out, all stored; nothing where one of them may not be.
inline std::optional<std::string> zip_of(const std::vector<Record>& records) {
  std::vector<std::byte> out;
  Sink sink = Sink::memory(out);
  ZipWriter writer(sink, {.root = "archive"});
  for (const Record& r : records)
    if (!writer.add(r.name, std::as_bytes(std::span(r.data)))) return {};
  if (!writer.finish()) return {};
  return std::string(reinterpret_cast<const char*>(out.data()), out.size());
}

/// The records of an archive, inflated; none where it is no archive.
inline std::vector<Record> records_of(std::string_view file) {
  std::vector<Record> out;
  Limits limits;
  limits.records = 100;
  const auto archive = Archive::open(Source::memory(std::as_bytes(std::span(file))), limits);
  if (!archive) return out;
  Budget budget(1 << 20, ErrorCode::inflated_too_large);
  const std::size_t root = archive->directory().root().size() + 1;
  for (const ZipEntry& entry : archive->directory().entries()) {
    const auto data = archive->read(entry, budget, false);
    if (!data || entry.name.size() <= root) return {};
    out.push_back({std::string(entry.name.substr(root)), std::string(data->text())});
  }
  return out;
}

/// The file mutated: an archive's records, or a stream of pickles.
inline std::string mutated(std::string_view file, Random& random) {
  std::vector<Record> records = records_of(file);
  if (records.empty()) {
    PickleMutator pickle(file, random);
    pickle.mutate();
    return pickle.bytes();
  }
  const auto pickle = std::ranges::find(records, "data.pkl", &Record::name);
  if (pickle != records.end() && random.below(8) != 0) {
    PickleMutator mutator(pickle->data, random);
    mutator.mutate();
    pickle->data = mutator.bytes();
  } else {  // the records themselves
    const std::size_t one = random.below(records.size()), other = random.below(records.size());
    switch (random.below(6)) {
      case 0: records.erase(records.begin() + static_cast<std::ptrdiff_t>(one)); break;
      case 1: std::swap(records[one], records[other]); break;
      case 2: std::swap(records[one].data, records[other].data); break;
      case 3: records[one].data.resize(records[one].data.size() / 2); break;
      case 4: records.push_back({"data/" + std::to_string(random.below(6)), std::string(random.below(64), '\1')}); break;
      default: records[one].data += records[other].data; break;
    }
  }
  return zip_of(records).value_or(std::string(file));
}

/// What LLVMFuzzerCustomMutator is, for an input whose file stands behind `before` bytes.
inline std::size_t mutate_file(std::uint8_t* data, std::size_t size, std::size_t max, unsigned seed, std::size_t before) {
  Random random(seed);
  if (size > before && random.below(3) != 0) {
    const std::string out = mutated({reinterpret_cast<const char*>(data) + before, size - before}, random);
    if (!out.empty() && out.size() <= max - before) {
      std::memcpy(data + before, out.data(), out.size());
      if (before != 0 && random.below(4) == 0) data[before - 1] = static_cast<std::uint8_t>(random.next());
      return before + out.size();
    }
  }
  return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, max) : size;
}

/// What LLVMFuzzerCustomCrossOver is: a value of the one pickle becomes one of the other's.
inline std::size_t cross_files(const std::uint8_t* one, std::size_t one_size, const std::uint8_t* other, std::size_t other_size, std::uint8_t* out,
                               std::size_t max, unsigned seed, std::size_t before) {
  if (one_size <= before || other_size <= before) return 0;
  Random random(seed);
  const std::string_view a(reinterpret_cast<const char*>(one) + before, one_size - before),
      b(reinterpret_cast<const char*>(other) + before, other_size - before);
  std::vector<Record> into = records_of(a), from = records_of(b);
  const auto in = std::ranges::find(into, "data.pkl", &Record::name), of = std::ranges::find(from, "data.pkl", &Record::name);
  PickleMutator mutator(in == into.end() ? a : std::string_view(in->data), random), donor(of == from.end() ? b : std::string_view(of->data), random);
  mutator.cross(donor);
  std::string made = mutator.bytes();
  if (in != into.end()) {
    in->data = std::move(made);
    made = zip_of(into).value_or("");
  }
  if (made.empty() || before + made.size() > max) return 0;
  std::memcpy(out, one, before);
  std::memcpy(out + before, made.data(), made.size());
  return before + made.size();
}

}  // namespace brine::fuzz

/// Defines the mutator of a target whose file stands behind `before` bytes.
#define BRINE_FUZZ_MUTATOR(before)                                                                                                     \
  extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max, unsigned seed) {              \
    return brine::fuzz::mutate_file(data, size, max, seed, before);                                                                   \
  }                                                                                                                                    \
  extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size, const std::uint8_t* other,           \
                                                   std::size_t other_size, std::uint8_t* out, std::size_t max, unsigned seed) {       \
    return brine::fuzz::cross_files(one, one_size, other, other_size, out, max, seed, before);                                        \
  }
