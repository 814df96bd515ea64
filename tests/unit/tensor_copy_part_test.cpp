// SPDX-License-Identifier: MIT
// Tensor::copy_part: every range of every kind of view, from memory, a function and deflated records; what reading in pieces costs.
#include "support/torch_file.hpp"

using namespace brine;
using namespace brine::test;

namespace {

/// The file in each way its bytes can come.
std::vector<Checkpoint> ways(const Pickle& object, const std::string& data, ZipShape shape = {}) {
  std::vector<Checkpoint> out;
  for (const bool deflate : {false, true}) {
    shape.deflate = deflate;
    const std::string file = torch_zip(object, {{"0", data}}, shape);
    out.push_back(load(source_over(file)).value());
    out.push_back(load(callback_over(file)).value());
  }
  return out;
}

template <class T>
void check_ranges(const Tensor& t) {
  const std::vector<T> all = t.to_vector<T>().value();
  for (std::size_t first = 0; first <= all.size(); ++first)
    for (const std::size_t wanted : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}, all.size()}) {
      std::vector<T> part(std::min(wanted, all.size() - first));
      REQUIRE(t.copy_part(dtype_of<T>::value, static_cast<std::int64_t>(first), std::as_writable_bytes(std::span(part))));
      REQUIRE(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(first)));
    }
}

std::string noise(std::size_t bytes) {
  std::string out(bytes, '\0');
  std::uint32_t state = 1;
  for (char& c : out) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return out;
}

}  // namespace

TEST_CASE("every range of every view") {
  const Pickle::View views[] = {
      {.numel = 120, .size = {120}, .stride = {1}},
      {.numel = 120, .offset = 3, .size = {4, 5}, .stride = {10, 2}},
      {.numel = 120, .offset = 7, .size = {6, 3}, .stride = {0, 1}},
      {.numel = 120, .offset = 7, .size = {3, 6}, .stride = {1, 0}},
      {.numel = 120, .size = {3, 4}, .stride = {1, 3}},
      {.numel = 120, .size = {10, 4}, .stride = {1, 1}},
      {.numel = 120, .size = {2, 3, 4, 5}, .stride = {60, 20, 5, 1}},
      {.numel = 120, .size = {5, 4, 3, 2}, .stride = {1, 5, 20, 60}},
      {.numel = 120, .size = {4, 2, 5, 3}, .stride = {5, 60, 1, 20}},
      {.numel = 120, .size = {2, 1, 4, 5}, .stride = {60, 99, 5, 1}},
      {.numel = 120, .offset = 119, .size = {}, .stride = {}},
      {.numel = 120, .size = {0, 3}, .stride = {3, 1}},
  };
  for (const auto& view : views)
    for (const char* order : {"little", "big"})
      for (const Checkpoint& ckpt : ways(Pickle(2).tensor(view), counting(120), {.byteorder = order})) {
        check_ranges<float>(root_tensor(ckpt));
        check_ranges<double>(root_tensor(ckpt));
      }
}

TEST_CASE("conjugates and negatives") {
  for (const char* bit : {"conj", "neg"}) {
    Pickle p(2);
    p.global("torch._utils", "_rebuild_tensor_v2").mark().storage("ComplexFloatStorage", "0", 6).integer(0).ints({3, 2}).ints({1, 3}).boolean(false)
        .ordered_dict().empty_dict().str(bit).boolean(true).setitem();
    for (const Checkpoint& ckpt : ways(p.tuple().reduce(), counting(12))) check_ranges<std::complex<float>>(root_tensor(ckpt));
  }
}

TEST_CASE("a part of a view of any size; ranges and dtypes that are refused") {
  for (const Checkpoint& ckpt : ways(Pickle(2).tensor({.numel = 2, .offset = 1, .size = {std::int64_t{1} << 55}, .stride = {0}}), counting(2))) {
    const Tensor t = root_tensor(ckpt);
    std::vector<float> part(100);
    const auto bytes = std::as_writable_bytes(std::span(part));
    REQUIRE(t.copy_part((std::int64_t{1} << 55) - 100, bytes));
    CHECK(part == std::vector<float>(100, 1.0F));
    check_code(t.copy_part((std::int64_t{1} << 55) - 99, bytes), ErrorKind::usage, ErrorCode::out_of_range);
    check_code(t.copy_part(-1, bytes), ErrorKind::usage, ErrorCode::out_of_range);
    check_code(t.copy_part(0, bytes.first(5)), ErrorKind::usage, ErrorCode::buffer_size);
    check_code(t.copy_part(DType::qint8, 0, bytes), ErrorKind::usage, ErrorCode::wrong_dtype);
  }
}

TEST_CASE("pieces in order inflate a record once, and a view is read once whatever its strides") {
  constexpr std::int64_t side = 1024;
  const std::string data = noise(side * side * 4);
  for (const bool deflate : {false, true})
    for (const bool transposed : {false, true}) {
      const Pickle::View view{.numel = side * side, .size = {side, side}, .stride = {transposed ? 1 : side, transposed ? side : 1}};
      const std::string file = torch_zip(Pickle(2).tensor(view), {{"0", data}}, {.deflate = deflate});
      const auto read = std::make_shared<std::uint64_t>(0);
      const Tensor t = root_tensor(load(callback_over(file, read)).value());
      std::vector<std::byte> whole(data.size()), pieces(data.size());
      *read = 0;
      REQUIRE(t.copy_to(whole));
      CHECK(*read < data.size() * 3 / 2);
      const std::byte* first = reinterpret_cast<const std::byte*>(data.data());
      if (!transposed) CHECK(std::equal(whole.begin(), whole.end(), first));
      else CHECK(std::equal(whole.begin() + 4, whole.begin() + 8, first + side * 4));
      if (transposed) continue;  // then each piece needs all of the storage
      *read = 0;
      constexpr std::size_t piece = 10'000;
      for (std::size_t at = 0; at < pieces.size(); at += piece)
        REQUIRE(t.copy_part(static_cast<std::int64_t>(at / 4), std::span(pieces).subspan(at, std::min(piece, pieces.size() - at))));
      CHECK(*read < data.size() * 3 / 2);
      CHECK(pieces == whole);
    }
}
