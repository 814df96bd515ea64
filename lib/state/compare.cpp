// SPDX-License-Identifier: MIT
#include "state/compare.hpp"

#include "graph/print.hpp"
#include "support/text.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace brine {

namespace {

constexpr std::size_t kMostPath = 4096;
constexpr std::size_t kShort = 64;  // bytes of a text that is not worth being remembered

/// Is it one that == need not find in the other file's dict? (A tuple may hold such.)
bool is_by_identity(const Ref& key) noexcept {
  return key.kind > Kind::bytes || (key.kind == Kind::floating && std::isnan(key.floating)) || key.kind == Kind::complex;
}

bool is_left_out(const Ref& value, const Ref& weights) noexcept { return weights.kind != Kind::absent && same_object(value, weights); }

/// An order of simple members, whatever it is.
bool before(const Ref& a, const Ref& b) noexcept {
  if (a.kind != b.kind) return a.kind < b.kind;
  switch (a.kind) {
    case Kind::string: return text_of(a) < text_of(b);
    case Kind::bytes: return bytes_of(a).text() < bytes_of(b).text();
    case Kind::integer:
      if ((a.flags & kBig) != (b.flags & kBig)) return (a.flags & kBig) < (b.flags & kBig);
      if (a.flags & kBig) return text_of(a) < text_of(b);
      [[fallthrough]];
    default: return a.integer < b.integer;
  }
}

bool is_simple(const Ref& member) noexcept {
  return member.kind == Kind::none || member.kind == Kind::boolean || member.kind == Kind::integer || member.kind == Kind::floating || member.kind == Kind::string ||
         member.kind == Kind::bytes;
}

/// What made the container is compared where it says more than its items: a defaultdict's factory, a deque's length, classes of other kinds.
Ref argument(const Ref& container) noexcept {
  const Origin* origin = container.node->origin;
  if (!origin || origin->args.kind != Kind::tuple) return {};
  const auto args = tuple_of(origin->args).items();
  if (container.node->made == Made::default_dict && !args.empty()) return args[0];
  if (container.node->made == Made::deque && args.size() > 1) return args[1];
  return {};
}

/// What a tensor's call says beyond its elements: the class of a subclass, hooks, attributes.
struct Extra {
  const char* name;
  Ref value;
};
std::array<Extra, 3> extras_of(const TensorRecord& t) noexcept {
  std::array<Extra, 3> out{};
  const Origin* origin = t.origin;
  if (!origin || origin->callee.kind != Kind::global || origin->args.kind != Kind::tuple) return out;
  const auto args = tuple_of(origin->args).items();
  const auto take = [&](std::size_t slot, const char* name, std::size_t i) {
    if (i >= args.size() || args[i].kind == Kind::none || (args[i].kind == Kind::dict && args[i].node->size == 0)) return;
    out[slot] = {name, args[i]};
  };
  switch (static_cast<TorchCall>(origin->callee.node->known)) {
    case TorchCall::rebuild_tensor_v2: case TorchCall::rebuild_tensor_v3: take(0, "_backward_hooks", 5); break;
    case TorchCall::rebuild_parameter: take(0, "_backward_hooks", 2); break;
    case TorchCall::rebuild_parameter_with_state: take(0, "_backward_hooks", 2), take(2, "state", 3); break;
    case TorchCall::rebuild_from_type: take(1, "type", 1), take(2, "state", 3); break;
    default:
      if (origin->built && origin->built->state.kind == Kind::tuple && tuple_of(origin->built->state).size == 5)  // (data, grad, …)
        out[0] = {"grad", tuple_of(origin->built->state).items()[1]};
  }
  return out;
}
bool has_extras(const TensorRecord& t) noexcept {
  const auto extras = extras_of(t);
  return std::any_of(extras.begin(), extras.end(), [](const Extra& e) { return e.value.kind != Kind::absent; });
}

/// Of texts or bytes that begin alike.
std::size_t first_difference(const Ref& a, const Ref& b) noexcept {
  const auto text = [](const Ref& r) { return r.kind == Kind::bytes || r.kind == Kind::bytearray ? bytes_of(r).text() : r.kind == Kind::string || r.flags & kBig ? text_of(r) : std::string_view(); };
  const std::string_view x = text(a), y = text(b);
  return static_cast<std::size_t>(std::mismatch(x.begin(), x.end(), y.begin(), y.end()).first - x.begin());
}

}  // namespace

