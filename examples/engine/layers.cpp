// SPDX-License-Identifier: MIT
#include "layers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace engine {

namespace {

// How many windows of `kernel` fit, as PyTorch counts them.
int windows(int size, int kernel, int stride, int padding) {
  if (size + 2 * padding < kernel) throw std::runtime_error("the input is smaller than the kernel");
  return (size + 2 * padding - kernel) / stride + 1;
}

std::size_t index(int i) { return static_cast<std::size_t>(i); }

// The first and one past the last output whose input, out × stride + step, lies in [0, size).
struct Range {
  int begin, end;
};
Range inside(int outputs, int size, int stride, int step) {
  const int begin = step < 0 ? (-step + stride - 1) / stride : 0;
  const int end = step < size ? (size - 1 - step) / stride + 1 : 0;
  return {begin, std::clamp(end, begin, std::max(begin, outputs))};
}

}  // namespace

Conv2d::Conv2d(Weights& weights, const std::string& name, const ConvShape& shape, bool with_bias)
    : shape_(shape), weight_(weights.get(name + ".weight", {shape.out, shape.in, shape.kernel, shape.kernel})) {
  if (with_bias) bias_ = weights.get(name + ".bias", {shape.out});
}

// Adds what one input channel gives to one output channel. The innermost loop runs along a row of both, so that it can be vectorised.
void Conv2d::add_plane(const float* in, const float* kernel, const Map& from, Map& to, float* out) const {
  const int stride = shape_.stride;
  for (int ky = 0; ky < shape_.kernel; ++ky) {
    const int step_y = ky - shape_.padding;
    const Range rows = inside(to.height, from.height, stride, step_y);
    for (int kx = 0; kx < shape_.kernel; ++kx) {
      const int step_x = kx - shape_.padding;
      const Range columns = inside(to.width, from.width, stride, step_x);
      const float factor = kernel[ky * shape_.kernel + kx];
      for (int y = rows.begin; y < rows.end; ++y) {
        float* to_row = out + y * to.width;
        const float* from_row = in + (y * stride + step_y) * from.width + step_x;
        if (stride == 1) {
          for (int x = columns.begin; x < columns.end; ++x) to_row[x] += factor * from_row[x];
        } else {
          for (int x = columns.begin; x < columns.end; ++x) to_row[x] += factor * from_row[x * stride];
        }
      }
    }
  }
}

Map Conv2d::operator()(const Map& in) const {
  if (in.channels != shape_.in) throw std::runtime_error("convolution: the input has another number of channels");
  Map out(shape_.out, windows(in.height, shape_.kernel, shape_.stride, shape_.padding),
          windows(in.width, shape_.kernel, shape_.stride, shape_.padding));
  const std::size_t kernel_size = index(shape_.kernel) * index(shape_.kernel);
  const float* kernel = weight_.data();
  for (int o = 0; o < shape_.out; ++o) {
    std::fill_n(out.plane(o), out.area(), bias_.empty() ? 0.0f : bias_[index(o)]);
    for (int i = 0; i < shape_.in; ++i, kernel += kernel_size) add_plane(in.plane(i), kernel, in, out, out.plane(o));
  }
  return out;
}

BatchNorm2d::BatchNorm2d(Weights& weights, const std::string& name, int channels) : scale_(index(channels)), shift_(index(channels)) {
  const auto weight = weights.get(name + ".weight", {channels}), bias = weights.get(name + ".bias", {channels});
  const auto mean = weights.get(name + ".running_mean", {channels}), variance = weights.get(name + ".running_var", {channels});
  for (std::size_t c = 0; c < scale_.size(); ++c) {
    scale_[c] = weight[c] / std::sqrt(variance[c] + 1e-5f);  // nn.BatchNorm2d's eps
    shift_[c] = bias[c] - mean[c] * scale_[c];
  }
}

void BatchNorm2d::operator()(Map& map) const {
  for (int c = 0; c < map.channels; ++c) {
    for (float& v : std::span(map.plane(c), map.area())) v = v * scale_[index(c)] + shift_[index(c)];
  }
}

Linear::Linear(Weights& weights, const std::string& name, int in, int out)
    : in_(in), out_(out), weight_(weights.get(name + ".weight", {out, in})), bias_(weights.get(name + ".bias", {out})) {}

Map Linear::operator()(const Map& in) const {
  if (in.values.size() != index(in_)) throw std::runtime_error("linear: the input has another number of values");
  Map out(out_, 1, 1);
  for (std::size_t o = 0; o < out.values.size(); ++o) {
    const float* row = weight_.data() + o * index(in_);
    // Sixteen sums side by side: one alone would wait for itself at every addition, and lose digits.
    std::array<float, 16> sums{};
    std::size_t i = 0;
    for (; i + sums.size() <= index(in_); i += sums.size()) {
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += row[i + k] * in.values[i + k];
    }
    for (; i < index(in_); ++i) sums[0] += row[i] * in.values[i];
    float sum = bias_[o];
    for (const float s : sums) sum += s;
    out.values[o] = sum;
  }
  return out;
}

void relu(Map& map) {
  for (float& v : map.values) v = v < 0 ? 0 : v;  // NaN stays NaN, as in PyTorch
}

void add(Map& map, const Map& other) {
  if (map.values.size() != other.values.size()) throw std::runtime_error("residual: the two branches differ in size");
  for (std::size_t i = 0; i < map.values.size(); ++i) map.values[i] += other.values[i];
}

Map max_pool(const Map& in, int kernel, int stride, int padding) {
  Map out(in.channels, windows(in.height, kernel, stride, padding), windows(in.width, kernel, stride, padding));
  for (int c = 0; c < in.channels; ++c) {
    float* to = out.plane(c);
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x, ++to) {
        *to = -std::numeric_limits<float>::infinity();
        const int top = y * stride - padding, left = x * stride - padding;
        for (int row = std::max(top, 0); row < std::min(top + kernel, in.height); ++row) {
          for (int column = std::max(left, 0); column < std::min(left + kernel, in.width); ++column) {
            *to = std::max(*to, in.plane(c)[row * in.width + column]);
          }
        }
      }
    }
  }
  return out;
}

// Output i averages the inputs from floor(i × in / out) to ceil((i + 1) × in / out): windows of different sizes that may overlap.
Map adaptive_avg_pool(const Map& in, int height, int width) {
  Map out(in.channels, height, width);
  for (int c = 0; c < in.channels; ++c) {
    float* to = out.plane(c);
    for (int y = 0; y < height; ++y) {
      const int top = y * in.height / height, bottom = ((y + 1) * in.height + height - 1) / height;
      for (int x = 0; x < width; ++x, ++to) {
        const int left = x * in.width / width, right = ((x + 1) * in.width + width - 1) / width;
        float sum = 0;
        for (int row = top; row < bottom; ++row) {
          for (int column = left; column < right; ++column) sum += in.plane(c)[row * in.width + column];
        }
        *to = sum / static_cast<float>((bottom - top) * (right - left));
      }
    }
  }
  return out;
}

}  // namespace engine
