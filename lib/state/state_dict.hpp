// SPDX-License-Identifier: MIT
// What is behind a StateDict: tensors by name, what stands between them, and where names and metadata live.
#pragma once

#include <brine/state_dict.hpp>

#include "graph/graph.hpp"
#include "state/named_list.hpp"
#include "support/notes.hpp"

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace brine {

struct ModuleBudget;

struct StateDictAccess {
  static const std::shared_ptr<StateDict::Impl>& impl(const StateDict& state) noexcept { return state.impl_; }
  static StateDict make(std::shared_ptr<StateDict::Impl> impl) noexcept { return StateDict(std::move(impl)); }
};

struct StateDict::Impl {
  /// A value that is no plain tensor. As a Tensor does, it keeps alive what it is of: entries may come from several files.
  struct Kept {
    Ref value;
    const Graph* graph;  // which it is of
    std::shared_ptr<const void> owner;
  };
  /// An entry of `_metadata`: the value as the file has it, or the version only.
  struct ModuleInfo {
    std::string_view name;
    Ref value;
    std::int64_t version = 1;
    std::vector<std::string_view> spectral_norm = {};
    Ref module = {};  // of a module that was saved whole
    const Graph* graph = nullptr;  // of value and module
  };

  std::vector<std::shared_ptr<const void>> owners;  // of names and metadata
  NamedList<Item> items;
  std::vector<Kept> kept;  // by the number in the item; of those that are gone, too
  std::size_t tensors = 0;
  NamedList<ModuleInfo> metadata;
  bool has_metadata = false;
  Ref source;                      // the dict this is, as long as it is not edited
  const Graph* graph = nullptr;    // of the checkpoint
  std::string_view file;           // of all of it, or empty
  std::string path;
  bool from_module = false;
  Notes notes;
  std::shared_ptr<std::deque<std::string>> texts;  // names that are new

  std::string_view text(std::string_view name);  ///< a copy that lives as long as this
  /// The value, where the file has something else than the tensor; or null. What is no tensor has one.
  const Kept* kept_of(const Item& item) const noexcept { return item.kept == Item::kTensor ? nullptr : &kept[item.kept]; }
  /// Of a value that is no plain tensor. It is listed as one where it stands for one.
  Item keep(std::string_view name, Kept value);
  /// In the place of the value of that name, or at the end.
  void set(Item item);
  Item take(std::uint32_t number);
  template <class Gone>
  std::size_t erase_if(Gone&& gone) {
    return items.erase_if([&](const Item& item) { return gone(item) && (tensors -= item.is_tensor, true); });
  }
};

/// The StateDict of a dict or module that is weights. `owner` keeps graph and names alive. Fails with: corrupt (module_cycle), unsupported (module_form), limit.
Result<std::shared_ptr<StateDict::Impl>> make_state_dict(const Graph& graph, const Ref& weights, std::string path, std::shared_ptr<const void> owner,
                                                         ModuleBudget& budget);

/// The str objects of a program: identifiers, the empty text and single characters are one object each, as Python's compiler makes them.
class Words {
 public:
  Ref text(Graph& graph, std::string_view v);  ///< of no kind when memory is spent
  Ref single(Graph& graph, std::string_view v);  ///< not of identifiers: what a program put together

 private:
  Ref one(Graph& graph, std::string_view v);
  std::unordered_map<std::string, Ref> interned_;
};

/// The OrderedDict to be pickled: the very dict of the file when nothing was edited, else one made in `scratch`.
Result<Ref> state_dict_value(const StateDict& state, Graph& scratch, Words& words);

/// An OrderedDict as its constructor makes it.
Ref make_ordered_dict(Graph& graph);

}  // namespace brine
