// SPDX-License-Identifier: MIT
// Module: a read-only view of a pickled nn.Module — torch.save(model) — for looking at the tree itself. Its weights are Checkpoint::state_dict().
//
//   auto model = brine::Module::of(ckpt->root());
//   if (model) std::puts(model->repr().c_str());       // as Python's print(model), where brine knows the class
//
// Borrows from the Checkpoint, as every Value does. No class is imported and nothing is run: the view is what the file says.
#pragma once

#include <brine/value.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brine {

class BRINE_API Module {
 public:
  /// Fails with: usage (wrong_kind) — of a dict of weights the message says so: a weights-only file was taken for a model.
  static Result<Module> of(const Value& value);

  /// "torch.nn.modules.linear.Linear".
  std::string class_name() const;
  /// An attribute of the module's own: attribute("in_features").as_int(). Absent when there is none.
  Value attribute(std::string_view name) const { return value_.attr(name); }
  /// True in training mode, as the file says.
  bool training() const;

  /// Own parameters and buffers, None left out. Names are the file's own text, and valid as long as the Checkpoint; entries whose key is no str,
  /// which PyTorch cannot name either, are left out, too.
  std::vector<std::pair<std::string_view, Tensor>> parameters() const;
  std::vector<std::pair<std::string_view, Tensor>> buffers() const;
  /// Direct children, likewise; left out is also an object that keeps no modules as brine knows them (repr() shows it).
  std::vector<std::pair<std::string_view, Module>> children() const;

  /// The tree as Python's print(model) shows it with PyTorch 2.13: the arguments of the layers of torch.nn and torchvision.ops, equal neighbours in a
  /// ModuleList once; of other classes the name and the children only, as their extra_repr() is code. An argument that the file has not (old
  /// versions), or that is no plain value, is left out. Bounded: "…" stands for a child inside itself, for what lies a hundred levels deep, for
  /// what comes after `max` lines or Limits::text_factor times the pickle's bytes, and for an object that keeps no modules as brine knows them.
  std::string repr(std::size_t max = 100'000) const;

  const Value& value() const noexcept { return value_; }

 private:
  explicit Module(Value value) : value_(std::move(value)) {}
  std::vector<std::pair<std::string_view, Tensor>> tensors(std::string_view part) const;
  Value value_;
};

}  // namespace brine
