// SPDX-License-Identifier: MIT
#include "support/pickle_builder.hpp"

#include <bit>

namespace brine::test {

Pickle::Pickle(int protocol) {
  if (protocol >= 2) op(Op::PROTO, static_cast<std::uint64_t>(protocol));
}

Pickle& Pickle::little(std::uint64_t v, int bytes) {
  for (; bytes > 0; --bytes, v >>= 8) bytes_ += static_cast<char>(v & 0xFF);
  return *this;
}

Pickle& Pickle::raw(std::string_view bytes) {
  bytes_ += bytes;
  return *this;
}

Pickle& Pickle::op(Op op) {
  bytes_ += static_cast<char>(op);
  return *this;
}

Pickle& Pickle::op(Op op, std::uint64_t number) {
  this->op(op);
  switch (info(op).arg) {
    case ArgKind::u8: return little(number, 1);
    case ArgKind::u16: return little(number, 2);
    case ArgKind::u32: case ArgKind::i32: return little(number, 4);
    case ArgKind::u64: return little(number, 8);
    case ArgKind::float8:
      for (int shift = 56; shift >= 0; shift -= 8) little(number >> shift, 1);
      return *this;
    default: return raw(std::to_string(number)).raw("\n");
  }
}

Pickle& Pickle::op(Op op, std::string_view text) {
  this->op(op);
  switch (info(op).arg) {
    case ArgKind::bytes1: return little(text.size(), 1).raw(text);
    case ArgKind::bytes4: case ArgKind::bytes4s: return little(text.size(), 4).raw(text);
    case ArgKind::bytes8: return little(text.size(), 8).raw(text);
    default: return raw(text).raw("\n");
  }
}

Pickle& Pickle::op(Op op, std::string_view module, std::string_view name) {
  return this->op(op).raw(module).raw("\n").raw(name).raw("\n");
}

Pickle& Pickle::integer(std::int64_t v) {
  if (v >= 0 && v <= 0xFF) return op(Op::BININT1, static_cast<std::uint64_t>(v));
  if (v >= 0 && v <= 0xFFFF) return op(Op::BININT2, static_cast<std::uint64_t>(v));
  if (v >= INT32_MIN && v <= INT32_MAX) return op(Op::BININT, static_cast<std::uint64_t>(v));
  return op(Op::LONG1).little(8, 1).little(static_cast<std::uint64_t>(v), 8);
}

Pickle& Pickle::floating(double v) { return op(Op::BINFLOAT, std::bit_cast<std::uint64_t>(v)); }

Pickle& Pickle::ints(std::initializer_list<std::int64_t> values) {
  if (values.size() == 0) return empty_tuple();
  if (values.size() > 3) mark();
  for (const std::int64_t v : values) integer(v);
  return op(values.size() == 1 ? Op::TUPLE1 : values.size() == 2 ? Op::TUPLE2 : values.size() == 3 ? Op::TUPLE3 : Op::TUPLE);
}

Pickle& Pickle::storage(std::string_view cls, std::string_view key, std::int64_t numel, std::string_view device, bool legacy) {
  mark().str("storage").global(cls == "UntypedStorage" ? "torch.storage" : "torch", cls).str(key).str(device).integer(numel);
  if (legacy) none();
  return tuple().op(Op::BINPERSID);
}

Pickle& Pickle::tensor(const View& v) {
  global("torch._utils", "_rebuild_tensor_v2").mark().storage(v.cls, v.key, v.numel, "cpu", v.legacy).integer(v.offset);
  return ints(v.size).ints(v.stride).boolean(v.requires_grad).ordered_dict().tuple().reduce();
}

Pickle& Pickle::quantised(std::string_view key, std::int64_t n) {
  global("torch._utils", "_rebuild_qtensor").mark().storage("QInt8Storage", key, n).integer(0).ints({n}).ints({1});
  return global("torch", "per_tensor_affine").floating(0.5).integer(1).op(Op::TUPLE3).boolean(false).ordered_dict().tuple().reduce();
}

Pickle& Pickle::vector(std::string_view key, std::int64_t n, bool legacy) {
  return tensor({.key = key, .numel = n, .size = {n}, .stride = {1}, .legacy = legacy});
}

}  // namespace brine::test
