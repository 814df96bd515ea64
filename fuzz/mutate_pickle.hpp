// SPDX-License-Identifier: MIT
// Mutates a pickle by whole opcodes: what comes out is mostly a pickle again, so that a fuzzer gets past the scanner and the stack checks.
//
// Opcodes are moved, copied, deleted, inserted and swapped, their arguments and memo numbers changed. And since those mostly unbalance the
// stack, values are found by following it: a value is replaced by a copy of another, put into a container or behind a call, memoised and
// fetched, given a state; and whatever has a memo number is changed again later, as no pickler does.
#pragma once

#include "pickle/scanner.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brine::fuzz {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t n) { return n == 0 ? 0 : next() % n; }
  template <class T, std::size_t N>
  const T& one_of(const T (&choices)[N]) { return choices[below(N)]; }

 private:
  std::uint64_t state_;
};

/// A pickle in pieces: one for each opcode, and one for what follows that is none.
class PickleMutator {
 public:
  PickleMutator(std::string_view pickle, Random& random) : random_(random) { split(std::string(pickle)); }
  std::string bytes() const {
    std::string out;
    for (const std::string& op : ops_) out += op;
    return out + tail_;
  }

  /// One change, or one after the other.
  void mutate() {
    do {
      if (ops_.empty()) ops_.emplace_back(leaf());
      if (random_.below(3) == 0) change_opcodes();
      else change_values();
      split(bytes());  // what was put in may have been several opcodes
    } while (random_.below(3) == 0);
  }

  /// A value of this pickle becomes one of the other's.
  void cross(PickleMutator& other) {
    const auto here = values(), there = other.values();
    if (here.empty() || there.empty()) return;
    const auto [from, to] = there[random_.below(there.size())];
    replace(here[random_.below(here.size())], {other.ops_.begin() + from, other.ops_.begin() + to});
  }

 private:
  using Ops = std::vector<std::string>;
  struct Range {
    std::ptrdiff_t begin, end;
  };

  void split(const std::string& pickle) {
    ops_.clear();
    Scanner scanner(std::as_bytes(std::span(pickle)));
    std::size_t at = 0;
    for (Scanned found; scanner.next(found); at = scanner.position()) {
      // Lengths of frames would be wrong soon; a pickle is one without them, too.
      if (found.op != Op::FRAME) ops_.push_back(pickle.substr(at, scanner.position() - at));
    }
    tail_ = pickle.substr(at);
  }

  static Op op_of(const std::string& op) { return static_cast<Op>(static_cast<std::uint8_t>(op[0])); }
  static bool is_get(Op op) { return op == Op::GET || op == Op::BINGET || op == Op::LONG_BINGET; }
  static bool is_put(Op op) { return op == Op::PUT || op == Op::BINPUT || op == Op::LONG_BINPUT; }

