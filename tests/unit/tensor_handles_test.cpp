// SPDX-License-Identifier: MIT
// Tensor and Storage: spans where they lie and what is refused, copies of any view, casts, byte order, lazy bits, handles.
#include "support/torch_file.hpp"

#include <numeric>
#include <optional>

using namespace brine;
using namespace brine::test;

namespace {

/// One tensor in a file of its own.
Tensor tensor(const Pickle::View& view, const std::string& data, const ZipShape& shape = {}) {
  const Checkpoint ckpt = open_zip(Pickle(2).tensor(view), {{std::string(view.key), data}}, shape);
  return ckpt.root().as_tensor().value();
}
Tensor small() { return tensor({.numel = 6, .size = {2, 3}, .stride = {3, 1}}, counting(6)); }

/// The elements by a loop over all indices.
std::vector<float> naive(const Tensor& t, const std::vector<float>& storage) {
  std::vector<float> out;
  std::vector<std::int64_t> at(t.shape().size(), 0);
  for (std::int64_t n = 0; n < t.numel(); ++n) {
    std::int64_t offset = t.storage_offset();
    for (std::size_t d = 0; d < at.size(); ++d) offset += at[d] * t.stride()[d];
    out.push_back(storage[static_cast<std::size_t>(offset)]);
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < t.shape()[d]) break;
      at[d] = 0;
    }
  }
  return out;
}

/// As tensor(), called with a 7th argument: {'conj' or 'neg': True}.
Tensor lazy(std::string_view cls, std::int64_t numel, const std::string& data, std::initializer_list<std::string_view> bits) {
  Pickle p(2);
  p.global("torch._utils", "_rebuild_tensor_v2").mark().storage(cls, "0", numel).integer(0).ints({numel}).ints({1}).boolean(false)
      .ordered_dict().empty_dict();
  for (const auto bit : bits) p.str(bit).boolean(true).setitem();
  return root_tensor(open_zip(p.tuple().reduce(), {{"0", data}}));
}

}  // namespace

TEST_CASE("a tensor says what it is") {
  const Tensor t = small();
  CHECK(t.dtype() == DType::float32);
  CHECK(std::vector(t.shape().begin(), t.shape().end()) == std::vector<std::int64_t>{2, 3});
  CHECK(std::vector(t.stride().begin(), t.stride().end()) == std::vector<std::int64_t>{3, 1});
  CHECK(t.numel() == 6);
  CHECK(t.nbytes() == 24);
  CHECK(t.storage_offset() == 0);
  CHECK(t.is_contiguous());
  CHECK_FALSE(t.requires_grad());
  CHECK_FALSE(t.is_parameter());
  CHECK(t.device() == "cpu");
  CHECK(t.storage().key() == "0");
  CHECK(t.storage().nbytes() == 24);
}

TEST_CASE("data<T>(): a span into the file, and each refusal with its code") {
  const std::string file = torch_zip(Pickle(2).tensor({.numel = 6, .size = {2, 3}, .stride = {3, 1}}), {{"0", counting(6)}});
  const Source source = source_over(file);
  const Tensor t = root_tensor(load(source).value());
  const auto data = t.data<float>();
  REQUIRE(data);
  CHECK(data->size() == 6);
  CHECK((*data)[5] == 5.0F);
  const auto* at = reinterpret_cast<const std::byte*>(data->data());
  CHECK(at - source.view().data() == static_cast<std::ptrdiff_t>(t.storage().location()->offset));
  CHECK(std::equal(data->begin(), data->end(), t.to_vector<float>().value().begin()));

  check_code(t.data<double>(), ErrorKind::usage, ErrorCode::wrong_dtype);
  check_code(t.data<std::int32_t>(), ErrorKind::usage, ErrorCode::wrong_dtype);
  const Tensor columns = tensor({.numel = 6, .size = {3, 2}, .stride = {1, 3}}, counting(6));
  check_code(columns.data<float>(), ErrorKind::usage, ErrorCode::not_contiguous);
  check_code(columns.data_bytes(), ErrorKind::usage, ErrorCode::not_contiguous);
  const Tensor big = tensor({.numel = 2, .size = {2}, .stride = {1}}, counting(2), {.byteorder = "big"});
  check_code(big.data<float>(), ErrorKind::usage, ErrorCode::foreign_byte_order);
  CHECK(big.data_bytes());
  check_code(lazy("ComplexFloatStorage", 1, elements<float>({1, 2}), {"conj"}).data<std::complex<float>>(), ErrorKind::usage,
             ErrorCode::lazy_bits);
  check_code(lazy("FloatStorage", 1, elements<float>({1}), {"neg"}).data_bytes(), ErrorKind::usage, ErrorCode::lazy_bits);

  ZipBuilder odd;  // the data at an odd place
  for (std::string padding = "3\n";; padding += '\n') {
    odd = ZipBuilder();
    odd.add("archive/data.pkl", Pickle(2).tensor({.numel = 1, .size = {1}, .stride = {1}}).bytes());
    odd.add("archive/version", padding);
    odd.add("archive/data/0", elements<float>({7}));
    if (odd.lay_out().records[2].data_at % 2 == 1) break;
  }
  const std::string file2 = odd.bytes();
  const Tensor unaligned = root_tensor(open_file(file2));
  check_code(unaligned.data<float>(), ErrorKind::usage, ErrorCode::not_aligned);
  CHECK(unaligned.data_bytes());
  CHECK(unaligned.item<float>().value() == 7.0F);
}

