// SPDX-License-Identifier: MIT
// What is behind a StateDict: tensors by name, what stands between them, and where names and metadata live.
#pragma once

#include <brine/state_dict.hpp>

#include "graph/graph.hpp"
#include "support/budget.hpp"
#include "support/hash_index.hpp"
#include "support/notes.hpp"

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace brine {

struct StateDict::Impl {
  /// A value that is no tensor, and the number of tensors before it.
  struct Other {
    std::string_view name;
    Ref value;
    std::size_t before;
  };
  /// An entry of `_metadata`: the value as the file has it, or the version only.
  struct ModuleInfo {
    std::string_view name;
    Ref value;
    std::int64_t version = 1;
    std::vector<std::string_view> spectral_norm = {};
    Ref module = {};  // of a module that was saved whole
  };

  std::vector<std::shared_ptr<const void>> owners;
  std::vector<Entry> entries;
  std::vector<Other> others;
  std::vector<ModuleInfo> metadata;
  bool has_metadata = false;
  Ref source;                      // the dict this is, as long as it is not edited
  const Graph* graph = nullptr;    // of source, others and metadata
  std::string path;
  bool from_module = false;
  Notes notes;

  std::vector<std::uint32_t> index;
  std::uint64_t seed = random_seed();
  std::shared_ptr<std::deque<std::string>> texts;  // names that are new

  void make_index();
  std::uint32_t find(std::string_view name) const noexcept;
  std::string_view text(std::string_view name);  ///< a copy that lives as long as this
};

/// The StateDict of a dict or module that is weights. `owner` keeps graph and names alive. Fails with: corrupt (module_cycle), unsupported (module_form), limit.
Result<std::shared_ptr<StateDict::Impl>> make_state_dict(const Graph& graph, const Ref& weights, std::string path, std::shared_ptr<const void> owner,
                                                         Budget& budget);

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
