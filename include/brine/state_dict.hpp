// SPDX-License-Identifier: MIT
// StateDict: the weights of a checkpoint, by name, in PyTorch's order.
//
//   for (const auto& [name, tensor] : *ckpt->state_dict()) use(name, tensor);
#pragma once

#include <brine/cast.hpp>
#include <brine/note.hpp>
#include <brine/tensor.hpp>
#include <brine/value.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brine {

/// A cheap shared handle; keeps alive what it needs, names too, and may outlive the Checkpoint. Const members are thread-safe. A copy is
/// independent: editing one leaves the other as it was. What is edited is the list; no tensor's bytes are touched.
class BRINE_API StateDict {
 public:
  struct Entry {
    std::string_view name;  ///< valid while a handle of this StateDict lives and is not edited
    Tensor tensor;
  };

  /// An empty one, to be filled by insert() and saved.
  StateDict();

  class Iterator;  ///< a forward iterator over Entry

  /// The tensors, in order: what iteration gives, and how many there are; jagged ones, and DTensors that are all here, are among them, and are saved
  /// as the objects that the file has. Values that are no tensors are in others().
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  Iterator begin() const noexcept;
  Iterator end() const noexcept;
  const StateDict& entries() const& noexcept { return *this; }
  StateDict entries() && noexcept { return std::move(*this); }

  /// The tensor of that name, or null: there is no such name, or its value is no tensor. Borrows: valid while a handle of this StateDict
  /// lives and is not edited.
  const Tensor* find(std::string_view name) const& noexcept;
  const Tensor* find(std::string_view name) && = delete;
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// Fails with: usage (missing_key).
  Result<Tensor> at(std::string_view name) const;

  /// Which place of the checkpoint this is: "" for the root, else a path such as "model" (as `brine ls --all` prints it).
  std::string_view path() const& noexcept;
  std::string path() && { return std::string(path()); }

  /// Was it a whole pickled nn.Module (its parameters and buffers), or a dict?
  bool from_module() const noexcept;

  /// Of a whole model: the hooks in it that Python's state_dict() runs. brine runs nothing, so that names and values may differ there.
  std::span<const Note> notes() const& noexcept;
  std::vector<Note> notes() && { return {notes().begin(), notes().end()}; }

  /// Values that brine has no Tensor for (`_extra_state`, packed parameters, numbers; parameters of lazy modules, shards of DTensors), by name; they
  /// are saved with the rest. Borrows from this handle.
  std::vector<std::pair<std::string_view, Value>> others() const&;
  std::vector<std::pair<std::string_view, Value>> others() && = delete;

  /// The version that `_metadata` gives the module of that name ("" is the root), or nothing. PyTorch's loaders of BatchNorm and others ask for it.
  std::optional<std::int64_t> version(std::string_view module) const;
  void set_version(std::string_view module, std::int64_t version);

  // Editing: of tensors and other values alike. Order is kept as Python's dict keeps it; a name that is new comes last. Each name costs the
  // same, however many there are.
  void insert(std::string_view name, Tensor tensor);  ///< or replaces the value of that name, where it stands
  bool erase(std::string_view name);                  ///< false: there was none
  /// The new name takes the old one's place. Fails with: usage (missing_key; bad_argument where the new name exists).
  Result<void> rename(std::string_view from, std::string_view to);
  /// As dict.update(): values of equal names are replaced where they stand, others follow; other values and `_metadata` likewise.
  void merge(const StateDict& other);
  void add_prefix(std::string_view prefix);           ///< to every name, and to the modules of `_metadata`
  /// PyTorch's consume_prefix_in_state_dict_if_present: a name that starts with the prefix loses it and moves to the end, or replaces the
  /// value of that name where it stands; all names: the order stays. `_metadata` follows. Returns how many names did.
  std::size_t strip_prefix(std::string_view prefix);
  /// Leaves only the names that match one of the globs (*, ?, [a-z]), or drops those. Returns how many went.
  std::size_t keep(std::span<const std::string> globs);
  std::size_t drop(std::span<const std::string> globs);
  /// Floating-point tensors in another dtype; complex ones only where that is complex. They are converted while they are saved or copied out, a piece
  /// at a time. Names, shapes, strides and Parameters stay; tensors that share memory go on to share it.
  /// Fails with: usage (wrong_dtype: not convertible, or values would be lost and options.lossy is not set).
  Result<void> cast(DType dtype, std::string_view glob = "*");
  Result<void> cast(DType dtype, const CastOptions& options);

  struct Impl;

  /// An entry, a value that is no tensor, or both: an object that stands for a tensor. Of the library's own use.
  struct Item : Entry {
    static constexpr std::uint32_t kTensor = 0xFFFFFFFF;
    std::uint32_t kept = kTensor;
    bool is_tensor = true;
  };

 private:
  friend struct StateDictAccess;
  explicit StateDict(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
  Impl& edit();
  std::shared_ptr<Impl> impl_;
};

class StateDict::Iterator {
 public:
  using value_type = Entry;
  using difference_type = std::ptrdiff_t;
  using reference = const Entry&;
  using pointer = const Entry*;
  using iterator_category = std::forward_iterator_tag;

  Iterator() noexcept = default;
  reference operator*() const noexcept { return *at_; }
  pointer operator->() const noexcept { return at_; }
  Iterator& operator++() noexcept {
    ++at_;
    skip();
    return *this;
  }
  Iterator operator++(int) noexcept {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.at_ == b.at_; }

 private:
  friend class StateDict;
  Iterator(const Item* at, const Item* end) noexcept : at_(at), end_(end) { skip(); }
  void skip() noexcept {
    while (at_ != end_ && (!at_->is_tensor || !at_->name.data())) ++at_;
  }
  const Item *at_ = nullptr, *end_ = nullptr;
};

/// Globs over names: * any text, ? one byte, [abc], [a-z], [!abc]. A dot is a character like any other.
BRINE_API bool matches_glob(std::string_view glob, std::string_view name) noexcept;

}  // namespace brine