TEST_CASE("bool: bytes other than 0 and 1 are no C++ bool; copies make them so") {
  const Tensor ok = tensor({.cls = "BoolStorage", .numel = 3, .size = {3}, .stride = {1}}, std::string("\x00\x01\x01", 3));
  CHECK(ok.data<bool>().value()[1]);
  const Tensor odd = tensor({.cls = "BoolStorage", .numel = 3, .size = {3}, .stride = {1}}, std::string("\x00\x01\x02", 3));
  CHECK_FALSE(odd.data<bool>());
  CHECK(odd.to_vector<std::uint8_t>().value() == std::vector<std::uint8_t>{0, 1, 1});
}

TEST_CASE("without elements; without a storage") {
  const Tensor none = tensor({.numel = 0, .size = {3, 0}, .stride = {1, 1}}, "");
  CHECK(none.data<float>().value().empty());
  CHECK(none.to_vector<float>().value().empty());
  CHECK(none.copy_to({}));
  const Tensor unset = root_tensor(open_zip(Pickle(2).global("torch", "FloatTensor").empty_tuple().reduce(), {}));
  CHECK(unset.numel() == 0);
  CHECK_FALSE(unset.storage());
  CHECK(unset.data<float>().value().empty());
  CHECK(unset.device() == "cpu");
}

TEST_CASE("copies of views: strided, expanded, transposed, overlapping, of four dimensions") {
  std::vector<float> storage(120);
  std::iota(storage.begin(), storage.end(), 0.0F);
  const Pickle::View views[] = {
      {.numel = 120, .offset = 3, .size = {4, 5}, .stride = {10, 2}},
      {.numel = 120, .offset = 7, .size = {6, 3}, .stride = {0, 1}},
      {.numel = 120, .size = {3, 4}, .stride = {1, 3}},
      {.numel = 120, .size = {10, 4}, .stride = {1, 1}},
      {.numel = 120, .size = {2, 3, 4, 5}, .stride = {60, 20, 5, 1}},
      {.numel = 120, .size = {5, 4, 3, 2}, .stride = {1, 5, 20, 60}},
      {.numel = 120, .size = {2, 1, 4, 5}, .stride = {60, 99, 5, 1}},
      {.numel = 120, .offset = 119, .size = {}, .stride = {}},
      {.numel = 120, .offset = 119, .size = {1, 1}, .stride = {500, 500}},
      {.numel = 120, .size = {2, 3, 2}, .stride = {30, 4, 1}},
  };
  for (const auto& view : views) {
    const std::string file = torch_zip(Pickle(2).tensor(view), {{"0", counting(120)}});
    for (const bool behind : {false, true}) {
      const Tensor t = root_tensor(load(behind ? callback_over(file) : source_over(file)).value());
      const auto expected = naive(t, storage);
      CHECK(t.to_vector<float>().value() == expected);
      CHECK(t.to_vector<double>().value() == std::vector<double>(expected.begin(), expected.end()));
    }
  }
}

