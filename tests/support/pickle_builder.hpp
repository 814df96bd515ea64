// SPDX-License-Identifier: MIT
// Pickle: builds pickles by opcode name, so that a test says what it means and knows where each opcode lies.
//
//   Pickle p(2);
//   p.global("collections", "OrderedDict").empty_tuple().reduce();
//   const auto at = p.position();                                // offset of the next opcode, for the place of an error
//   std::string bytes = p.op(Op::BUILD).bytes();                 // bytes() adds STOP
#pragma once

#include "pickle/opcodes.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace brine::test {

class Pickle {
 public:
  /// 0 and 1 have no PROTO.
  explicit Pickle(int protocol = 2);

  // Any opcode, by the kind of its argument. Counted text is given its length, lines their newline.
  Pickle& op(Op op);
  Pickle& op(Op op, std::uint64_t number);
  Pickle& op(Op op, std::string_view text);
  Pickle& op(Op op, std::string_view module, std::string_view name);
  Pickle& raw(std::string_view bytes);

  std::uint64_t position() const { return bytes_.size(); }
  /// The pickle so far, and STOP.
  std::string bytes() const { return bytes_ + '.'; }
  /// The pickle so far.
  const std::string& unfinished() const { return bytes_; }

  // What most pickles are made of.
  Pickle& none() { return op(Op::NONE); }
  Pickle& boolean(bool v) { return op(v ? Op::NEWTRUE : Op::NEWFALSE); }
  Pickle& integer(std::int64_t v);  ///< BININT1, BININT2, BININT or LONG1, as Python chooses
  Pickle& floating(double v);
  Pickle& str(std::string_view text) { return op(Op::BINUNICODE, text); }
  Pickle& mark() { return op(Op::MARK); }
  Pickle& tuple() { return op(Op::TUPLE); }
  Pickle& empty_tuple() { return op(Op::EMPTY_TUPLE); }
  Pickle& empty_list() { return op(Op::EMPTY_LIST); }
  Pickle& empty_dict() { return op(Op::EMPTY_DICT); }
  Pickle& global(std::string_view module, std::string_view name) { return op(Op::GLOBAL, module, name); }
  Pickle& reduce() { return op(Op::REDUCE); }
  Pickle& build() { return op(Op::BUILD); }
  Pickle& put(std::uint8_t n) { return op(Op::BINPUT, n); }
  Pickle& get(std::uint8_t n) { return op(Op::BINGET, n); }
  Pickle& setitem() { return op(Op::SETITEM); }
  Pickle& append() { return op(Op::APPEND); }

  // What PyTorch makes of them.
  Pickle& ints(std::initializer_list<std::int64_t> values);  ///< a tuple
  Pickle& ordered_dict() { return global("collections", "OrderedDict").empty_tuple().reduce(); }
  /// ('storage', torch.<cls>, key, device, numel) BINPERSID; in a legacy stream a sixth part, None.
  Pickle& storage(std::string_view cls, std::string_view key, std::int64_t numel, std::string_view device = "cpu", bool legacy = false);
  struct View {
    std::string_view cls = "FloatStorage", key = "0";
    std::int64_t numel = 0, offset = 0;
    std::initializer_list<std::int64_t> size = {}, stride = {};
    bool requires_grad = false, legacy = false;
  };
  /// A canonical call of _rebuild_tensor_v2.
  Pickle& tensor(const View& view);
  /// A per-tensor quantised qint8 vector of n elements, scale 0.5 and zero point 1, in a storage of its own.
  Pickle& quantised(std::string_view key, std::int64_t n);
  /// _get_layout('torch.sparse_coo') …
  Pickle& layout(std::string_view name) { return global("torch.serialization", "_get_layout").str("torch." + std::string(name)).op(Op::TUPLE1).reduce(); }
  /// A float32 vector of n elements in a storage of its own.
  Pickle& vector(std::string_view key, std::int64_t n, bool legacy = false);

 private:
  Pickle& little(std::uint64_t v, int bytes);
  std::string bytes_;
};

}  // namespace brine::test
