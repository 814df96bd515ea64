// SPDX-License-Identifier: MIT
// Quantised, sparse, nested and meta tensors: from files and by hand, read, refused, saved. Values were made with PyTorch 2.13.
#include "support/saved.hpp"
#include "support/torch_file.hpp"

#include <brine/make_tensor.hpp>

#include <array>
#include <map>

using namespace brine;
using namespace brine::test;

namespace {

Pickle part() { return Pickle(0); }
Pickle longs(std::string_view key, std::int64_t n, std::initializer_list<std::int64_t> size) {
  std::vector<std::int64_t> stride(size.size(), 1);
  for (std::size_t d = size.size(); d-- > 1;) stride[d - 1] = stride[d] * size.begin()[d];
  Pickle p = part();
  p.global("torch._utils", "_rebuild_tensor_v2").mark().storage("LongStorage", key, n).integer(0).ints(size).mark();
  for (const std::int64_t s : stride) p.integer(s);
  return p.tuple().boolean(false).ordered_dict().tuple().reduce();
}
Pickle root(const Pickle& p) { return Pickle(2).raw(p.unfinished()); }

std::string numbers(const Tensor& t) {
  std::vector<float> all(static_cast<std::size_t>(t.numel()));
  const auto done = t.to_dense(DType::float32, std::as_writable_bytes(std::span(all)));
  if (!done) return std::string(name(done.error().code()));
  std::string out;
  for (const float v : all) {
    char text[32];
    std::snprintf(text, sizeof text, "%g ", static_cast<double>(v));
    out += text;
  }
  return out;
}

template <class T>
Tensor of(std::initializer_list<T> values, Shape shape) {
  return Tensor::copy(std::span<const T>(values.begin(), values.size()), shape).value();
}

Pickle coo(bool coalesced, std::initializer_list<std::int64_t> size = {2, 3}) {
  Pickle p = part();
  return p.global("torch._utils", "_rebuild_sparse_tensor").layout("sparse_coo").mark().raw(longs("i", 4, {2, 2}).unfinished()).vector("v", 2).ints(size).boolean(coalesced).tuple().op(Op::TUPLE2).reduce();
}
std::string coo_file(std::initializer_list<std::int64_t> indices, bool coalesced = true) {
  return torch_zip(root(coo(coalesced)), {{"i", elements<std::int64_t>(indices)}, {"v", elements<float>({5, 7})}});
}

Pickle csr(std::string_view layout = "sparse_csr") {
  Pickle p = part();
  return p.global("torch._utils", "_rebuild_sparse_tensor").layout(layout).mark().raw(longs("c", 3, {3}).unfinished()).raw(longs("p", 2, {2}).unfinished()).vector("v", 2).ints({2, 2}).tuple().op(Op::TUPLE2).reduce();
}
std::string csr_file(std::initializer_list<std::int64_t> compressed, std::initializer_list<std::int64_t> plain, std::string_view layout = "sparse_csr") {
  return torch_zip(root(csr(layout)), {{"c", elements<std::int64_t>(compressed)}, {"p", elements<std::int64_t>(plain)}, {"v", elements<float>({5, 7})}});
}

/// The tensor after it was saved and loaded.
Tensor again(const Tensor& t) {
  Tree tree;
  const Checkpoint ckpt = loaded(saved(tree.list({t})));
  return ckpt.root()[0].as_tensor().value();
}

}  // namespace