std::string brief(const Ref& value) {
  if (value.kind == Kind::storage) {
    const StorageRef s = storage_of(value);
    return "storage " + std::string(name(s.dtype)) + ", " + std::to_string(s.record->nbytes) + " bytes";
  }
  if (value.kind != Kind::tensor) return summary(value);
  const TensorRecord& t = tensor_of(value);
  std::string out = std::string(name(t.dtype)) + " [";
  for (std::size_t i = 0; i < t.ndim; ++i) out += (i ? ", " : "") + std::to_string(t.shape()[i]);
  return out + "]";
}

Pairs::Met Pairs::objects(const void* a, const void* b) {
  const std::uint32_t *x = a_.add(a, objects_), *y = b_.add(b, objects_);
  if (!x && !y) return ++objects_, Met::first;
  return x && y && *x == *y ? Met::again : Met::otherwise;
}

std::uint32_t Pairs::number(const void* key) {
  if (const std::uint32_t* known = values_.add(key, static_cast<std::uint32_t>(parent_.size()))) return *known;
  parent_.push_back(static_cast<std::uint32_t>(parent_.size()));
  return parent_.back();
}

std::uint32_t Pairs::root(std::uint32_t i) noexcept {
  while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
  return i;
}

Pairs::Met Pairs::values(const void* a, const void* b) {
  const std::uint32_t x = root(number(a)), y = root(number(b));
  if (x == y) return Met::again;
  parent_[x < y ? y : x] = x < y ? x : y;
  return Met::first;
}

bool Texts::same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.data() == b.data()) return true;
  if (a.size() <= kShort) return std::memcmp(a.data(), b.data(), a.size()) == 0;
  const auto number = [&](std::string_view text) {
    if (const std::uint32_t* known = numbers_.add(text.data(), static_cast<std::uint32_t>(texts_.size()))) return *known;
    texts_.push_back({hash_bytes(text, seed_), static_cast<std::uint32_t>(texts_.size())});
    return static_cast<std::uint32_t>(texts_.size() - 1);
  };
  const auto first = [&](std::uint32_t i) {
    while (texts_[i].equal != i) i = texts_[i].equal = texts_[texts_[i].equal].equal;
    return i;
  };
  const std::uint32_t x = first(number(a)), y = first(number(b));
  if (x == y) return true;
  if (texts_[x].hash != texts_[y].hash || std::memcmp(a.data(), b.data(), a.size()) != 0) return false;
  texts_[y].equal = x;
  return true;
}

void Comparer::leave_out(const Ref& a, const Ref& b, const StateDict& state_a) {
  weights_a_ = a;
  weights_b_ = b;
  modules_ = a.kind != Kind::dict && b.kind != Kind::dict;
  if (!modules_) return;
  for (const auto& entry : state_a) {
    const TensorRecord& t = Handles::record(entry.tensor);
    known_.emplace_back(t.storage, t.offset, t.dims);
  }
  std::sort(known_.begin(), known_.end());
}

Result<void> Comparer::compare(const Ref& a, const Ref& b, std::string_view at) {
  base_ = at;
  auto ok = visit({a, b, {{}, 0, "", true}, false});
  return ok ? run() : ok;
}

Result<void> Comparer::compare_rest(const Ref& a, const Ref& b) {
  static DictNode empty{};
  const bool in_a = b.kind == Kind::absent;
  const Ref nothing = make_node(Kind::dict, &empty), &some = in_a ? a : b;
  base_ = {};
  if (some.kind == Kind::dict) enter({in_a ? a : nothing, in_a ? nothing : b, {{}, 0, "", true}, false});
  else differ(in_a ? Difference::Kind::only_in_a : Difference::Kind::only_in_b, {{}, 0, "", true}, brief(some));
  return run();
}

Result<void> Comparer::run() {
  while (!stack_.empty()) {
    Child child;
    if (!next(stack_.back(), child)) {
      stack_.pop_back();
    } else if (auto ok = visit(child); !ok) {
      return ok;
    }
  }
  return {};
}

