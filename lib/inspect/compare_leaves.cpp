// SPDX-License-Identifier: MIT
// What of a pair of leaves is told: tensors and their storages, classes, scalars.
#include "inspect/compare.hpp"
#include "inspect/compare_numbers.hpp"
#include "inspect/compare_text.hpp"
#include "support/text.hpp"
#include "torch/storages.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace brine {

namespace {

constexpr std::size_t kShortPath = 120;

/// The source text of a class that a legacy stream carries, or absent.
Ref source_of(const Ref& cls) noexcept {
  const Origin* origin = cls.kind == Kind::global ? cls.node->origin : nullptr;
  if (!origin || origin->how != How::persistent || origin->args.kind != Kind::tuple || tuple_of(origin->args).size != 4) return {};
  const Ref text = tuple_of(origin->args).items()[3];
  return text.kind == Kind::string ? text : Ref{};
}

}  // namespace

bool Comparer::is_named(const TensorRecord& a, const TensorRecord& b) const noexcept {
  return std::binary_search(named_.begin(), named_.end(), std::pair(memory(a), memory(b)));
}

Result<void> Comparer::visit_tensors(const Child& pair) {
  const auto& [ref_a, ref_b, step, transparent, base] = pair;
  const TensorRecord &x = tensor_of(ref_a), &y = tensor_of(ref_b);
  const bool named = is_named(x, y), told = named && !modules_;  // of detached tensors only their elements
  result_.compared += !told;
  if (!base) {
    const auto here = [&] { return printable(path(step, kShortPath), kShortPath); };
    std::string shared = named ? std::string() : sharing_.of_storages(x, y, here);
    if (shared.empty()) shared = sharing_.of_tensors(x, y, here);
    if (!shared.empty()) differ(Difference::Kind::sharing, step, [&] { return std::move(shared); });
  }
  if (compared_.again(&x, &y)) return {};
  if (!base && !told) {
    const Tensor a = Handles::tensor(a_.owner(), &x), b = Handles::tensor(b_.owner(), &y);
    auto found = named ? tensors_.compare_attributes(a, b) : tensors_.compare(a, b);
    if (!found) return std::move(found).error().at_path(path(step, kMaxPath));
    if (!tensors_.is_equal(*found) || !found->same_attributes) {
      differ(Difference::Kind::value, step, [&] { return change(*found, a, b); });
      if (result_.differing <= options_.max) result_.differences.back().tensor = *found;
    }
  }
  if (has_extras(x) || has_extras(y)) enter(pair);
  return {};
}

Result<void> Comparer::visit_storages(const Child& pair) {
  const StorageRef x = storage_of(pair.a), y = storage_of(pair.b);
  const auto shared = sharing_.of_storages(x.record, y.record, [&] { return printable(path(pair.step, kShortPath), kShortPath); });
  if (!shared.empty()) differ(Difference::Kind::sharing, pair.step, [&] { return shared; });
  if (compared_.again(x.record, y.record)) return {};
  const bool same_size = x.dtype == y.dtype && x.record->nbytes == y.record->nbytes && x.record->device == y.record->device;
  const bool same_view = !x.view == !y.view && (!x.view || (x.view->offset == y.view->offset && x.view->numel == y.view->numel));
  Result<bool> same = same_size && same_view;
  if (*same && options_.elements)
    same = tensors_.same_bytes(Handles::storage(a_.owner(), x.record), Handles::storage(b_.owner(), y.record), 0, x.record->nbytes);
  if (!same) return std::move(same).error().at_path(path(pair.step, kMaxPath));
  if (!*same) differ(Difference::Kind::value, pair.step, [&] { return same_size ? "other bytes" : brief(a_, pair.a) + " -> " + brief(b_, pair.b); });
  return {};
}

bool Comparer::same_scalar(const Ref& a, const Ref& b) {
  switch (a.kind) {
    case Kind::integer:
      if (is_big(a) != is_big(b)) return false;
      if (!is_big(a)) return a.integer == b.integer;
      return texts_.same(big_of(a).bytes(), big_of(b).bytes());
    case Kind::floating: return a.integer == b.integer || are_within(a.floating, b.floating, options_.tolerance);
    case Kind::complex: {
      const ComplexNode &x = complex_of(a), &y = complex_of(b);
      if (std::memcmp(&x.real, &y.real, sizeof(double)) == 0 && std::memcmp(&x.imag, &y.imag, sizeof(double)) == 0) return true;
      const double apart = std::hypot(distance(x.real, y.real), distance(x.imag, y.imag));
      return apart <= options_.tolerance && std::isnan(x.real) == std::isnan(y.real) && std::isnan(x.imag) == std::isnan(y.imag);
    }
    case Kind::string: return texts_.same(text_of(a), text_of(b));
    case Kind::bytes: case Kind::bytearray: return texts_.same(bytes_of(a).text(), bytes_of(b).text());
    case Kind::global: return texts_.same(global_of(a).module, global_of(b).module) && texts_.same(global_of(a).name, global_of(b).name);
    default: return a.integer == b.integer;
  }
}

// A legacy stream has the source texts of a model's classes.
void Comparer::visit_source(const Ref& a, const Ref& b, const Step& step) {
  const Ref x = source_of(a), y = source_of(b);
  if (x.kind == Kind::absent || y.kind == Kind::absent || texts_.same(text_of(x), text_of(y)) || compared_.again(a.node, b.node)) return;
  differ(Difference::Kind::value, step, [&] { return "other source text of " + brief(a_, a); });
}

}  // namespace brine
