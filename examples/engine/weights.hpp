// SPDX-License-Identifier: MIT
// Weights: all that the engine knows of brine. A layer asks for a tensor by name and says which shape it expects; what it gets is a span
// into the mapped file.
#pragma once

#include <brine/brine.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace engine {

class Weights {
 public:
  /// Opens a file of weights, or of a whole pickled model: both give the same names. Throws brine::Exception.
  explicit Weights(const std::string& path);

  /// The elements of that name, in row-major order; valid while this object lives. Throws when there are none or the shape is another.
  std::span<const float> get(const std::string& name, std::initializer_list<std::int64_t> shape);

  /// One dimension of a tensor's shape: how many classes the last layer has.
  std::int64_t size(const std::string& name, std::size_t dimension) const;

  std::size_t bytes_in_place() const { return in_place_; }
  std::size_t bytes_copied() const { return copied_; }

 private:
  brine::StateDict state_;  // keeps the mapping alive
  std::deque<std::vector<float>> copies_;
  std::size_t in_place_ = 0, copied_ = 0;
};

}  // namespace engine