Result<void> Comparer::visit(const Child& pair) {
  const auto& [a, b, step, transparent] = pair;
  if (b.kind == Kind::absent) return differ(Difference::Kind::only_in_a, step, brief(a)), Result<void>();
  if (a.kind == Kind::absent) return differ(Difference::Kind::only_in_b, step, brief(b)), Result<void>();
  ++result_.compared;
  const bool weights = weights_a_.kind != Kind::absent && same_object(a, weights_a_) && same_object(b, weights_b_);
  if (weights && (a.kind == Kind::dict) != (b.kind == Kind::dict)) {
    if (std::exchange(told_, true)) return {};
    ++result_.not_compared;
    if (result_.differences.size() < options_.most)
      result_.differences.push_back({Difference::Kind::not_compared, path(step), "all of the model but its weights, which the other has alone"});
    return {};
  }
  const auto changed = [&](Difference::Kind kind) {
    const std::string from = brief(a), to = brief(b);
    differ(kind, step, from != to ? from + " -> " + to : from + ", other " + (a.kind == Kind::object ? "class" : "from byte " + std::to_string(first_difference(a, b)) + " on"));
    return Result<void>();
  };
  if (a.kind != b.kind) return changed(Difference::Kind::type);
  if (a.kind == Kind::tensor) return compare_tensors(pair);
  if (a.kind == Kind::storage) return compare_storages(pair);
  if (!is_container(a) && a.kind != Kind::bytearray) return same_scalar(a, b) ? Result<void>() : changed(Difference::Kind::value);

  const bool by_value = a.kind == Kind::tuple || a.kind == Kind::frozenset;
  const Pairs::Met met = by_value ? pairs_.values(a.node, b.node) : pairs_.objects(a.node, b.node);
  if (met == Pairs::Met::again) return {};
  if (met == Pairs::Met::otherwise)
    return differ(Difference::Kind::sharing, step, "one " + class_name(a) + " in several places of one of the two only"), Result<void>();
  switch (a.kind) {
    case Kind::bytearray: return same_scalar(a, b) ? Result<void>() : changed(Difference::Kind::value);
    case Kind::object: {
      const Ref &x = a.node->origin->callee, &y = b.node->origin->callee;
      if (x.kind != y.kind || (x.kind == Kind::global && !same_scalar(x, y))) return changed(Difference::Kind::type);
      break;
    }
    default:
      if (a.node->made != b.node->made) return changed(Difference::Kind::type);
      if (a.kind == Kind::set || a.kind == Kind::frozenset) compare_members(pair);
      else if (a.kind != Kind::dict && a.node->size != b.node->size)
        differ(Difference::Kind::value, step, std::to_string(a.node->size) + " items -> " + std::to_string(b.node->size) + " items");
  }
  enter(pair, weights && !modules_ ? 1 : 0);
  return {};
}

void Comparer::enter(const Child& pair, std::uint32_t part) {
  Frame frame{.a = pair.a, .b = pair.b, .via = pair.step, .part = part};
  if (pair.transparent && pair.a.kind == Kind::dict) frame.via = {{}, 0, "", true};
  stack_.push_back(frame);
}

bool Comparer::next(Frame& frame, Child& out) {
  const Ref &a = frame.a, &b = frame.b;
  if (a.kind == Kind::tensor) return next_of_tensor(frame, out);
  if (a.kind == Kind::object) return next_of_object(frame, out);
  if (frame.part == 0) {
    switch (a.kind) {
      case Kind::tuple:
        if (next_position(frame, tuple_of(a).items(), tuple_of(b).items(), "", out)) return true;
        break;
      case Kind::dict:
        if (next_entry(frame, dict_of(a), dict_of(b), "", out)) return true;
        break;
      case Kind::list:
        if (next_position(frame, list_of(a).items(), list_of(b).items(), "", out)) return true;
        break;
      default:
        if (next_member(frame, out)) return true;
    }
    frame.part = 1;
  }
  if (frame.part == 1) {
    frame.part = 2;
    out = {argument(a), argument(b), {{}, 0, a.node->made == Made::default_dict ? "default_factory" : "maxlen", true}, false};
    if (out.a.kind != Kind::absent || out.b.kind != Kind::absent) return true;
  }
  return next_effect(frame, out);
}

