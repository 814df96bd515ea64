// SPDX-License-Identifier: MIT
#include "graph/graph.hpp"

#include "support/hash_index.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace brine {

namespace {

constexpr std::size_t kIndexFrom = 9;  // below, comparing is quicker than hashing

}  // namespace

Graph::Graph(Budget& budget) : arena_(budget), keys_(arena_) {}

GlobalNode* Graph::first(std::uint16_t known) const noexcept {
  const auto at = std::find_if(first_.begin(), first_.end(), [&](const GlobalNode* g) { return g->known == known; });
  return at == first_.end() ? nullptr : *at;
}

bool Graph::set_first(GlobalNode& global) {
  if (!global.known || first(global.known)) return false;
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

Ref Graph::list(std::span<const Ref> items, Made made) noexcept {
  auto* node = arena_.make<ListNode>();
  if (!node || !append(*node, items)) return {};
  node->made = made;
  return make_node(Kind::list, node);
}

Ref Graph::set_of(std::span<const Ref> items, Kind kind) {
  auto* node = arena_.make<SetNode>();
  return node && add(*node, items) ? make_node(kind, node) : Ref{};
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

Ref Graph::floating(double value) noexcept {
  Ref r = make_float(value);
  if (std::isnan(value)) r.length = ++nans_;
  return r;
}

Ref Graph::big_int(std::string_view bytes, std::string_view digits) noexcept {
  if (bytes.size() <= 8) {
    std::uint64_t v = !bytes.empty() && (bytes.back() & 0x80) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) v = v << 8 | static_cast<unsigned char>(bytes[i]);
    return make_int(static_cast<std::int64_t>(v));
  }
  auto* node = arena_.make<BigIntNode>();
  if (!node) return {};
  node->size = static_cast<std::uint32_t>(bytes.size());
  node->data = bytes.data();
  node->digits = digits;
  Ref r = make_node(Kind::integer, node);
  r.flags = kBig;
  return r;
}

Ref Graph::global(std::string_view module, std::string_view name) noexcept {
  auto* node = arena_.make<GlobalNode>();
  if (!node) return {};
  node->module = node->spelled_module = module;
  node->name = node->spelled_name = name;
  node->flags = kMemoised;
  return make_node(Kind::global, node);
}

Ref Graph::object(const Origin& origin) {
  auto* node = arena_.make<ObjectNode>();
  if (!node || !set_origin(*node, origin)) return {};
  if (origin.how != How::persistent && (!share(origin.args, true) || !share(origin.kwargs, true))) return {};
  return make_node(Kind::object, node);
}

Ref Graph::scalar(const Origin& origin) {
  auto* node = arena_.make<ScalarNode>();
  if (!node || !set_origin(*node, origin) || !share(origin.args, true)) return {};
  return make_node(Kind::object, node);
}

bool Graph::share(const Ref& part, bool more) {
  if (part.kind != Kind::tuple && part.kind != Kind::dict && part.kind != Kind::list) return true;
  if (part.kind == Kind::tuple && part.node->size == 0) return true;
  if (!(part.node->flags & kPart)) {
    part.node->flags |= kPart;
    return true;
  }
  if (!more) {
    const std::uint32_t* number = shared_numbers_.find(part.node);
    if (number && shared_[*number].more > 0) --shared_[*number].more;
    return true;
  }
  arena_.pin();
  if (const std::uint32_t* number = shared_numbers_.add(part.node, static_cast<std::uint32_t>(shared_.size()))) return ++shared_[*number].more, true;
  shared_.push_back({part.node, 1});
  return arena_.charge(sizeof(Shared) + 32);
}

// As Children gives them.
bool Graph::share_state(const Node& object, const Ref& state, bool more) {
  if (state.kind == Kind::dict) return share(state, more);
  const auto items = state.kind == Kind::tuple ? tuple_of(state).items() : std::span<const Ref>();
  if (object.made == Made::array) return items.empty() || items.back().kind != Kind::list || share(items.back(), more);
  return items.size() != 2 || ((items[0].kind != Kind::dict || share(items[0], more)) && (items[1].kind != Kind::dict || share(items[1], more)));
}

std::uint64_t Graph::shared_bytes() const noexcept {
  std::uint64_t items = 0;
  constexpr std::uint64_t max = (std::uint64_t{1} << 63) / kSharedItem;
  for (const Shared& s : shared_) items = std::min(items + std::min(s.more * s.part->size, max), max);  // both are of 32 bits
  return items * kSharedItem;
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

// Of several states the last one is the object's.
bool Graph::add_effect(Node& node, const Ref& setter, const Ref& state) {
  const Ref before = state_of(node);
  if (!node.origin && !set_origin(node, {})) return false;
  if (!add_effect(*node.origin, setter, state)) return false;
  const Ref now = state_of(node);
  return same_object(before, now) || (share_state(node, now, true) && share_state(node, before, false));
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
  if (!reserve(list, need)) return false;
  std::copy(items.begin(), items.end(), list.data + list.size);
  list.size = static_cast<std::uint32_t>(need);
  return true;
}

bool Graph::reserve(ListNode& list, std::size_t items) noexcept {
  if (items <= list.capacity) return true;
  if (items > 0xFFFFFFFF) return false;
  const std::size_t capacity = list.size == 0 ? items : std::max<std::size_t>(items, std::size_t{list.capacity} * 2);
  Ref* data = arena_.array<Ref>(capacity);
  if (!data) return false;
  std::copy_n(list.data, list.size, data);
  list.data = data;
  list.capacity = static_cast<std::uint32_t>(std::min<std::size_t>(capacity, 0xFFFFFFFF));
  return true;
}

void Graph::drop_front(ListNode& list, std::uint32_t items) noexcept {
  list.data += items;
  list.size -= items;
  list.capacity -= items;
}

bool Graph::add(SetNode& set, std::span<const Ref> items) {
  if (set.size == 0 && !reserve(set, items.size())) return false;
  for (const Ref& item : items) {
    if (!keys_.prepare(item)) return false;
    const std::uint64_t hash = set.index ? keys_.hash(item) : 0;
    const auto same = [&](std::uint32_t i) { return keys_.equal(set.data[i], item); };
    bool known = false;
    if (set.index) known = HashIndex::find({set.index, set.slots}, hash, same) != HashIndex::npos;
    else for (std::uint32_t i = 0; i < set.size && !known; ++i) known = same(i);
    if (known) continue;
    if (!append(set, {&item, 1})) return false;
    if (set.size < kIndexFrom) continue;
    if (std::size_t{set.slots} * 2 >= std::size_t{set.size} * 3) {
      HashIndex::insert({set.index, set.slots}, hash, set.size - 1);
      continue;
    }
    const std::size_t slots = HashIndex::slots_for(std::size_t{set.size} * 2);
    set.index = arena_.array<std::uint32_t>(slots);
    if (!set.index) return false;
    set.slots = static_cast<std::uint32_t>(slots);
    std::fill_n(set.index, slots, 0u);
    for (std::uint32_t i = 0; i < set.size; ++i) HashIndex::insert({set.index, slots}, keys_.hash(set.data[i]), i);
  }
  return true;
}

bool Graph::reserve(DictNode& dict, std::size_t entries) {
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

bool Graph::index_all(DictNode& dict) {
  const std::size_t slots = HashIndex::slots_for(dict.capacity);
  if (slots <= dict.slots) return true;
  auto* index = arena_.array<std::uint32_t>(slots);
  if (!index) return false;
  std::fill_n(index, slots, 0u);
  dict.index = index;
  dict.slots = static_cast<std::uint32_t>(slots);
  for (std::uint32_t i = 0; i < dict.size; ++i) HashIndex::insert({index, slots}, keys_.hash(dict.data[i].key), i);
  return true;
}

/// `hash` counts only where the dict has an index.
const Entry* Graph::find(const DictNode& dict, const Ref& key, std::uint64_t hash) const {
  const auto same = [&](std::uint32_t i) { return keys_.equal(dict.data[i].key, key); };
  if (dict.index) {
    const auto at = HashIndex::find({dict.index, dict.slots}, hash, same);
    return at == HashIndex::npos ? nullptr : dict.data + at;
  }
  for (std::uint32_t i = 0; i < dict.size; ++i)
    if (same(i)) return dict.data + i;
  return nullptr;
}

const Entry* Graph::find(const DictNode& dict, const Ref& key) const { return find(dict, key, dict.index ? keys_.hash(key) : 0); }

Entry* Graph::entry(DictNode& dict, const Ref& key, bool& there) {
  if (!keys_.prepare(key)) return nullptr;
  const bool indexed = dict.index != nullptr;
  const std::uint64_t hash = indexed ? keys_.hash(key) : 0;
  if (const Entry* old = find(dict, key, hash)) return there = true, dict.data + (old - dict.data);
  if (dict.size == dict.capacity && !reserve(dict, std::max<std::size_t>(4, std::size_t{dict.size} + 1))) return nullptr;
  if (dict.index) HashIndex::insert({dict.index, dict.slots}, indexed ? hash : keys_.hash(key), dict.size);
  dict.data[dict.size] = {key, {}};
  return dict.data + dict.size++;
}

bool Graph::set(DictNode& dict, const Ref& key, const Ref& value, bool& replaced) {
  Entry* e = entry(dict, key, replaced);
  if (e) e->value = value;
  return e != nullptr;
}

Ref attribute(const Graph& graph, const Ref& object, std::string_view name) {
  const auto look = [&](const Ref& part) -> Ref {
    if (part.kind != Kind::dict) return {};
    const Entry* e = graph.find(dict_of(part), name);
    return e ? e->value : Ref{};
  };
  const auto look_in = [&](const Ref& state) -> Ref {
    if (state.kind != Kind::tuple) return look(state);
    if (state.node->size != 2) return {};
    for (const Ref& part : tuple_of(state).items())  // (__dict__, __slots__)
      if (Ref found = look(part); found.kind != Kind::absent) return found;
    return {};
  };
  Ref found = is_container(object) ? look_in(state_of(*object.node)) : Ref{};
  for (const Effect* kept = kept_of(object); kept; kept = kept->next)  // the last one is set last
    if (const Ref later = look_in(kept->state); later.kind != Kind::absent) found = later;
  return found;
}

}  // namespace brine
