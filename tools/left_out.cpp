// SPDX-License-Identifier: MIT
#include "left_out.hpp"

#include "common.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tool {

void LeftOut::add(const std::string& what, std::size_t tensors) {
  if (first_.size() == kMost) return void(++more_);
  first_.push_back(cell(what) + (tensors == 0 ? "" : tensors == 1 ? " (1 tensor)" : " (" + std::to_string(tensors) + " tensors)"));
}

void LeftOut::add(const brine::Edits& edits) {
  std::size_t more = 0;
  for (const auto& gone : edits.left_out(kMost, more)) add(gone.path, gone.tensors);
  add_more(more);
}

void LeftOut::add_around(const brine::Checkpoint& ckpt, const std::string& path) {
  if (path.empty()) return;
  brine::Edits rest(ckpt);
  if (rest.keep(std::span(&path, 1))) add(rest);
}

void LeftOut::add_dropped(const brine::StateDict& weights, const std::vector<std::string>& only, const std::vector<std::string>& drop) {
  const auto any = [](const std::vector<std::string>& globs, std::string_view name) {
    return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return brine::matches_glob(glob, name); });
  };
  const auto gone = [&](std::string_view name) { return (!only.empty() && !any(only, name)) || any(drop, name); };
  const auto name_it = [&](std::string_view name) { first_.size() == kMost ? add_more(1) : add(std::string(name)); };
  for (const auto& [name, tensor] : weights)
    if (gone(name)) name_it(name);
  for (const auto& [name, value] : weights.others())
    if (gone(name)) name_it(name);
}

void LeftOut::add_replaced(const brine::StateDict& weights, const std::string& prefix) {
  for (const auto& [name, tensor] : weights)
    if (name.starts_with(prefix) && weights.contains(name.substr(prefix.size())) && !name.substr(prefix.size()).starts_with(prefix))
      add(std::string(name.substr(prefix.size())));
}

void LeftOut::add_of_file(const brine::Checkpoint& ckpt) {
  constexpr std::array<std::string_view, 7> known{"data.pkl", ".format_version", ".storage_alignment", "byteorder", "version", ".data/version", ".data/serialization_id"};
  for (const std::string& record : brine::SaveOptions::as_read(ckpt).records)
    if (!record.starts_with("data/") && std::find(known.begin(), known.end(), record) == known.end()) add("the record " + record);
  for (const brine::Note& note : ckpt.notes())
    if (note.code == brine::Note::Code::another_object || note.code == brine::Note::Code::trailing_bytes) add("what follows at byte " + std::to_string(ckpt.end_offset()));
  if (const std::size_t sources = ckpt.sources().size()) add("the source text of " + std::to_string(sources) + (sources == 1 ? " class" : " classes"));
}

void LeftOut::print() const {
  if (first_.empty()) return;
  std::string line = "left out: ";
  for (std::size_t i = 0; i < first_.size(); ++i) line += (i ? ", " : "") + first_[i];
  if (more_) line += " and " + std::to_string(more_) + " more";
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace tool
