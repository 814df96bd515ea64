// SPDX-License-Identifier: MIT
// Tree: builds the object tree of a checkpoint by hand, to be saved.
//
//   brine::Tree tree;
//   auto root = tree.dict();
//   tree.set(root, "epoch", 3).value();                             // value() throws where it fails: here for want of memory
//   tree.set(root, "lr", tree.list({0.1, 0.01})).value();
//   tree.set(root, "state_dict", tree.state_dict(*weights).value()).value();
//   brine::save(root, "checkpoint.pt").value();
//
// Identity is as Python's compiler makes it: texts that are identifiers, empty or of one character are one object each; every other text, list,
// dict and tuple is an object of its own. The same Value set twice is one object in the file.
#pragma once

#include <brine/shape.hpp>
#include <brine/state_dict.hpp>
#include <brine/value.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace brine {

/// What can be put into a tree. Integers are Python's int, whatever their C++ type; wider ones than 64 bits are Tree::big_int()'s.
class TreeItem {
 public:
  TreeItem(std::nullptr_t) {}
  template <std::same_as<bool> T>  // and nothing that only converts to it, as pointers do
  TreeItem(T v) : item_(v) {}
  template <std::integral T>
    requires(!std::same_as<T, bool> && sizeof(T) <= 8)
  TreeItem(T v) : item_(static_cast<std::conditional_t<std::signed_integral<T> || (sizeof(T) < 8), std::int64_t, std::uint64_t>>(v)) {}
  template <std::floating_point T>
    requires(sizeof(T) <= 8)
  TreeItem(T v) : item_(static_cast<double>(v)) {}
  TreeItem(const char* v) : item_(std::string_view(v)) {}
  TreeItem(std::string_view v) : item_(v) {}
  TreeItem(const std::string& v) : item_(std::string_view(v)) {}
  TreeItem(Value v) : item_(std::move(v)) {}
  TreeItem(Tensor v) : item_(std::move(v)) {}

 private:
  friend class Tree;
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string_view, Value, Tensor> item_;
};

/// Owns what it makes, and keeps alive the checkpoints and tensors that were put into it. Values borrow: the Tree must outlive them, and makes
/// them only where it has a name. Not thread-safe.
class BRINE_API Tree {
 public:
  Tree();
  ~Tree();
  Tree(Tree&&) noexcept;
  Tree& operator=(Tree&&) noexcept;

  Value value(const TreeItem& item) &;  ///< a scalar, text or tensor as a Value
  Value bytes(std::span<const std::byte> data) &;
  Value big_int(std::string_view decimal) &;  ///< an int of any size: "-170141183460469231731687303715884105728"; absent when it is no number
  Value complex(double real, double imag) &;
  Value list(std::initializer_list<TreeItem> items = {}) &;
  Value tuple(std::initializer_list<TreeItem> items) &;
  Value set(std::initializer_list<TreeItem> items) &;  ///< equal items are one, as equal keys are; but tuples and objects each by itself
  Value tuple(std::span<const TreeItem> items) &;  ///< as above, of as many items as the program finds
  Value set(std::span<const TreeItem> items) &;
  Value dict() &;
  Value ordered_dict() &;  ///< collections.OrderedDict
  Value size(Shape shape) &;   ///< torch.Size
  Value dtype(DType dtype) &;  ///< torch.float32 …
  Value parameter(const Tensor& tensor, bool requires_grad = true) &;
  /// The dict that state_dict() of a module would be, `_metadata` included.
  Result<Value> state_dict(const StateDict& state) &;

  /// d[key] = value, as in Python. Fails with: usage (no dict; a dict that is not of a Tree).
  Result<void> set(const Value& dict, const TreeItem& key, const TreeItem& value);
  Result<void> append(const Value& list, const TreeItem& item);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brine
