// SPDX-License-Identifier: MIT
// Edits: changes to a loaded checkpoint, saved with all the rest of it.
//
//   auto ckpt = brine::load("checkpoint.pt");
//   brine::Edits edits(*ckpt);
//   edits.set("epoch", 4).value();
//   edits.erase("optimizer_state_dict").value();
//   brine::save(edits, "slim.pt").value();
//
// The checkpoint itself stays as it is. What is not edited is saved as it would be without any edit: same classes, order, identity and bytes. A
// container that several places share is edited for all of them.
//
// A place is a path as `brine ls --all` prints it: "optimizer.param_groups.0.lr". Paths name the places of the loaded checkpoint, whatever was
// edited before: after erase("lrs.0"), "lrs.1" is still the second item of the file. Items of dicts, lists and tuples can be edited, and attributes
// of objects, dicts and tensors; members of sets can be erased. Not what an object was made with (its constructor's arguments), nor items of numpy
// arrays: set() of the place that holds them replaces the whole.
#pragma once

#include <brine/checkpoint.hpp>
#include <brine/left_out.hpp>
#include <brine/save.hpp>
#include <brine/state_dict.hpp>
#include <brine/tree.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

/// Holds the checkpoint open. Not thread-safe while it is edited.
class BRINE_API Edits {
 public:
  explicit Edits(const Checkpoint& checkpoint);
  /// Of the part `from` alone (Checkpoint::at()): paths start there, and it is what is saved. An absent one is an error of the first call.
  Edits(const Checkpoint& checkpoint, const Value& from);
  ~Edits();
  Edits(Edits&&) noexcept;
  Edits& operator=(Edits&&) noexcept;

  /// For values that are more than a number, text or tensor: edits.set("lrs", edits.tree().list({0.1, 0.01})).
  Tree& tree() &;

  /// The value of a place. A Value of another Tree or Checkpoint borrows from it: that must live until the edits are saved.
  /// Fails with: usage — missing_key (no such place; add() makes new ones), bad_argument (a place that cannot be edited).
  Result<void> set(std::string_view path, const TreeItem& value);
  /// Weights, as StateDict edited them: edits.set(weights.path(), weights). A dict gets these items, wherever it is held: it keeps its class and
  /// attributes, names that stay their keys, and `_metadata` follows; edits of its items are over, before and after. A whole module becomes its state
  /// dict, likewise.
  Result<void> set(std::string_view path, const StateDict& weights);
  /// A new item at the end of the dict at `path`, or of the list there (then `key` is not looked at).
  /// Fails as set() does; bad_argument: the key is there already.
  Result<void> add(std::string_view path, const TreeItem& key, const TreeItem& value);
  Result<void> erase(std::string_view path);
  Result<void> erase(std::span<const std::string> paths);
  /// Erases all items and attributes but these places, what is in them, and what holds them.
  Result<void> keep(std::span<const std::string> paths);

  /// Casts weights where they are: the tensors of the dict, list or tuple at `path`, the parameters and buffers of the module there, with all its
  /// children, whose own names count for a glob; with CastOptions::everywhere all tensors that the file has there, however deep. A Parameter stays one,
  /// with its attributes. A tensor that stands at other places too is cast for all of them; what shares its memory without being weights there keeps the
  /// old memory. Converted while it is saved. Fails as StateDict::cast() does, and as set().
  Result<void> cast(std::string_view path, DType dtype);
  Result<void> cast(std::string_view path, DType dtype, const CastOptions& options);

  /// What erase() and keep() took away: at most so many places.
  LeftOutList left_out(std::size_t max) const;

  struct Impl;

 private:
  friend struct EditsAccess;
  std::unique_ptr<Impl> impl_;
};

/// As save() of the checkpoint's root, edited.
BRINE_API Result<void> save(const Edits& edits, const std::filesystem::path& path, const SaveOptions& options = {});
BRINE_API Result<void> save(const Edits& edits, Sink sink, const SaveOptions& options = {});

}  // namespace brine