TEST_CASE("quantised per tensor: integers, numbers, views, what it refuses") {
  const Checkpoint ckpt = open_zip(root(part().quantised("q", 4)), {{"q", std::string("\xFF\0\1\3", 4)}});
  const Tensor q = root_tensor(ckpt);
  CHECK(q.is_quantized());
  CHECK(q.dtype() == DType::qint8);
  CHECK(q.layout() == Layout::strided);
  CHECK(q.qscheme().value() == QScheme::per_tensor_affine);
  CHECK(q.q_scale().value() == 0.5);
  CHECK(q.q_zero_point().value() == 1);
  CHECK(numbers(q) == "-1 -0.5 0 1 ");
  const Tensor ints = q.int_repr().value();
  CHECK(ints.dtype() == DType::int8);
  CHECK(ints.storage() == q.storage());
  CHECK(ints.data<std::int8_t>().value()[0] == -1);
  std::array<std::byte, 4> raw;
  REQUIRE(q.copy_to(raw));
  CHECK(raw[3] == std::byte{3});
  check_code(q.data<float>(), ErrorKind::usage, ErrorCode::wrong_dtype);
  check_code(q.to_vector<std::int32_t>(), ErrorKind::usage, ErrorCode::wrong_dtype);
  check_code(q.q_per_channel_scales(), ErrorKind::usage, ErrorCode::wrong_layout);
  check_code(q.values(), ErrorKind::usage, ErrorCode::wrong_layout);
  check_code(q.indices(), ErrorKind::usage, ErrorCode::wrong_layout);
  CHECK(ckpt.print() == "Tensor qint8 [4], per_tensor_affine, scale 0.5, zero point 1\n");
}