  std::ptrdiff_t position() { return static_cast<std::ptrdiff_t>(random_.below(ops_.size())); }
  Range range() {
    const std::ptrdiff_t begin = position();
    const auto max = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(ops_.size()) - begin);
    return {begin, begin + 1 + static_cast<std::ptrdiff_t>(random_.below(std::min<std::size_t>(max, 8)))};
  }
  Ops copy(Range r) const { return {ops_.begin() + r.begin, ops_.begin() + r.end}; }
  void insert(std::ptrdiff_t at, const Ops& more) { ops_.insert(ops_.begin() + at, more.begin(), more.end()); }
  void replace(Range r, const Ops& by) {
    ops_.erase(ops_.begin() + r.begin, ops_.begin() + r.end);
    insert(r.begin, by);
  }

  // ---- opcodes, whatever they mean

  void change_opcodes() {
    switch (random_.below(9)) {
      case 0: {
        const Range r = range();
        ops_.erase(ops_.begin() + r.begin, ops_.begin() + r.end);
        break;
      }
      case 1: insert(position(), copy(range())); break;
      case 2: {
        const Range r = range();
        const Ops moved = copy(r);
        replace(r, {});
        insert(static_cast<std::ptrdiff_t>(random_.below(ops_.size() + 1)), moved);
        break;
      }
      case 3: insert(position(), {any_opcode()}); break;
      case 4: std::swap(ops_[random_.below(ops_.size())], ops_[random_.below(ops_.size())]); break;
      case 5: swap_arguments(); break;
      case 6: change_memo_number(); break;
      default: ops_[random_.below(ops_.size())] = leaf(); break;
    }
  }

  /// Any opcode of the table, with an argument of its kind.
  std::string any_opcode() {
    std::uint8_t byte;
    do byte = static_cast<std::uint8_t>(random_.next());
    while (kOpcodes[byte].name.empty());
    std::string out(1, static_cast<char>(byte));
    switch (kOpcodes[byte].arg) {
      case ArgKind::none: break;
      case ArgKind::u8: out += little(random_.below(12), 1); break;
      case ArgKind::u16: out += little(random_.below(12), 2); break;
      case ArgKind::u32:
      case ArgKind::i32: out += little(random_.below(12), 4); break;
      case ArgKind::u64:
      case ArgKind::float8: out += little(random_.next(), 8); break;
      case ArgKind::bytes1: out += little(2, 1) + "ab"; break;
      case ArgKind::bytes4:
      case ArgKind::bytes4s: out += little(2, 4) + "ab"; break;
      case ArgKind::bytes8: out += little(2, 8) + "ab"; break;
      case ArgKind::line: out += static_cast<Op>(byte) == Op::STRING ? "'a'\n" : std::to_string(random_.below(12)) + "\n"; break;
      case ArgKind::lines2: out += name().substr(1); break;
    }
    return out;
  }

  /// The arguments of two opcodes that write them alike.
  void swap_arguments() {
    std::string& one = ops_[random_.below(ops_.size())];
    const ArgKind kind = info(op_of(one)).arg;
    if (kind == ArgKind::none) return;
    std::vector<std::size_t> alike;
    for (std::size_t i = 0; i < ops_.size(); ++i)
      if (info(op_of(ops_[i])).arg == kind) alike.push_back(i);
    std::string& other = ops_[alike[random_.below(alike.size())]];
    std::swap(one, other);
    std::swap(one[0], other[0]);
  }

  void change_memo_number() {
    std::vector<std::size_t> users;
    for (std::size_t i = 0; i < ops_.size(); ++i)
      if (is_get(op_of(ops_[i])) || is_put(op_of(ops_[i]))) users.push_back(i);
    if (users.empty()) return;
    std::string &one = ops_[users[random_.below(users.size())]], other = ops_[users[random_.below(users.size())]];
    if (info(op_of(one)).arg == info(op_of(other)).arg && random_.below(2)) one = one[0] + other.substr(1);
    else if (one.size() > 1 && op_of(one) != Op::GET && op_of(one) != Op::PUT) one[1] = static_cast<char>(one[1] + (random_.below(2) ? 1 : -1));
  }

  // ---- values, found by following the stack

  /// The opcodes that make each value, as far as the stack can be followed.
  std::vector<Range> values() const {
    struct Entry {
      std::ptrdiff_t begin;
      bool mark;
    };
    std::vector<Range> out;
    std::vector<Entry> stack;
    const auto pop_mark = [&] {  // where it stands, or -1
      while (!stack.empty() && !stack.back().mark) stack.pop_back();
      if (stack.empty()) return std::ptrdiff_t{-1};
      const std::ptrdiff_t at = stack.back().begin;
      stack.pop_back();
      return at;
    };
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(ops_.size()); ++i) {
      std::ptrdiff_t begin = i;
      std::size_t takes = 0;  // so many values go into the one that it leaves, which begins where the lowest of them does
      switch (op_of(ops_[static_cast<std::size_t>(i)])) {
        case Op::MARK: stack.push_back({i, true}); continue;
        case Op::PROTO:
        case Op::FRAME: continue;
        case Op::STOP: stack.clear(); continue;
        case Op::POP:
          if (stack.empty()) return out;
          stack.pop_back();
          continue;
        case Op::POP_MARK:
          if (pop_mark() < 0) return out;
          continue;
        case Op::TUPLE:
        case Op::LIST:
        case Op::DICT:
        case Op::FROZENSET:
        case Op::OBJ:
        case Op::INST:
          if (begin = pop_mark(); begin < 0) return out;
          break;
        case Op::APPENDS:
        case Op::SETITEMS:
        case Op::ADDITEMS:
          if (pop_mark() < 0) return out;
          takes = 1;
          break;
        case Op::PUT:
        case Op::BINPUT:
        case Op::LONG_BINPUT:
        case Op::MEMOIZE:
        case Op::READONLY_BUFFER:
        case Op::TUPLE1:
        case Op::BINPERSID: takes = 1; break;
        case Op::TUPLE2:
        case Op::REDUCE:
        case Op::NEWOBJ:
        case Op::BUILD:
        case Op::APPEND:
        case Op::STACK_GLOBAL: takes = 2; break;
        case Op::TUPLE3:
        case Op::NEWOBJ_EX:
        case Op::SETITEM: takes = 3; break;
        default: break;
      }
      for (; takes > 0; --takes) {
        if (stack.empty() || stack.back().mark) return out;
        begin = stack.back().begin;
        stack.pop_back();
      }
      stack.push_back({begin, false});
      out.push_back({begin, i + 1});
    }
    return out;
  }

  void change_values() {
    const auto all = values();
    if (all.empty()) return change_opcodes();
    const Range at = all[random_.below(all.size())], other = all[random_.below(all.size())];
    const Ops here = copy(at), there = copy(other);
    switch (random_.below(10)) {
      case 0: return replace(at, there);
      case 1: return replace(at, {leaf()});
      case 2: return replace(at, {random_.below(2) ? name() : fetch()});
      case 3:  // one more, or one less, argument or item
        if (const auto ends = tuples(); !ends.empty()) return insert(ends[random_.below(ends.size())], {random_.below(2) ? leaf() : fetch()});
        return;
      case 4: return insert(at.end, {"q" + little(random_.below(12), 1)});
      case 5: return grow(at.end);
      case 6: return insert(at.end, {"}", text(attribute()), random_.below(2) ? leaf() : fetch(), "s", "b"});
      default: return wrap(at, here, there);
    }
  }

  /// Where tuples and batches of items end.
  std::vector<std::ptrdiff_t> tuples() const {
    std::vector<std::ptrdiff_t> out;
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(ops_.size()); ++i) {
      const Op op = op_of(ops_[static_cast<std::size_t>(i)]);
      if (op == Op::TUPLE || op == Op::APPENDS || op == Op::ADDITEMS) out.push_back(i);
    }
    return out;
  }

  /// Something with a memo number is changed where it stands for nothing: fetch, change, drop.
  void grow(std::ptrdiff_t at) {
    switch (random_.below(4)) {
      case 0: return insert(at, {fetch(), fetch(), "a", "0"});
      case 1: return insert(at, {fetch(), leaf(), fetch(), "s", "0"});
      case 2: return insert(at, {fetch(), "(", leaf(), fetch(), "e", "0"});
      default: return insert(at, {fetch(), "}", text(attribute()), fetch(), "s", "b", "0"});
    }
  }

  void wrap(Range at, const Ops& value, const Ops& other) {
    static const std::string hooks = "ccollections\nOrderedDict\n)R";
    const std::string call = name();
    Ops out;
    const auto around = [&](std::string before, std::string after) {
      out.push_back(std::move(before));
      out.insert(out.end(), value.begin(), value.end());
      out.push_back(std::move(after));
    };
    switch (random_.below(20)) {
      case 0: around("", "\x85"); break;
      case 1: around("](", "e"); break;
      case 2: around("}" + text("w"), "s"); break;
      case 3: around("}", "Ns"); break;  // as a key
      case 4: around("\x8f(", "\x90"); break;
      case 5: around("(", "\x91"); break;
      case 6: around("ctorch._utils\n_rebuild_parameter\n(", "\x88" + hooks + "tR"); break;
      case 7: around("ctorch._utils\n_rebuild_parameter_with_state\n(", "\x88" + hooks + "}" + text(attribute()) + leaf() + "stR"); break;
      case 8: around("ctorch._tensor\n_rebuild_from_type_v2\n(" + call + call + "(", "t}" + text(attribute()) + leaf() + "stR"); break;
      case 9: around("ccollections\nOrderedDict\n]](" + text("w"), "ea\x85R"); break;
      case 10: around("cbuiltins\nset\n](", leaf() + "e\x85R"); break;
      case 11: around("ccollections\nCounter\n](", leaf() + "e\x85R"); break;
      case 12: around("ccollections\ndeque\n](", leaf() + "eK\1\x86R"); break;
      case 13: around(call + "(", "tR"); break;
      case 14: around("", ")R"); break;       // a callee
      case 15: around(call + ")\x81", "b"); break;  // a state
      case 16: around("", "Q"); break;
      case 17: around(call + ")}" + text("k"), "s\x92"); break;  // a keyword argument
      case 18: around("}(" + text("_parameters"), text("_buffers") + "}" + text("_modules") + "}u"); break;
      default:
        around("", "");
        out.insert(out.end(), other.begin(), other.end());
        out.push_back("\x86");
        break;
    }
    replace(at, out);
  }

  // ---- small pieces

  static std::string little(std::uint64_t v, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> 8 * i);
    return out;
  }
  static std::string text(std::string_view s) { return "X" + little(s.size(), 4).append(s); }

  std::string_view attribute() {
    static constexpr std::string_view names[] = {"data", "grad", "requires_grad", "shape", "device", "is_leaf", "real", "_metadata", "a",
                                                 "neg", "conj", "_parameters", "_modules", "training", "_backward_hooks", "names"};
    return random_.one_of(names);
  }

  std::string name() {
    static constexpr std::string_view names[] = {
        "torch._utils\n_rebuild_tensor_v2\n", "torch._utils\n_rebuild_tensor\n", "torch._utils\n_rebuild_parameter\n",
        "torch._utils\n_rebuild_parameter_with_state\n", "torch._tensor\n_rebuild_from_type_v2\n", "torch._utils\n_rebuild_qtensor\n",
        "torch._utils\n_rebuild_meta_tensor_no_storage\n", "torch._utils\n_rebuild_sparse_tensor\n", "torch.nn.parameter\nParameter\n", "torch\nFloatStorage\n",
        "torch\nSize\n", "torch\ndevice\n", "torch\nfloat32\n", "torch.storage\n_load_from_bytes\n", "collections\nOrderedDict\n",
        "collections\ndefaultdict\n", "collections\nCounter\n", "collections\ndeque\n", "builtins\nset\n", "builtins\nfrozenset\n",
        "builtins\ngetattr\n", "builtins\ncomplex\n", "builtins\nlist\n", "__builtin__\nset\n", "copy_reg\n_reconstructor\n", "_codecs\nencode\n",
        "numpy.core.multiarray\n_reconstruct\n", "numpy._core.multiarray\nscalar\n", "numpy\ndtype\n", "numpy\nndarray\n",
        "torch._dynamo.eval_frame\nOptimizedModule\n", "torch.nn.modules.linear\nLinear\n", "m\nf\n", "m\nM\n"};
    return "c" + std::string(random_.one_of(names));
  }

  std::string leaf() {
    using namespace std::string_literals;
    static const std::string leaves[] = {
        "N", "\x88", "\x89", ")", "]", "}", "\x8f", "K\0"s, "K\1", "M\0\1"s, "J\xff\xff\xff\xff", "I01\n", "L7L\n", "L99999999999999999999L\n",
        "\x8a\x01\x07", "\x8a\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8a\0"s, "G\x7f\xf8\0\0\0\0\0\0"s, "G\0\0\0\0\0\0\0\0"s, "G\x80\0\0\0\0\0\0\0"s,
        "G?\xf0\0\0\0\0\0\0"s, "Fnan\n", "X\0\0\0\0"s, "X\1\0\0\0w"s, "U\1w", "C\1w", "X\1\0\0\0000"s, "X\3\0\0\0cpu"s, "(K\1K\2t"s,
        "}X\3\0\0\0neg\x89s"s, "}X\4\0\0\0conjK\0s"s, "ccollections\nOrderedDict\n)R", "cbuiltins\ncomplex\nG?\xf0\0\0\0\0\0\0G\x7f\xf8\0\0\0\0\0\0\x86R"s,
        "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\6tQ"s,
        "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\6tQK\0(K\2t(K\1t\x89"
        "ccollections\nOrderedDict\n)RtR"s,
        "q\0"s, "0", "2", "Q", "R", "b", "a", "s", "(", "t", "e", "u"};
    return random_.one_of(leaves);
  }

  std::string fetch() {
    std::vector<std::string> numbers;
    for (const std::string& op : ops_)
      if (op_of(op) == Op::BINPUT) numbers.push_back("h" + op.substr(1));
    return numbers.empty() || random_.below(8) == 0 ? "h" + little(random_.below(6), 1) : numbers[random_.below(numbers.size())];
  }

  Random& random_;
  Ops ops_;
  std::string tail_;
};

}  // namespace brine::fuzz
