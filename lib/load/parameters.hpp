// SPDX-License-Identifier: MIT
// What is behind Parameters: entries, and the module tree that their names make.
#pragma once

#include <brine/parameters.hpp>

#include "support/hash_index.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace brine {

/// "layer1.0" and "weight" of "layer1.0.weight".
inline std::string_view parent_of(std::string_view name) noexcept {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}
inline std::string_view leaf_of(std::string_view name) noexcept { return name.substr(name.rfind('.') + 1); }  // npos + 1 is 0

/// Numbers by the last part of a name, within a module. Full names as keys would make deep trees cost the square of their depth.
class LeafIndex {
 public:
  static constexpr std::uint32_t npos = HashIndex::npos;
  std::uint32_t find(std::uint32_t module, std::string_view leaf) const noexcept;
  /// Or leaves the one that is there. `leaf` is borrowed.
  void add(std::uint32_t module, std::string_view leaf, std::uint32_t number);

 private:
  struct Key {
    std::string_view leaf;
    std::uint32_t module, number;
  };
  std::uint64_t hash(std::uint32_t module, std::string_view leaf) const noexcept { return hash_bytes(leaf, seed_ ^ module); }
  std::vector<Key> keys_;
  std::vector<std::uint32_t> slots_;
  std::uint64_t seed_ = random_seed();
};

struct Parameters::Impl {
  static constexpr std::uint32_t kNone = LeafIndex::npos;

  struct Item {
    std::string name;
    std::uint32_t same = 0;  // the number of the entry that holds all but the name: this one, or the one it is an alias of
    DType dtype = DType::float32;
    std::span<std::byte> bytes;
    std::vector<std::int64_t> dims;  // shape, then stride
    bool buffer = false, persistent = true, meta = false, requires_grad = false;
    bool lazy = false, shapeless = false;  // declared without a shape; and still without
    std::shared_ptr<std::byte[]> memory;   // of a lazy one: what `bytes` views
    std::optional<Tensor> assigned;
    const void* lies_in = nullptr;         // whose elements these are, also of one that is only like a tensor; null: nobody else has them
    std::int64_t lies_at = 0;
    struct Kind {                          // of one that is only like a tensor: what that is
      Layout layout = Layout::strided;
      std::int64_t specified = 0;          // values of a compressed sparse one
      bool nested = false, no_data = false;
    } kind;

    std::span<const std::int64_t> shape() const noexcept { return std::span(dims).first(dims.size() / 2); }
    std::span<const std::int64_t> stride() const noexcept { return std::span(dims).subspan(dims.size() / 2); }
    void take_shape(std::span<const std::int64_t> shape);  ///< row-major
  };
  /// What a module's name does not tell.
  struct Description {
    ModuleOptions options;
    bool given = false;                    // by module(), or by the module itself: nothing is guessed
    std::vector<std::string_view> others;  // sorted: what a quantised module's own loader takes that is no tensor
  };
  /// A few bytes: each dot in a name of the file's makes one.
  struct Module {
    std::string_view name;  // "layer1.0"; of an entry's name, or of `texts`
    std::vector<std::uint32_t> children, parameters, buffers;

    const Description& description() const noexcept;
    Description& describe();
    const ModuleOptions& options() const noexcept { return description().options; }

   private:
    std::unique_ptr<Description> description_;  // null: there is nothing to say
  };

  std::deque<Item> items;      // addresses stay: names are views of them
  std::deque<Module> modules;  // the first is the root
  std::deque<std::string> texts;
  LeafIndex items_by_name, modules_by_name;
  std::optional<Error> fault;

  Impl() : modules(1) {}

  /// The entry of that full name, or kNone.
  std::uint32_t find_item(std::string_view name) const noexcept;
  const Item& entry(std::uint32_t number) const noexcept { return items[items[number].same]; }
  /// The module of that full name, or kNone.
  std::uint32_t find_module(std::string_view name) const noexcept;
  /// Adds what the module `from` has under the new name of `to`.
  void copy_module(std::uint32_t from, std::uint32_t to);
  /// The module `name`, made with its ancestors where need be; `name` must live as long as this.
  std::uint32_t module_of(std::string_view name);

  /// "layer1.0" + "weight".
  std::string name_in(std::uint32_t module, std::string_view leaf) const;
  /// The parameter or persistent buffer of that name, or kNone.
  std::uint32_t own(std::uint32_t module, std::string_view leaf) const noexcept {
    const std::uint32_t item = items_by_name.find(module, leaf);
    return item != kNone && items[item].persistent ? item : kNone;
  }

  bool tracks_running_stats(const Module& m) const noexcept {
    return m.options().track_running_stats.value_or(m.options().kind == ModuleKind::batch_norm);
  }
};

struct ParametersAccess {
  static Parameters::Impl& impl(Parameters& p) noexcept { return *p.impl_; }
  static const Parameters::Impl& impl(const Parameters& p) noexcept { return *p.impl_; }
};

}  // namespace brine