TEST_CASE("buffers of the wrong size; conversions there are none of; items") {
  const Tensor t = small();
  std::byte room[100];
  check_code(t.copy_to(std::span(room).first(23)), ErrorKind::usage, ErrorCode::buffer_size);
  check_code(t.copy_to(std::span(room).first(25)), ErrorKind::usage, ErrorCode::buffer_size);
  check_code(t.copy_to(DType::float64, std::span(room).first(24)), ErrorKind::usage, ErrorCode::buffer_size);
  check_code(t.copy_to(DType::qint8, std::span(room).first(6)), ErrorKind::usage, ErrorCode::wrong_dtype);
  CHECK(t.copy_to(std::span(room).subspan(1, 24)));  // of any alignment
  check_code(t.item<float>(), ErrorKind::usage, ErrorCode::does_not_fit);
  const Tensor one = tensor({.cls = "LongStorage", .numel = 1, .size = {1, 1}, .stride = {1, 1}}, elements<std::int64_t>({-5}));
  CHECK(one.item<std::int64_t>().value() == -5);
  CHECK(one.item<float>().value() == -5.0F);
}

TEST_CASE("foreign byte order: elements are swapped, parts of complex ones each; untyped storages never") {
  const auto big = [](std::string_view cls, std::int64_t n, const std::string& data) {
    return tensor({.cls = cls, .numel = n, .size = {n}, .stride = {1}}, data, {.byteorder = "big"});
  };
  CHECK(floats(big("ShortStorage", 2, std::string("\x01\x02\xFF\xFE", 4))) == "258 -2");
  CHECK(floats(big("FloatStorage", 1, std::string("\x3F\x80\0\0", 4))) == "1");
  CHECK(floats(big("LongStorage", 1, std::string("\0\0\0\0\0\0\0\x09", 8))) == "9");
  CHECK(floats(big("ByteStorage", 2, "\x05\x06")) == "5 6");
  const auto pair = big("ComplexFloatStorage", 1, std::string("\x3F\x80\0\0\x40\0\0\0", 8)).item<std::complex<float>>();
  CHECK(pair.value() == std::complex<float>(1, 2));
  Pickle p(2);
  p.global("torch._utils", "_rebuild_tensor_v3").mark().storage("UntypedStorage", "0", 2).integer(0).ints({1}).ints({1}).boolean(false)
      .ordered_dict();
  const Checkpoint untyped =
      open_zip(p.global("torch", "uint16").tuple().reduce(), {{"0", elements<std::uint16_t>({258})}}, {.byteorder = "big"});
  CHECK(untyped.root().as_tensor().value().data<std::uint16_t>().value()[0] == 258);
}

TEST_CASE("conj and neg are resolved in copies") {
  using C = std::complex<float>;
  const std::string data = elements<float>({1, 2, -3, 4});
  CHECK(lazy("ComplexFloatStorage", 2, data, {"conj"}).to_vector<C>().value() == std::vector<C>{{1, -2}, {-3, -4}});
  CHECK(lazy("ComplexFloatStorage", 2, data, {"neg"}).to_vector<C>().value() == std::vector<C>{{-1, -2}, {3, -4}});
  CHECK(lazy("ComplexFloatStorage", 2, data, {"conj", "neg"}).to_vector<C>().value() == std::vector<C>{{-1, 2}, {3, 4}});
  CHECK(floats(lazy("FloatStorage", 2, elements<float>({1, -2}), {"neg"})) == "-1 2");
  CHECK(lazy("ShortStorage", 3, elements<std::int16_t>({1, -256, -32768}), {"neg"}).to_vector<std::int16_t>().value() ==
        std::vector<std::int16_t>{-1, 256, -32768});
  CHECK(lazy("LongStorage", 1, elements<std::int64_t>({0}), {"neg"}).item<std::int64_t>().value() == 0);
}

