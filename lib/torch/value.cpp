// SPDX-License-Identifier: MIT
// Value: the handle users hold on a place of the tree.
#include <brine/value.hpp>

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"
#include "torch/storages.hpp"
#include "torch/tensor_objects.hpp"

#include <cmath>

namespace brine {

namespace {

constexpr std::size_t kMaxStep = 4096;  // of a key that is the caller's, not the file's

std::string_view file_of(const Graph* graph) noexcept { return graph ? graph->file : std::string_view(); }

std::span<const Ref> positions(const Ref& r) noexcept {
  if (r.kind == Kind::tuple) return tuple_of(r).items();
  if (r.kind == Kind::list || r.kind == Kind::set || r.kind == Kind::frozenset) return list_of(r).items();
  return {};
}

/// What the as_…() members see: of a numpy scalar the Python value that it equals.
Ref python_value(const Value& value) noexcept { return as_plain(Access::ref(value)); }

Value child(const Value& of, const Ref& ref, const Step& step) { return Access::value(Access::graph(of), ref, step_from(Access::place(of), step)); }

}  // namespace

std::string Value::path(std::size_t max) const { return spell(place_.get(), std::min<std::size_t>(max, 4096)); }

Kind Value::kind() const noexcept { return Access::ref(*this).kind; }

Value Value::missing(std::string_view step) const { return Value(graph_, {}, step_from(place_, std::string(step))); }

Value Value::fault(ErrorCode code, std::string text) const {
  Value v(graph_, {}, place_);
  v.fault_ = fault_ ? fault_ : std::make_shared<const Error>(usage(code, std::move(text)).at_path(path()).in_file(file_of(graph_)));
  return v;
}

Error Value::refusal(std::string_view wanted) const {
  return guarded("a value", [&]() -> Error {
    if (fault_) return *fault_;
    const auto at = [&](Error e) { return std::move(e).at_path(path()).in_file(file_of(graph_)); };
    if (!exists()) return at(usage(ErrorCode::missing_key, "there is no value"));
    if (is_none()) return at(usage(ErrorCode::is_none, "expected " + std::string(wanted) + ", found None"));
    return at(usage(ErrorCode::wrong_kind, "expected " + std::string(wanted) + ", found " + escaped(type_name())));
  });
}

Error Value::unfit(std::string_view text) const {
  return guarded("a value", [&] { return usage(ErrorCode::does_not_fit, std::string(text)).at_path(path()).in_file(file_of(graph_)); });
}

std::string Value::type_name() const { return qualified_class_name(Access::ref(*this)); }

Result<bool> Value::as_bool() const {
  const Ref found = python_value(*this);
  if (found.kind != Kind::boolean) return refusal("bool");
  return found.integer != 0;
}

Result<std::int64_t> Value::as_int() const {
  const Ref found = python_value(*this);
  if (found.kind != Kind::integer) return refusal("int");
  if (is_big(found)) return unfit("the int does not fit 64 bits; as_big_int() gives its text");
  return found.integer;
}

Result<double> Value::as_double() const {
  const Ref found = python_value(*this);
  if (found.kind == Kind::floating) return found.floating;
  if (found.kind != Kind::integer) return refusal("float");
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  if (is_big(found) || found.integer > exact || found.integer < -exact) return unfit("a double does not hold the int exactly");
  return static_cast<double>(found.integer);
}

Result<std::complex<double>> Value::as_complex() const {
  const Ref found = python_value(*this);
  if (found.kind != Kind::complex) return refusal("complex");
  return std::complex<double>(complex_of(found).real, complex_of(found).imag);
}

Result<std::string_view> Value::as_string() const {
  const Ref found = python_value(*this);
  if (found.kind != Kind::string) return refusal("str");
  return text_of(found);
}

Result<std::string> Value::as_big_int() const {
  const Ref found = python_value(*this);
  if (found.kind != Kind::integer) return refusal("int");
  return guarded("a value", [&]() -> Result<std::string> { return key_name(found); });
}

Result<std::span<const std::byte>> Value::as_bytes() const {
  const Ref found = python_value(*this);
  if (found.kind != Kind::bytes && found.kind != Kind::bytearray) return refusal("bytes");
  const std::string_view data = bytes_of(found).text();
  return std::as_bytes(std::span(data.data(), data.size()));
}

Result<Tensor> Value::as_tensor() const {
  if (tensor_class(Access::ref(*this)) != TensorClass::none)
    return guarded("a tensor", [&]() -> Result<Tensor> {
      auto made = tensor_of_object(*graph_, Access::ref(*this), graph_->owner());
      return made ? std::move(made) : Result<Tensor>(std::move(made).error().at_path(path()).in_file(file_of(graph_)));
    });
  if (kind() != Kind::tensor) return refusal("a tensor");
  return Handles::tensor(graph_->owner(), &tensor_of(Access::ref(*this)));
}

Result<Storage> Value::as_storage() const {
  if (kind() != Kind::storage) return refusal("a storage");
  return Handles::storage(graph_->owner(), storage_of(Access::ref(*this)).record);
}

Result<GlobalName> Value::as_global() const {
  if (kind() != Kind::global) return refusal("a class or function");
  return GlobalName{global_of(Access::ref(*this)).module, global_of(Access::ref(*this)).name};
}

std::size_t Value::size() const noexcept { return kind() == Kind::dict ? dict_of(Access::ref(*this)).size : positions(Access::ref(*this)).size(); }

Value Value::look_up(Held held) const {
  const Ref key = std::bit_cast<Ref>(held);
  if (!exists() && fault_) return fault(ErrorCode::missing_key, {});
  const auto name = [&] { return key_name(key, kMaxStep); };
  if (kind() != Kind::dict) {
    Value v = fault(ErrorCode::wrong_kind, {});
    v.fault_ = std::make_shared<const Error>(refusal("a dict to look up " + in_quotes(name()) + " in"));
    return v;
  }
  if (const Entry* e = graph_->find(dict_of(Access::ref(*this)), key)) return child(*this, e->value, {.key = e->key});
  return missing(name()).fault(ErrorCode::missing_key, "the dict has no key " + in_quotes(name()));
}

Value Value::operator[](std::string_view key) const { return look_up(std::bit_cast<Held>(make_text(key))); }

Value Value::operator[](const Value& key) const { return look_up(key.held_); }

Value Value::operator[](std::int64_t key) const {
  if (!is_container(Access::ref(*this)) || kind() == Kind::dict || kind() == Kind::object) return look_up(std::bit_cast<Held>(make_int(key)));
  const auto items = positions(Access::ref(*this));
  if (key >= 0 && static_cast<std::uint64_t>(key) < items.size()) return child(*this, items[static_cast<std::size_t>(key)], {.position = static_cast<std::uint32_t>(key)});
  return missing(std::to_string(key)).fault(ErrorCode::index_out_of_range, "the " + std::string(name(kind())) + " has " + std::to_string(items.size()) + " items");
}

Value Value::attr(std::string_view attribute_name) const {
  if (!exists() && fault_) return fault(ErrorCode::missing_key, {});
  const Ref found = graph_ ? attribute(*graph_, Access::ref(*this), attribute_name) : Ref{};
  const std::string_view step = attribute_name.substr(0, kMaxStep);
  if (found.kind != Kind::absent) return Access::value(graph_, found, step_from(place_, std::string(step)));
  return missing(step).fault(ErrorCode::missing_key, "there is no attribute " + in_quotes(attribute_name));
}

Items Value::items() const { return Items(kind() == Kind::dict ? *this : Value()); }
Elements Value::elements() const { return Elements(kind() == Kind::dict ? Value() : *this); }

Items::iterator::value_type Items::iterator::operator*() const {
  const Value& parent = items->parent_;
  const Entry& e = dict_of(Access::ref(parent)).entries()[at];
  return {Access::value(parent.graph_, e.key, parent.place_), child(parent, e.value, {.key = e.key})};
}

Value Elements::iterator::operator*() const {
  const Value& parent = elements->parent_;
  return child(parent, positions(Access::ref(parent))[at], {.position = static_cast<std::uint32_t>(at)});
}

Value Value::callee() const { return kind() == Kind::object ? Access::value(graph_, Access::ref(*this).node->origin->callee, place_) : Value(graph_, {}, place_); }
Value Value::args() const { return kind() == Kind::object ? child(*this, Access::ref(*this).node->origin->args, {.prefix = "args", .whole = true}) : Value(graph_, {}, place_); }
Value Value::kwargs() const {
  return kind() == Kind::object ? child(*this, Access::ref(*this).node->origin->kwargs, {.prefix = "kwargs", .whole = true})
                                : Value(graph_, {}, place_);
}
Value Value::state() const {
  const Step step{.prefix = "state", .whole = true};
  if (is_container(Access::ref(*this)) && (kind() != Kind::object || !kept_of(Access::ref(*this)))) return child(*this, state_of(*Access::ref(*this).node), step);
  const Effect* last = kept_of(Access::ref(*this));
  while (last && last->next) last = last->next;
  return last ? child(*this, last->state, step) : Value(graph_, {}, place_);
}
Value Value::list_items() const {
  return kind() == Kind::object ? Access::value(graph_, make_node(Kind::list, object_of(Access::ref(*this)).list), place_) : Value(graph_, {}, place_);
}
Value Value::dict_items() const {
  return kind() == Kind::object ? Access::value(graph_, make_node(Kind::dict, object_of(Access::ref(*this)).dict), place_) : Value(graph_, {}, place_);
}

std::uintptr_t Value::id() const noexcept {
  return is_container(Access::ref(*this)) || kind() == Kind::tensor ? reinterpret_cast<std::uintptr_t>(Access::ref(*this).pointer) : 0;
}

bool Value::same_object(const Value& other) const noexcept { return brine::same_object(Access::ref(*this), Access::ref(other)); }

}  // namespace brine
