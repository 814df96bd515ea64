// SPDX-License-Identifier: MIT
// torchvision's networks, built from a file of weights.
#pragma once

#include "layers.hpp"

#include <memory>
#include <string_view>

namespace engine {

/// Takes a picture [3, H, W], gives the scores of the classes.
class Network {
 public:
  virtual ~Network() = default;
  virtual Map operator()(Map picture) const = 0;
};

inline constexpr std::string_view network_names = "vgg11_bn, vgg16, resnet18, resnet50";

/// Throws when there is no network of that name, or the weights do not fit it.
std::unique_ptr<Network> make_network(std::string_view name, Weights& weights);

}  // namespace engine
