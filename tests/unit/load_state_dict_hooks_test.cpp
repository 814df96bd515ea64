// SPDX-License-Identifier: MIT
// Load pre-hooks, where PyTorch is no judge: faults, wide matrices. What they do with keys is held against PyTorch by the live tests.
#include <brine/brine.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace brine;

namespace {

using Strings = std::vector<std::string>;

Tensor tensor(const std::vector<float>& values, std::initializer_list<std::int64_t> shape) {
  return *Tensor::copy(std::span<const float>(values), shape);
}

/// A Linear under old spectral_norm, 2 outputs and 3 inputs, and a dict of before its version 1, with W v = sigma u for v = (1, 2, 2) / 3.
struct Old {
  std::vector<float> orig = std::vector<float>(6), u = std::vector<float>(2), v = std::vector<float>(3);
  Parameters mine;
  StateDict state;

  explicit Old(std::int64_t dim = 0) {
    mine.add("weight_orig", std::span(orig), {2, 3});
    mine.add_buffer("weight_u", std::span(u), {2});
    mine.add_buffer("weight_v", std::span(v), {3});
    mine.module("", {.spectral_norm = {{.name = "weight", .dim = dim}}});
    state.insert("weight_orig", tensor({6, 0, 0, 0, 3, 3}, {2, 3}));
    state.insert("weight", tensor({2, 0, 0, 0, 1, 1}, {2, 3}));
    state.insert("weight_u", tensor({0.6F, 0.8F}, {2}));
  }
  std::string fault() {
    const auto report = load_state_dict(mine, state);
    REQUIRE(!report);
    CHECK(report.error().kind() == ErrorKind::usage);
    CHECK(orig == std::vector<float>(6));
    return report.error().message();
  }
};

}  // namespace

TEST_CASE("old spectral_norm: more inputs than outputs") {
  Old old;
  const std::vector<float> w{1, 2, 3, 4, 5, 7};
  old.state.insert("weight_orig", tensor(w, {2, 3}));
  old.state.insert("weight", tensor({0.5F, 1, 1.5F, 2, 2.5F, 3.5F}, {2, 3}));
  const auto report = load_state_dict(old.mine, old.state);
  REQUIRE(report);
  CHECK(report->to_string() == "<All keys matched successfully>");
  CHECK(report->loaded == 3);
  const double first = w[0] * old.v[0] + w[1] * old.v[1] + w[2] * old.v[2], second = w[3] * old.v[0] + w[4] * old.v[1] + w[5] * old.v[2];
  CHECK(first == doctest::Approx(2 * 0.6));  // W v = sigma u, since sigma = u · W v
  CHECK(second == doctest::Approx(2 * 0.8));
  // The shortest of such v has no part across the rows: (-1, 5, -3) is at a right angle to both.
  CHECK(-old.v[0] + 5 * old.v[1] - 3 * old.v[2] == doctest::Approx(0));
}

TEST_CASE("old spectral_norm: 0 / 0 is NaN, as in PyTorch") {
  Old old;
  REQUIRE(load_state_dict(old.mine, old.state));
  CHECK(std::isnan(old.v[0]));
}

TEST_CASE("old spectral_norm: values that cannot be computed with") {
  Old turned(5);
  CHECK(turned.fault().find("the weight has no dimension 5") != std::string::npos);
  Old wide;
  wide.state.insert("weight_u", tensor({1, 2, 3}, {3}));
  CHECK(wide.fault().find("weight: weights from before spectral_norm's version 1: the shapes do not go together") != std::string::npos);
  Old other;
  const std::vector<double> doubles(6, 1);
  other.state.insert("weight", *Tensor::copy(std::span<const double>(doubles), {2, 3}));
  CHECK(other.fault().find("must be float32, or float64") != std::string::npos);
  Old expanded;
  const std::vector<std::int64_t> shape{1 << 20, 1 << 20}, stride{0, 0};
  const Tensor one = tensor({1}, {1});
  const Tensor square = *Tensor::view(one.storage(), DType::float32, shape, stride);
  expanded.state.insert("weight", square);
  expanded.state.insert("weight_orig", square);
  expanded.state.insert("weight_u", *Tensor::view(one.storage(), DType::float32, std::span(shape).first(1), std::span(stride).first(1)));
  CHECK(expanded.fault().find("expanded") != std::string::npos);
}

TEST_CASE("spectral_norm: what a module is not told about is plain") {
  Old old;
  Parameters plain;
  plain.add("weight_orig", std::span(old.orig), {2, 3});
  plain.add_buffer("weight_u", std::span(old.u), {2});
  plain.add_buffer("weight_v", std::span(old.v), {3});
  const auto report = load_state_dict(plain, old.state, {.strict = false});
  REQUIRE(report);
  CHECK(report->missing_keys == Strings{"weight_v"});
  CHECK(report->unexpected_keys == Strings{"weight"});
}

TEST_CASE("weight_norm: described or told by names") {
  std::vector<float> g(2), v(6);
  StateDict state;
  state.insert("a.weight_v", tensor({1, 2, 3, 4, 5, 6}, {2, 3}));
  state.insert("a.weight_g", tensor({7, 8}, {2, 1}));
  const auto load = [&](const std::vector<std::string>* names) {
    Parameters mine;
    if (names) mine.module("a", {.weight_norm = *names});
    mine.add("a.parametrizations.weight.original0", std::span(g), {2, 1});
    mine.add("a.parametrizations.weight.original1", std::span(v), {2, 3});
    return load_state_dict(mine, state);
  };
  const Strings weight{"weight"}, none;
  CHECK(load(&weight));
  CHECK(g == std::vector<float>{7, 8});
  CHECK(v[5] == 6);
  CHECK(load(nullptr));
  CHECK(!load(&none));
  CHECK(state.contains("a.weight_g"));  // the caller's dict is as it was
}
