// SPDX-License-Identifier: MIT
#include "graph/graph.hpp"

#include "support/hash_index.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace brine {

namespace {

constexpr std::size_t kLongKey = 1024;  // bytes: no honest key is longer, and each look at one costs its length
constexpr std::size_t kIndexFrom = 9;  // below, comparing is quicker than hashing

std::uint64_t hash_key(const Ref& key, std::uint64_t seed) noexcept {
  switch (key.kind) {
    case Kind::string: return hash_bytes(text_of(key), seed);
    case Kind::bytes: return hash_bytes(bytes_of(key).text(), ~seed);
    case Kind::floating: {
      const double whole = std::trunc(key.floating);
      if (whole == key.floating && std::abs(whole) < 9e18)
        return hash_detail::mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) ^ seed, 0x9E3779B97F4A7C15);
      return hash_detail::mix(static_cast<std::uint64_t>(key.integer) ^ seed, 0xC2B2AE3D27D4EB4F);
    }
    case Kind::complex: {
      const ComplexNode& c = complex_of(key);
      const std::uint64_t real = hash_key(make_float(c.real), seed);
      return c.imag == 0 ? real : hash_detail::mix(real, hash_key(make_float(c.imag), seed));
    }
    case Kind::integer:
      if (key.flags & kBig) return hash_bytes(text_of(key), seed ^ 1);
      [[fallthrough]];
    default: return hash_detail::mix(static_cast<std::uint64_t>(key.integer) ^ seed, 0x9E3779B97F4A7C15);  // or the address
  }
}

bool is_number(const Ref& r) noexcept {
  return r.kind == Kind::boolean || r.kind == Kind::floating || (r.kind == Kind::integer && !(r.flags & kBig));
}

/// `hash` counts only where the dict has an index.
const Entry* find_hashed(const DictNode& dict, const Ref& key, std::uint64_t hash) noexcept {
  if (!dict.index) {
    for (const Entry& e : dict.entries())
      if (keys_equal(e.key, key)) return &e;
    return nullptr;
  }
  const auto at = HashIndex::find({dict.index, dict.slots}, hash, [&](std::uint32_t i) { return keys_equal(dict.data[i].key, key); });
  return at == HashIndex::npos ? nullptr : dict.data + at;
}

}  // namespace

bool same_object(const Ref& a, const Ref& b) noexcept {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::string) return a.text == b.text && a.length == b.length;
  return a.integer == b.integer;  // the address, or the scalar itself
}

bool keys_equal(const Ref& a, const Ref& b) noexcept {
  if (a.kind == Kind::string && b.kind == Kind::string)
    return a.length == b.length && (a.text == b.text || std::memcmp(a.text, b.text, a.length) == 0);
  if (is_number(a) && is_number(b)) {
    if (a.kind != Kind::floating && b.kind != Kind::floating) return a.integer == b.integer;
    if (a.kind == Kind::floating && b.kind == Kind::floating) return a.floating == b.floating;
    const double f = a.kind == Kind::floating ? a.floating : b.floating;
    const std::int64_t i = a.kind == Kind::floating ? b.integer : a.integer;
    return f >= -9223372036854775808.0 && f < 9223372036854775808.0 && std::trunc(f) == f && static_cast<std::int64_t>(f) == i;
  }
  if (a.kind == Kind::complex || b.kind == Kind::complex) {
    const bool both = a.kind == b.kind;
    const ComplexNode& c = complex_of(a.kind == Kind::complex ? a : b);
    const Ref& other = a.kind == Kind::complex ? b : a;
    if (both) return c.real == complex_of(other).real && c.imag == complex_of(other).imag;
    return c.imag == 0 && is_number(other) && keys_equal(make_float(c.real), other);
  }
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::integer) return a.flags == b.flags && text_of(a) == text_of(b);
  if (a.kind == Kind::bytes) return bytes_of(a).text() == bytes_of(b).text();
  return same_object(a, b);
}

std::string_view minimal_int(std::string_view bytes) noexcept {
  while (bytes.size() > 1) {
    const auto last = static_cast<unsigned char>(bytes.back()), before = static_cast<unsigned char>(bytes[bytes.size() - 2]);
    if (!(last == 0 && !(before & 0x80)) && !(last == 0xFF && (before & 0x80))) break;
    bytes.remove_suffix(1);
  }
  return bytes;
}

