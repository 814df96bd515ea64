// SPDX-License-Identifier: MIT
// scale * (integer - zero point), rounded where PyTorch rounds: the difference as int32, scale and product as float32.
// Source: fbgemm Dequantize(), aten/src/ATen/native/quantized/AffineQuantizerBase.cpp, AffineQuantizer.cpp.
#include "tensor/kinds.hpp"

#include "support/try.hpp"
#include "tensor/gather.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace brine {

namespace {

constexpr std::size_t kBatch = 4096;  // integers

/// The channel of each element, in row-major order.
class Channels {
 public:
  Channels(const TensorRecord& t, std::int64_t axis, std::int64_t first) : count_(t.shape()[static_cast<std::size_t>(axis)]) {
    for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < t.ndim; ++d) inner_ *= t.shape()[d];
    at_ = first / inner_ % count_;
    left_ = inner_ - first % inner_;
  }
  std::size_t next() noexcept {
    const auto channel = static_cast<std::size_t>(at_);
    if (--left_ == 0) {
      left_ = inner_;
      if (++at_ == count_) at_ = 0;
    }
    return channel;
  }

 private:
  std::int64_t count_, inner_ = 1, at_ = 0, left_ = 0;
};

std::int32_t integer_at(DType dtype, const std::byte* p, std::size_t i) noexcept {
  switch (dtype) {
    case DType::qint8: return std::to_integer<std::int8_t>(p[i]);
    case DType::quint8: return std::to_integer<std::uint8_t>(p[i]);
    default: {
      std::int32_t v;
      std::memcpy(&v, p + i * sizeof v, sizeof v);
      return v;
    }
  }
}

// As uint32, which wraps where int32 would overflow.
float number(std::int32_t integer, std::int32_t zero_point, float scale) noexcept {
  return scale * static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(integer) - static_cast<std::uint32_t>(zero_point)));
}

// The integers [first, first + n), at most kBatch.
Result<void> integers(const Tensor& tensor, std::int64_t first, std::span<std::int32_t> out) {
  const TensorRecord& t = Handles::record(tensor);
  std::byte bytes[kBatch * 4];
  const std::int64_t per_byte = values_per_byte(t.dtype);
  if (per_byte == 1) {
    BRINE_TRY(tensor.copy_part(first, std::span(bytes).first(out.size() * item_size(t.dtype))));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = integer_at(t.dtype, bytes, i);
    return {};
  }
  const std::int64_t from = first / per_byte, to = (first + static_cast<std::int64_t>(out.size()) - 1) / per_byte + 1;
  const Strided& at = *t.as_strided();
  BRINE_TRY(tensor.storage().read(static_cast<std::uint64_t>(at.offset + from), std::span(bytes).first(static_cast<std::size_t>(to - from))));
  const std::int64_t bits = 8 / per_byte;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t n = first + static_cast<std::int64_t>(i);
    out[i] = (std::to_integer<std::int32_t>(bytes[n / per_byte - from]) >> (n % per_byte * bits)) & ((1 << bits) - 1);
  }
  return {};
}

}  // namespace

Result<void> dequantise(const Tensor& tensor, std::int64_t first, std::span<float> out) {
  const TensorRecord& t = Handles::record(tensor);
  const Quantised& q = *t.as_quantised();
  const bool by_channel = q.scheme != QScheme::per_tensor_affine, floats = q.scheme == QScheme::per_channel_affine_float_qparams;
  std::vector<float> scales, zeros;
  std::vector<std::int64_t> zero_points;
  if (by_channel) {
    const auto owner = Handles::owner(tensor);
    for (const TensorRecord* t_of : {q.scales, q.zero_points})
      BRINE_TRY(check_claim(Handles::tensor(owner, t_of), "the scales of a quantised tensor"));
    auto all = Handles::tensor(owner, q.scales).to_vector<float>();  // rounded as PyTorch's static_cast
    if (!all) return std::move(all).error();
    scales = std::move(*all);
    if (floats) {
      BRINE_LET(z, Handles::tensor(owner, q.zero_points).to_vector<float>());
      zeros = std::move(*z);
    } else {
      BRINE_LET(z, Handles::tensor(owner, q.zero_points).to_vector<std::int64_t>());
      zero_points = std::move(*z);
    }
  }
  std::int32_t batch[kBatch];
  const auto scale = static_cast<float>(q.scale);
  const auto zero_point = static_cast<std::int32_t>(q.zero_point);
  std::optional<Channels> channels;
  if (by_channel && !out.empty()) channels.emplace(t, q.axis, first);
  for (std::size_t done = 0; done < out.size(); done += kBatch) {
    const std::size_t n = std::min(kBatch, out.size() - done);
    BRINE_TRY(integers(tensor, first + static_cast<std::int64_t>(done), std::span(batch).first(n)));
    float* to = out.data() + done;
    if (!by_channel) {
      for (std::size_t i = 0; i < n; ++i) to[i] = number(batch[i], zero_point, scale);
      continue;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t c = channels->next();
      to[i] = floats ? (static_cast<float>(batch[i]) - zeros[c]) * scales[c] : number(batch[i], static_cast<std::int32_t>(zero_points[c]), scales[c]);
    }
  }
  return {};
}

}  // namespace brine
