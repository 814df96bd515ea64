// SPDX-License-Identifier: MIT
// Trees of values out of a string of bytes, and the comparison of two trees: for fuzz_write.cpp and save_property_test.cpp.
//
// Every string of bytes makes some tree: scalars of every kind, containers, aliases, cycles, tensors over shared storages.
#pragma once

#include <brine/brine.hpp>

#include <algorithm>
#include <bit>
#include <complex>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brine::test {

class ValueChoices {
 public:
  explicit ValueChoices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t byte() { return at_ < bytes_.size() ? bytes_[at_++] : std::uint8_t{0}; }
  std::size_t below(std::size_t n) { return byte() % n; }

  Value value(int depth = 0) {
    const std::size_t kind = below(depth > 12 || ++made_ > 400 ? 10 : 22);
    if (kind < 10) return key();
    switch (kind) {
      case 10: return number_list(tree_.list());
      case 11:
      case 12: return filled_list(depth);
      case 13:
      case 14: return filled_dict(tree_.dict(), depth);
      case 15: return filled_dict(tree_.ordered_dict(), depth);
      case 16: return keep(tree_.tuple(items(depth)));
      case 17: return keep(tree_.set({static_cast<int>(below(4)), "member", 1.5 + static_cast<double>(below(3))}));
      case 18: return keep(tree_.value(tensor()));
      case 19: return keep(tree_.parameter(tensor(), below(2) != 0));
      case 20: return keep(tree_.size({static_cast<std::int64_t>(below(9)), integer()}));
      default: return pool_.empty() ? tree_.value(nullptr) : pool_[below(pool_.size())];
    }
  }

  /// A StateDict with versions for some of its modules.
  StateDict state() {
    StateDict s;
    for (std::size_t n = below(6); n-- > 0;) s.insert(text(), tensor());
    for (std::size_t n = below(3); n-- > 0;) s.set_version(text(), integer());
    return s;
  }

  SaveOptions options() {
    SaveOptions o;
    o.profile = static_cast<Profile>(below(3));
    o.protocol = static_cast<int>(1 + below(5));
    o.crc = below(8) != 0;
    if (o.profile == Profile::torch_2_7) o.alignment = std::uint32_t{1} << below(13);  // older files do not say theirs: it was 64
    return o;
  }

  Tree& tree() { return tree_; }

 private:
  std::int64_t integer() {
    std::uint64_t v = 0;
    for (std::size_t n = below(9); n-- > 0;) v = v << 8 | byte();
    return std::bit_cast<std::int64_t>(below(2) ? ~v : v);
  }

  std::string text() {  // any characters, as UTF-8
    std::string out;
    for (std::size_t n = below(8) == 0 ? 250 + below(12) : below(6); n-- > 0;) {
      const unsigned c = below(4) ? byte() & 127u : (byte() << 12 | byte() << 4 | byte()) % 0x110000u;
      if (c < 0x80) out += static_cast<char>(c);
      else if (c < 0x800) out += static_cast<char>(0xC0 | c >> 6), out += static_cast<char>(0x80 | (c & 63));
      else if (c < 0xD800 || (c > 0xDFFF && c < 0x10000))
        out += static_cast<char>(0xE0 | c >> 12), out += static_cast<char>(0x80 | (c >> 6 & 63)), out += static_cast<char>(0x80 | (c & 63));
      else if (c >= 0x10000)
        out += static_cast<char>(0xF0 | c >> 18), out += static_cast<char>(0x80 | (c >> 12 & 63)),
            out += static_cast<char>(0x80 | (c >> 6 & 63)), out += static_cast<char>(0x80 | (c & 63));
    }
    return out;
  }

  std::span<const std::byte> raw(std::size_t n) {
    auto& out = memory_.emplace_back(n);
    const std::uint8_t first = byte();
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(first + i * 7);
    return out;
  }