std::string big_int_text(const Ref& integer) {
  std::string_view bytes = text_of(integer);
  if (integer.flags & kDecimal) return std::string(bytes);
  const bool negative = !bytes.empty() && (bytes.back() & 0x80);
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4, 0);
  std::uint64_t carry = negative;  // the magnitude: two's complement when negative
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::uint64_t b = static_cast<unsigned char>(bytes[i]);
    if (negative) b = (b ^ 0xFF) + carry, carry = b >> 8, b &= 0xFF;
    words[i / 4] |= static_cast<std::uint32_t>(b << (8 * (i % 4)));
  }
  std::string out;
  if (bytes.size() > 128) {
    constexpr char hex[] = "0123456789abcdef";
    for (const std::uint32_t w : words)
      for (int shift = 0; shift < 32; shift += 4) out += hex[(w >> shift) & 15];
    while (out.size() > 1 && out.back() == '0') out.pop_back();
    out += "x0";
  } else {
    while (!words.empty()) {
      std::uint64_t rest = 0;
      for (std::size_t i = words.size(); i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = static_cast<std::uint32_t>(rest / 10);
        rest %= 10;
      }
      out += static_cast<char>('0' + rest);
      while (!words.empty() && words.back() == 0) words.pop_back();
    }
    if (out.empty()) out = "0";
  }
  if (negative) out += '-';
  return {out.rbegin(), out.rend()};
}

Graph::Graph(Budget& budget) : arena_(budget), seed_(random_seed()) {}

GlobalNode* Graph::first(std::uint16_t known) const noexcept {
  const auto at = std::find_if(first_.begin(), first_.end(), [&](const GlobalNode* g) { return g->known == known; });
  return at == first_.end() ? nullptr : *at;
}

bool Graph::set_first(GlobalNode& global) {
  if (!global.known || first(global.known)) return false;
  global.flags |= kFirst;
  first_.push_back(&global);
  return true;
}

Ref Graph::first_global(std::string_view module, std::string_view name, std::uint16_t known) {
  const Ref g = global(module, name);
  if (g.kind == Kind::absent) return g;
  g.node->known = known;
  set_first(static_cast<GlobalNode&>(*g.node));
  return g;
}

Ref Graph::tuple(std::span<const Ref> items, Made made) noexcept {
  void* memory = arena_.allocate(sizeof(TupleNode) + items.size_bytes());
  if (!memory) return {};
  auto* node = new (memory) TupleNode;
  node->size = static_cast<std::uint32_t>(items.size());
  node->made = made;
  node->flags = kMemoised;
  std::copy(items.begin(), items.end(), node->items().begin());
  return make_node(Kind::tuple, node);
}

Ref Graph::list(std::span<const Ref> items, Kind kind, Made made) noexcept {
  auto* node = arena_.make<ListNode>();
  if (!node || !append(*node, items)) return {};
  node->made = made;
  return make_node(kind, node);
}

Ref Graph::dict(Made made) noexcept {
  auto* node = arena_.make<DictNode>();
  if (node) node->made = made;
  return make_node(Kind::dict, node);
}

Ref Graph::bytes(std::string_view data, Kind kind) noexcept {
  auto* node = arena_.make<BytesNode>();
  if (!node) return {};
  node->size = static_cast<std::uint32_t>(data.size());
  node->data = data.data();
  return make_node(kind, node);
}

Ref Graph::complex(double real, double imag) noexcept {
  auto* node = arena_.make<ComplexNode>();
  if (!node) return {};
  node->real = real;
  node->imag = imag;
  return make_node(Kind::complex, node);
}

Ref Graph::global(std::string_view module, std::string_view name) noexcept {
  auto* node = arena_.make<GlobalNode>();
  if (!node) return {};
  node->module = node->spelled_module = module;
  node->name = node->spelled_name = name;
  node->flags = kMemoised;
  return make_node(Kind::global, node);
}

Ref Graph::object(const Origin& origin) noexcept {
  auto* node = arena_.make<ObjectNode>();
  if (!node || !set_origin(*node, origin)) return {};
  return make_node(Kind::object, node);
}

std::string_view Graph::copy(std::string_view text) noexcept {
  char* memory = arena_.array<char>(text.size() + 1);
  if (!memory) return {};
  if (!text.empty()) std::memcpy(memory, text.data(), text.size());
  return {memory, text.size()};
}

Origin* Graph::set_origin(Node& node, const Origin& origin) noexcept {
  return node.origin = arena_.make<Origin>(origin);
}

bool Graph::add_effect(Node& node, const Ref& setter, const Ref& state) noexcept {
  return (node.origin || set_origin(node, {})) && add_effect(*node.origin, setter, state);
}