TEST_CASE("quantised per channel, and with float parameters, whose elements share bytes; parameters as lists") {
  const auto channel = [](std::string_view cls, std::int64_t bytes, const Pickle& scales, const Pickle& zeros) {
    Pickle p = part();
    p.global("torch._utils", "_rebuild_qtensor").mark().storage(cls, "q", bytes).integer(0).ints({2, 3}).ints({3, 1});
    p.mark().global("torch", "per_channel_affine").raw(scales.unfinished()).raw(zeros.unfinished()).integer(0).tuple();
    return root(p.boolean(false).ordered_dict().tuple().reduce());
  };
  const auto list = [](std::initializer_list<double> values) {
    Pickle p = part();
    p.empty_list().mark();
    for (const double v : values) v == static_cast<double>(static_cast<std::int64_t>(v)) ? p.integer(static_cast<std::int64_t>(v)) : p.floating(v);
    return p.op(Op::APPENDS);
  };
  const std::string six("\1\2\3\4\5\6", 6);
  const Pickle doubles = part().tensor({.cls = "DoubleStorage", .key = "s", .numel = 2, .size = {2}, .stride = {1}});
  const std::vector<StorageData> plain = {{"q", six}, {"s", elements<double>({0.5, 2})}, {"z", elements<std::int64_t>({1, 0})}};
  const Checkpoint tensors = open_zip(channel("QUInt8Storage", 6, doubles, longs("z", 2, {2})), plain);
  const Checkpoint lists = open_zip(channel("QUInt8Storage", 6, list({0.5, 2}), list({1, 0})), {plain[0]});
  for (const Checkpoint* ckpt : {&tensors, &lists}) {
    const Tensor q = root_tensor(*ckpt);
    CHECK(q.qscheme().value() == QScheme::per_channel_affine);
    CHECK(q.q_per_channel_axis().value() == 0);
    CHECK(q.q_per_channel_scales().value().to_vector<double>().value() == std::vector<double>{0.5, 2});
    CHECK(q.q_per_channel_zero_points().value().to_vector<std::int64_t>().value() == std::vector<std::int64_t>{1, 0});
    CHECK(numbers(q) == "0 0.5 1 8 10 12 ");
    check_code(q.q_scale(), ErrorKind::usage, ErrorCode::wrong_layout);
    std::array<float, 2> middle;
    REQUIRE(q.copy_part(DType::float32, 2, std::as_writable_bytes(std::span(middle))));
    CHECK(middle == std::array{1.0F, 8.0F});
  }
  // Two in a byte: 1 2 3 4 5 6.
  const Checkpoint packed = open_zip(channel("QUInt4x2Storage", 4, part().vector("s", 2), part().vector("z", 2)),
                                     {{"q", std::string("\x21\x43\x65\0", 4)}, {"s", elements<float>({0.5, 2})}, {"z", elements<float>({1, 0.5})}});
  const Tensor p = root_tensor(packed);
  CHECK(p.qscheme().value() == QScheme::per_channel_affine_float_qparams);
  CHECK(numbers(p) == "0 0.5 1 7 9 11 ");
  CHECK(p.nbytes() == 6);
  CHECK(p.int_repr().value().to_vector<std::uint8_t>().value() == std::vector<std::uint8_t>{0x21, 0x43, 0x65});
  std::array<std::byte, 6> room;
  check_code(p.copy_to(room), ErrorKind::usage, ErrorCode::wrong_dtype);
  // What does not fit: too few scales, an axis that is none.
  check_load(torch_zip(channel("QUInt8Storage", 6, list({0.5}), list({1})), {{"q", six}}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  check_load(torch_zip(channel("FloatStorage", 6, list({0.5, 2}), list({1, 0})), {{"q", counting(6)}}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  check_load(torch_zip(channel("QUInt4x2Storage", 2, list({0.5, 2}), list({1, 0})), {{"q", "ab"}}), ErrorKind::corrupt, ErrorCode::tensor_bounds);
}

TEST_CASE("COO: indices, values, dense; what is named twice is added up; indices that lie are refused before they are given") {
  const Checkpoint ckpt = open_file(coo_file({0, 1, 2, 0}));
  const Tensor t = root_tensor(ckpt);
  CHECK(t.is_sparse());
  CHECK(t.layout() == Layout::sparse_coo);
  CHECK(t.is_coalesced());
  CHECK(t.stride().empty());
  CHECK_FALSE(t.storage());
  CHECK(std::vector<std::int64_t>(t.shape().begin(), t.shape().end()) == std::vector<std::int64_t>{2, 3});
  CHECK(t.indices().value().to_vector<std::int64_t>().value() == std::vector<std::int64_t>{0, 1, 2, 0});
  CHECK(numbers(t) == "0 0 5 7 0 0 ");
  check_code(t.data<float>(), ErrorKind::usage, ErrorCode::wrong_layout);
  check_code(t.to_vector<float>(), ErrorKind::usage, ErrorCode::wrong_layout);
  check_code(t.crow_indices(), ErrorKind::usage, ErrorCode::wrong_layout);
  CHECK(t.parts().value().size() == 2);
  CHECK(numbers(root_tensor(open_file(coo_file({1, 1, 2, 2}, false)))) == "0 0 0 0 0 12 ");
  for (const auto& wrong : {coo_file({0, 2, 0, 0}), coo_file({0, 1, -1, 0}), coo_file({1, 0, 0, 0}), coo_file({1, 1, 2, 2})}) {
    const Tensor bad = root_tensor(open_file(wrong));
    check_code(bad.indices(), ErrorKind::corrupt, ErrorCode::sparse_indices);
    CHECK(numbers(bad) == "sparse_indices");
    CHECK(bad.values().has_value());
  }
  check_load(torch_zip(root(coo(false, {2})), {{"i", elements<std::int64_t>({0, 0, 0, 0})}, {"v", counting(2)}}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  check_load(torch_zip(root(coo(false, {2, INT64_MAX})), {{"i", elements<std::int64_t>({0, 0, 0, 0})}, {"v", counting(2)}}), ErrorKind::corrupt, ErrorCode::tensor_size);
}

TEST_CASE("CSR and CSC: the same numbers by rows and by columns; indices that lie are refused") {
  const Tensor rows = root_tensor(open_file(csr_file({0, 1, 2}, {1, 0}))), columns = root_tensor(open_file(csr_file({0, 1, 2}, {1, 0}, "sparse_csc")));
  CHECK(numbers(rows) == "0 5 7 0 ");
  CHECK(numbers(columns) == "0 7 5 0 ");
  CHECK(rows.crow_indices().value().numel() == 3);
  CHECK(rows.col_indices().value().numel() == 2);
  CHECK(columns.ccol_indices().has_value());
  CHECK(columns.row_indices().has_value());
  check_code(columns.crow_indices(), ErrorKind::usage, ErrorCode::wrong_layout);
  for (const auto& wrong : {csr_file({1, 1, 2}, {1, 0}), csr_file({0, 1, 1}, {1, 0}), csr_file({0, 3, 2}, {1, 0}), csr_file({0, 2, 2}, {1, 0}), csr_file({0, 1, 2}, {1, 2}), csr_file({0, 1, 2}, {-1, 0})})
    CHECK(numbers(root_tensor(open_file(wrong))) == "sparse_indices");
  check_load(torch_zip(root(csr("sparse_bsr")), {{"c", elements<std::int64_t>({0, 1, 2})}, {"p", elements<std::int64_t>({1, 0})}, {"v", counting(2)}}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
}

TEST_CASE("a giant that is claimed of a few bytes is neither filled in nor looked through") {
  Pickle p = part();
  p.global("torch._utils", "_rebuild_sparse_tensor").layout("sparse_coo").mark();
  p.tensor({.cls = "LongStorage", .key = "i", .numel = 1, .size = {1, 1'000'000'000'000}, .stride = {0, 0}});
  p.tensor({.key = "v", .numel = 1, .size = {1'000'000'000'000}, .stride = {0}}).ints({5}).boolean(false).tuple().op(Op::TUPLE2).reduce();
  const Checkpoint ckpt = open_zip(root(p), {{"i", elements<std::int64_t>({0})}, {"v", counting(1)}});
  check_code(root_tensor(ckpt).indices(), ErrorKind::limit, ErrorCode::copy_too_large);
  CHECK(numbers(root_tensor(ckpt)) == "copy_too_large");
}

TEST_CASE("nested: components; meta: no data") {
  Pickle p = part();
  p.mark().global("torch._utils", "_rebuild_nested_tensor").mark().vector("b", 5).raw(longs("s", 4, {2, 2}).unfinished()).raw(longs("t", 4, {2, 2}).unfinished()).raw(longs("o", 2, {2}).unfinished()).tuple().reduce();
  p.global("torch._utils", "_rebuild_meta_tensor_no_storage").mark().global("torch", "float32").ints({2, 3}).ints({3, 1}).boolean(true).tuple().reduce().tuple();
  const auto file = [&](std::int64_t offset) {
    return torch_zip(root(p), {{"b", counting(5)}, {"s", elements<std::int64_t>({1, 2, 3, 1})}, {"t", elements<std::int64_t>({2, 1, 1, 1})}, {"o", elements<std::int64_t>({0, offset})}});
  };
  const Checkpoint ckpt = open_file(file(2));
  const Tensor nested = ckpt.root()[0].as_tensor().value(), meta = ckpt.root()[1].as_tensor().value();
  CHECK(nested.is_nested());
  CHECK(nested.shape().empty());
  CHECK(nested.numel() == 5);
  const auto components = nested.unbind().value();
  REQUIRE(components.size() == 2);
  CHECK(floats(components[0]) == "0 1");
  CHECK(floats(components[1]) == "2 3 4");
  CHECK(components[1].shape()[0] == 3);
  check_code(nested.data<float>(), ErrorKind::usage, ErrorCode::wrong_layout);
  const Checkpoint outside = open_file(file(3));
  check_code(outside.root()[0].as_tensor().value().unbind(), ErrorKind::corrupt, ErrorCode::tensor_bounds);
  CHECK(meta.is_meta());
  CHECK(meta.device() == "meta");
  CHECK(meta.stride()[0] == 3);
  CHECK(meta.nbytes() == 24);
  CHECK(meta.requires_grad());
  CHECK_FALSE(meta.storage());
  check_code(meta.data<float>(), ErrorKind::usage, ErrorCode::no_data);
  check_code(meta.to_vector<float>(), ErrorKind::usage, ErrorCode::no_data);
}

TEST_CASE("unbind of a strided tensor: views along the first dimension") {
  const Tensor t = of<float>({1, 2, 3, 4}, {2, 2});
  const auto rows = t.unbind().value();
  REQUIRE(rows.size() == 2);
  CHECK(floats(rows[1]) == "3 4");
  CHECK(rows[1].storage() == t.storage());
  check_code(of<float>({1}, {}).unbind(), ErrorKind::usage, ErrorCode::does_not_fit);
}

TEST_CASE("made by hand: saved and read again, the same") {
  const Tensor ints = of<std::uint8_t>({1, 2, 3, 4}, {2, 2});
  const Tensor q = again(make_per_tensor_quantized_tensor(ints, 0.25, 1).value());
  CHECK(q.dtype() == DType::quint8);
  CHECK(numbers(q) == "0 0.25 0.5 0.75 ");
  const Tensor c = again(make_per_channel_quantized_tensor(ints, of<double>({1, 2}, {2}), of<std::int64_t>({0, 1}, {2}), 1).value());
  CHECK(numbers(c) == "1 2 3 6 ");
  check_code(make_per_channel_quantized_tensor(ints, of<double>({1}, {1}), of<std::int64_t>({0}, {1}), 1), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  check_code(make_per_tensor_quantized_tensor(of<float>({1}, {1}), 1, 0), ErrorKind::usage, ErrorCode::wrong_dtype);
  const Tensor s = again(sparse_coo_tensor(of<std::int64_t>({0, 2}, {1, 2}), of<float>({5, 6, 7, 8}, {2, 2}), {3, 2}, true).value());
  CHECK(s.is_coalesced());
  CHECK(numbers(s) == "5 6 0 0 7 8 ");
  const Tensor b = again(sparse_compressed_tensor(of<std::int32_t>({0, 1, 1}, {3}), of<std::int32_t>({1}, {1}), of<float>({1, 2}, {1, 1, 2}), {2, 4}, Layout::sparse_bsr).value());
  CHECK(b.layout() == Layout::sparse_bsr);
  CHECK(numbers(b) == "0 0 1 2 0 0 0 0 ");
  const Tensor n = again(nested_view_from_buffer(of<float>({1, 2, 3}, {3}), of<std::int64_t>({1, 2}, {2, 1}), of<std::int64_t>({1, 1}, {2, 1}), of<std::int64_t>({0, 1}, {2})).value());
  CHECK(floats(n.unbind().value()[1]) == "2 3");
  const Tensor m = again(meta_tensor(DType::bfloat16, {2, 3}).value());
  CHECK(m.is_meta());
  CHECK(m.stride()[0] == 3);
  check_code(sparse_compressed_tensor(ints, ints, ints, {2, 2}, Layout::strided), ErrorKind::usage, ErrorCode::bad_argument);
}

TEST_CASE("saved: what is one object in Python is written once, and the parts of a sparse tensor for each") {
  const Tensor ints = of<std::int8_t>({1, 2}, {2}), at = of<std::int64_t>({0, 1}, {1, 2}), values = of<float>({5, 7}, {2});
  const Tensor q = make_per_tensor_quantized_tensor(ints, 0.5, 0).value(), r = make_per_tensor_quantized_tensor(ints, 1, 0).value();
  const Tensor c = make_per_channel_quantized_tensor(ints, of<double>({1, 2}, {2}), of<std::int64_t>({0, 0}, {2}), 0).value();
  const Tensor s = sparse_coo_tensor(at, values, {3}).value(), t = sparse_coo_tensor(at, values, {4}).value();
  Tree tree;
  const std::vector<std::byte> bytes = saved(tree.list({q, r, c, s, t, at, tree.size({3})}));
  std::map<std::string, int> globals;
  int tensors = 0;
  const auto count = [&](std::string_view, const Instruction& i) {
    if (i.opcode == "GLOBAL") ++globals[i.argument];
    tensors += i.opcode == "BINPERSID";
    return true;
  };
  REQUIRE(disassemble(Source::memory(bytes), count));
  CHECK(globals["torch per_tensor_affine"] == 1);
  CHECK(globals["torch per_channel_affine"] == 1);
  CHECK(globals["torch Size"] == 1);
  CHECK(tensors == 3 + 2 + 2 * 2 + 1);  // of two storages, what is sparse

  // Of two files and by hand: a layout is one object.
  const Tensor from_file = again(s), from_other = again(t);
  int layouts = 0;
  const auto count_layouts = [&](std::string_view, const Instruction& i) { return layouts += i.argument == "'torch.sparse_coo'", true; };
  REQUIRE(disassemble(Source::memory(saved(tree.list({from_file, s, from_other}))), count_layouts));
  CHECK(layouts == 1);
}

TEST_CASE("load_state_dict: what is alike in kind would load, and nothing else, in PyTorch's words") {
  const Tensor coo = sparse_coo_tensor(of<std::int64_t>({0, 2}, {1, 2}), of<float>({5, 6}, {2}), {3}).value();
  const auto csr_of = [](std::initializer_list<std::int64_t> columns) {
    const std::vector<float> values(columns.size(), 1.0F);
    const auto n = static_cast<std::int64_t>(columns.size());
    return sparse_compressed_tensor(of<std::int64_t>({0, n}, {2}), of<std::int64_t>(columns, {n}), Tensor::copy(std::span(values), {n}).value(), {1, 3}, Layout::sparse_csr).value();
  };
  const auto problem = [](const Tensor& model, const Tensor& weights) {
    StateDict a, b;
    a.insert("w", model);
    b.insert("w", weights);
    Parameters target = Parameters::like(a);
    const auto done = load_state_dict(target, b, {.dry_run = true});
    if (done) return std::string();
    const std::string text = done.error().found<LoadReport>()->problems.at(0).text;
    return text.substr(text.find(" : ('") + 5);
  };
  CHECK(problem(coo, coo).empty());
  CHECK(problem(csr_of({1}), csr_of({2})).empty());
  CHECK(problem(csr_of({1}), csr_of({1, 2})) == "torch.copy_: only sparse compressed tensors with the same number of specified elements are supported.',).");
  CHECK(problem(coo, of<float>({1, 2, 3}, {3})).find("Found self type = torch.sparse.FloatTensor and src type = torch.FloatTensor") != std::string::npos);
  CHECK(problem(of<float>({1, 2, 3}, {1, 3}), csr_of({1})) == "copy_sparse_compressed_ expected sparse compressed tensor layout but got Strided',).");
  const Tensor meta = meta_tensor(DType::float32, {3}).value();
  CHECK(problem(meta, meta).empty());
  CHECK(problem(meta, of<float>({1, 2, 3}, {3})).empty());
  CHECK(problem(of<float>({1, 2, 3}, {3}), meta) == "Cannot copy out of meta tensor; no data!',).");
}

TEST_CASE("only a quantised tensor has several elements in a byte: any other would be read beyond its storage") {
  const auto plain = root(part().tensor({.cls = "QUInt4x2Storage", .key = "q", .numel = 2, .size = {4}, .stride = {1}}));
  check_load(torch_zip(plain, {{"q", "ab"}}), ErrorKind::corrupt, ErrorCode::tensor_bounds);
}

TEST_CASE("without elements nothing is multiplied that could overflow") {
  constexpr std::int64_t huge = std::int64_t{1} << 40;
  const Tensor empty = Tensor::view(Storage::borrow({}, DType::float32), DType::float32, {3, 0}, {INT64_MAX, 1}).value();
  CHECK(empty.unbind().value().size() == 3);
  const Tensor none = Tensor::view(Storage::borrow({}, DType::float32), DType::float32, {0, huge, huge}).value();
  const Tensor coo = sparse_coo_tensor(Tensor::view(Storage::borrow({}, DType::int64), DType::int64, {1, 0}).value(), none, {0, huge, huge}).value();
  CHECK(coo.to_dense({}).has_value());
}

TEST_CASE("load_state_dict takes one element for a number, but not out of what is made of more than its elements") {
  StateDict weights;
  weights.insert("w", make_per_channel_quantized_tensor(of<std::int8_t>({3}, {1}), of<double>({0.5}, {1}), of<std::int64_t>({1}, {1}), 0).value());
  Parameters mine;
  mine.add_meta("w", DType::qint8, {});
  const auto report = load_state_dict(mine, weights, {.assign = true});
  REQUIRE(report);
  CHECK(numbers(*mine.assigned("w")) == "1 ");
}