bool Comparer::next_of_object(Frame& frame, Child& out) {
  const ObjectNode &a = object_of(frame.a), &b = object_of(frame.b);
  for (;; ++frame.part, frame.at = frame.at_b = frame.matched = 0) {
    switch (frame.part) {
      case 0:
        if (a.origin->callee.kind == Kind::global || a.origin->callee.kind == Kind::absent || frame.at++) break;
        out = {a.origin->callee, b.origin->callee, {{}, 0, "callee", true}, false};
        return true;
      case 1: {
        const Ref &x = a.origin->args, &y = b.origin->args;
        if (x.kind == Kind::tuple && y.kind == Kind::tuple) {
          if (frame.at == 0 && tuple_of(x).size != tuple_of(y).size)
            differ(Difference::Kind::value, {{}, 0, "args", true}, std::to_string(tuple_of(x).size) + " items -> " + std::to_string(tuple_of(y).size) + " items");
          if (next_position(frame, tuple_of(x).items(), tuple_of(y).items(), "args.", out)) return true;
        } else if ((x.kind != Kind::absent || y.kind != Kind::absent) && frame.at++ == 0) {
          out = {x, y, {{}, 0, "args", true}, false};
          return true;
        }
        break;
      }
      case 2: {
        const Ref &x = a.origin->kwargs, &y = b.origin->kwargs;
        if ((x.kind == Kind::absent && y.kind == Kind::absent) || frame.at++) break;
        out = {x, y, {{}, 0, "kwargs", true}, false};
        return true;
      }
      case 3: {
        const auto items = [](const ObjectNode& o) { return o.list ? o.list->items() : std::span<const Ref>(); };
        if (frame.at == 0 && items(a).size() != items(b).size())
          differ(Difference::Kind::value, {{}, 0, "items", true}, std::to_string(items(a).size()) + " items -> " + std::to_string(items(b).size()) + " items");
        if (next_position(frame, items(a), items(b), "", out)) return true;
        break;
      }
      case 4: {
        static const DictNode empty{};
        if (next_entry(frame, a.dict ? *a.dict : empty, b.dict ? *b.dict : empty, "", out)) return true;
        break;
      }
      case 5: {
        const auto outer = [](const Node& n) { return n.origin->how == How::newobj_ex ? nullptr : n.origin->outer; };
        const Origin *x = outer(a), *y = outer(b);  // _rebuild_from_type_v2: the class and the attributes
        const auto part = [&](const Origin* o, std::size_t i) { return o && o->args.kind == Kind::tuple && i < tuple_of(o->args).size ? tuple_of(o->args).items()[i] : Ref{}; };
        if ((!x && !y) || frame.at == 2) break;
        const std::size_t i = frame.at++ ? 3 : 1;
        out = {part(x, i), part(y, i), {{}, 0, i == 1 ? "type" : "state", true}, false};
        return true;
      }
      default: return next_effect(frame, out);
    }
  }
}

bool Comparer::next_of_tensor(Frame& frame, Child& out) {
  const auto a = extras_of(tensor_of(frame.a)), b = extras_of(tensor_of(frame.b));
  while (frame.at < a.size()) {
    const std::size_t i = frame.at++;
    if (a[i].value.kind == Kind::absent && b[i].value.kind == Kind::absent) continue;
    const char* name = a[i].name ? a[i].name : b[i].name;
    out = {a[i].value, b[i].value, {{}, 0, name, true}, i == 2};
    return true;
  }
  return false;
}

// What the object was given after it was made: states, and calls made for their effect.
bool Comparer::next_effect(Frame& frame, Child& out) {
  if (frame.part < 100) {
    frame.part = 100;
    frame.effect_a = frame.a.node->origin ? frame.a.node->origin->first : nullptr;
    frame.effect_b = frame.b.node->origin ? frame.b.node->origin->first : nullptr;
  }
  const Effect *&x = frame.effect_a, *&y = frame.effect_b;
  if (!x && !y) return false;
  const bool setter = frame.part == 100 && ((x && x->setter.kind != Kind::absent) || (y && y->setter.kind != Kind::absent));
  if (setter) {
    frame.part = 101;
    out = {x ? x->setter : Ref{}, y ? y->setter : Ref{}, {{}, 0, "setter", true}, false};
    if (out.a.kind != Kind::absent || out.b.kind != Kind::absent) return true;
  }
  frame.part = 100;
  out = {x ? x->state : Ref{}, y ? y->state : Ref{}, {{}, 0, "state", true}, x && y && x->setter.kind == Kind::absent};
  if (x) x = x->next;
  if (y) y = y->next;
  return true;
}

bool Comparer::next_position(Frame& frame, std::span<const Ref> a, std::span<const Ref> b, const char* prefix, Child& out) {
  if (frame.at >= std::min(a.size(), b.size())) return false;
  out = {a[frame.at], b[frame.at], {{}, frame.at, prefix, false}, false};
  ++frame.at;
  return true;
}

