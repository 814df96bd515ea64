// SPDX-License-Identifier: MIT
#include "weights.hpp"

#include <algorithm>
#include <stdexcept>

namespace engine {

namespace {

std::string text(std::span<const std::int64_t> shape) {
  std::string out;
  for (const std::int64_t n : shape) out += (out.empty() ? "[" : ", ") + std::to_string(n);
  return out.empty() ? "[]" : out + "]";
}

}  // namespace

Weights::Weights(const std::string& path) : state_(brine::load(path).value().state_dict().value()) {}

std::span<const float> Weights::get(const std::string& name, std::initializer_list<std::int64_t> shape) {
  const brine::Tensor tensor = state_.at(name).value();
  if (!std::ranges::equal(tensor.shape(), shape)) {
    throw std::runtime_error(name + " has the shape " + text(tensor.shape()) + ", the network expects " + text(shape));
  }
  if (const auto elements = tensor.data<float>()) {
    in_place_ += elements->size_bytes();
    return *elements;
  }
  // No plain row-major float32 (float16, channels_last, a compressed record …): a copy of our own, converted as PyTorch converts.
  std::vector<float>& copy = copies_.emplace_back(static_cast<std::size_t>(tensor.numel()));
  tensor.copy_to(brine::DType::float32, std::as_writable_bytes(std::span(copy))).value();
  copied_ += copy.size() * sizeof(float);
  return copy;
}

std::int64_t Weights::size(const std::string& name, std::size_t dimension) const {
  const brine::Tensor tensor = state_.at(name).value();
  if (dimension >= tensor.shape().size()) throw std::runtime_error(name + " has the shape " + text(tensor.shape()));
  return tensor.shape()[dimension];
}

}  // namespace engine