TEST_CASE("storages: shared, read in part, located; deflated ones are fetched once and have no place") {
  Pickle p(2);
  p.mark().vector("0", 4).tensor({.numel = 4, .offset = 2, .size = {2}, .stride = {1}}).vector("1", 4).tuple();
  for (const bool deflate : {false, true}) {
    const Checkpoint ckpt = open_zip(p, {{"0", counting(4)}, {"1", counting(4)}}, {.deflate = deflate});
    const auto t = [&](int i) { return ckpt.root()[i].as_tensor().value(); };
    CHECK(t(0).storage() == t(1).storage());
    CHECK_FALSE(t(0).storage() == t(2).storage());
    CHECK(floats(t(1)) == "2 3");
    CHECK(t(0).storage().location().has_value() == !deflate);
    float two[2];
    CHECK(t(0).storage().read(8, std::as_writable_bytes(std::span(two))));
    CHECK(two[1] == 3.0F);
    check_code(t(0).storage().read(9, std::as_writable_bytes(std::span(two))), ErrorKind::usage, ErrorCode::out_of_range);
    check_code(t(0).storage().read(~std::uint64_t{0}, std::as_writable_bytes(std::span(two))), ErrorKind::usage, ErrorCode::out_of_range);
    CHECK(t(0).storage().bytes().value().data() == t(1).storage().bytes().value().data());
    CHECK(t(0).storage().verify_crc().value());
  }
}

TEST_CASE("handles outlive the checkpoint, and names with them") {
  std::optional<Checkpoint> ckpt = open_zip(Pickle(2).empty_dict().str("a").vector("key", 3).setitem(), {{"key", counting(3)}});
  std::optional<StateDict> weights = ckpt->state_dict().value();
  const StateDict::Entry entry = *weights->begin();
  const Storage storage = entry.tensor.storage();
  ckpt.reset();
  CHECK(entry.name == "a");
  weights.reset();
  CHECK(floats(entry.tensor) == "0 1 2");
  CHECK(entry.tensor.shape()[0] == 3);
  CHECK(storage.key() == "key");
  CHECK(storage.device() == "cpu");
  CHECK(storage.bytes().value().size() == 12);
}

TEST_CASE("a copy over the limit: of an expanded view, of what a view spans") {
  LoadOptions options;
  options.limits.copy_bytes = 4000;
  const std::string file = torch_zip(Pickle(2).empty_list().tensor({.numel = 2, .size = {1'000'000, 1'000'000}, .stride = {0, 0}}).append()
                                         .tensor({.numel = 2, .size = {1000}, .stride = {0}}).append(), {{"0", counting(2)}});
  const Checkpoint ckpt = open_file(file, options);
  const Tensor huge = ckpt.root()[0].as_tensor().value(), fits = ckpt.root()[1].as_tensor().value();
  check_code(huge.to_vector<float>(), ErrorKind::limit, ErrorCode::copy_too_large);
  check_code(huge.copy_to({}), ErrorKind::limit, ErrorCode::copy_too_large);
  CHECK(fits.to_vector<float>().value().size() == 1000);
  check_code(fits.to_vector<double>(), ErrorKind::limit, ErrorCode::copy_too_large);
}

TEST_CASE("shapes in braces, in vectors and arrays, of other tensors; memory that may be written") {
  std::vector<float> memory(6);
  const std::vector<std::int64_t> sizes{2, 3};
  const std::array<std::int64_t, 1> one{6};
  const Tensor a = Tensor::borrow(std::span(memory), {2, 3}).value(), b = Tensor::borrow(std::span(memory), sizes).value();
  CHECK(a.data<float>().value().data() == memory.data());
  CHECK(Tensor::borrow<float>(memory, b.shape()).value().shape()[1] == 3);
  CHECK(Tensor::copy(std::span(std::as_const(memory)), one).value().shape()[0] == 6);
  CHECK(Tensor::copy(std::span(memory).first<1>(), {}).value().shape().empty());
  CHECK(Tensor::view(a.storage(), DType::float32, {2}, {3}, 1).value().stride()[0] == 3);
  CHECK(Tensor::view(a.storage(), DType::float32, sizes).value().is_contiguous());
  Parameters mine;
  mine.add("w", std::span(memory), sizes);
  mine.add_meta("m", DType::int8, one);
  CHECK(mine.entry(0).shape[0] == 2);
  Tree tree;
  CHECK(tree.size(sizes)[1].as_int().value() == 3);
  CHECK(tree.size({}).size() == 0);
}
