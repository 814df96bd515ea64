// SPDX-License-Identifier: MIT
// Calls: what the machine asks of whoever knows more names than Python's own. torch/ implements it; the machine never makes a tensor.
#pragma once

#include "graph/graph.hpp"
#include "pickle/opcodes.hpp"

#include <brine/result.hpp>

#include <optional>

namespace brine {

/// Numbers of known globals: below kFirstForeign they are Python's own (python_calls.hpp), from there on the implementer's.
inline constexpr std::uint16_t kFirstForeign = 64;

/// The place of one call: lets the callee take back the arguments once it has copied all it needs out of them.
class CallSite {
 public:
  CallSite(Graph& graph, How how, Arena::Mark mark) noexcept : graph_(&graph), how_(how), mark_(mark) {}
  Graph& graph() const noexcept { return *graph_; }
  How how() const noexcept { return how_; }
  /// From here on the argument tuple, and all made since its MARK, may be gone.
  void release_arguments() const noexcept {
    if (mark_) graph_->arena().rewind(mark_);
  }

 private:
  Graph* graph_;
  How how_;
  Arena::Mark mark_;  // null: they cannot be
};

/// What a call or a persistent id gives. Nothing: it is none that is known by these arguments, and stays an opaque object.
using Called = Result<std::optional<Ref>>;

class Calls {
 public:
  virtual ~Calls() = default;

  /// The number of a global (Python 3 names), or 0.
  virtual std::uint16_t known(std::string_view module, std::string_view name) const = 0;

  /// Is it one that NEWOBJ can make an object of?
  virtual bool is_class(std::uint16_t known) const = 0;

  /// A call of a known global.
  virtual Called call(const CallSite& site, const Ref& callee, const Ref& args) = 0;

  virtual Called persistent(Graph& graph, const Ref& id) = 0;

  /// BUILD on a tensor.
  virtual Result<void> build(Graph& graph, const Ref& tensor, const Ref& state) = 0;
};

/// What weights_only refuses; each error is `forbidden` and has PyTorch's text. torch/weights_only.cpp implements it.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual Result<void> opcode(Op op) const = 0;
  virtual Result<void> global(std::string_view module, std::string_view name) const = 0;
  virtual Result<void> call(const Ref& callee, How how) const = 0;
  virtual Result<void> build(const Ref& target) const = 0;
  virtual Result<void> append(const Ref& target, Op op) const = 0;
  virtual Result<void> set_item(const Ref& target, Op op) const = 0;
  virtual Result<void> persistent(const Ref& id) const = 0;
};

}  // namespace brine
