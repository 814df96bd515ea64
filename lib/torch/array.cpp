// SPDX-License-Identifier: MIT
// Array: _reconstruct and its state, _frombuffer, scalar. Source: numpy/core/src/multiarray/methods.c (array_reduce, array_setstate),
// numpy/_core/numeric.py (_frombuffer).
#include <brine/array.hpp>
#include <brine/convert.hpp>

#include "bytes/byte_order.hpp"
#include "bytes/bytes.hpp"
#include "bytes/cursor.hpp"
#include "bytes/guard.hpp"
#include "graph/print.hpp"
#include "graph/walk.hpp"
#include "pickle/text_args.hpp"
#include "support/checked.hpp"
#include "support/errors.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "tensor/byte_swap.hpp"
#include "torch/access.hpp"
#include "torch/numpy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

namespace brine {

namespace {

constexpr std::size_t kMaxDimensions = 64;  // numpy's own

bool is_true(const Ref& r) noexcept { return (r.kind == Kind::boolean || r.kind == Kind::integer) && r.integer != 0; }

bool is_masked(const Ref& r) noexcept {
  const Origin* origin = r.kind == Kind::object ? r.node->origin : nullptr;
  return origin && origin->callee.kind == Kind::global && global_of(origin->callee).module == "numpy.ma.core" && global_of(origin->callee).name == "_mareconstruct";
}

bool is_foreign(const NumpyType& type) noexcept { return type.order == (kBigEndianMachine ? '<' : '>'); }

}  // namespace

std::optional<DType> dtype_of_numpy(char kind, std::uint64_t itemsize) noexcept {
  using enum DType;
  const auto sized = [&](std::initializer_list<DType> of) {
    for (const DType d : of)
      if (item_size(d) == itemsize) return std::optional(d);
    return std::optional<DType>();
  };
  switch (kind) {
    case 'b': return bool_;
    case 'i': return sized({int8, int16, int32, int64});
    case 'u': return sized({uint8, uint16, uint32, uint64});
    case 'f': return sized({float16, float32, float64});
    case 'c': return sized({complex64, complex128});
    default: return std::nullopt;
  }
}

struct ArrayReader {
  explicit ArrayReader(const Graph* of) : graph(of) {}

  const Graph* graph;
  Array out;

  // The parts of the one form or the other: dtype, shape, order (C, F, or the axes of K), data.
  struct Parts {
    Ref dtype, shape, data, axes;
    bool fortran = false;
  };

  Result<Parts> parts(const Ref& array) const {
    const auto args = tuple_of(array.node->origin->args).items();
    if (array.node->made == Made::scalar) {
      if (args.empty() || args.size() > 2) return corrupt("a numpy scalar takes a dtype and bytes, not " + std::to_string(args.size()) + " arguments");
      if (args.size() == 2 && is_array(args[1]))  // of a structure with objects: an array of one
        if (const auto one = parts(args[1]); one && one->data.kind == Kind::list) return Parts{.dtype = args[0], .shape = {}, .data = one->data, .axes = {}};
      return Parts{.dtype = args[0], .shape = {}, .data = args.size() == 2 ? args[1] : Ref{}, .axes = {}};
    }
    const Ref state = state_of(*array.node);
    if (is_tuple(state)) {  // ([version,] shape, dtype, fortran, data)
      auto s = tuple_of(state).items();
      if (s.size() == 5) s = s.subspan(1);
      if (s.size() != 4) return corrupt("expected the state of a numpy array as a tuple of 5, found " + std::to_string(tuple_of(state).size));
      return Parts{.dtype = s[1], .shape = s[0], .data = s[3], .axes = {}, .fortran = is_true(s[2])};
    }
    if (args.size() < 4 || args.size() > 5 || args[3].kind != Kind::string) return corrupt("a numpy array without its state");
    const std::string_view order = text_of(args[3]);  // _frombuffer(data, dtype, shape, order[, axes])
    if (order != "C" && order != "F" && (order != "K" || args.size() != 5)) return corrupt("expected the order of a numpy array as C or F, found " + in_quotes(order, 20));
    return Parts{.dtype = args[1], .shape = args[2], .data = args[0], .axes = order == "K" ? args[4] : Ref{}, .fortran = order == "F"};
  }

  Result<void> read(const Ref& array) {
    BRINE_LET(found, parts(array));
    const auto type = numpy_type(found->dtype);
    if (!type) return type.error();
    out.dtype_ = type->text;
    out.itemsize_ = static_cast<std::size_t>(type->itemsize);
    out.scalar_ = array.node->made == Made::scalar;
    out.type_ = Access::value(graph, found->dtype);
    if (!out.scalar_)
      BRINE_TRY(read_shape(*found));
    BRINE_TRY(read_data(array, *type, *found));
    out.nbytes_ = out.bytes_.size();
    const bool swapped = type->order == '>' && (out.scalar_ || state_of(*array.node).kind == Kind::tuple);  // array_setstate, PyArray_Scalar
    out.swap_ = swapped ? swapped_unit(*type) : 0;
    if (out.swap_) out.dtype_[0] = '<';
    return {};
  }

