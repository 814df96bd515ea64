// SPDX-License-Identifier: MIT
#include "graph/keys.hpp"

#include "graph/big_int.hpp"
#include "support/hash_index.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <unordered_set>

namespace brine {

namespace {

constexpr std::size_t kLong = 1024;  // bytes: no honest key is longer; above, it is looked at once
constexpr std::uint64_t kNumber = 0x9E3779B97F4A7C15, kItem = 0xC2B2AE3D27D4EB4F;

bool is_number(const Ref& r) noexcept { return r.kind == Kind::boolean || r.kind == Kind::floating || (r.kind == Kind::integer && !is_big(r)); }

std::string_view content(const Ref& key) noexcept {
  return key.kind == Kind::string ? text_of(key) : key.kind == Kind::bytes ? bytes_of(key).text() : big_of(key).bytes();
}
bool has_content(const Ref& key) noexcept { return key.kind == Kind::string || key.kind == Kind::bytes || is_big(key); }
bool has_items(const Ref& key) noexcept { return key.kind == Kind::tuple || key.kind == Kind::frozenset; }

std::span<const Ref> items(const Ref& key) noexcept { return key.kind == Kind::tuple ? tuple_of(key).items() : list_of(key).items(); }

// A size is a tuple, device and layout are classes of their own.
Made class_of(const Ref& tuple) noexcept { return tuple.node->made == Made::size ? Made::plain : tuple.node->made; }

// torch.device('cuda:0') is torch.device('cuda', 0).
struct Device {
  std::string_view type;
  std::int64_t index = -1;
  bool operator==(const Device&) const = default;
};
std::optional<Device> device_key(const Ref& key) noexcept {
  if (key.kind != Kind::tuple || key.node->made != Made::device) return std::nullopt;
  const auto args = tuple_of(key).items();
  if (args.empty() || args.size() > 2 || args[0].kind != Kind::string || text_of(args[0]).size() > 255) return std::nullopt;
  Device out{text_of(args[0])};
  if (args.size() == 2 && args[1].kind == Kind::integer && !is_big(args[1])) out.index = args[1].integer;
  if (const auto colon = out.type.find(':'); colon != out.type.npos) {
    const std::string_view digits = out.type.substr(colon + 1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), out.index).ptr != digits.data() + digits.size() || digits.empty()) return std::nullopt;
    out.type = out.type.substr(0, colon);
  }
  return out;
}

std::uint64_t hash_float(double value, std::uint64_t seed) noexcept {
  const double whole = std::trunc(value);
  if (whole == value && std::abs(whole) < 9e18) return hash_detail::mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) ^ seed, kNumber);
  const WholeDouble big(value);
  if (!big.bytes().empty()) return hash_bytes(big.bytes(), seed ^ 1);
  if (whole == value && !std::isinf(value)) return hash_detail::mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) ^ seed, kNumber);
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return hash_detail::mix(bits ^ seed, kItem);
}

}  // namespace

bool same_object(const Ref& a, const Ref& b) noexcept {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::string || a.kind == Kind::floating) return a.text == b.text && a.length == b.length;  // of a NaN the length is its number
  return a.integer == b.integer;  // the address, or the scalar itself
}

bool keys_equal(const Ref& a, const Ref& b) noexcept {
  if (a.kind == Kind::string && b.kind == Kind::string)
    return a.length == b.length && (a.text == b.text || std::memcmp(a.text, b.text, a.length) == 0);
  if (is_number(a) && is_number(b)) {
    if (a.kind != Kind::floating && b.kind != Kind::floating) return a.integer == b.integer;
    if (a.kind == Kind::floating && b.kind == Kind::floating)
      return a.floating == b.floating || (std::isnan(a.floating) && std::isnan(b.floating) && a.length == b.length && a.length != 0);
    const double f = a.kind == Kind::floating ? a.floating : b.floating;
    const std::int64_t i = a.kind == Kind::floating ? b.integer : a.integer;
    return f >= -9223372036854775808.0 && f < 9223372036854775808.0 && std::trunc(f) == f && static_cast<std::int64_t>(f) == i;
  }
  if (a.kind == Kind::complex || b.kind == Kind::complex) {
    const bool both = a.kind == b.kind;
    const ComplexNode& c = complex_of(a.kind == Kind::complex ? a : b);
    const Ref& other = a.kind == Kind::complex ? b : a;
    if (both) return a.node == b.node || (c.real == complex_of(other).real && c.imag == complex_of(other).imag);
    return c.imag == 0 && keys_equal(make_float(c.real), other);
  }
  if (is_big(a) || is_big(b)) {
    if (is_big(a) && is_big(b)) return big_of(a).bytes() == big_of(b).bytes();
    const Ref& other = is_big(a) ? b : a;
    return other.kind == Kind::floating && WholeDouble(other.floating).bytes() == big_of(is_big(a) ? a : b).bytes();
  }
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::bytes) return bytes_of(a).text() == bytes_of(b).text();
  if (a.kind == Kind::global)
    return a.node == b.node || (is_value(a) && a.node->known == b.node->known) ||
           (global_of(a).module == global_of(b).module && global_of(a).name == global_of(b).name);
  return same_object(a, b);
}

