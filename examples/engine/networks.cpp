// SPDX-License-Identifier: MIT
#include "networks.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

namespace engine {

namespace {

// ---- VGG: convolutions of 3 × 3, now and then a pooling, and three linear layers

constexpr int kPool = 0;
using Plan = std::vector<int>;  // channels of each convolution, or kPool

class Vgg final : public Network {
 public:
  Vgg(Weights& weights, const Plan& plan, bool batch_norm) {
    int channels = 3, place = 0;  // the names count every module of nn.Sequential, relu and pooling too
    for (const int next : plan) {
      if (next == kPool) {
        steps_.push_back({});
        ++place;
        continue;
      }
      Step step{Conv2d(weights, "features." + std::to_string(place++), {channels, next, 3, 1, 1}, true), {}};
      if (batch_norm) step.norm.emplace(weights, "features." + std::to_string(place++), next);
      ++place;
      steps_.push_back(std::move(step));
      channels = next;
    }
    const int classes = static_cast<int>(weights.size("classifier.6.weight", 0));
    linear_.emplace_back(weights, "classifier.0", channels * 7 * 7, 4096);
    linear_.emplace_back(weights, "classifier.3", 4096, 4096);
    linear_.emplace_back(weights, "classifier.6", 4096, classes);
  }

  Map operator()(Map map) const override {
    for (const Step& step : steps_) {
      if (!step.conv) {
        map = max_pool(map, 2, 2, 0);
        continue;
      }
      map = (*step.conv)(map);
      if (step.norm) (*step.norm)(map);
      relu(map);
    }
    map = adaptive_avg_pool(map, 7, 7);
    for (const Linear& linear : linear_) {
      if (&linear != &linear_.front()) relu(map);
      map = linear(map);
    }
    return map;
  }

 private:
  struct Step {  // without a convolution: pooling
    std::optional<Conv2d> conv;
    std::optional<BatchNorm2d> norm;
  };
  std::vector<Step> steps_;
  std::vector<Linear> linear_;
};

// ---- ResNet: blocks of convolutions, each added to its own input

struct ConvNorm {
  ConvNorm(Weights& weights, const std::string& conv_name, const std::string& norm_name, const ConvShape& shape)
      : conv(weights, conv_name, shape, false), norm(weights, norm_name, shape.out) {}
  Map operator()(const Map& in) const {
    Map out = conv(in);
    norm(out);
    return out;
  }
  Conv2d conv;
  BatchNorm2d norm;
};

class Block {
 public:
  /// `shapes`: of the convolutions conv1, conv2 … A shortcut whose size changes is a convolution of its own.
  Block(Weights& weights, const std::string& name, const std::vector<ConvShape>& shapes, int stride) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      convs_.emplace_back(weights, name + ".conv" + number, name + ".bn" + number, shapes[i]);
    }
    const int in = shapes.front().in, out = shapes.back().out;
    if (stride != 1 || in != out) shortcut_.emplace(weights, name + ".downsample.0", name + ".downsample.1", ConvShape{in, out, 1, stride});
  }

  Map operator()(const Map& in) const {
    Map out = convs_.front()(in);
    for (std::size_t i = 1; i < convs_.size(); ++i) {
      relu(out);
      out = convs_[i](out);
    }
    add(out, shortcut_ ? (*shortcut_)(in) : in);
    relu(out);
    return out;
  }

 private:
  std::vector<ConvNorm> convs_;
  std::optional<ConvNorm> shortcut_;
};

class ResNet final : public Network {
 public:
  /// `blocks` of each of the four layers; a bottleneck is 1 × 1, 3 × 3, 1 × 1 and four times as wide outside as inside.
  ResNet(Weights& weights, const std::vector<int>& blocks, bool bottleneck)
      : stem_(weights, "conv1", "bn1", {3, 64, 7, 2, 3}) {
    int in = 64, width = 64;
    for (std::size_t layer = 0; layer < blocks.size(); ++layer, width *= 2) {
      const int out = bottleneck ? 4 * width : width;
      for (int i = 0; i < blocks[layer]; ++i, in = out) {
        const int stride = layer > 0 && i == 0 ? 2 : 1;
        const std::string name = "layer" + std::to_string(layer + 1) + "." + std::to_string(i);
        const std::vector<ConvShape> shapes = bottleneck
            ? std::vector<ConvShape>{{in, width, 1}, {width, width, 3, stride, 1}, {width, out, 1}}
            : std::vector<ConvShape>{{in, width, 3, stride, 1}, {width, width, 3, 1, 1}};
        blocks_.emplace_back(weights, name, shapes, stride);
      }
    }
    fc_.emplace(weights, "fc", in, static_cast<int>(weights.size("fc.weight", 0)));
  }

  Map operator()(Map map) const override {
    map = stem_(map);
    relu(map);
    map = max_pool(map, 3, 2, 1);
    for (const Block& block : blocks_) map = block(map);
    return (*fc_)(adaptive_avg_pool(map, 1, 1));
  }

 private:
  ConvNorm stem_;
  std::vector<Block> blocks_;
  std::optional<Linear> fc_;
};

const Plan vgg11 = {64, kPool, 128, kPool, 256, 256, kPool, 512, 512, kPool, 512, 512, kPool};
const Plan vgg16 = {64, 64, kPool, 128, 128, kPool, 256, 256, 256, kPool, 512, 512, 512, kPool, 512, 512, 512, kPool};

}  // namespace

std::unique_ptr<Network> make_network(std::string_view name, Weights& weights) {
  if (name == "vgg11_bn") return std::make_unique<Vgg>(weights, vgg11, true);
  if (name == "vgg16") return std::make_unique<Vgg>(weights, vgg16, false);
  if (name == "resnet18") return std::make_unique<ResNet>(weights, std::vector{2, 2, 2, 2}, false);
  if (name == "resnet50") return std::make_unique<ResNet>(weights, std::vector{3, 4, 6, 3}, true);
  throw std::runtime_error("there is no network " + std::string(name) + ", but " + std::string(network_names));
}

}  // namespace engine
