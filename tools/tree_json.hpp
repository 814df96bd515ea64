// SPDX-License-Identifier: MIT
// A tree as JSON (brine show --json). None, bool, int of 64 bits, finite float and str are JSON's own; a list is an array; all else is an object whose
// first key is the type, as far as the file says it:
//
//   {"tuple": […]}, {"set": […]}, {"collections.deque": […]}      items
//   {"dict": {…}}, {"collections.OrderedDict": {…}}               items; where a key is no str (or a long one): [[key, value], …]
//   {"Tensor": {"dtype", "shape", "device", "requires_grad"}}     or "Parameter"
//   {"numpy.ndarray": {"dtype", "shape"}}                         or a subclass, as "numpy.matrix"; of objects: "items"
//   {"numpy.scalar": {"dtype", "shape", "value"}}                 "value" as of the Python value that it equals; else its bytes
//   {"module.Class": {"args": […], "kwargs": …, "items": …, "dict": …}}   an object that brine does not know: what made it
//   {"bytes": "hexadecimal", "size"}, {"complex": [re, im]}, {"int": "digits"}, {"float": "nan"}, {"global": "module.name"}, {"storage": {…}}
//   {"again": "dict"}                                             a container that stands above
//
// "state" follows where there is one (attributes of objects, of dict subclasses, of tensors). What is cut has "size", which says how much there is.
#pragma once

#include "json.hpp"

#include <brine/brine.hpp>

namespace tool {

struct TreeBounds {
  std::uint64_t depth, items;  ///< levels; items of one container
  std::uint64_t bytes;         ///< of JSON: after so many no further item is begun
};

/// Writes the value that `json` waits for. True: nothing was cut.
bool write_tree(JsonWriter& json, const brine::Value& from, const TreeBounds& bounds);

}  // namespace tool
