// SPDX-License-Identifier: MIT
#include "graph/path.hpp"

#include "graph/walk.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cstring>

namespace brine {

namespace {

constexpr std::size_t kMaxKey = 400;  // of keys that are no strings: each is spelled anew

/// Behind the prefix: the file's own text where it is one, else made in `room`.
std::string_view name_of(const Step& step, std::string& room) {
  if (step.whole) return {};
  if (step.key.kind == Kind::string) return text_of(step.key);
  room = step.key.kind == Kind::absent ? std::to_string(step.position) : key_name(step.key, kMaxKey);
  return room;
}

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // a character of UTF-8

/// The end of the path, as much as fills `out`.
void spell_end(const PathStep* last, std::string& out) {
  std::size_t room = out.size();
  const auto put = [&](std::string_view text) {
    const std::size_t n = std::min(room, text.size());
    room -= n;
    if (n > 0) std::memcpy(out.data() + room, text.data() + (text.size() - n), n);
  };
  std::string name;
  for (; room > 0 && last && last->size > 0; last = last->parent) {
    put(name_of(last->step, name));
    put(last->step.prefix);
    if (path_size(last->parent) > 0) put(".");
  }
}

/// The first bytes of a path that is longer than `size`, which is at most kHead.
std::string spell_start(const PathStep* last, std::size_t size) {
  const PathStep* next = last->crossing ? last->crossing : last;
  while (path_size(next->parent) > size) next = next->parent;
  std::string out(path_size(next->parent), '\0'), name;
  spell_end(next->parent, out);
  if (!out.empty()) out += '.';
  out += next->step.prefix;
  out += name_of(next->step, name).substr(0, size);
  out.resize(size);
  return out;
}

/// A step that keeps alive what is before it.
struct OwnedStep : PathStep {
  OwnedStep(Path before, const Step& next) : PathStep(before.get(), next), owner(std::move(before)) { owned = true; }
  OwnedStep(const OwnedStep&) = delete;
  // One after the other: destructors that call each other would be as deep as the file wants.
  ~OwnedStep() {
    Path before = std::move(owner);
    while (before && before->owned && before.use_count() == 1) {
      Path next = std::move(static_cast<const OwnedStep&>(*before).owner);
      before = std::move(next);
    }
  }
  mutable Path owner;
};

struct TextStep {
  TextStep(Path before, std::string own) : text(std::move(own)), step(std::move(before), Step{.key = make_text(text)}) {}
  const std::string text;
  OwnedStep step;
};

}  // namespace

std::string step_name(const Step& step) {
  std::string room;
  const std::string_view name = name_of(step, room);
  return concat({step.prefix, name});
}

std::size_t match_step(const Step& step, std::string_view text) {
  const std::string_view prefix = step.prefix;
  if (!text.starts_with(prefix)) return std::string_view::npos;
  std::string room;
  const std::string_view name = name_of(step, room);
  const std::size_t size = prefix.size() + name.size();
  if (text.size() < size || (text.size() > size && text[size] != '.') || text.substr(prefix.size(), name.size()) != name) return std::string_view::npos;
  return size;
}

PathStep::PathStep(const PathStep* before, const Step& next) : parent(before), crossing(before ? before->crossing : nullptr), size(0), owned(false), step(next) {
  const std::uint64_t start = path_size(before);
  std::string room;
  size = (start + (start > 0) + std::strlen(next.prefix) + name_of(next, room).size()) & (~std::uint64_t{0} >> 1);
  if (!crossing && size > kHead) crossing = this;
}

Path step_from(const Path& before, const Step& step) { return std::make_shared<const OwnedStep>(before, step); }

Path step_from(const Path& before, std::string step) {
  auto made = std::make_shared<const TextStep>(before, std::move(step));
  return Path(made, &made->step);
}

Path place_of(std::string path) { return path.empty() ? nullptr : step_from(nullptr, std::move(path)); }

std::string spell(const PathStep* last, std::size_t max) {
  constexpr std::string_view gap = "…";
  const std::uint64_t size = path_size(last);
  if (size > max) max = std::clamp<std::size_t>(max, 2 * gap.size(), 2 * PathStep::kHead);
  const std::size_t head = size <= max ? 0 : (max - gap.size()) / 2;
  std::string end(size <= max ? static_cast<std::size_t>(size) : max - gap.size() - head, '\0');
  spell_end(last, end);
  if (size <= max) return end;
  std::string start = spell_start(last, head + 1);  // one more shows whether a character would be cut
  std::size_t cut = head, skip = 0;
  while (cut > 0 && continues(start[cut])) --cut;  // characters stay whole
  while (skip < end.size() && continues(end[skip])) ++skip;
  return concat({std::string_view(start).substr(0, cut), gap, std::string_view(end).substr(skip)});
}

}  // namespace brine
