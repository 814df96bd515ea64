// SPDX-License-Identifier: MIT
// Casts of what is lazy, counts of what they cost, and names of what they leave.
#include "support/saved.hpp"
#include "support/torch_file.hpp"

#include <complex>
#include <limits>
#include <string>
#include <vector>

using namespace brine;
using namespace brine::test;

namespace {

/// {'w': a tensor with these bits, 'v': the same storage without any}
Checkpoint lazy(std::string_view cls, std::int64_t n, const std::string& data, const std::vector<std::string>& bits) {
  Pickle p;
  p.empty_dict().mark();
  for (const char* name : {"w", "v"}) {
    p.str(name).global("torch._utils", "_rebuild_tensor_v2").mark().storage(cls, "0", n).integer(0).ints({n}).ints({1}).boolean(false).ordered_dict();
    if (name[0] == 'w') {
      p.empty_dict();
      for (const std::string& bit : bits) p.str(bit).boolean(true).setitem();
    }
    p.tuple().reduce();
  }
  p.op(Op::SETITEMS);
  return load(source_over(torch_zip(p, {{"0", data}}))).value();
}

struct Cast {
  Checkpoint out;
  CastReport report;
};
/// By Edits, and by StateDict, which must agree.
Cast cast(const Checkpoint& ckpt, DType dtype) {
  Edits edits(ckpt);
  const CastReport report;
  REQUIRE(edits.cast("", dtype, {.lossy = true, .report = report}));
  Cast out{loaded(saved(edits)), report};
  auto weights = ckpt.state_dict().value();
  REQUIRE(weights.cast(dtype, {.lossy = true}));
  const Checkpoint other = loaded(saved(weights));
  for (const char* name : {"w", "v"}) {
    if (!other.root()[name].exists()) continue;
    const Tensor a = other.root()[name].as_tensor().value(), b = out.out.root()[name].as_tensor().value();
    CHECK(a.dtype() == dtype);
    CHECK(a.is_conj() == b.is_conj());
    CHECK(a.is_neg() == b.is_neg());
    CHECK(a.to_vector<double>().value() == b.to_vector<double>().value());
  }
  return out;
}

Tensor floats_of(std::initializer_list<float> values) { return Tensor::copy(std::span<const float>(values.begin(), values.size()), {static_cast<std::int64_t>(values.size())}).value(); }

}  // namespace

TEST_CASE("conj and neg bits are resolved where the dtype has none") {
  const std::string pairs = elements<float>({1, 2, -3, 0.5F});
  for (const std::vector<std::string>& bits : {std::vector<std::string>{"conj"}, {"neg"}, {"conj", "neg"}}) {
    const bool neg = bits.back() == "neg";
    const std::vector<double> want = neg ? std::vector<double>{-1, 3} : std::vector<double>{1, -3};
    const Checkpoint ckpt = lazy("ComplexFloatStorage", 2, pairs, bits);
    for (const DType dtype : {DType::float16, DType::float64, DType::int32, DType::int8, DType::float8_e5m2}) {
      const Checkpoint out = cast(ckpt, dtype).out;
      const Tensor w = out.root()["w"].as_tensor().value(), v = out.root()["v"].as_tensor().value();
      CHECK_FALSE(w.is_conj());
      CHECK(w.is_neg() == (neg && dtype != DType::int32 && dtype != DType::int8 && dtype != DType::float8_e5m2));
      CHECK(w.to_vector<double>().value() == want);
      CHECK(v.to_vector<double>().value() == std::vector<double>{1, -3});
      CHECK((w.storage() == v.storage()) == (w.is_neg() || !neg));
    }
    const Checkpoint out = cast(ckpt, DType::complex128).out;
    const Tensor w = out.root()["w"].as_tensor().value();
    CHECK(w.is_neg() == neg);
    CHECK(w.is_conj() == (bits[0] == "conj"));
    CHECK(w.storage() == out.root()["v"].as_tensor().value().storage());
  }
  const Checkpoint out = cast(lazy("FloatStorage", 3, elements<float>({1, -200, 0}), {"neg"}), DType::uint8).out;
  const Tensor w = out.root()["w"].as_tensor().value();
  CHECK(w.to_vector<double>().value() == std::vector<double>{0, 200, 0});  // -(-200), and not -(0)
}

