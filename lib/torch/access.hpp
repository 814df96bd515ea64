// SPDX-License-Identifier: MIT
// Access: the library's own way into its handles.
#pragma once

#include <brine/checkpoint.hpp>
#include <brine/edits.hpp>

#include "graph/path.hpp"

#include <memory>
#include <string>

namespace brine {

struct Opened;
struct Part;

struct Access {
  static const Graph* graph(const Value& value) noexcept { return value.graph_; }
  static const Ref& ref(const Value& value) noexcept { return value.ref_; }
  static Value value(const Graph* graph, const Ref& ref, Path place = {}) { return Value(graph, ref, std::move(place)); }
  static const Path& place(const Value& value) noexcept { return value.place_; }

  static Error refusal(const Value& value, std::string_view wanted) { return value.refusal(wanted); }

  static const Opened& opened(const Checkpoint& checkpoint) noexcept;  // lib/checkpoint.cpp
  static const Limits& limits(const Checkpoint& checkpoint) noexcept;
  /// What the object was read from, from its first byte on, and how.
  static const Part& part(const Checkpoint& checkpoint) noexcept;
  static const LoadOptions& options(const Checkpoint& checkpoint) noexcept;

  static const std::shared_ptr<StateDict::Impl>& impl(const StateDict& state) noexcept { return state.impl_; }
  static const Edits::Impl& impl(const Edits& edits) noexcept { return *edits.impl_; }
  static StateDict state_dict(std::shared_ptr<StateDict::Impl> impl) noexcept { return StateDict(std::move(impl)); }
};

}  // namespace brine
