// SPDX-License-Identifier: MIT
// PyTorch solves W v = u by the pseudo-inverse of WᵀW, in float32. Here by conjugate gradients in double precision: the same vector, the
// shortest of those that come nearest, where WᵀW is well conditioned, and a sound one where PyTorch's is mostly rounding error (more
// columns than rows in float32: measured, it is off by several times its length).
#include "load/spectral_norm.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace brine {

namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) noexcept { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void add(Vector& to, double factor, const Vector& what) noexcept {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * what[i];
}

struct Matrix {
  std::size_t rows, columns;
  Vector elements;  // row-major

  const double* row(std::size_t r) const noexcept { return elements.data() + r * columns; }
  Vector times(const Vector& x) const {
    Vector out(rows);
    for (std::size_t r = 0; r < rows; ++r) out[r] = std::inner_product(x.begin(), x.end(), row(r), 0.0);
    return out;
  }
  Vector transposed_times(const Vector& x) const {
    Vector out(columns);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c) out[c] += x[r] * row(r)[c];
    return out;
  }
};

// permute(dim, others…).reshape(height, -1) of a row-major tensor.
Matrix matrix_of(Vector elements, std::span<const std::int64_t> shape, std::size_t dim) {
  const auto product = [&](std::size_t from, std::size_t to) {
    std::size_t out = 1;
    for (std::size_t d = from; d < to; ++d) out *= static_cast<std::size_t>(shape[d]);
    return out;
  };
  const std::size_t outer = product(0, dim), rows = product(dim, dim + 1), inner = product(dim + 1, shape.size());
  Matrix out{rows, outer * inner, std::move(elements)};
  if (outer == 1) return out;
  Vector permuted(out.elements.size());
  for (std::size_t o = 0, from = 0; o < outer; ++o)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t i = 0; i < inner; ++i) permuted[r * out.columns + o * inner + i] = out.elements[from++];
  out.elements = std::move(permuted);
  return out;
}

// The shortest x for which |W x - u| is least (CGLS).
Vector least_squares(const Matrix& w, Vector u) {
  Vector x(w.columns), gradient = w.transposed_times(u), direction = gradient;
  double size = dot(gradient, gradient);
  const double enough = size * 1e-28;
  for (std::size_t step = 0; step < 2 * std::min(w.rows, w.columns) + 50 && size > enough; ++step) {
    const Vector image = w.times(direction);
    const double length = size / dot(image, image);
    add(x, length, direction);
    add(u, -length, image);
    gradient = w.transposed_times(u);
    const double next = dot(gradient, gradient), share = next / size;
    for (std::size_t i = 0; i < x.size(); ++i) direction[i] = gradient[i] + share * direction[i];
    size = next;
  }
  return x;
}

bool same_shape(const Tensor& a, const Tensor& b) noexcept { return std::ranges::equal(a.shape(), b.shape()); }

}  // namespace

Result<Tensor> old_spectral_norm_v(const Tensor* weight_orig, const Tensor* weight, const Tensor* u, std::int64_t dim) {
  const auto refuse = [](std::string why) {
    return Error(ErrorKind::usage, ErrorCode::bad_argument, "weights from before spectral_norm's version 1: " + why);
  };
  if (!weight_orig || !weight || !u) return refuse("expected tensors, found another value");
  const DType dtype = weight_orig->dtype();
  if ((dtype != DType::float32 && dtype != DType::float64) || weight->dtype() != dtype || u->dtype() != dtype)
    return refuse("the tensors must be float32, or float64, all three");
  const auto shape = weight_orig->shape();
  if (dim < 0 || static_cast<std::size_t>(dim) >= shape.size()) return refuse("the weight has no dimension " + std::to_string(dim));
  const std::int64_t height = shape[static_cast<std::size_t>(dim)], count = weight_orig->numel();
  if (count == 0 || !same_shape(*weight, *weight_orig) || u->shape().size() != 1 || u->shape()[0] != height)
    return refuse("the shapes do not go together");
  // What is computed is bounded by what the file holds.
  if (weight_orig->nbytes() > weight_orig->storage().nbytes() || weight->nbytes() > weight->storage().nbytes())
    return refuse("the weight is an expanded tensor");

  auto original = weight_orig->to_vector<double>(), normed = weight->to_vector<double>(), left = u->to_vector<double>();
  for (auto* values : {&original, &normed, &left})
    if (!*values) return std::move(*values).error();
  double sigma = 0;
  for (std::size_t i = 0; i < original->size(); ++i) sigma += (*original)[i] / (*normed)[i];
  sigma /= static_cast<double>(count);

  const Matrix w = matrix_of(std::move(*original), shape, static_cast<std::size_t>(dim));
  Vector v = least_squares(w, *left);
  const double factor = sigma / dot(*left, w.times(v));
  for (double& x : v) x *= factor;
  const std::int64_t width = count / height;
  if (dtype == DType::float64) return Tensor::copy(std::span<const double>(v), {width});
  const std::vector<float> narrow(v.begin(), v.end());
  return Tensor::copy(std::span<const float>(narrow), {width});
}

}  // namespace brine