// a's entries first, each with b's of that key: where nothing has changed, the next one. Then b's that a has not.
bool Comparer::next_entry(Frame& frame, const DictNode& a, const DictNode& b, const char* prefix, Child& out) {
  const auto x = a.entries(), y = b.entries();
  for (; frame.at < x.size(); ++frame.at) {
    const Ref &key = x[frame.at].key, &value = x[frame.at].value;
    const Entry* next = frame.at_b < y.size() ? &y[frame.at_b] : nullptr;
    const Entry* found = next && same_key(key, next->key) ? next : b_.find(b, key);
    if (!found && next && is_by_identity(key) && key.kind == next->key.kind && !a_.find(a, next->key)) {
      found = next;  // keys of no value stand for each other where they stand in the same place
      if (!std::exchange(frame.key_told, true)) {
        ++frame.by_place;
        out = {key, next->key, {key, 0, prefix, false}, false};
        return true;
      }
    }
    frame.key_told = false;
    if (found) {
      const auto place = static_cast<std::uint32_t>(found - y.data());
      if (place < frame.at_b) result_.same_order = false;
      frame.at_b = place + 1;
      ++frame.matched;
    }
    const bool left_a = is_left_out(value, weights_a_), left_b = found && is_left_out(found->value, weights_b_);
    const Ref x_value = left_a && !left_b ? Ref{} : value, y_value = found && (!left_b || left_a) ? found->value : Ref{};
    if (x_value.kind == Kind::absent && y_value.kind == Kind::absent) continue;
    out = {x_value, y_value, {key, 0, prefix, false}, false};
    ++frame.at;
    return true;
  }
  if (frame.matched == y.size()) return false;
  for (; frame.at < x.size() + y.size(); ++frame.at) {
    const Entry& e = y[frame.at - x.size()];
    if (a_.find(a, e.key) || is_left_out(e.value, weights_b_)) continue;
    if (is_by_identity(e.key) && frame.by_place > 0) {
      --frame.by_place;
      continue;
    }
    out = {{}, e.value, {e.key, 0, prefix, false}, false};
    ++frame.at;
    return true;
  }
  return false;
}

// Members that have a value were compared when the set was met; the others are taken in their order.
bool Comparer::next_member(Frame& frame, Child& out) {
  const auto a = list_of(frame.a).items(), b = list_of(frame.b).items();
  const auto skip = [](std::span<const Ref> items, std::uint32_t& at) {
    while (at < items.size() && is_simple(items[at])) ++at;
    return at < items.size() ? items[at] : Ref{};
  };
  const Ref x = skip(a, frame.at), y = skip(b, frame.at_b);
  if (x.kind == Kind::absent && y.kind == Kind::absent) return false;
  out = {x, y, {{}, x.kind != Kind::absent ? frame.at : frame.at_b, "", false}, false};
  if (x.kind != Kind::absent) ++frame.at;
  if (y.kind != Kind::absent) ++frame.at_b;
  return true;
}

void Comparer::compare_members(const Child& pair) {
  const auto sorted = [](const Ref& set) {
    std::vector<Ref> out;
    for (const Ref& member : list_of(set).items())
      if (is_simple(member)) out.push_back(member);
    std::sort(out.begin(), out.end(), before);
    return out;
  };
  const std::vector<Ref> a = sorted(pair.a), b = sorted(pair.b);
  const auto told = [&](Difference::Kind kind, const Ref& member) { differ(kind, pair.step, "the member " + brief(member)); };
  auto x = a.begin(), y = b.begin();
  while (x != a.end() || y != b.end()) {
    if (y == b.end() || (x != a.end() && before(*x, *y))) told(Difference::Kind::only_in_a, *x++);
    else if (x == a.end() || before(*y, *x)) told(Difference::Kind::only_in_b, *y++);
    else ++x, ++y;
  }
}

bool Comparer::same_scalar(const Ref& a, const Ref& b) {
  switch (a.kind) {
    case Kind::integer:
      if ((a.flags & kBig) != (b.flags & kBig)) return false;
      if (!(a.flags & kBig)) return a.integer == b.integer;
      return texts_.same(big_of(a).bytes(), big_of(b).bytes());
    case Kind::floating: return a.integer == b.integer || std::abs(a.floating - b.floating) <= options_.tolerance;
    case Kind::complex: {
      const ComplexNode &x = complex_of(a), &y = complex_of(b);
      return std::memcmp(&x.real, &y.real, sizeof(double)) == 0 && std::memcmp(&x.imag, &y.imag, sizeof(double)) == 0;
    }
    case Kind::string: return texts_.same(text_of(a), text_of(b));
    case Kind::bytes: case Kind::bytearray: return texts_.same(bytes_of(a).text(), bytes_of(b).text());
    case Kind::global: return texts_.same(global_of(a).module, global_of(b).module) && texts_.same(global_of(a).name, global_of(b).name);
    default: return a.integer == b.integer;
  }
}