bool Keys::is_plain(const Ref& key) noexcept {
  if (has_content(key)) return content(key).size() <= kLong;
  return !has_items(key) && key.kind != Kind::global;
}

// Of items, what is known of them counts.
std::uint64_t Keys::shallow_hash(const Ref& key) const {
  switch (key.kind) {
    case Kind::string: return hash_bytes(text_of(key), seed_);
    case Kind::bytes: return hash_bytes(bytes_of(key).text(), ~seed_);
    case Kind::floating:
      return std::isnan(key.floating) ? hash_detail::mix(key.length ^ seed_, kItem) : hash_float(key.floating, seed_);
    case Kind::complex: {
      const ComplexNode& c = complex_of(key);
      if (std::isnan(c.real) || std::isnan(c.imag)) break;
      const std::uint64_t real = hash_float(c.real, seed_);
      return c.imag == 0 ? real : hash_detail::mix(real, hash_float(c.imag, seed_));
    }
    case Kind::integer:
      if (is_big(key)) return hash_bytes(big_of(key).bytes(), seed_ ^ 1);
      break;
    case Kind::global:
      if (is_value(key)) break;
      return hash_detail::mix(hash_bytes(global_of(key).module, seed_), hash_bytes(global_of(key).name, ~seed_));
    case Kind::tuple: {
      if (const auto device = device_key(key)) return hash_detail::mix(hash_bytes(device->type, seed_), static_cast<std::uint64_t>(device->index) ^ seed_);
      std::uint64_t h = seed_ ^ static_cast<std::uint64_t>(class_of(key));
      for (const Ref& item : items(key)) h = hash_detail::mix(h ^ hash(item), kItem);
      return hash_detail::mix(h, seed_ ^ key.node->size);
    }
    case Kind::frozenset: {  // in any order
      std::uint64_t sum = 0;
      for (const Ref& item : items(key)) sum += hash_detail::mix(hash(item), kItem);
      return hash_detail::mix(sum, seed_ ^ key.node->size);
    }
    default: break;
  }
  return hash_detail::mix(static_cast<std::uint64_t>(is_value(key) ? key.node->known : key.integer) ^ seed_, kNumber);  // the number itself, or the address
}

std::uint64_t Keys::hash(const Ref& met) const {
  const Ref& key = as_plain(met);
  if (is_plain(key)) return shallow_hash(key);
  if (const Known* k = known(key)) return k->hash;
  if (!has_items(key)) return shallow_hash(key);
  Keys own(seed_);
  return own.prepare_all(key) ? own.known(key)->hash : 0;
}

// Requires: their parts are plain or known.
bool Keys::shallow_equal(const Ref& met, const Ref& other) const {
  const Ref &a = as_plain(met), &b = as_plain(other);
  const Known *x = is_plain(a) ? nullptr : known(a), *y = is_plain(b) ? nullptr : known(b);
  if (x && y) return x->first == y->first;
  if (!has_items(a) || a.kind != b.kind) return keys_equal(a, b);
  const auto device = device_key(a), other_device = device_key(b);
  if (device || other_device) return device == other_device;
  if (a.node->size != b.node->size) return false;
  const auto one = items(a), two = items(b);
  if (a.kind == Kind::tuple)
    return class_of(a) == class_of(b) && std::equal(one.begin(), one.end(), two.begin(), [&](const Ref& v, const Ref& w) { return shallow_equal(v, w); });
  std::vector<std::uint32_t> slots(HashIndex::slots_for(one.size()));
  for (std::uint32_t i = 0; i < one.size(); ++i) HashIndex::insert(slots, hash(one[i]), i);
  return std::all_of(two.begin(), two.end(), [&](const Ref& w) {
    return HashIndex::find(slots, hash(w), [&](std::uint32_t i) { return shallow_equal(one[i], w); }) != HashIndex::npos;
  });
}

