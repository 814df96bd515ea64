// SPDX-License-Identifier: MIT
// The calls of plain Python that a pickle makes for data: OrderedDict, defaultdict, Counter, deque, set, frozenset, bytes, bytearray, complex.
#pragma once

#include "graph/graph.hpp"

#include <optional>
#include <string_view>

namespace brine {

/// The numbers of Python's own globals, all below kFirstForeign.
enum class PythonCall : std::uint16_t {
  none, ordered_dict, default_dict, counter, deque, set, frozenset, bytes, bytearray, complex, codecs_encode,
};
PythonCall python_call(std::string_view module, std::string_view name) noexcept;

/// The value, or absent when the arguments are not such a call's. `spent` becomes true when memory is. Lists, sets and dicts that were read are
/// marked: they may not change any more, or what was read could not be written.
Ref run_python_call(Graph& graph, PythonCall call, const Ref& callee, const Ref& args, How how, bool& spent);

/// What a call of `callee` without arguments makes, where it is functools.partial(cls.__new__, cls, *args, **kwargs): the object that NEWOBJ_EX makes from
/// protocol 4 on. Its callee is absent where it is anything else; spent memory is, too.
Origin new_by_partial(Graph& graph, const Ref& callee);

/// A deque with a maxlen keeps the last items. False: no memory.
bool append_to_deque(Graph& graph, ListNode& deque, std::span<const Ref> items);

/// Python 2 names as Python 3 says them (CPython's _compat_pickle): applied to pickles of protocols 0 to 2.
struct Python3Name {
  std::string_view module, name;
};
Python3Name python3_name(std::string_view module, std::string_view name) noexcept;

/// And back, for writing them: what fix_imports makes of a name.
Python3Name python2_name(std::string_view module, std::string_view name) noexcept;

}  // namespace brine
