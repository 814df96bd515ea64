// SPDX-License-Identifier: MIT
// What a conversion has to say on standard error, above all what it does not write: "left out: optimizer (12 tensors), head.* (2 tensors), epoch".
#pragma once

#include <brine/brine.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace tool {

class LeftOut {
 public:
  /// "note: …", before what is left out.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  /// `what` is a place or name of the file, or words of ours.
  void add(const std::string& what, std::size_t tensors = 0);
  void add(const brine::LeftOutList& places);
  void add(const brine::Edits& edits) { add(edits.left_out(kMax)); }
  /// All of the checkpoint but the place `path`.
  void add_around(const brine::Checkpoint& ckpt, const std::string& path);
  /// Names that are gone, of tensors and of other values.
  void add_dropped(const brine::StateDict& weights, const std::function<bool(std::string_view name)>& gone);
  /// Names that others get which lose the prefix.
  void add_replaced(const brine::StateDict& weights, const std::string& prefix);
  /// What a whole module has beside its weights.
  void add_of_module(const brine::Checkpoint& ckpt, const brine::StateDict& weights);
  /// What a zip of torch.save has no place for: other records, what follows the object, source texts.
  void add_of_file(const brine::Checkpoint& ckpt);
  /// All of it, when the file is written; what has tensors first.
  void print() const;

 private:
  static constexpr std::size_t kMax = 64;
  std::vector<std::string> notes_;
  std::vector<brine::LeftOut> places_;
  std::size_t more_ = 0, more_tensors_ = 0;
};

}  // namespace tool