bool Keys::add(const Ref& key) {
  if (!charge(sizeof(Known) + 64)) return false;  // with its places in the two tables
  const auto number = static_cast<std::uint32_t>(known_.size());
  if (index_.size() * 2 < (known_.size() + 1) * 3) {
    index_.assign(HashIndex::slots_for(std::max<std::size_t>(16, known_.size() * 2)), 0);
    for (std::uint32_t i = 0; i < number; ++i)
      if (known_[i].first == i) HashIndex::insert(index_, known_[i].hash, i);
  }
  const std::uint64_t hash = shallow_hash(key);
  const std::uint32_t first = HashIndex::find(index_, hash, [&](std::uint32_t i) { return known_[i].hash == hash && shallow_equal(known_[i].key, key); });
  known_.push_back({key, hash, first == HashIndex::npos ? number : first});
  if (first == HashIndex::npos) HashIndex::insert(index_, hash, number);
  numbers_.add(key.pointer, number);
  return true;
}

// Parts first. A tuple that reaches itself does so through a list or an object, which is compared by its address.
bool Keys::prepare_all(const Ref& key) {
  struct Frame {
    Ref key;
    std::uint32_t at = 0;
  };
  std::vector<Frame> stack{{key}};
  while (!stack.empty()) {
    Frame& top = stack.back();
    if (has_items(top.key) && top.at < top.key.node->size) {
      const Ref item = as_plain(items(top.key)[top.at++]);
      if (!is_plain(item) && !numbers_.find(item.pointer)) {
        if (!charge(sizeof(Frame))) return false;
        stack.push_back({item});
      }
      continue;
    }
    if (!numbers_.find(top.key.pointer) && !add(top.key)) return false;
    stack.pop_back();
  }
  return true;
}

bool Keys::equal(const Ref& kept_met, const Ref& met) const {
  const Ref &kept = as_plain(kept_met), &key = as_plain(met);
  if (is_plain(kept) || is_plain(key)) return keys_equal(kept, key);
  const Known *x = known(kept), *y = known(key);
  if (x && y) return x->first == y->first;
  if (!has_items(kept) || !has_items(key)) return keys_equal(kept, key);
  Keys own(seed_);
  return own.prepare_all(key) && equal_across(kept, own, key);
}

// Each pair of parts is compared once; those that were known to be equal to another part, as that.
bool Keys::equal_across(const Ref& kept, const Keys& others, const Ref& key) const {
  std::vector<std::pair<Ref, Ref>> stack{{kept, key}};
  std::unordered_set<std::uint64_t> seen;  // of numbers that are ours
  while (!stack.empty()) {
    const Ref a = as_plain(stack.back().first), b = as_plain(stack.back().second);
    stack.pop_back();
    if (is_plain(a) || is_plain(b) || !has_items(a) || !has_items(b)) {
      if (!keys_equal(a, b)) return false;
      continue;
    }
    const auto device = device_key(a), other_device = device_key(b);
    if (device || other_device) {
      if (device != other_device) return false;
      continue;
    }
    const Known *x = known(a), *y = others.known(b);
    if (!x || !y || x->hash != y->hash || a.kind != b.kind || a.node->size != b.node->size || (a.kind == Kind::tuple && class_of(a) != class_of(b))) return false;
    if (!seen.insert(std::uint64_t{x->first} << 32 | y->first).second) continue;
    const auto one = items(a), two = items(b);
    std::vector<std::uint32_t> order(one.size()), other(two.size());
    for (std::uint32_t i = 0; i < one.size(); ++i) order[i] = other[i] = i;
    if (a.kind == Kind::frozenset) {  // by their hashes, which equal members share
      std::sort(order.begin(), order.end(), [&](std::uint32_t i, std::uint32_t j) { return hash(one[i]) < hash(one[j]); });
      std::sort(other.begin(), other.end(), [&](std::uint32_t i, std::uint32_t j) { return others.hash(two[i]) < others.hash(two[j]); });
    }
    for (std::uint32_t i = 0; i < one.size(); ++i) stack.emplace_back(one[order[i]], two[other[i]]);
  }
  return true;
}

}  // namespace brine
