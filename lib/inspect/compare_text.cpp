// SPDX-License-Identifier: MIT
#include "inspect/compare_text.hpp"

#include "graph/print.hpp"
#include "support/text.hpp"
#include "tensor/kinds.hpp"
#include "torch/numpy.hpp"
#include "torch/storages.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

namespace brine {

namespace {

constexpr std::size_t kMaxAlike = 1 << 16;  // bytes

std::string_view content(const Ref& r) noexcept {
  if (r.kind == Kind::bytes || r.kind == Kind::bytearray) return bytes_of(r).text();
  return r.kind == Kind::string ? text_of(r) : std::string_view();
}

struct Parts {
  std::string text;
  void add(const std::string& part) { text += (text.empty() ? "" : "  ") + part; }
  void changed(const std::string& from, const std::string& to) {
    if (from != to) add(from + " -> " + to);
  }
  void elements(const TensorDifference& d, std::int64_t count) {
    if (!d.same_shape || (d.same_dtype && d.equal_bits)) return;
    if (!d.largest_difference) return d.same_dtype ? add("other bits") : void();
    if (d.differing == 0) return add("the same values");
    char number[64];
    std::snprintf(number, sizeof number, "%.6g", *d.largest_difference);
    add("largest difference " + std::string(number) + ", " + std::to_string(d.differing) + " of " + std::to_string(count) + " elements");
  }
};

}  // namespace

std::string brief(const Graph& graph, const Ref& value) {
  if (value.kind == Kind::storage) {
    const StorageRef s = storage_of(value);
    return "storage " + std::string(name(s.dtype)) + ", " + std::to_string(s.record->nbytes) + " bytes";
  }
  if (value.kind == Kind::object && value.node->made == Made::scalar) return numpy_summary(graph, value);
  if (value.kind != Kind::tensor) return summary(value);
  const TensorRecord& t = tensor_of(value);
  const std::string kind = kind_text(t);
  return std::string(name(t.dtype)) + (t.is_nested() ? "" : " " + shape_text(t.shape())) + (kind.empty() ? "" : ", " + kind);
}

std::string change(const Graph& graph_a, const Ref& a, const Graph& graph_b, const Ref& b) {
  const std::string from = brief(graph_a, a), to = brief(graph_b, b);
  if (from != to) return from + " -> " + to;
  if (a.kind == Kind::object || a.kind == Kind::global) return from + ", of another name";
  // Texts or bytes that begin alike. A file can name long ones any number of times, so not all is looked through.
  const std::string_view x = content(a).substr(0, kMaxAlike), y = content(b).substr(0, kMaxAlike);
  const auto at = static_cast<std::size_t>(std::mismatch(x.begin(), x.end(), y.begin(), y.end()).first - x.begin());
  return from + (x.empty() ? ", of another value" : at == kMaxAlike ? ", other further on" : ", other from byte " + std::to_string(at) + " on");
}

std::string change(const TensorDifference& d, const Tensor& a, const Tensor& b) {
  const auto kind_text = [](const Tensor& t) { return brine::kind_text(Handles::record(t)); };
  Parts out;
  out.changed(std::string(name(a.dtype())), std::string(name(b.dtype())));
  out.changed(shape_text(a.shape()), shape_text(b.shape()));
  if (!d.same_kind) out.changed(kind_text(a), kind_text(b));
  out.elements(d, a.numel());
  out.changed(escaped(a.device(), 40), escaped(b.device(), 40));
  out.changed(a.requires_grad() ? "requires_grad" : "no requires_grad", b.requires_grad() ? "requires_grad" : "no requires_grad");
  out.changed(a.is_parameter() ? "Parameter" : "Tensor", b.is_parameter() ? "Parameter" : "Tensor");
  return out.text;
}

std::string change(const TensorDifference& d, const Array& a, const Array& b) {
  Parts out;
  out.changed(std::string(a.dtype()), std::string(b.dtype()));
  out.changed(shape_text(a.shape()), shape_text(b.shape()));
  out.elements(d, a.size());
  return out.text;
}

}  // namespace brine
