// SPDX-License-Identifier: MIT
// Access: the library's own way into a Value.
#pragma once

#include <brine/value.hpp>

#include "graph/path.hpp"
#include "graph/ref.hpp"

#include <bit>

namespace brine {

struct Access {
  static const Graph* graph(const Value& value) noexcept { return value.graph_; }
  static Ref ref(const Value& value) noexcept { return std::bit_cast<Ref>(value.held_); }
  static Value value(const Graph* graph, const Ref& ref, Path place = {}) { return Value(graph, std::bit_cast<Value::Held>(ref), std::move(place)); }
  static const Path& place(const Value& value) noexcept { return value.place_; }
  static Error refusal(const Value& value, std::string_view wanted) { return value.refusal(wanted); }
};

}  // namespace brine