TEST_CASE("what became the largest, 0 or NaN is counted, infinities too") {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  StateDict state;
  state.insert("w", floats_of({inf, -inf, nan, 300, -0.5F, 5, 0}));
  const auto counts = [&](DType dtype) {
    StateDict mine = state;
    const CastReport report;
    REQUIRE(mine.cast(dtype, {.lossy = true, .report = report}));
    static_cast<void>(saved(mine));
    return std::to_string(report.infinite()) + " " + std::to_string(report.clamped()) + " " + std::to_string(report.zero());
  };
  CHECK(counts(DType::int8) == "0 3 2");
  CHECK(counts(DType::int64) == "0 2 2");
  CHECK(counts(DType::uint8) == "0 3 2");
  CHECK(counts(DType::bool_) == "0 0 0");
  CHECK(counts(DType::float8_e4m3fn) == "0 2 0");
  CHECK(counts(DType::float8_e4m3fnuz) == "3 0 0");  // NaN for all three
  CHECK(counts(DType::float16) == "0 0 0");
}

TEST_CASE("sparse tensors are cast by their values, and those without data; what no cast changes is named by its kind") {
  Pickle p;
  p.empty_dict().mark().str("w").vector("0", 2);
  p.str("sparse").global("torch._utils", "_rebuild_sparse_tensor").layout("sparse_coo").mark();
  p.tensor({.cls = "LongStorage", .key = "3", .numel = 2, .size = {1, 2}, .stride = {2, 1}}).vector("1", 2).ints({5}).boolean(true).tuple().op(Op::TUPLE2).reduce();
  p.str("meta").global("torch._utils", "_rebuild_meta_tensor_no_storage").mark().global("torch", "float32").ints({2}).ints({1}).boolean(false).tuple().reduce();
  p.str("whole").global("torch._utils", "_rebuild_meta_tensor_no_storage").mark().global("torch", "int64").ints({2}).ints({1}).boolean(false).tuple().reduce();
  p.str("number").integer(3).str("packed").quantised("2", 4).none().op(Op::TUPLE2);
  p.op(Op::SETITEMS);
  const Checkpoint ckpt = load(source_over(torch_zip(p, {{"0", counting(2)}, {"1", counting(2)}, {"2", "abcd", 4}, {"3", elements<std::int64_t>({1, 3})}}))).value();
  const auto told = [](const CastReport& report) {
    std::string out = std::to_string(report.tensors()) + " cast";
    for (const auto& [kind, count, names] : report.kept()) {
      out += "; " + std::string(kind) + " " + std::to_string(count) + ":";
      for (const std::string& name : names) out += " " + name;
    }
    return out;
  };
  const std::string want = "3 cast; quantized 1: packed";
  auto weights = ckpt.state_dict().value();
  const CastReport of_weights, of_edits, everywhere;
  REQUIRE(weights.cast(DType::float16, {.report = of_weights}));
  CHECK(told(of_weights) == want);
  Edits edits(ckpt);
  REQUIRE(edits.cast("", DType::float16, {.report = of_edits}));
  CHECK(told(of_edits) == want);
  Edits all(ckpt);
  REQUIRE(all.cast("", DType::float16, {.everywhere = true, .report = everywhere}));
  CHECK(told(everywhere) == "3 cast; quantized 1: packed.0");
  const Checkpoint out = loaded(saved(all));
  const Tensor sparse = tensor_under(out, "sparse"), meta = tensor_under(out, "meta");
  CHECK(sparse.dtype() == DType::float16);
  CHECK(sparse.values().value().dtype() == DType::float16);
  CHECK(sparse.is_coalesced());
  std::vector<float> dense(5);
  REQUIRE(sparse.to_dense(DType::float32, std::as_writable_bytes(std::span(dense))));
  CHECK(dense == std::vector<float>{0, 0, 0, 1, 0});
  CHECK(meta.is_meta());
  CHECK(meta.dtype() == DType::float16);
  CHECK(tensor_under(out, "whole").dtype() == DType::int64);
}