bool Comparer::same_key(const Ref& a, const Ref& b) {
  return a.kind == b.kind && (a.kind <= Kind::bytes || a.kind == Kind::global) && a.kind != Kind::floating ? same_scalar(a, b) : keys_equal(a, b);
}

Result<void> Comparer::compare_tensors(const Child& pair) {
  const TensorRecord &x = tensor_of(pair.a), &y = tensor_of(pair.b);
  if (pairs_.values(&x, &y) == Pairs::Met::again) return {};
  const Tensor a = Handles::tensor(a_.owner(), &x), b = Handles::tensor(b_.owner(), &y);
  const bool by_name = modules_ && std::binary_search(known_.begin(), known_.end(), std::tuple<const void*, std::int64_t, const void*>(x.storage, x.offset, x.dims));
  auto found = by_name ? tensors_.compare_attributes(a, b) : tensors_.compare(a, b);
  if (!found) return std::move(found).error().at_path(path(pair.step));
  if (!tensors_.is_equal(*found) || !found->same_attributes) {
    differ(Difference::Kind::value, pair.step, change(*found, a, b));
    if (result_.differing <= options_.most) result_.differences.back().tensor = *found;
  }
  if (has_extras(x) || has_extras(y)) enter(pair);
  return {};
}

Result<void> Comparer::compare_storages(const Child& pair) {
  const StorageRef x = storage_of(pair.a), y = storage_of(pair.b);
  if (pairs_.values(x.record, y.record) == Pairs::Met::again) return {};
  const bool same_size = x.dtype == y.dtype && x.record->nbytes == y.record->nbytes && x.record->device == y.record->device;
  const bool same_view = !x.view == !y.view && (!x.view || (x.view->offset == y.view->offset && x.view->numel == y.view->numel));
  Result<bool> same = same_size && same_view;
  if (*same && options_.elements)
    same = tensors_.same_bytes(Handles::storage(a_.owner(), x.record), Handles::storage(b_.owner(), y.record), 0, x.record->nbytes);
  if (!same) return std::move(same).error().at_path(path(pair.step));
  if (!*same) differ(Difference::Kind::value, pair.step, same_size ? "other bytes" : brief(pair.a) + " -> " + brief(pair.b));
  return {};
}

void Comparer::differ(Difference::Kind kind, const Step& step, std::string text) {
  if (result_.differing++ < options_.most) result_.differences.push_back({kind, path(step), std::move(text)});
}

// What is too long is given without its middle.
std::string Comparer::path(const Step& last) const {
  constexpr std::size_t half = kMostPath / 2 - 8;
  const auto name = [](const Step& step) {
    std::string out = step.prefix;
    if (!step.whole) out += step.key.kind == Kind::absent ? std::to_string(step.position) : key_name(step.key, kMostPath);
    return out;
  };
  const auto joined = [&](std::string out, const Step& step) {
    const std::string part = name(step);
    if (part.empty() && step.whole) return out;
    return out.empty() ? part : std::move(out) + "." + part;
  };
  std::string head(base_.substr(0, kMostPath)), tail = name(last);
  std::size_t from = 0, to = stack_.size();
  while (from < to && head.size() < half) head = joined(std::move(head), stack_[from++].via);
  while (from < to && tail.size() < half) {
    const Step& step = stack_[--to].via;
    if (const std::string part = name(step); !part.empty()) tail = part + "." + tail;
  }
  if (from == to && head.size() + tail.size() < kMostPath) return head.empty() ? tail : tail.empty() ? head : head + "." + tail;
  const auto within = [](const std::string& text, std::size_t at) { return at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
  std::size_t cut = std::min(head.size(), half), rest = tail.size() - std::min(tail.size(), half);
  while (within(head, cut)) --cut;
  while (within(tail, rest)) ++rest;
  return head.substr(0, cut) + "…" + tail.substr(rest);
}

}  // namespace brine