bool Graph::add_effect(Origin& origin, const Ref& setter, const Ref& state) noexcept {
  auto* effect = arena_.make<Effect>(nullptr, setter, state);
  if (!effect) return false;
  (origin.last ? origin.last->next : origin.first) = effect;
  origin.last = effect;
  if (setter.kind == Kind::absent || !origin.built) origin.built = effect;
  return true;
}

bool Graph::append(ListNode& list, std::span<const Ref> items) noexcept {
  if (items.empty()) return true;
  const std::size_t need = list.size + items.size();
  if (need > 0xFFFFFFFF) return false;
  if (need > list.capacity) {
    const std::size_t capacity = list.size == 0 ? need : std::max<std::size_t>(need, std::size_t{list.capacity} * 2);
    Ref* data = arena_.array<Ref>(capacity);
    if (!data) return false;
    std::copy_n(list.data, list.size, data);
    list.data = data;
    list.capacity = static_cast<std::uint32_t>(std::min<std::size_t>(capacity, 0xFFFFFFFF));
  }
  std::copy(items.begin(), items.end(), list.data + list.size);
  list.size = static_cast<std::uint32_t>(need);
  return true;
}

bool Graph::reserve(DictNode& dict, std::size_t entries) noexcept {
  if (entries <= dict.capacity) return true;
  if (entries > 0x7FFFFFFF) return false;
  const std::size_t capacity = dict.capacity == 0 ? entries : std::max<std::size_t>(entries, std::size_t{dict.capacity} * 2);
  Entry* data = arena_.array<Entry>(capacity);
  if (!data) return false;
  std::copy_n(dict.data, dict.size, data);
  dict.data = data;
  dict.capacity = static_cast<std::uint32_t>(capacity);
  return dict.capacity < kIndexFrom || index_all(dict);
}

Entry* Graph::fill(DictNode& dict, std::size_t entries) noexcept {
  if (entries > 0x7FFFFFFF) return nullptr;
  dict.data = arena_.array<Entry>(std::max<std::size_t>(entries, 1));
  if (dict.data) dict.size = dict.capacity = static_cast<std::uint32_t>(entries);
  return dict.data;
}

bool Graph::index_all(DictNode& dict) noexcept {
  const std::size_t slots = HashIndex::slots_for(dict.capacity);
  if (slots <= dict.slots) return true;
  auto* index = arena_.array<std::uint32_t>(slots);
  if (!index) return false;
  std::fill_n(index, slots, 0u);
  dict.index = index;
  dict.slots = static_cast<std::uint32_t>(slots);
  for (std::uint32_t i = 0; i < dict.size; ++i) HashIndex::insert({index, slots}, hash_key(dict.data[i].key, seed_), i);
  return true;
}

const Entry* Graph::find(const DictNode& dict, const Ref& key) const noexcept {
  return find_hashed(dict, key, dict.index ? hash_key(key, seed_) : 0);
}

bool Graph::set(DictNode& dict, const Ref& key, const Ref& value, bool& replaced) noexcept {
  const std::size_t length = key.kind == Kind::bytes ? key.node->size : key.kind == Kind::string || key.kind == Kind::integer ? key.length : 0;
  if (length > kLongKey && dict.size > 0 && !arena_.charge(length)) return false;
  const bool indexed = dict.index != nullptr;
  const std::uint64_t hash = indexed ? hash_key(key, seed_) : 0;
  if (const Entry* old = find_hashed(dict, key, hash)) {
    dict.data[old - dict.data].value = value;
    replaced = true;
    return true;
  }
  if (dict.size == dict.capacity && !reserve(dict, std::max<std::size_t>(4, std::size_t{dict.size} + 1))) return false;
  if (dict.index) HashIndex::insert({dict.index, dict.slots}, indexed ? hash : hash_key(key, seed_), dict.size);
  dict.data[dict.size++] = {key, value};
  return true;
}

Ref attribute(const Graph& graph, const Ref& object, std::string_view name) noexcept {
  if (!is_container(object)) return {};
  const Ref state = state_of(*object.node);
  const auto look = [&](const Ref& part) -> Ref {
    if (part.kind != Kind::dict) return {};
    const Entry* e = graph.find(dict_of(part), name);
    return e ? e->value : Ref{};
  };
  if (state.kind != Kind::tuple) return look(state);
  if (state.node->size != 2) return {};
  for (const Ref& part : tuple_of(state).items())  // (__dict__, __slots__)
    if (Ref found = look(part); found.kind != Kind::absent) return found;
  return {};
}

}  // namespace brine
