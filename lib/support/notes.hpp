// SPDX-License-Identifier: MIT
// Notes: collects what is odd but no error, up to a bound.
#pragma once

#include <brine/note.hpp>

#include <span>
#include <string>
#include <vector>

namespace brine {

class Notes {
 public:
  static constexpr std::size_t kMax = 100;

  void add(Note::Code code, Place place, std::string text) {
    if (list_.size() < kMax) list_.push_back({code, std::move(place), std::move(text)});
    else if (list_.size() == kMax) list_.push_back({Note::Code::more_notes, {}, "more notes were left out"});
  }
  void append(const Notes& more) {
    for (const Note& note : more.list_) add(note.code, note.place, note.text);
  }
  bool full() const noexcept { return list_.size() > kMax; }
  std::span<Note> list() noexcept { return list_; }
  std::span<const Note> list() const noexcept { return list_; }

 private:
  std::vector<Note> list_;
};

}  // namespace brine
