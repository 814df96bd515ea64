// SPDX-License-Identifier: MIT
// Keys: when two keys of dicts, or members of sets, are one. As in Python: numbers by value (1 == 1.0 == True), str and bytes by content, tuples and
// frozensets item by item, classes by name, all else by identity; a NaN object equals itself alone.
//
// A file can name a long text, or a tuple of tuples, in a few bytes and use it as a key again and again. So what is costly to compare is looked at
// once: the first of all that are equal stands for them, by address. Hashes are keyed: no file can choose keys that collide.
#pragma once

#include "graph/arena.hpp"
#include "graph/node.hpp"
#include "support/pointer_map.hpp"

#include <cstdint>
#include <vector>

namespace brine {

class Keys {
 public:
  explicit Keys(Arena& arena) : arena_(&arena), seed_(random_seed()) {}

  /// Before a key is kept: looks at it once. False when memory is spent.
  bool prepare(const Ref& met) {
    const Ref& key = as_plain(met);
    return is_plain(key) || numbers_.find(key.pointer) || prepare_all(key);
  }

  /// Of a prepared key, or of any other: then the costly ones are gone through for this answer alone.
  std::uint64_t hash(const Ref& met) const;
  /// Requires: `kept` was prepared.
  bool equal(const Ref& kept_met, const Ref& met) const;

 private:
  /// A key that was prepared, and the number of the first one that is equal.
  struct Known {
    Ref key;
    std::uint64_t hash;
    std::uint32_t first;
  };

  explicit Keys(std::uint64_t seed) : seed_(seed) {}  // for one answer: nothing is charged
  bool charge(std::size_t bytes) noexcept { return !arena_ || arena_->charge(bytes); }
  static bool is_plain(const Ref& key) noexcept;
  bool prepare_all(const Ref& key);
  bool add(const Ref& key);
  std::uint64_t shallow_hash(const Ref& key) const;
  bool shallow_equal(const Ref& a, const Ref& b) const;
  bool equal_across(const Ref& kept, const Keys& others, const Ref& key) const;
  const Known* known(const Ref& key) const noexcept {
    const std::uint32_t* number = numbers_.find(key.pointer);
    return number && known_[*number].key.length == key.length ? &known_[*number] : nullptr;
  }

  Arena* const arena_ = nullptr;  // charged for what is kept here
  const std::uint64_t seed_;
  PointerMap numbers_;  // by the address of a text or node
  std::vector<Known> known_;
  std::vector<std::uint32_t> index_;
};

/// Python's ==, for keys that are compared once: texts, numbers, bytes by value, all else by identity.
bool keys_equal(const Ref& a, const Ref& b) noexcept;
/// Python's `is`.
bool same_object(const Ref& a, const Ref& b) noexcept;

}  // namespace brine
