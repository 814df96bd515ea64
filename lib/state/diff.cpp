// SPDX-License-Identifier: MIT
// Two state dicts, compared by name.
#include "state/state_dict.hpp"

#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

#include <brine/state_dict_tools.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace brine {

namespace {

constexpr std::size_t kChunk = 2048;  // elements

/// All elements, row-major, in the machine's byte order: where they lie, or a copy.
Result<Bytes> elements(const Tensor& t) {
  if (!t.storage() || !t.storage().foreign_byte_order())
    if (auto plain = t.data_bytes()) return Bytes{*plain, nullptr};
  auto buffer = allocate(t.nbytes(), "a copy of a tensor");
  if (!buffer) return std::move(buffer).error();
  const std::span<std::byte> out(buffer->get(), static_cast<std::size_t>(t.nbytes()));
  if (auto ok = t.copy_to(out); !ok) return std::move(ok).error();
  return Bytes{out, std::move(*buffer)};
}

double distance(const double* a, const double* b, std::size_t parts) noexcept {
  double most = 0;
  bool differ = false;
  double sum = 0;
  for (std::size_t i = 0; i < parts; ++i) {
    const bool both_nan = std::isnan(a[i]) && std::isnan(b[i]);
    if (both_nan || a[i] == b[i]) continue;
    differ = true;
    const double d = std::abs(a[i] - b[i]);
    most = std::isnan(d) ? HUGE_VAL : std::max(most, d);
    sum = parts == 1 ? 0 : std::hypot(sum, std::isnan(d) ? HUGE_VAL : d);
  }
  return !differ ? 0 : parts == 1 ? most : sum;
}

Result<void> compare(const Tensor& a, const Tensor& b, StateDiff::Entry& out) {
  auto left = elements(a);
  if (!left) return std::move(left).error();
  auto right = elements(b);
  if (!right) return std::move(right).error();
  out.equal_bits = out.same_dtype && (left->span.empty() || std::memcmp(left->span.data(), right->span.data(), left->span.size()) == 0);
  if (out.equal_bits) return {};
  const bool pairs = is_complex(a.dtype()) || is_complex(b.dtype());
  const DType wide = pairs ? DType::complex128 : DType::float64;
  if (!convertible(a.dtype(), wide) || !convertible(b.dtype(), wide)) return {};
  const std::size_t parts = pairs ? 2 : 1, count = static_cast<std::size_t>(a.numel());
  std::vector<double> x(kChunk * parts), y(kChunk * parts);
  const auto widen = [&](const Tensor& t, const Bytes& from, std::vector<double>& to, std::size_t at, std::size_t n) {
    const std::size_t item = item_size(t.dtype());
    return convert(t.dtype(), from.span.subspan(at * item, n * item), wide, std::as_writable_bytes(std::span(to).first(n * parts)));
  };
  out.largest_difference = 0;
  for (std::size_t at = 0; at < count; at += kChunk) {
    const std::size_t n = std::min(kChunk, count - at);
    if (auto ok = widen(a, *left, x, at, n); !ok) return ok;
    if (auto ok = widen(b, *right, y, at, n); !ok) return ok;
    for (std::size_t i = 0; i < n; ++i) {
      const double d = distance(&x[i * parts], &y[i * parts], parts);
      if (d != 0) ++out.differing;
      out.largest_difference = std::max(*out.largest_difference, d);
    }
  }
  return {};
}

/// The names in order; of values that are no tensors too.
struct Named {
  std::string_view name;
  const Tensor* tensor;
  Kind other;
};

std::vector<Named> names_of(const StateDict& state) {
  const StateDict::Impl& impl = *Access::impl(state);
  std::vector<Named> out;
  for (const StateDict::Item& item : impl.items) {
    const StateDict::Impl::Kept* kept = impl.kept_of(item);
    out.push_back({item.name, kept ? nullptr : &item.tensor, kept ? kept->value.kind : Kind::tensor});
  }
  return out;
}

Result<StateDiff> compare_all(const StateDict& a, const StateDict& b, bool values) {
  StateDiff out;
  const std::vector<Named> left = names_of(a), right = names_of(b);
  NamedList<Named> in_b;
  for (const Named& n : right) in_b.push(n);
  std::vector<bool> met(right.size());
  std::size_t last = 0;
  for (const Named& n : left) {
    const std::uint32_t at = in_b.find(n.name);
    if (at == in_b.npos) {
      out.only_in_a.emplace_back(n.name);
      continue;
    }
    const Named& m = in_b[at];
    met[at] = true;
    if (out.compared++ > 0 && at < last) out.same_order = false;
    last = at;
    StateDiff::Entry entry{.name = std::string(n.name), .a = n.tensor, .b = m.tensor};
    if (!n.tensor || !m.tensor) {
      entry.equal_bits = n.other == m.other;
    } else {
      entry.same_dtype = n.tensor->dtype() == m.tensor->dtype();
      entry.same_shape = std::ranges::equal(n.tensor->shape(), m.tensor->shape());
      entry.equal_bits = entry.same_dtype && entry.same_shape;
      if (values && entry.same_shape)
        if (auto ok = compare(*n.tensor, *m.tensor, entry); !ok) return std::move(ok).error().at_path(n.name);
    }
    if (!entry.equal_bits) out.differing.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < right.size(); ++i)
    if (!met[i]) out.only_in_b.emplace_back(right[i].name);
  return out;
}

}  // namespace

Result<StateDiff> diff(const StateDict& a, const StateDict& b, bool values) {
  return guarded("comparing state dicts", [&] { return compare_all(a, b, values); });
}

}  // namespace brine
