// SPDX-License-Identifier: MIT
// NamedList: things by name, in order, as Python's dict keeps them: what is new comes last, what is renamed or replaced keeps its place. Each
// name costs the same, however long the list is. The names are a file's and hashed with a key; the list views them.
#pragma once

#include "support/hash_index.hpp"
#include "support/memory.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace brine {

/// T has a `std::string_view name`. Numbers of items stay until something is erased.
template <class T>
class NamedList {
 public:
  static constexpr std::uint32_t npos = HashIndex::npos;

  std::size_t size() const noexcept { return items_.size() - dead_; }

  /// The number of the item of that name, or npos.
  std::uint32_t find(std::string_view name) const noexcept {
    if (slots_.empty()) return npos;
    return HashIndex::find(slots_, hash(name), [&](std::uint32_t n) { return is_live(items_[n]) && items_[n].name == name; });
  }
  T& operator[](std::uint32_t n) noexcept { return items_[n]; }
  const T& operator[](std::uint32_t n) const noexcept { return items_[n]; }

  void reserve(std::size_t size) {
    items_.reserve(size);
    if (size > room()) index(size);
  }

  /// Requires: there is no item of that name.
  void push(T item) {
    if (!item.name.data()) item.name = "";
    make_room();
    items_.push_back(std::move(item));
    enter(static_cast<std::uint32_t>(items_.size() - 1));
  }
  /// In the place of the item of that name, or at the end. Returns whether it is new.
  bool set(T item) {
    const std::uint32_t n = find(item.name);
    if (n == npos) return push(std::move(item)), true;
    item.name = items_[n].name;
    items_[n] = std::move(item);
    return false;
  }
  /// Requires: there is no item of the new name.
  void rename(std::uint32_t n, std::string_view name) {
    make_room();
    items_[n].name = name.data() ? name : "";
    enter(n);
  }
  T take(std::uint32_t n) {
    T out = std::move(items_[n]);
    items_[n].name = {};
    if (++dead_ > items_.size() / 2) close_gaps();
    return out;
  }
  /// Returns how many went.
  template <class Gone>
  std::size_t erase_if(Gone&& gone) {
    const std::size_t before = size();
    for (T& item : items_) {
      if (!is_live(item) || !gone(std::as_const(item))) continue;
      const T out = std::move(item);
      item.name = {};
      ++dead_;
    }
    const std::size_t went = before - size();
    if (went > 0) close_gaps();
    return went;
  }

  /// Items of no name are those that were erased.
  static bool is_live(const T& item) noexcept { return item.name.data() != nullptr; }
  const T* data() const noexcept { return items_.data(); }
  const T* data_end() const noexcept { return items_.data() + items_.size(); }

  /// In order, without the erased.
  template <class Item>
  class Iterator {
   public:
    Iterator(Item* at, Item* end) noexcept : at_(at), end_(end) { skip(); }
    Item& operator*() const noexcept { return *at_; }
    Iterator& operator++() noexcept {
      ++at_;
      skip();
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

   private:
    void skip() noexcept {
      while (at_ != end_ && !is_live(*at_)) ++at_;
    }
    Item *at_, *end_;
  };
  Iterator<T> begin() noexcept { return {items_.data(), items_.data() + items_.size()}; }
  Iterator<T> end() noexcept { return {items_.data() + items_.size(), items_.data() + items_.size()}; }
  Iterator<const T> begin() const noexcept { return {data(), data_end()}; }
  Iterator<const T> end() const noexcept { return {data_end(), data_end()}; }

 private:
  std::uint64_t hash(std::string_view name) const noexcept { return hash_bytes(name, seed_); }
  std::size_t room() const noexcept { return slots_.size() / 3 * 2; }

  // Slots of erased items and of old names stay until the index is made anew.
  void make_room() {
    if (entered_ + 1 > room() || items_.size() + 1 > room()) index(2 * (items_.size() + 1));
  }
  void enter(std::uint32_t n) noexcept {
    HashIndex::insert(slots_, hash(items_[n].name), n);
    ++entered_;
  }
  void index(std::size_t size_to_come) {
    slots_.assign(HashIndex::slots_for(size_to_come + 1), 0);
    entered_ = 0;
    for (std::uint32_t n = 0; n < items_.size(); ++n)
      if (is_live(items_[n])) enter(n);
  }
  void close_gaps() {
    std::erase_if(items_, [](const T& item) { return !is_live(item); });
    dead_ = 0;
    index(items_.size());
  }

  std::vector<T, HugePages<T>> items_;
  std::vector<std::uint32_t> slots_;
  std::size_t dead_ = 0, entered_ = 0;
  std::uint64_t seed_ = random_seed();
};

}  // namespace brine
