// SPDX-License-Identifier: MIT
// How two checkpoints differ: their weights by name, all else by its place.
//
//   const auto found = brine::diff(*ckpt, *checkpoint);          // Checkpoints; or StateDicts, or Values
//   if (found && !found->equal()) {
//     if (found->weights)
//       for (const auto& entry : found->weights->differing) log(std::string(entry.name) + " " + entry.text);
//     for (const auto& place : found->rest.differences) log(place.path + " " + place.text);    // "epoch", "3 -> 4"
//   }
//
// Everything is compared: nothing is called equal that was not looked at. Numbers are equal when type and bits are (a NaN equals itself), texts and
// bytes when their bytes are, dicts by key, sets by member, sequences by position. numpy's arrays and scalars of numbers are equal when dtype, shape,
// order and elements are. Objects, known or not, are equal when the class or function that was called, arguments, state and items are. What is one
// object in several places (or within itself) must be so in both, and tensors that share memory must share it in both. The order of dicts does not
// count, and is told. Costs time linear in both files; tensors are read in pieces.
#pragma once

#include <brine/checkpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

/// How two tensors differ.
struct TensorDifference {
  bool same_dtype = true, same_shape = true;
  bool same_kind = true;   ///< the same layout; quantised, nested, without data alike; of quantised ones scheme, scale, zero point and axis, too
  bool equal_bits = true;  ///< same dtype, shape and kind, and every element the same bits, of what it is made of, too (parts())
  /// The same device, requires_grad and class (Parameter or not). Strides and offsets are no difference.
  bool same_attributes = true;
  /// Of state dicts: it shares its storage with the same other tensors, and lies as far from them in it.
  bool same_sharing = true;
  /// The values differ, and by at most this: of numbers of the same shape, compared as float64 (64-bit integers exactly). NaN against NaN is no
  /// difference, against a number infinity. Unset where they cannot be compared, or were not to be.
  std::optional<double> largest_difference = {};
  bool nan_differs = false;     ///< NaN stands against a number: no tolerance covers that
  std::uint64_t differing = 0;  ///< elements whose values differ
};

struct DiffOptions {
  bool elements = true;  ///< false: of tensors only dtype, shape and attributes; no tensor's bytes are read
  /// Elements of tensors and of numpy's arrays, and Python's floats and complex numbers, that differ by at most this are equal; NaN and a number never
  /// are. Negative (or NaN): bits are compared.
  double tolerance = -1;
  /// Differences that are kept of the rest; all are counted.
  std::size_t max = 1000;
  /// Told now and then how many bytes of tensors were compared.
  std::function<void(std::uint64_t bytes)> progress = {};
};

/// How two state dicts differ. Names and pointers borrow from them.
struct StateDiff {
  struct Entry : TensorDifference {
    std::string_view name = {};
    const Tensor* a = nullptr;  ///< null for a value that is no tensor
    const Tensor* b = nullptr;
    std::string text = {};      ///< of values that are no tensors: the first difference in them
  };
  std::vector<std::string_view> only_in_a, only_in_b;  ///< each in its own order
  std::vector<Entry> differing;                        ///< of the names both have, those that differ, in the order of a
  std::vector<Entry> attributes;                       ///< those that are equal but for same_attributes or same_sharing
  std::vector<Entry> versions;                         ///< modules whose `_metadata` differs, or is in one only
  std::size_t compared = 0;                            ///< names that both have
  bool same_order = true;                              ///< the names that both have stand in the same order

  /// Same names, dtypes, shapes, bits (or within the tolerance), other values and versions; neither order nor `attributes` count, nor where the
  /// weights are. Classes and attributes of a program's own that tensors have are compared by diff() of Checkpoints and Values alone.
  bool equal() const noexcept { return only_in_a.empty() && only_in_b.empty() && differing.empty() && versions.empty(); }
};

/// Compares by name: tensors, and the values that are no tensors. Fails with: io, corrupt, limit, as Tensor::copy_part(); the path names the entry.
BRINE_API Result<StateDiff> diff(const StateDict& a, const StateDict& b, const DiffOptions& options = {});

/// One place at which two trees differ.
struct Difference {
  enum class Kind : std::uint8_t {
    only_in_a, only_in_b,
    value,         ///< other content, another number of items …
    type,          ///< another class
    sharing,       ///< one object, or memory of tensors, in several places of one tree, not of the other
    place,         ///< the weights of one tree stand here, and something else in the other
    not_compared,  ///< of a module and a dict only the weights can be compared
  };
  Kind kind = Kind::value;
  std::string path;  ///< as `brine ls --all` prints it, at most 4 KiB; "" is the root of what was compared
  std::string text;  ///< "3 -> 4"; of what only one has, what it is. Escaped
  TensorDifference tensor = {};  ///< where both are tensors
};

/// How two trees differ.
struct Comparison {
  std::vector<Difference> differences;  ///< the first DiffOptions::most
  std::uint64_t differing = 0;          ///< all of them, but those not compared
  std::uint64_t not_compared = 0;
  std::uint64_t compared = 0;           ///< values that both have
  bool same_order = true;               ///< of the keys of dicts
  bool equal() const noexcept { return differing == 0 && not_compared == 0; }
};
BRINE_API Result<Comparison> diff(const Value& a, const Value& b, const DiffOptions& options = {});

/// How two checkpoints differ. The two weights stand for each other: where one has them (in several places, perhaps), the other must have its own; their
/// places are compared with all else.
struct CheckpointDiff {
  StateDict weights_a, weights_b;    ///< what `weights` borrows from
  std::optional<StateDiff> weights;  ///< unset where not both have weights, or which are the weights is not clear
  Comparison rest;                   ///< all that is not in `weights`; of the files, see below
  bool equal() const noexcept { return (!weights || (weights->equal() && weights->attributes.empty())) && rest.equal(); }
};

/// Compares the weights by name, wherever they are in each, and everything else by its place. `at_a` and `at_b` choose a part of each; where they do
/// not, what the files hold beside the object is compared as well, at places such as "(object 2).epoch" (of a stream of several), "(record extra/log)"
/// (of an archive, one that nothing refers to) and "(what follows at byte 812)". Not compared is how a file was written: format, alignment, ids.
/// Of legacy streams the source texts of classes are compared where both have them.
/// Fails with: usage (missing_key: no such place), and as above.
BRINE_API Result<CheckpointDiff> diff(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options = {}, std::string_view at_a = {},
                                      std::string_view at_b = {});

}  // namespace brine