  /// What may be a key: None, numbers, texts, bytes, dtypes.
  Value key() {
    switch (below(10)) {
      case 0: return tree_.value(nullptr);
      case 1: return tree_.value(below(2) != 0);
      case 2:
      case 3: return tree_.value(integer());
      case 4: return tree_.value(std::bit_cast<double>(integer()));
      case 5: return tree_.big_int((below(2) ? "-9" : "9") + std::string(17 + below(60), static_cast<char>('0' + below(10))));
      case 6: return keep(tree_.bytes(raw(below(6) == 0 ? 250 + below(12) : below(9))));
      case 7: return tree_.dtype(dtype());
      case 8: return tree_.complex(static_cast<double>(integer()), -0.5);
      default: return keep(tree_.value(text()));
    }
  }

  DType dtype() {
    constexpr DType all[] = {DType::uint8,   DType::int16,       DType::int64,     DType::float16, DType::float32,
                             DType::float64, DType::complex64,   DType::complex32, DType::bool_,   DType::bfloat16,
                             DType::bits8,   DType::float8_e5m2, DType::uint16,    DType::uint64,  DType::float4_e2m1fn_x2};
    return all[below(std::size(all))];
  }

  Tensor tensor() {
    if (storages_.empty() || below(3) == 0) {
      const DType type = dtype();
      storages_.push_back(Storage::borrow(raw(below(40) * (below(5) ? item_size(type) : 1)), type));
    }
    Storage s = storages_[below(storages_.size())];
    const DType type = below(8) ? s.dtype() : dtype();
    const auto empty = [](DType of) { return Storage::borrow(std::span<const std::byte>(), of); };  // torch.load gives each tensor an empty one of its own
    if (s.nbytes() < item_size(type)) s = empty(type);
    std::vector<std::int64_t> shape(below(4)), stride;
    for (auto& d : shape) d = static_cast<std::int64_t>(below(4)), stride.push_back(static_cast<std::int64_t>(below(5)));
    const auto offset = static_cast<std::int64_t>(below(4));
    if (auto view = Tensor::view(s, type, shape, stride, offset)) return *view;
    if (s.nbytes() < item_size(s.dtype())) s = empty(s.dtype());
    const std::int64_t all[] = {static_cast<std::int64_t>(s.nbytes() / item_size(s.dtype()))};
    return Tensor::view(s, s.dtype(), all).value();
  }

  Value keep(Value v) {
    pool_.push_back(v);
    return v;
  }

  std::vector<TreeItem> items(int depth) {
    std::vector<TreeItem> out;
    for (std::size_t n = below(6); n-- > 0;) out.emplace_back(value(depth + 1));
    return out;
  }

  Value filled_list(int depth) {
    const Value list = keep(tree_.list());  // known before it is full: it may hold itself
    for (std::size_t n = below(6); n-- > 0;) tree_.append(list, value(depth + 1)).value();
    return list;
  }

  Value filled_dict(const Value& dict, int depth) {
    keep(dict);
    for (std::size_t n = below(6); n-- > 0;) {
      const Value k = key();
      tree_.set(dict, k, value(depth + 1)).value();
    }
    return dict;
  }

  Value number_list(const Value& list) {  // around the batches of 1000
    const std::size_t n = std::size_t{1000} * (1 + below(2)) + below(3) - 1;
    for (std::size_t i = 0; i < n && large_ < 4; ++i) tree_.append(list, static_cast<std::int64_t>(i)).value();
    ++large_;
    return keep(list);
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  int made_ = 0, large_ = 0;
  Tree tree_;
  std::deque<std::vector<std::byte>> memory_;
  std::vector<Storage> storages_;
  std::vector<Value> pool_;
};

/// Compares two trees: kinds, values, and which places hold the same object. The path of the first difference, or nothing.
class SameTree {
 public:
  /// Python has one object for each text or bytes of one character and less, and keeps sets in an order of its own.
  enum class By { brine, python };
  explicit SameTree(By by = By::brine) : by_(by) {}

  std::string difference(const Value& a, const Value& b) {
    todo_.push_back({a, b});
    while (!todo_.empty()) {
      const auto [x, y] = todo_.back();
      todo_.pop_back();
      if (const char* what = one(x, y)) return "at '" + y.path() + "': " + what;
    }
    return {};
  }

