// SPDX-License-Identifier: MIT
// StateDict: the weights of a checkpoint, by name, in PyTorch's order.
//
//   for (const auto& [name, tensor] : *ckpt->state_dict()) …
#pragma once

#include <brine/tensor.hpp>
#include <brine/value.hpp>

#include <memory>
#include <span>
#include <string_view>

namespace brine {

/// A cheap shared handle; keeps alive what it needs, names too, and may outlive the Checkpoint. Thread-safe.
class BRINE_API StateDict {
 public:
  struct Entry {
    std::string_view name;  ///< valid while a handle of this StateDict lives
    Tensor tensor;
  };

  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  std::span<const Entry> entries() const noexcept;
  const Entry* begin() const noexcept { return entries().data(); }
  const Entry* end() const noexcept { return entries().data() + size(); }

  /// The tensor of that name, or null. Borrows: valid while a handle of this StateDict lives.
  const Tensor* find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// Fails with: usage (missing_key).
  Result<Tensor> at(std::string_view name) const;

  /// Which place of the checkpoint this is: "" for the root, else a path such as "model" (as `brine ls --all` prints it).
  std::string_view path() const noexcept;

  /// Was it a whole pickled nn.Module (its parameters and buffers), or a dict?
  bool from_module() const noexcept;

  struct Impl;

 private:
  friend class Checkpoint;
  explicit StateDict(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace brine
