// SPDX-License-Identifier: MIT
// The layers of a convolutional network, forward only, with PyTorch's names and arithmetic. A layer holds spans into the file of weights.
#pragma once

#include "weights.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace engine {

/// Channels of pictures, row after row: PyTorch's [C, H, W]. A vector is [N, 1, 1].
struct Map {
  Map(int channels_, int height_, int width_)
      : channels(channels_), height(height_), width(width_), values(area() * static_cast<std::size_t>(channels_)) {}

  std::size_t area() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }
  float* plane(int channel) { return values.data() + area() * static_cast<std::size_t>(channel); }
  const float* plane(int channel) const { return values.data() + area() * static_cast<std::size_t>(channel); }

  int channels, height, width;
  std::vector<float> values;
};

struct ConvShape {
  int in, out, kernel, stride = 1, padding = 0;
};

/// nn.Conv2d, square kernels. `name` is the module's: its weights are name.weight and name.bias.
class Conv2d {
 public:
  Conv2d(Weights& weights, const std::string& name, const ConvShape& shape, bool with_bias);
  Map operator()(const Map& in) const;

 private:
  void add_plane(const float* in, const float* kernel, const Map& from, Map& to, float* out) const;

  ConvShape shape_;
  std::span<const float> weight_;  // [out, in, kernel, kernel]
  std::span<const float> bias_;    // [out], or empty
};

/// nn.BatchNorm2d in eval mode: the running statistics make it one multiplication and one addition.
class BatchNorm2d {
 public:
  BatchNorm2d(Weights& weights, const std::string& name, int channels);
  void operator()(Map& map) const;  // in place

 private:
  std::vector<float> scale_, shift_;
};

/// nn.Linear.
class Linear {
 public:
  Linear(Weights& weights, const std::string& name, int in, int out);
  Map operator()(const Map& in) const;

 private:
  int in_, out_;
  std::span<const float> weight_, bias_;  // [out, in], [out]
};

void relu(Map& map);                                              // in place
void add(Map& map, const Map& other);                             // in place
Map max_pool(const Map& in, int kernel, int stride, int padding);
Map adaptive_avg_pool(const Map& in, int height, int width);

}  // namespace engine
