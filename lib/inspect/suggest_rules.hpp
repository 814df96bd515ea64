// SPDX-License-Identifier: MIT
// RuleSearch: rules s/old/new/ that make missing and unexpected keys meet. Names are the file's: only rules of plain letters are made, each is
// tried on a sample first, and what is kept was tried on every key: remap_keys takes it, and no key that fits is touched.
#pragma once

#include <brine/load_state_dict.hpp>

#include "load/parameters.hpp"
#include "state/named_list.hpp"

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

class RuleSearch {
 public:
  struct Key {
    std::string_view original, name;  // of the checkpoint, and as the rules so far leave it
    const Tensor* tensor;             // null: a value that is none
    bool fits;                        // the model expects the name
  };
  struct Missing {
    std::string_view name;
    bool found = false;
  };

  RuleSearch(const Parameters::Impl& model, const StateDict& state, const LoadReport& report);

  /// Strips or adds a prefix, where that does no harm. Returns how many missing keys it finds.
  std::size_t apply_prefix(std::string_view prefix, bool strip);
  /// What is known to be written in two ways, then what the keys themselves tell.
  void search();

  const std::vector<Suggestions::Rename>& rules() const noexcept { return rules_; }
  const NamedList<Missing>& missing() const noexcept { return missing_; }
  const std::vector<Key>& keys() const noexcept { return keys_; }
  bool shapes_agree(const Tensor* tensor, std::string_view missing) const noexcept;

 private:
  using Change = std::function<bool(std::string& name)>;
  struct Outcome {
    std::size_t found = 0, changed = 0;
    bool harm = false;
  };
  Outcome try_on_sample(const Change& change) const;
  std::size_t apply(const Change& change, std::size_t min);
  bool apply_rules(const std::vector<std::string>& texts, std::size_t min);
  std::vector<std::string> candidates() const;
  bool round();

  const Parameters::Impl& model_;
  std::vector<Key> keys_;
  NamedList<Missing> missing_;
  std::deque<std::string> texts_;
  std::vector<Suggestions::Rename> rules_;
  bool sayable_ = true;  // all that was applied can be said as rules
};

/// The numbers in a name: "layer1.0.conv" has 1 and 0.
std::vector<std::string_view> numbers_in(std::string_view name);

/// Changes of one letter that make `a` into `b`, or `max` + 1 when there are more, or the names are long.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t max);

/// Rules that make `from` into `to`, the simplest first.
std::vector<std::string> rules_between(std::string_view from, std::string_view to);

}  // namespace brine
