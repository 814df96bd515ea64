// SPDX-License-Identifier: MIT
// check_strided: every element inside the storage, with sizes, strides and offsets at the edges of 64 bits.
#include "tensor/layout.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace brine;

namespace {

constexpr std::int64_t kMax = INT64_MAX;

struct Verdict {
  bool ok;
  ErrorCode code;
};
Verdict check(std::vector<std::int64_t> size, std::vector<std::int64_t> stride, std::int64_t offset, std::int64_t numel,
              DType dtype = DType::float32) {
  const auto done = check_strided({dtype, size, stride, offset, numel}, {});
  return {done.has_value(), done ? ErrorCode::bad_argument : done.error().code()};
}
bool fits(std::vector<std::int64_t> size, std::vector<std::int64_t> stride, std::int64_t offset, std::int64_t numel) {
  return check(size, stride, offset, numel).ok;
}
bool outside(std::vector<std::int64_t> size, std::vector<std::int64_t> stride, std::int64_t offset, std::int64_t numel) {
  const auto v = check(size, stride, offset, numel);
  return !v.ok && v.code == ErrorCode::tensor_bounds;
}

}  // namespace

TEST_CASE("just inside, just outside") {
  CHECK(fits({2, 3}, {3, 1}, 0, 6));
  CHECK(outside({2, 3}, {3, 1}, 0, 5));
  CHECK(outside({2, 3}, {3, 1}, 1, 6));
  CHECK(fits({2, 3}, {3, 1}, 1, 7));
  CHECK(fits({2, 2}, {3, 1}, 0, 5));
  CHECK(outside({2, 2}, {3, 1}, 0, 4));
  CHECK(fits({3, 2}, {1, 3}, 0, 6));
  CHECK(fits({2, 2}, {1, 1}, 0, 3));  // overlapping
  CHECK(fits({1000}, {0}, 2, 3));     // expanded
  CHECK(outside({1000}, {0}, 3, 3));
}

TEST_CASE("without dimensions: one element; without elements: nothing is needed") {
  CHECK(fits({}, {}, 0, 1));
  CHECK(fits({}, {}, 4, 5));
  CHECK(outside({}, {}, 0, 0));
  CHECK(outside({}, {}, 5, 5));
  CHECK(fits({0}, {1}, 0, 0));
  CHECK(fits({3, 0, 7}, {100, 100, 100}, 1'000'000, 2));
  CHECK(fits({0, kMax}, {kMax, kMax}, kMax, 0));
}

TEST_CASE("strides of size 1 do not reach anywhere") {
  CHECK(fits({1, 3}, {kMax, 1}, 0, 3));
  CHECK(fits({1}, {kMax}, 0, 1));
}

TEST_CASE("negative numbers") {
  CHECK(outside({-1}, {1}, 0, 10));
  CHECK(outside({INT64_MIN}, {1}, 0, 10));
  CHECK(outside({2}, {-1}, 5, 10));
  CHECK(outside({1}, {INT64_MIN}, 0, 10));
  CHECK(outside({2}, {1}, -1, 10));
  CHECK(outside({-1, 0}, {1, 1}, 0, 10));  // also where there are no elements
  CHECK(outside({0}, {-1}, 0, 10));
}

TEST_CASE("overflow: of the count, of its bytes, of the reach") {
  const auto overflows = [](std::vector<std::int64_t> size, DType dtype) {
    const auto v = check(size, std::vector<std::int64_t>(size.size(), 0), 0, kMax, dtype);
    return !v.ok && v.code == ErrorCode::tensor_size;
  };
  CHECK(overflows({kMax, 2}, DType::uint8));
  CHECK(overflows({std::int64_t{1} << 32, std::int64_t{1} << 31}, DType::uint8));
  CHECK_FALSE(overflows({kMax}, DType::uint8));
  CHECK(overflows({kMax / 4 + 1}, DType::float32));
  CHECK_FALSE(overflows({kMax / 4}, DType::float32));
  CHECK(overflows({kMax / 16 + 1}, DType::complex128));
  CHECK(overflows({kMax, kMax, 0}, DType::uint8) == false);
  CHECK(outside({3}, {kMax}, 0, kMax));
  CHECK(outside({2}, {kMax}, 1, kMax));
  CHECK(outside({2, 2}, {kMax - 1, 2}, 0, kMax));
  CHECK(outside({2}, {kMax}, 0, kMax));
  CHECK(fits({2}, {kMax - 1}, 0, kMax));
  CHECK(fits({}, {}, kMax - 1, kMax));
  CHECK(outside({}, {}, kMax, kMax));
}

TEST_CASE("dimensions: lengths that differ; 64 and no more") {
  CHECK(check({1, 2}, {1}, 0, 10).code == ErrorCode::tensor_arguments);
  CHECK(check({}, {1}, 0, 10).code == ErrorCode::tensor_arguments);
  CHECK(fits(std::vector<std::int64_t>(64, 1), std::vector<std::int64_t>(64, 1), 0, 1));
  const std::vector<std::int64_t> ones(65, 1);
  const auto refused = check_strided({DType::float32, ones, ones, 0, 1}, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::too_many_dimensions);
  CHECK(refused.error().kind() == ErrorKind::limit);
}

TEST_CASE("contiguous: sizes 1 and empty tensors do not count") {
  using V = std::vector<std::int64_t>;
  const auto contiguous = [](const V& size, const V& stride) { return is_contiguous(size, stride); };
  CHECK(contiguous({}, {}));
  CHECK(contiguous({2, 3}, {3, 1}));
  CHECK(contiguous({2, 1, 3}, {3, 77, 1}));
  CHECK(contiguous({0, 5}, {9, 9}));
  CHECK_FALSE(contiguous({2, 3}, {1, 2}));
  CHECK_FALSE(contiguous({2}, {2}));
  CHECK_FALSE(contiguous({2}, {0}));
  CHECK(element_count(V{3, 4}) == 12);
  CHECK(element_count(V{}) == 1);
  CHECK(element_count(V{kMax, 0, kMax}) == 0);
  CHECK(element_count(V{kMax, 2}) == std::nullopt);
}
