// SPDX-License-Identifier: MIT
// The nodes of a Graph: what a Ref (ref.hpp) points to. All live in its arena and refer to each other by address.
//
// A node keeps what a writer needs to give the same bytes back: identity (one object, one node), and its Origin where a call made it.
#pragma once

#include "graph/ref.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace brine {

/// Flags of Ref.flags (strings and integers, which have no node) and of Node.flags.
enum : std::uint8_t {
  kMemoised = 1,  // the pickle put it into the memo
  kBig = 2,       // integer: of more than 64 bits, in a BigIntNode
  kPart = 4,      // node: the arguments or the state of an object
  kPython2 = 8,   // string or bytes: written by Python 2 as str
  kStorageView = 16,  // storage: a part of another one
  kFetched = 32,  // node: the pickle takes it out of the memo again
  kRead = 64,     // container: a known call has read it, so that it may not change any more
  kSpelled = 128, // global: read from protocol 0 to 2, where names are Python 2's
};

/// The numbers of known globals that are objects of a class, a dtype say, and no classes or functions: one number is one object, by whatever name.
inline constexpr std::uint16_t kFirstValue = 256, kEndValue = 512;

/// What made a list, tuple or dict that is not plain; of objects: which are numpy's.
enum class Made : std::uint8_t { plain, ordered_dict, default_dict, counter, deque, size, device, layout, array, scalar, array_dtype };

/// The opcode that made an object.
enum class How : std::uint8_t { reduce, newobj, newobj_ex, obj, inst, persistent };

/// A BUILD (setter absent, state as given), or a call made for its effect: setter(object, state), `state` being the argument tuple.
struct Effect {
  Effect* next;
  Ref setter, state;
};

struct Origin {
  Ref callee, args, kwargs;      // a persistent id: callee absent, args the id
  Effect *first = nullptr, *last = nullptr;
  Effect* built = nullptr;       // the last BUILD among them, else the first one
  Origin* outer = nullptr;       // the call that is written, where this one says what it means: _rebuild_from_type_v2, or functools.partial's
  Effect* kept = nullptr;        // states of a tensor that are the user's own attributes: they change nothing of it
  std::uint32_t given = 0;       // items of the container that came from the arguments
  How how = How::reduce;
};

/// What a graph knows of a tensor: its record begins so.
struct TensorNode {
  const Origin* origin = nullptr;  // the call, where it is not the canonical one
};

struct Node {
  std::uint32_t size = 0;  // items, or bytes
  Made made = Made::plain;
  std::uint8_t flags = 0;
  std::uint16_t known = 0;  // of globals: the name's number in the table of known names, 0 for others
  Origin* origin = nullptr;
};

struct TupleNode : Node {
  std::span<Ref> items() noexcept { return {reinterpret_cast<Ref*>(this + 1), size}; }
  std::span<const Ref> items() const noexcept { return {reinterpret_cast<const Ref*>(this + 1), size}; }
};

/// The list; the deque.
struct ListNode : Node {
  Ref* data = nullptr;
  std::uint32_t capacity = 0;
  std::span<const Ref> items() const noexcept { return {data, size}; }
};

/// set, frozenset: equal members are one, the first.
struct SetNode : ListNode {
  std::uint32_t slots = 0;
  std::uint32_t* index = nullptr;  // hash index, from a few members on
};

struct Entry {
  Ref key, value;
};

struct DictNode : Node {
  Entry* data = nullptr;
  std::uint32_t* index = nullptr;  // hash index, from a few entries on
  std::uint32_t capacity = 0, slots = 0;
  std::span<const Entry> entries() const noexcept { return {data, size}; }
};

/// bytes and bytearray.
struct BytesNode : Node {
  const char* data = nullptr;
  std::string_view text() const noexcept { return {data, size}; }
};

struct ComplexNode : Node {
  double real = 0, imag = 0;
};

/// An int of more than 64 bits: two's complement, little-endian, the least bytes.
struct BigIntNode : Node {
  const char* data = nullptr;
  std::string_view digits;  // where the file spells it so
  std::string_view bytes() const noexcept { return {data, size}; }
};

struct GlobalNode : Node {
  std::string_view module, name;            // Python 3 names
  std::string_view spelled_module, spelled_name;
  Ref module_text, name_text;               // the str objects of STACK_GLOBAL
};

struct ObjectNode : Node {
  ListNode* list = nullptr;  // what was appended or added
  DictNode* dict = nullptr;  // what was set by key
};