  static std::size_t swapped_unit(const NumpyType& type) noexcept {
    switch (type.kind) {
      case 'U': return 4;
      case 'c': return static_cast<std::size_t>(type.itemsize / 2);
      case 'V': case 'O': case 'T': return 0;
      default: return static_cast<std::size_t>(type.itemsize);
    }
  }

  Result<void> read_shape(const Parts& found) {
    if (!is_tuple(found.shape)) return corrupt("expected the shape of a numpy array as a tuple, found " + class_name(found.shape));
    const auto sizes = tuple_of(found.shape).items();
    if (sizes.size() > kMaxDimensions)
      return Error(ErrorKind::limit, ErrorCode::too_many_dimensions,
                   "a numpy array of " + std::to_string(sizes.size()) + " dimensions; numpy's limit is " + std::to_string(kMaxDimensions));
    const std::size_t n = sizes.size();
    out.dims_.resize(2 * n);
    for (std::size_t d = 0; d < n; ++d) {
      if (sizes[d].kind != Kind::integer || (sizes[d].flags & kBig) || sizes[d].integer < 0)
        return corrupt("expected the sizes of a numpy array as ints, found " + escaped(key_name(sizes[d], 40), 40));
      out.dims_[d] = sizes[d].integer;
    }
    std::int64_t step = 1;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t d = found.fortran ? i : n - 1 - i;
      out.dims_[n + d] = step;
      const auto next = checked_multiply(step, std::max<std::int64_t>(out.dims_[d], 1));
      const auto size = checked_multiply(out.size_, out.dims_[d]);
      if (!next || !size) return corrupt("the shape of a numpy array has more elements than 64 bits can count");
      step = *next;
      out.size_ = *size;
    }
    return found.axes.kind == Kind::absent ? Result<void>() : permute(found.axes);
  }

  // array.transpose(axes): what is in memory has the shape that was read.
  Result<void> permute(const Ref& axes) {
    const std::size_t n = out.dims_.size() / 2;
    const auto of = is_tuple(axes) ? tuple_of(axes).items() : std::span<const Ref>();
    const std::vector<std::int64_t> dims = out.dims_;
    std::vector<bool> seen(n);
    if (of.size() != n) return corrupt("expected " + std::to_string(n) + " axes of a numpy array, found " + std::to_string(of.size()));
    for (std::size_t d = 0; d < n; ++d) {
      const auto from = static_cast<std::uint64_t>(of[d].integer);
      if (of[d].kind != Kind::integer || (of[d].flags & kBig) || from >= n || seen[from])
        return corrupt("expected the axes of a numpy array as an order of its dimensions, found others");
      seen[from] = true;
      out.dims_[d] = dims[from];
      out.dims_[n + d] = dims[n + from];
    }
    return {};
  }

  Result<void> read_data(const Ref& array, const NumpyType& type, const Parts& found) {
    const Ref& data = found.data;
    if (data.kind == Kind::list || type.kind == 'O' || type.kind == 'T') {  // of objects, or of a structure that has some
      if (data.kind != Kind::list) return corrupt("expected the items of a numpy array of objects as a list, found " + class_name(data));
      if (static_cast<std::int64_t>(data.node->size) != out.size_)
        return corrupt("a numpy array of " + std::to_string(out.size_) + " objects has a list of " + std::to_string(data.node->size));
      out.items_ = Access::value(graph, data);
      return {};
    }
    static constexpr std::byte kZeros[32] = {};
    std::string_view bytes;
    if (data.kind == Kind::bytes || data.kind == Kind::bytearray) bytes = bytes_of(data).text();
    else if (data.kind == Kind::string) bytes = text_of(data);
    else if (data.kind == Kind::absent && type.itemsize <= sizeof kZeros) bytes = {reinterpret_cast<const char*>(kZeros), out.itemsize_};
    else return corrupt("expected the elements of a numpy array as bytes, found " + class_name(data));
    const auto need = checked_multiply(out.size_, static_cast<std::int64_t>(type.itemsize));
    if (!need || static_cast<std::uint64_t>(*need) > bytes.size() || (!out.scalar_ && static_cast<std::uint64_t>(*need) != bytes.size()))
      return Error(ErrorKind::corrupt, ErrorCode::tensor_bounds,
                   "expected " + (need ? std::to_string(*need) : std::string("more")) + " bytes for a " + class_name(array) + " of dtype " +
                       type.text + ", found " + std::to_string(bytes.size()));
    bytes = bytes.substr(0, static_cast<std::size_t>(*need));
    // Python 2's: PyTorch takes it for UTF-8, and numpy for Latin-1. An array's has another length then where they differ; a scalar's may be longer.
    constexpr std::size_t max = 4096;  // to look at for each of many scalars
    if (data.kind == Kind::string && out.scalar_ && (bytes.size() > max || !is_ascii(bytes)))
      return corrupt("expected the bytes of a numpy scalar, found a str of other characters than ASCII's, or of more than " + std::to_string(max));
    out.bytes_ = std::as_bytes(std::span(bytes));
    return {};
  }
};

