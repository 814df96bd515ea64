// SPDX-License-Identifier: MIT
// numpy's scalars as the Python values that they are equal to, and arrays and scalars in one line for people.
#include "torch/numpy.hpp"

#include "bytes/byte_order.hpp"
#include "bytes/cursor.hpp"
#include "graph/print.hpp"
#include "graph/walk.hpp"
#include "pickle/text_args.hpp"
#include "support/text.hpp"
#include "tensor/byte_swap.hpp"
#include "torch/access.hpp"

#include <brine/array.hpp>
#include <brine/convert.hpp>

#include <array>
#include <charconv>
#include <cstring>

namespace brine {

Ref numpy_plain(Graph& graph, const Ref& scalar) {
  const std::optional<Array> read = array_of(graph, scalar);
  if (!read) return {};
  const Array& array = *read;
  std::vector<std::byte> bytes(array.itemsize());
  if (!array.copy_part(0, bytes)) return {};
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const char kind = array.dtype()[1];
  if (kind == 'S') {  // without the zeros that fill it
    const std::string_view own = graph.copy(text.substr(0, text.find_last_not_of('\0') + 1));
    return own.data() ? graph.bytes(own) : Ref{};
  }
  if (kind == 'U') {
    std::string out;
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) append_utf8(out, little_at<std::uint32_t>(bytes.data() + i));
    const std::string_view own = graph.copy(std::string_view(out).substr(0, out.find_last_not_of('\0') + 1));
    return own.data() ? make_text(own) : Ref{};
  }
  const auto type = dtype_of_numpy(kind, array.itemsize());
  if (!type) return {};
  if constexpr (kBigEndianMachine) swap_bytes(*type, bytes);
  const auto as = [&]<class T>(T value) { return std::memcpy(&value, bytes.data(), sizeof value), value; };
  using enum DType;
  switch (*type) {
    case bool_: return make_bool(bytes[0] != std::byte{0});
    case int8: return make_int(as(std::int8_t{}));
    case int16: return make_int(as(std::int16_t{}));
    case int32: return make_int(as(std::int32_t{}));
    case int64: return make_int(as(std::int64_t{}));
    case uint8: return make_int(as(std::uint8_t{}));
    case uint16: return make_int(as(std::uint16_t{}));
    case uint32: return make_int(as(std::uint32_t{}));
    case uint64: return as(std::uint64_t{}) <= INT64_MAX ? make_int(as(std::int64_t{})) : graph.big_int(graph.copy(concat({text, std::string_view("\0", 1)})));
    case float16: return graph.floating(to_float(half{as(std::uint16_t{})}));
    case float32: return graph.floating(as(float{}));
    case float64: return graph.floating(as(double{}));
    case complex64: return graph.complex(as(std::array<float, 2>{})[0], as(std::array<float, 2>{})[1]);
    case complex128: return graph.complex(as(std::array<double, 2>{})[0], as(std::array<double, 2>{})[1]);
    default: return {};
  }
}

namespace {

// Of a scalar, as Python prints it; the bytes of what it has no type for (dates, long doubles).
std::string element_text(const Ref& scalar, const Array& array) {
  Ref plain = as_plain(scalar);
  switch (plain.kind) {
    case Kind::string: return in_quotes(text_of(plain), 80);
    case Kind::floating:
      if (scalar_of(scalar).class_name != "float64") {  // the shortest that a float32 needs
        char text[48];
        std::from_chars(text, std::to_chars(text, text + sizeof text, static_cast<float>(plain.floating)).ptr, plain.floating);
      }
      break;
    case Kind::complex: return summary(plain);
    case Kind::absent: case Kind::object: {
      std::array<std::byte, 32> bytes;
      if (array.itemsize() > bytes.size() || !array.copy_part(0, std::span(bytes).first(array.itemsize()))) return "of " + std::to_string(array.itemsize()) + " bytes";
      std::string out = "of the bytes";
      for (std::size_t i = 0; i < array.itemsize(); ++i) append_hex(out, " ", std::to_integer<unsigned>(bytes[i]), 2);
      return out;
    }
    default: break;
  }
  return printable(key_name(plain), 80);
}

}  // namespace

std::string numpy_summary(const Graph& graph, const Ref& object) {
  if (object.node->made == Made::array_dtype) {
    const auto type = numpy_type(object);
    return type ? "numpy.dtype '" + type->text + "'" : "numpy.dtype (" + type.error().text() + ")";
  }
  const auto array = Array::of(Access::value(&graph, object));
  const std::string what = object.node->made == Made::scalar ? "numpy scalar" : escaped(qualified_class_name(object), 120);
  if (!array) return what + " (" + array.error().text() + ")";
  std::string out = what + " " + std::string(array->dtype());
  if (array->is_scalar()) return out + " " + element_text(object, *array);
  return out + " " + shape_text(array->shape());
}

}  // namespace brine