/// A numpy scalar.
struct ScalarNode : ObjectNode {
  Ref plain;                    // the Python value that it is equal to, or absent
  std::string_view class_name;  // "float64"
};

// Access by kind. Requires: the Ref has such a node.
inline const TupleNode& tuple_of(const Ref& r) noexcept { return *static_cast<const TupleNode*>(r.node); }
inline const ListNode& list_of(const Ref& r) noexcept { return *static_cast<const ListNode*>(r.node); }
inline const DictNode& dict_of(const Ref& r) noexcept { return *static_cast<const DictNode*>(r.node); }
inline const BytesNode& bytes_of(const Ref& r) noexcept { return *static_cast<const BytesNode*>(r.node); }
inline const BigIntNode& big_of(const Ref& r) noexcept { return *static_cast<const BigIntNode*>(r.node); }
inline const ComplexNode& complex_of(const Ref& r) noexcept { return *static_cast<const ComplexNode*>(r.node); }
inline const GlobalNode& global_of(const Ref& r) noexcept { return *static_cast<const GlobalNode*>(r.node); }
inline const ObjectNode& object_of(const Ref& r) noexcept { return *static_cast<const ObjectNode*>(r.node); }
inline const TensorNode& tensor_node_of(const Ref& r) noexcept { return *static_cast<const TensorNode*>(r.pointer); }
inline const ScalarNode& scalar_of(const Ref& r) noexcept { return *static_cast<const ScalarNode*>(r.node); }
inline std::string_view text_of(const Ref& r) noexcept { return {r.text, r.length}; }

inline bool is_big(const Ref& r) noexcept { return r.kind == Kind::integer && (r.flags & kBig); }
/// Python's tuple, or a size, which is one; devices and layouts only look like one here.
inline bool is_tuple(const Ref& r) noexcept { return r.kind == Kind::tuple && r.node->made <= Made::size; }
inline bool is_value(const Ref& r) noexcept { return r.kind == Kind::global && r.node->known >= kFirstValue && r.node->known < kEndValue; }
inline bool has_node(const Ref& r) noexcept {
  return (r.kind >= Kind::bytes && r.kind <= Kind::global) || r.kind == Kind::object || r.kind == Kind::complex || is_big(r);
}
inline bool is_container(const Ref& r) noexcept { return (r.kind >= Kind::list && r.kind <= Kind::frozenset) || r.kind == Kind::object; }

// Scalars.
inline Ref make_none() noexcept { Ref r; r.kind = Kind::none; return r; }
inline Ref make_bool(bool v) noexcept { Ref r; r.kind = Kind::boolean; r.integer = v; return r; }
inline Ref make_int(std::int64_t v) noexcept { Ref r; r.kind = Kind::integer; r.integer = v; return r; }
inline Ref make_float(double v) noexcept { Ref r; r.kind = Kind::floating; r.floating = v; return r; }
inline Ref make_text(std::string_view v) noexcept {
  Ref r;
  r.kind = Kind::string;
  r.length = static_cast<std::uint32_t>(v.size());
  r.text = v.data();
  return r;
}
inline Ref make_node(Kind kind, Node* node) noexcept {
  Ref r;
  r.kind = node ? kind : Kind::absent;
  r.node = node;
  return r;
}

/// The states that a tensor, or what was to be one, has kept; null where it has none.
inline const Effect* kept_of(const Ref& r) noexcept {
  const Origin* o = r.kind == Kind::tensor ? tensor_node_of(r).origin : r.kind == Kind::object ? r.node->origin : nullptr;
  return o ? o->kept : nullptr;
}

/// An object that is a numpy array, by the function that makes one.
inline bool is_array(const Ref& r) noexcept { return r.kind == Kind::object && r.node->made == Made::array; }

/// What a value is as a key: of a numpy scalar the Python value that it is equal to.
inline const Ref& as_plain(const Ref& r) noexcept {
  if (r.kind != Kind::object || r.node->made != Made::scalar) return r;
  const Ref& plain = scalar_of(r).plain;
  return plain.kind == Kind::absent ? r : plain;
}

/// Is there anything in it that Children may give?
inline bool has_children(const Ref& r) noexcept { return is_container(r) || kept_of(r); }

/// The state of the last BUILD, or what the first call made for its effect was given as one, or absent.
inline Ref state_of(const Node& node) noexcept {
  const Effect* e = node.origin ? node.origin->built : nullptr;
  if (!e) return {};
  return e->setter.kind == Kind::absent ? e->state : tuple_of(e->state).items()[1];
}

}  // namespace brine
