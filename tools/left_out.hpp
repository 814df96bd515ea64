// SPDX-License-Identifier: MIT
// What a conversion does not write, named on standard error: "left out: epoch, optimizer (12 tensors) and 3 more".
#pragma once

#include <brine/brine.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tool {

class LeftOut {
 public:
  /// `what` is a place or name of the file, or words of ours.
  void add(const std::string& what, std::size_t tensors = 0);
  void add_more(std::size_t count) { more_ += count; }
  void add(const brine::Edits& edits);
  /// All of the checkpoint but the place `path`.
  void add_around(const brine::Checkpoint& ckpt, const std::string& path);
  /// Names that the globs take away, of tensors and of other values.
  void add_dropped(const brine::StateDict& weights, const std::vector<std::string>& only, const std::vector<std::string>& drop);
  /// Names that others get which lose the prefix.
  void add_replaced(const brine::StateDict& weights, const std::string& prefix);
  /// What a zip of torch.save has no place for: other records, what follows the object, source texts.
  void add_of_file(const brine::Checkpoint& ckpt);
  void print() const;

 private:
  static constexpr std::size_t kMost = 8;
  std::vector<std::string> first_;
  std::size_t more_ = 0;
};

}  // namespace tool
