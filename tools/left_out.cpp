// SPDX-License-Identifier: MIT
#include "left_out.hpp"

#include "messages.hpp"

#include <algorithm>
#include <cstdio>

namespace tool {

namespace {

std::string counted(std::size_t tensors) { return std::to_string(tensors) + (tensors == 1 ? " tensor" : " tensors"); }

}  // namespace

void LeftOut::add(const std::string& what, std::size_t tensors) { places_.push_back({what, tensors, false}); }

void LeftOut::add(const brine::LeftOutList& places) {
  places_.insert(places_.end(), places.places.begin(), places.places.end());
  more_ += places.more;
  more_tensors_ += places.more_tensors;
}

void LeftOut::add_around(const brine::Checkpoint& ckpt, const std::string& path) {
  if (path.empty()) return;
  brine::Edits rest(ckpt);
  if (rest.keep(std::span(&path, 1))) return add(rest);
  add("all that is outside " + path, ckpt.tensors().size() - ckpt.tensors(ckpt.at(path)).size());  // it is in what cannot be edited
}

void LeftOut::add_dropped(const brine::StateDict& weights, const std::function<bool(std::string_view name)>& gone) {
  std::vector<brine::NameFate> names;
  for (const auto& [name, tensor] : weights) names.push_back({name, gone(name), 1, true});
  for (const auto& [name, value] : weights.others()) {
    const bool tensor = !brine::kept_tensor_kind(value).empty();
    names.push_back({name, gone(name), tensor, tensor});
  }
  add(brine::left_out(names, kMax));
}

void LeftOut::add_replaced(const brine::StateDict& weights, const std::string& prefix) {
  add_dropped(weights, [&](std::string_view name) {
    const std::string longer = prefix + std::string(name);
    return !name.starts_with(prefix) && weights.contains(longer);
  });
}

void LeftOut::add_of_module(const brine::Checkpoint& ckpt, const brine::StateDict& weights) {
  // By the text of their storages' keys, which each storage of a file has of its own.
  std::vector<const char*> keys;
  for (const auto& [name, tensor] : weights) keys.push_back(tensor.storage().key().data());
  std::sort(keys.begin(), keys.end());
  std::size_t others = 0;
  for (const auto& found : ckpt.tensors(ckpt.at(weights.path()))) others += !std::binary_search(keys.begin(), keys.end(), found.tensor.storage().key().data());
  add("the module's classes and attributes", others);
}

void LeftOut::add_of_file(const brine::Checkpoint& ckpt) {
  for (const std::string& extra : ckpt.extras()) add(extra);
  for (const brine::Note& note : ckpt.notes())
    if (note.code == brine::Note::Code::another_object || note.code == brine::Note::Code::trailing_bytes) add("what follows at byte " + std::to_string(ckpt.end_offset()));
  if (const std::size_t sources = ckpt.sources().size()) add("the source text of " + std::to_string(sources) + (sources == 1 ? " class" : " classes"));
}

void LeftOut::print() const {
  for (const std::string& text : notes_) std::fprintf(stderr, "note: %s\n", printable(text).c_str());
  std::vector<brine::LeftOut> places;
  for (const bool with_tensors : {true, false})
    for (const brine::LeftOut& p : places_)
      if ((p.tensors > 0) == with_tensors) places.push_back(p);
  std::size_t more = more_, tensors = more_tensors_;
  for (std::size_t i = kMax; i < places.size(); ++i) ++more, tensors += places[i].tensors;
  if (places.empty()) return;
  std::string line = "left out: ";
  for (std::size_t i = 0; i < std::min(kMax, places.size()); ++i)
    line += (i ? ", " : "") + cell(places[i].path) + (places[i].tensors == 0 || places[i].is_tensor ? "" : " (" + counted(places[i].tensors) + ")");
  if (more) line += " and " + std::to_string(more) + " more" + (tensors ? " (" + counted(tensors) + ")" : "");
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace tool
