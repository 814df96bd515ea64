// SPDX-License-Identifier: MIT
// What is weights: a dict of tensors, or a pickled nn.Module. Names as PyTorch's state_dict() gives them.
#pragma once

#include "graph/graph.hpp"
#include "support/budget.hpp"
#include "support/notes.hpp"

#include <brine/limits.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brine {

/// An entry of a module's state dict: a tensor, or what brine keeps as an object (sparse, quantised, not yet initialised), without its Parameter.
struct NamedValue {
  std::string name;
  Ref value;
  enum class As : std::uint8_t {
    detached,  // the data of a parameter or buffer
    itself,    // the very object; a Parameter stays one
    number,    // torch.tensor(value)
  } as = As::detached;
};

/// The object is what this class or function of the file made.
bool made_by(const Ref& object, std::string_view module, std::string_view name) noexcept;

/// An object whose state is a dict with the dicts _parameters, _buffers and _modules; a torch.fx.GraphModule, whose state is the argument of the
/// function that makes it anew; torch.compile's OptimizedModule, which only wraps its first argument; or a quantised convolution.
bool is_module(const Graph& graph, const Ref& value) noexcept;

/// What no entry of a state dict is: a dict, a list, a module.
bool is_subtree(const Graph& graph, const Ref& value) noexcept;

/// A dict with string keys that holds a tensor directly (or has the attribute _metadata), and no dict, list or module but under keys whose last
/// part is _extra_state.
bool is_weights_dict(const Graph& graph, const Ref& value) noexcept;

/// A parameter under old spectral_norm, as its hook tells.
struct SpectralNormHook {
  std::string_view name;
  std::int64_t dim;
};
std::vector<SpectralNormHook> spectral_norms(const Graph& graph, const Ref& module);

/// The names in `_non_persistent_buffers_set`, sorted; a set that many modules share is sorted once.
class NonPersistent {
 public:
  const std::vector<std::string_view>& of(const Graph& graph, const Ref& module);

 private:
  std::unordered_map<const Node*, std::vector<std::string_view>> known_;
};

/// A module's entry in `_metadata`.
struct ModuleVersion {
  std::string name;  // its prefix without the last dot; "" is the root
  std::int64_t version;
  Ref module;
  std::vector<std::string_view> spectral_norm;  // old spectral_norm adds a version for each parameter it has
};

/// What a state dict made of modules may take: shared ones multiply, and so does a name that others stand under.
struct ModuleBudget {
  ModuleBudget(const Limits& limits, std::uint64_t pickle_bytes) noexcept;
  Budget parts, names;
};

/// Own parameters, own persistent buffers, then children, depth first; None skipped; shared modules under each of their names. And every module,
/// the root first. Notes tell of hooks, which are code.
/// Fails with: corrupt (module_cycle), unsupported (module_form), limit.
Result<void> module_tensors(const Graph& graph, const Ref& module, ModuleBudget& budget, std::vector<NamedValue>& values, std::vector<ModuleVersion>& modules, Notes& notes);

/// The dict of a module's attributes, or whatever its state is.
Ref module_state(const Ref& module) noexcept;
/// `_parameters`, `_buffers` … of a module's state, or absent.
Ref module_part(const Graph& graph, const Ref& module, std::string_view name) noexcept;

/// The children that are modules, by name, in order, None left out.
std::vector<Entry> module_children(const Graph& graph, const Ref& module);

/// What torch.compile's OptimizedModule wraps; absent for other modules.
Ref module_wrapped(const Ref& module) noexcept;

/// What the file says of an object's class, empty where it says nothing; of a torch.fx.GraphModule the class, not the function that makes it.
GlobalName module_class(const Graph& graph, const Ref& module) noexcept;

/// A quantised convolution of PyTorch's: its state is a tuple, it has neither parameters nor children.
bool is_quantised_conv(const Ref& value) noexcept;
/// One of its attributes, by PyTorch's name for it, or absent.
Ref quantised_conv_attribute(const Ref& conv, std::string_view name) noexcept;

/// A value that a class puts into its state dict behind parameters and buffers.
struct OwnValue {
  std::string_view name;
  Ref value;
  bool number;    // torch.tensor(value)
  bool in_place;  // where the buffer of that name stands, if there is one
};
/// Those of PyTorch's quantised modules; none of all others. False: the class makes a state dict of its own that brine does not know.
bool own_values(const Graph& graph, const Ref& module, std::string_view qualified_class, std::vector<OwnValue>& out);
/// The class whose state dict a module has: its own, or the quantised one that it plainly inherits.
std::string_view module_base(const Graph& graph, const Ref& module, std::string_view qualified_class) noexcept;
/// The hook of a quantised torch.fx.GraphModule, and the attributes that it adds behind everything else.
bool is_packed_weight_hook(const Ref& hook) noexcept;
bool has_packed_weight_hook(const Graph& graph, const Ref& module) noexcept;
std::vector<std::string_view> packed_weights(const Ref& module);

/// `_version` of a module class as PyTorch 2.13 and torchvision 0.14 have it, by the class's full name; 1 for all others.
std::int64_t module_version(std::string_view qualified_class) noexcept;

}  // namespace brine