std::optional<Array> array_of(const Graph& graph, const Ref& object) {
  ArrayReader reader(&graph);
  if (!reader.read(object)) return std::nullopt;
  return std::move(reader.out);
}

Result<Array> Array::of(const Value& value) {
  return guarded("a numpy array", [&]() -> Result<Array> {
    const Ref& ref = Access::ref(value);
    if (is_masked(ref))
      return Error(ErrorKind::unsupported, ErrorCode::other_format, "a masked array is two arrays, elements and mask, whose bytes are in its state()").at_path(value.path());
    if (ref.kind != Kind::object || (ref.node->made != Made::array && ref.node->made != Made::scalar)) return Access::refusal(value, "a numpy array or scalar");
    ArrayReader reader(Access::graph(value));
    if (auto ok = reader.read(ref); !ok) return Error(ok.error()).at_path(value.path());
    return std::move(reader.out);
  });
}

Result<std::string> Array::descr() const {
  if (swap_) return "'" + dtype_ + "'";
  return guarded("a numpy dtype", [&] { return numpy_descr(*Access::graph(type_), Access::ref(type_)); });
}

bool Array::is_c_contiguous() const noexcept {
  std::int64_t step = 1;
  for (std::size_t d = shape().size(); d-- > 0; step *= std::max<std::int64_t>(shape()[d], 1))
    if (shape()[d] > 1 && stride()[d] != step) return size_ == 0;
  return true;
}

bool Array::is_f_contiguous() const noexcept {
  std::int64_t step = 1;
  for (std::size_t d = 0; d < shape().size(); step *= std::max<std::int64_t>(shape()[d], 1), ++d)
    if (shape()[d] > 1 && stride()[d] != step) return size_ == 0;
  return true;
}

Result<void> Array::copy_part(std::int64_t first, std::span<std::byte> out) const {
  return guarded("a numpy array", [&]() -> Result<void> {
    if (items_.exists()) return Error(ErrorKind::usage, ErrorCode::wrong_dtype, "the elements of a numpy array of objects are in items()");
    const auto count = itemsize_ == 0 ? 0 : out.size() / itemsize_;
    if (itemsize_ != 0 && out.size() % itemsize_ != 0)
      return Error(ErrorKind::usage, ErrorCode::buffer_size,
                   "expected room for whole elements of " + std::to_string(itemsize_) + " bytes, found " + std::to_string(out.size()));
    if (first < 0 || first > size_ || count > static_cast<std::uint64_t>(size_ - first))
      return Error(ErrorKind::usage, ErrorCode::out_of_range, "elements from " + std::to_string(first) + " on of an array of " + std::to_string(size_));
    if (count == 0) return {};
    if (is_c_contiguous()) {
      std::memcpy(out.data(), bytes_.data() + static_cast<std::size_t>(first) * itemsize_, out.size());
      return swap(out), Result<void>();
    }
    std::vector<std::int64_t> at(shape().size());
    std::int64_t offset = 0;
    for (std::size_t d = at.size(); d-- > 0; first /= shape()[d]) offset += (at[d] = first % shape()[d]) * stride()[d];
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(out.data() + i * itemsize_, bytes_.data() + static_cast<std::size_t>(offset) * itemsize_, itemsize_);
      for (std::size_t d = at.size(); d-- > 0;) {
        offset += stride()[d];
        if (++at[d] < shape()[d]) break;
        offset -= at[d] * stride()[d];
        at[d] = 0;
      }
    }
    return swap(out), Result<void>();
  });
}

void Array::swap(std::span<std::byte> elements) const noexcept {
  for (; swap_ && elements.size() >= swap_; elements = elements.subspan(swap_)) std::ranges::reverse(elements.first(swap_));
}

Result<Tensor> Array::to_tensor() const {
  return guarded("a numpy array", [&]() -> Result<Tensor> {
    const auto type = numpy_type(Access::ref(type_));
    if (!type) return type.error();
    const auto dtype = dtype_of_numpy(type->kind, type->itemsize);
    if (!dtype) return Error(ErrorKind::usage, ErrorCode::wrong_dtype, "PyTorch has no dtype for numpy's " + dtype_);
    std::shared_ptr<const void> owner = Access::graph(type_)->owner();
    std::span<const std::byte> elements = bytes_;
    if (is_foreign(*type) && !elements.empty()) {
      BRINE_LET(copy, allocate(elements.size(), "a copy of a numpy array"));
      std::memcpy(copy->get(), elements.data(), elements.size());
      swap_bytes(*dtype, {copy->get(), elements.size()});
      elements = {copy->get(), elements.size()};
      owner = std::move(*copy);
    }
    return Tensor::view(Storage::borrow(elements, *dtype, std::move(owner)), *dtype, shape(), stride());
  });
}

}  // namespace brine
