// SPDX-License-Identifier: MIT
#include "inspect/compare_arrays.hpp"

#include "inspect/compare_text.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"
#include "torch/numpy.hpp"

#include <algorithm>

namespace brine {

namespace {

/// Was nothing done to it but, where `state`, one BUILD?
bool is_untouched(const Node& node, bool state) noexcept {
  const Effect* first = node.origin->first;
  return state ? first && !first->next && first->setter.kind == Kind::absent : !first;
}

/// A number's dtype, all of which is its name and byte order: (version, order, None, None, None, -1, -1, 0) is its state.
bool is_plain_dtype(const Ref& dtype) noexcept {
  if (dtype.kind != Kind::object || dtype.node->made != Made::array_dtype || !is_untouched(*dtype.node, true)) return false;
  const Ref state = state_of(*dtype.node);
  if (state.kind != Kind::tuple || tuple_of(state).size != 8) return false;
  const auto s = tuple_of(state).items();
  const auto is = [](const Ref& r, std::int64_t n) { return r.kind == Kind::integer && !is_big(r) && r.integer == n; };
  return s[2].kind == Kind::none && s[3].kind == Kind::none && s[4].kind == Kind::none && is(s[5], -1) && is(s[6], -1) && is(s[7], 0);
}

bool is_ndarray(const Ref& type) noexcept { return type.kind == Kind::global && global_of(type).module == "numpy" && global_of(type).name == "ndarray"; }

/// The bytes of the elements of what numpy itself pickles of an ndarray or a scalar, and no more; none where there is more to it.
std::optional<std::string_view> elements_of(const Ref& value) noexcept {
  const ObjectNode& object = object_of(value);
  const Origin& origin = *object.origin;
  if (object.list || object.dict || origin.outer || origin.kwargs.kind != Kind::absent || origin.args.kind != Kind::tuple) return std::nullopt;
  const auto args = tuple_of(origin.args).items();
  Ref dtype, data;
  if (object.made == Made::scalar) {
    if (args.size() != 2 || !is_untouched(object, false)) return std::nullopt;
    dtype = args[0], data = args[1];
  } else if (!args.empty() && is_ndarray(args[0]) && is_untouched(object, true)) {  // _reconstruct, then ([version,] shape, dtype, fortran, data)
    const Ref state = state_of(object);
    if (state.kind != Kind::tuple || tuple_of(state).size < 4) return std::nullopt;
    const auto s = tuple_of(state).items();
    dtype = s[s.size() - 3], data = s.back();
  } else if (args.size() >= 4 && is_untouched(object, false)) {  // _frombuffer
    data = args[0], dtype = args[1];
  }
  if (!is_plain_dtype(dtype)) return std::nullopt;
  if (data.kind == Kind::bytes || data.kind == Kind::bytearray) return bytes_of(data).text();
  return data.kind == Kind::string ? std::optional(text_of(data)) : std::nullopt;
}

/// dtype and byte order: by which the bytes are numbers.
std::string unit_of(const Array& array) { return concat({array.dtype(), array.bytes().empty() ? ", swapped" : ""}); }

bool is_number(const Array& array) noexcept { return std::string_view("biufc").find(array.dtype()[1]) != std::string_view::npos; }

bool same_order(const Array& a, const Array& b) noexcept {
  for (std::size_t d = 0; d < a.shape().size(); ++d)
    if (a.shape()[d] > 1 && a.stride()[d] != b.stride()[d]) return a.size() == 0;
  return true;
}

const char* order_of(const Array& array) noexcept { return array.is_c_contiguous() ? "C order" : array.is_f_contiguous() ? "F order" : "another order"; }

}  // namespace

Result<std::optional<ArrayDifference>> ArrayComparer::compare(const Ref& a, const Ref& b) {
  const auto is_one = [](const Ref& r) { return r.kind == Kind::object && (r.node->made == Made::array || r.node->made == Made::scalar); };
  const std::optional<ArrayDifference> no;
  if (!is_one(a) || !is_one(b) || a.node->made != b.node->made) return no;
  const auto left = elements_of(a), right = elements_of(b);
  if (!left || !right) return no;
  const auto x = Array::of(Access::value(&a_, a)), y = Array::of(Access::value(&b_, b));
  if (!x || !y || !is_number(*x) || !is_number(*y)) return no;

  const std::string unit_x = unit_of(*x), unit_y = unit_of(*y);
  const bool same_shape = std::ranges::equal(x->shape(), y->shape()), comparable = same_shape && same_order(*x, *y);
  if (comparable && unit_x == unit_y && texts_.same(*left, *right)) return std::optional(ArrayDifference{});
  ArrayDifference out;
  out.elements = {.same_dtype = x->dtype() == y->dtype(), .same_shape = same_shape};
  if (comparable) {
    const Bytes key(left->data(), right->data(), unit_x, unit_y);
    auto known = found_.find(key);
    if (known == found_.end()) {
      const auto tensor_x = x->to_tensor(), tensor_y = y->to_tensor();
      if (!tensor_x || !tensor_y) return no;
      const auto found = tensors_.compare_once(*tensor_x, *tensor_y);
      if (!found) return found.error();
      known = found_.emplace(key, *found).first;
    }
    out.elements = known->second;
    if (tensors_.is_equal(out.elements)) return std::optional(std::move(out));
  }
  out.text = x->is_scalar() ? change(a_, a, b_, b) : change(out.elements, *x, *y);
  if (same_shape && !comparable) out.text += concat({out.text.empty() ? "" : "  ", order_of(*x), " -> ", order_of(*y)});
  out.elements.equal_bits = false;
  return std::optional(std::move(out));
}

}  // namespace brine
