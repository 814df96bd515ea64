// SPDX-License-Identifier: MIT
#include <brine/state_dict.hpp>

#include <cstddef>

namespace brine {

namespace {

// One element of the glob at `g` against `c`; moves `g` behind it.
bool matches_one(std::string_view glob, std::size_t& g, char c) noexcept {
  if (glob[g] == '?') return ++g, true;
  const auto close = glob[g] == '[' ? glob.find(']', g + 2 + (g + 1 < glob.size() && glob[g + 1] == '!')) : std::string_view::npos;
  if (close == std::string_view::npos) return glob[g++] == c;
  std::size_t i = g + 1;
  const bool negated = glob[i] == '!';
  bool found = false;
  for (i += negated; i < close; ++i) {
    if (i + 2 < close && glob[i + 1] == '-') found |= glob[i] <= c && c <= glob[i + 2], i += 2;
    else found |= glob[i] == c;
  }
  g = close + 1;
  return found != negated;
}

}  // namespace

bool matches_glob(std::string_view glob, std::string_view name) noexcept {
  std::size_t g = 0, n = 0, star = std::string_view::npos, after_star = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = ++g;
      after_star = n;
      continue;
    }
    std::size_t next = g;
    if (g < glob.size() && matches_one(glob, next, name[n])) {
      g = next;
      ++n;
    } else if (star != std::string_view::npos) {  // let the last * take one more
      g = star;
      n = ++after_star;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace brine
