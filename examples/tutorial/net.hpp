// SPDX-License-Identifier: MIT
// The page's little network in C++: its memory, and the names which that memory has in a state dict.
#pragma once

#include <brine/brine.hpp>

#include <string>
#include <vector>

struct Net {
  explicit Net(std::string last_name = "fc", std::int64_t classes = 3) : last(std::move(last_name)), n(classes) {}

  brine::Parameters parameters() {
    brine::Parameters p;
    p.add("conv.weight", std::span(conv_weight), {2, 1, 3, 3});
    p.add("conv.bias", std::span(conv_bias), {2});
    p.add("bn.weight", std::span(bn_weight), {2});
    p.add("bn.bias", std::span(bn_bias), {2});
    p.add_buffer("bn.running_mean", std::span(mean), {2});
    p.add_buffer("bn.running_var", std::span(variance), {2});
    p.add_buffer("bn.num_batches_tracked", std::span(&batches, 1), {});
    p.add(last + ".weight", std::span(last_weight), {n, 2});
    p.add(last + ".bias", std::span(last_bias), {n});
    return p;
  }

  std::string last;
  std::int64_t n, batches = 0;
  using Floats = std::vector<float>;
  Floats conv_weight = Floats(18), conv_bias = Floats(2);
  Floats bn_weight = Floats(2), bn_bias = Floats(2), mean = Floats(2), variance = Floats(2);
  Floats last_weight = Floats(static_cast<std::size_t>(2 * n)), last_bias = Floats(static_cast<std::size_t>(n));
};
