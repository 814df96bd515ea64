// SPDX-License-Identifier: MIT
#include <brine/stats.hpp>

#include "bytes/guard.hpp"
#include "support/try.hpp"
#include "tensor/distinct.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace brine {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 15;  // elements

/// Sums of a piece are added up before they join the whole: a mean of many elements stays exact.
template <class T>
class Sum {
 public:
  void add(std::span<const std::byte> numbers, std::uint64_t each) noexcept {
    long double piece = 0;
    for (std::size_t at = 0; at < numbers.size(); at += sizeof(T)) {
      T v;
      std::memcpy(&v, numbers.data() + at, sizeof v);
      if (!is_finite(v, each)) continue;
      min_ = count_ == 0 ? v : std::min(min_, v);
      max_ = count_ == 0 ? v : std::max(max_, v);
      ++count_;
      piece += static_cast<long double>(v);
    }
    sum_ += piece;
  }
  TensorStats result() const {
    TensorStats out;
    out.nan = nan_;
    out.inf = inf_;
    if (count_ == 0) return out;
    out.min = min_;
    out.max = max_;
    out.mean = static_cast<double>(sum_ / static_cast<long double>(count_));
    return out;
  }

 private:
  bool is_finite(T v, std::uint64_t each) noexcept {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isfinite(v)) return true;
      (std::isnan(v) ? nan_ : inf_) += each;
      return false;
    }
    return true;
  }
  T min_ = 0, max_ = 0;
  long double sum_ = 0;
  std::uint64_t count_ = 0, nan_ = 0, inf_ = 0;
};

template <class T>
Result<TensorStats> gather(const Tensor& tensor, DType as, std::uint64_t each, const std::function<void(std::uint64_t)>& progress) {
  const bool pairs = as == DType::complex128;
  std::vector<std::byte> buffer(std::min<std::size_t>(kPiece, static_cast<std::size_t>(tensor.numel())) * item_size(as));
  Sum<T> sum;
  const auto total = static_cast<std::uint64_t>(tensor.numel());
  for (std::uint64_t at = 0; at < total; at += kPiece) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, total - at));
    std::span<std::byte> piece = std::span(buffer).first(n * item_size(as));
    BRINE_TRY(tensor.copy_part(as, static_cast<std::int64_t>(at), piece));
    if (pairs) {  // to magnitudes, in place
      for (std::size_t i = 0; i < n; ++i) {
        std::array<double, 2> z;
        std::memcpy(z.data(), piece.data() + i * sizeof z, sizeof z);
        const double size = std::isnan(z[0]) || std::isnan(z[1]) ? NAN : std::hypot(z[0], z[1]);
        std::memcpy(piece.data() + i * sizeof size, &size, sizeof size);
      }
      piece = piece.first(n * sizeof(double));
    }
    sum.add(piece, each);
    if (progress) progress(n);
  }
  return sum.result();
}

}  // namespace

Result<TensorStats> stats(const Tensor& tensor, const std::function<void(std::uint64_t)>& progress) {
  return guarded("a tensor", [&]() -> Result<TensorStats> {
    if (tensor.is_sparse()) return stats(*tensor.values(), progress);
    const DType dtype = tensor.is_quantized() ? DType::float32 : tensor.dtype();
    const bool real = is_floating(dtype), integer = !real && !is_complex(dtype);
    const DType as = is_complex(dtype) ? DType::complex128 : real ? DType::float64 : dtype == DType::uint64 ? DType::uint64 : DType::int64;
    if (tensor.numel() == 0 || !tensor.storage() || !convertible(dtype, as)) return TensorStats{};
    std::vector<bool> repeated(tensor.shape().size());
    std::uint64_t each = 1;
    for (std::size_t d = 0; d < repeated.size(); ++d)
      if (tensor.stride()[d] == 0 && !tensor.is_quantized()) repeated[d] = true, each *= static_cast<std::uint64_t>(tensor.shape()[d]);
    const Tensor distinct = each == 1 ? tensor : without(tensor, repeated);
    BRINE_TRY(Handles::check_copy(distinct, item_size(dtype)));
    if (!integer) return gather<double>(distinct, as, each, progress);
    return dtype == DType::uint64 ? gather<std::uint64_t>(distinct, as, each, progress) : gather<std::int64_t>(distinct, as, each, progress);
  });
}

}  // namespace brine
