// SPDX-License-Identifier: MIT
// One rule s/old/new/ of remap_keys.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brine {

struct RenameRule {
  static constexpr std::size_t kMaxStars = 9;

  std::string_view before, after;  // of the rule's text
  bool at_start = false, at_end = false;

  /// Borrows the text; nothing when it is no rule.
  static std::optional<RenameRule> parse(std::string_view text);
  /// False: the rule does not match. Takes a bounded number of steps.
  bool rewrite(std::string& name) const;
};

}  // namespace brine