  const char* tensors(const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype() || a.storage_offset() != b.storage_offset() || a.requires_grad() != b.requires_grad() ||
        a.is_parameter() != b.is_parameter())
      return "another tensor";
    if (!std::ranges::equal(a.shape(), b.shape()) || !std::ranges::equal(a.stride(), b.stride())) return "another shape or stride";
    std::vector<std::byte> x(a.nbytes()), y(b.nbytes());
    if (!a.copy_to(x) || !b.copy_to(y) || x != y) return "other elements";
    if (by_ == By::python && a.storage().nbytes() < item_size(a.dtype())) return nullptr;  // PyTorch loads what is empty twice
    for (const auto& [s, t] : storages_)
      if ((s == a.storage()) != (t == b.storage())) return "storages are shared otherwise";
    storages_.push_back({a.storage(), b.storage()});
    return nullptr;
  }

 private:
  const char* one(const Value& a, const Value& b) {
    if (a.kind() != b.kind()) return "another kind";
    if (a.type_name() != b.type_name()) return "another class";
    switch (a.kind()) {
      case Kind::none: return nullptr;
      case Kind::boolean: return a.as_bool().value() == b.as_bool().value() ? nullptr : "another bool";
      case Kind::integer: return a.as_big_int().value() == b.as_big_int().value() ? nullptr : "another int";
      case Kind::floating:
        return std::bit_cast<std::uint64_t>(a.as_double().value()) == std::bit_cast<std::uint64_t>(b.as_double().value()) ? nullptr
                                                                                                                          : "another float";
      case Kind::complex: {
        const auto bits = [](std::complex<double> z) { return std::pair(std::bit_cast<std::uint64_t>(z.real()), std::bit_cast<std::uint64_t>(z.imag())); };
        return bits(a.as_complex().value()) == bits(b.as_complex().value()) ? nullptr : "another complex";
      }
      case Kind::global: return a.as_global().value().name == b.as_global().value().name ? nullptr : "another global";
      case Kind::string:
        if (a.as_string().value() != b.as_string().value()) return "another text";
        break;
      case Kind::bytes:
        if (!std::ranges::equal(a.as_bytes().value(), b.as_bytes().value())) return "other bytes";
        break;
      case Kind::tensor:
        if (const char* what = tensors(a.as_tensor().value(), b.as_tensor().value())) return what;
        break;
      default: break;
    }
    if (a.size() != b.size()) return "another size";
    if (a.kind() == Kind::tuple && a.size() == 0) return nullptr;  // () is one object
    if (by_ == By::python && is_short(a)) return nullptr;
    for (const auto& [x, y] : seen_) {
      if (x.kind() != a.kind()) continue;
      const bool same = x.same_object(a);
      if (same != y.same_object(b)) return "objects are shared otherwise";
      if (same) return nullptr;
    }
    seen_.push_back({a, b});
    const Elements a_elements = a.elements(), b_elements = b.elements();
    if (by_ == By::python && a.kind() == Kind::set) return members(a_elements, b_elements);
    for (auto x = a_elements.begin(), y = b_elements.begin(); x != a_elements.end(); ++x, ++y) todo_.push_back({*x, *y});
    const Items a_items = a.items(), b_items = b.items();
    for (auto x = a_items.begin(), y = b_items.begin(); x != a_items.end(); ++x, ++y) {
      todo_.push_back({(*x).first, (*y).first});
      todo_.push_back({(*x).second, (*y).second});
    }
    return nullptr;
  }

  static bool is_short(const Value& v) {
    if (v.kind() == Kind::bytes) return v.as_bytes().value().size() <= 1;
    if (v.kind() != Kind::string) return false;
    const std::string_view text = v.as_string().value();  // up to U+00FF
    return text.size() <= 1 || (text.size() == 2 && static_cast<unsigned char>(text[0]) < 0xC4);
  }

  /// Of a set of ValueChoices: one of each kind.
  const char* members(const Elements& a, const Elements& b) {
    for (const Value& x : a) {
      const auto y = std::ranges::find_if(b, [&](const Value& v) { return v.kind() == x.kind(); });
      if (y == b.end()) return "another member";
      todo_.push_back({x, *y});
    }
    return nullptr;
  }

  const By by_;
  std::vector<std::pair<Value, Value>> seen_, todo_;
  std::vector<std::pair<Storage, Storage>> storages_;
};

}  // namespace brine::test
