// SPDX-License-Identifier: MIT
// Value: a read-only handle on one place of the object tree that a checkpoint holds.
//
//   auto epoch = ckpt->root()["epoch"].as_int();
//   auto first = ckpt->root()["optimizer"]["state"][0]["exp_avg"].as_tensor();
//   for (auto [key, value] : ckpt->root()["args"].items()) use(key, value);
//
// Borrows: a Value, and every string_view and span from it, is valid while the Checkpoint (or a handle of it) lives.
// operator[] never fails: it gives a Value that may be absent, and that remembers its path and the first fault. The as_…() members tell:
// no such key or index (missing_key, index_out_of_range), None (is_none), another kind (wrong_kind), a number that does not fit
// (does_not_fit); the message has the path. All are `usage` errors.
//
// The tree is shared and may have cycles: do not recurse over it without a bound; Checkpoint::print() and tensors() do it safely.
#pragma once

#include <brine/kind.hpp>
#include <brine/tensor.hpp>

#include <complex>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace brine {

class Graph;
struct PathStep;

class Items;
class Elements;

class BRINE_API Value {
 public:
  Value() = default;

  Kind kind() const noexcept;
  bool exists() const noexcept { return kind() != Kind::absent; }
  bool is_none() const noexcept { return kind() == Kind::none; }

  /// The Python class, as far as the file says: "dict", "collections.OrderedDict", "torch.nn.modules.linear.Linear". Module and name are cut after
  /// 255 bytes each, and end in "…" then.
  std::string type_name() const;
  /// Where in the tree this Value was reached: "optimizer.state.0". Keys joined by dots, as `brine ls --all` prints them. Spelled anew by each
  /// call, to at most `max` bytes, which 4,096 bounds: a longer path, which no honest file has, is given without its middle ("…").
  std::string path(std::size_t max = 4096) const;

  // A numpy scalar, whose kind() is object, is taken for the Python value that it equals: numpy.bool_ is a bool, every numpy integer an int, numpy.float16
  // to float64 a float, complex64 and complex128 a complex, str_ a str, bytes_ bytes. A longdouble, a date, a void equal none of these: Array::of() reads them.
  Result<bool> as_bool() const;                        ///< True and False only
  Result<std::int64_t> as_int() const;                 ///< int that fits; bool and float are refused
  Result<double> as_double() const;                    ///< float, or an int that a double holds exactly
  Result<std::complex<double>> as_complex() const;
  Result<std::string_view> as_string() const;          ///< str, UTF-8 (lone surrogates as three bytes)
  Result<std::string> as_big_int() const;              ///< int of any size, as decimal or 0x hexadecimal text
  Result<std::span<const std::byte>> as_bytes() const; ///< bytes or bytearray
  Result<Tensor> as_tensor() const;                    ///< of an object that stands for one, too: a jagged tensor, a DTensor that is all here (dtensor.hpp)
  Result<Storage> as_storage() const;
  Result<GlobalName> as_global() const;

  /// Items of a dict, elements of a list, tuple or set, characters of nothing: 0 for every other kind.
  std::size_t size() const noexcept;

  /// A dict's value by its key; keys compare as in Python (1, 1.0 and True are one key).
  Value operator[](std::string_view key) const;
  Value operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  Value operator[](const Value& key) const;
  /// A dict's value by integer key; else the element of a list or tuple (or set, in the file's order). Negative indices do not count from the end.
  Value operator[](std::int64_t key) const;
  template <std::integral T>
  Value operator[](T key) const {
    if (sizeof(T) < 8 || std::signed_integral<T> || static_cast<std::uint64_t>(key) <= INT64_MAX) return (*this)[static_cast<std::int64_t>(key)];
    return missing(std::to_string(key)).fault(ErrorCode::does_not_fit, "a key or index of more than 64 bits with its sign");
  }

  /// An attribute: of an object's state, of a dict subclass (OrderedDict's `_metadata`), of a tensor or Parameter that has some of its own; of a
  /// tensor of a wrapper subclass the tensors that it is made of.
  Value attr(std::string_view name) const;

  /// (key, value) pairs of a dict, in its order; empty for other kinds.
  Items items() const;
  /// Elements of a list, tuple, set or frozenset; empty for other kinds.
  Elements elements() const;

  // Of an object: what was called, with what, and what it was given afterwards. Absent for other kinds.
  Value callee() const;
  Value args() const;
  Value kwargs() const;
  Value state() const;       ///< the (last) BUILD state; of dict subclasses and of tensors with attributes of their own, too
  Value list_items() const;  ///< what was appended, as a list
  Value dict_items() const;  ///< what was set by key, as a dict

  /// The same object (Python's `is`), not merely an equal one.
  bool same_object(const Value& other) const noexcept;
  /// Of containers and tensors: the same for the same object and for no other, as Python's id(); 0 for all else.
  std::uintptr_t id() const noexcept;

 private:
  friend class Items;
  friend class Elements;
  friend struct Access;
  struct Held {  // what there is, as the library keeps it: a scalar, or where it lies
    std::uint64_t head = 0, body = 0;
  };
  Value(const Graph* graph, Held held, std::shared_ptr<const PathStep> place) : graph_(graph), held_(held), place_(std::move(place)) {}
  Value look_up(Held key) const;
  Value missing(std::string_view step) const;
  Value fault(ErrorCode code, std::string text) const;
  Error refusal(std::string_view wanted) const;
  Error unfit(std::string_view text) const;

  const Graph* graph_ = nullptr;
  Held held_;
  std::shared_ptr<const PathStep> place_;  // null: the root
  std::shared_ptr<const Error> fault_;
};

/// A range of (key, value) pairs: for (auto [key, value] : v.items()).
class BRINE_API Items {
 public:
  struct BRINE_API iterator {
    using value_type = std::pair<Value, Value>;
    using difference_type = std::ptrdiff_t;
    const Items* items = nullptr;
    std::size_t at = 0;
    value_type operator*() const;
    iterator& operator++() { return ++at, *this; }
    iterator operator++(int) { auto old = *this; ++at; return old; }
    bool operator==(const iterator& o) const { return at == o.at; }
  };
  iterator begin() const { return {this, 0}; }
  iterator end() const { return {this, parent_.size()}; }
  std::size_t size() const { return parent_.size(); }

 private:
  friend class Value;
  explicit Items(Value parent) : parent_(std::move(parent)) {}
  Value parent_;
};

/// A range of Values: for (Value v : list.elements()).
class BRINE_API Elements {
 public:
  struct BRINE_API iterator {
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    const Elements* elements = nullptr;
    std::size_t at = 0;
    value_type operator*() const;
    iterator& operator++() { return ++at, *this; }
    iterator operator++(int) { auto old = *this; ++at; return old; }
    bool operator==(const iterator& o) const { return at == o.at; }
  };
  iterator begin() const { return {this, 0}; }
  iterator end() const { return {this, parent_.size()}; }
  std::size_t size() const { return parent_.size(); }

 private:
  friend class Value;
  explicit Elements(Value parent) : parent_(std::move(parent)) {}
  Value parent_;
};

}  // namespace brine
