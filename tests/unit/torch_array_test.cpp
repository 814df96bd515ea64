// SPDX-License-Identifier: MIT
// Array: what numpy pickles, form by form; what no array can be is refused with its place.
#include "support/torch_file.hpp"

#include <brine/array.hpp>

using namespace brine;
using namespace brine::test;

namespace {

/// numpy.dtype(text, False, True) with the state numpy gives it.
Pickle& dtype(Pickle& p, std::string_view text, std::string_view order = "<", std::int64_t size = -1) {
  p.global("numpy", "dtype").str(text).boolean(false).boolean(true).op(Op::TUPLE3).reduce();
  return p.mark().integer(3).str(order).none().none().none().integer(size).integer(-1).integer(0).tuple().build();
}
Pickle& reconstruct(Pickle& p, std::string_view module = "numpy._core.multiarray") {
  return p.global(module, "_reconstruct").global("numpy", "ndarray").ints({0}).op(Op::SHORT_BINBYTES, "b").op(Op::TUPLE3).reduce();
}
/// numpy.dtype(text, False, True) of a scalar and its bytes.
Pickle scalar(std::string_view text, std::string_view data, std::string_view order = "<") {
  Pickle p(4);
  p.global("numpy.core.multiarray", "scalar");
  return dtype(p, text, order).op(Op::SHORT_BINBYTES, data).op(Op::TUPLE2).reduce();
}
/// An array with a state of (1, shape, dtype, fortran, data).
Pickle array(std::string_view text, std::initializer_list<std::int64_t> shape, std::string_view data, bool fortran = false, std::string_view order = "<") {
  Pickle p(4);
  reconstruct(p).mark().integer(1).ints(shape);
  return dtype(p, text, order).boolean(fortran).op(Op::BINBYTES, data).tuple().build();
}
Pickle buffer(std::string_view data, std::initializer_list<std::int64_t> shape, std::string_view order, std::initializer_list<std::int64_t> axes = {}) {
  Pickle p(4);
  p.global("numpy.core.numeric", "_frombuffer").mark().op(Op::BINBYTES, data);
  dtype(p, "u1", "|").ints(shape).str(order);
  if (axes.size()) p.ints(axes);
  return p.tuple().reduce();
}

struct Loaded {
  explicit Loaded(const Pickle& pickle) : ckpt(open_zip(pickle, {})) {}
  Checkpoint ckpt;
  Array array() const { return Array::of(ckpt.root()).value(); }
};

std::string row_major(const Array& array) {
  std::string out(static_cast<std::size_t>(array.size()) * array.itemsize(), '\0');
  for (std::int64_t i = 0; i < array.size(); ++i) {  // one by one: each is found by itself
    const auto one = std::as_writable_bytes(std::span(out)).subspan(static_cast<std::size_t>(i) * array.itemsize(), array.itemsize());
    CHECK(array.copy_part(i, one).has_value());
  }
  std::string whole(out.size(), '\0');
  CHECK(array.copy_part(0, std::as_writable_bytes(std::span(whole))).has_value());
  CHECK(whole == out);
  return out;
}
std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
void refused(const Pickle& pickle, ErrorKind kind, ErrorCode code) {
  const Loaded loaded(pickle);
  check_code(Array::of(loaded.ckpt.root()), kind, code);
  CHECK_FALSE(loaded.ckpt.print().empty());
}

}  // namespace

TEST_CASE("dtype, shape, order; the bytes are the pickle's own") {
  for (const std::string_view module : {"numpy._core.multiarray", "numpy.core.multiarray"}) {
    Pickle p(4);
    reconstruct(p, module).mark().integer(1).ints({2, 3});
    const Loaded loaded(dtype(p, "i2").boolean(false).op(Op::SHORT_BINBYTES, "aabbccddeeff").tuple().build());
    const Array a = loaded.array();
    CHECK(a.dtype() == "<i2");
    CHECK(a.descr().value() == "'<i2'");
    CHECK(std::vector(a.shape().begin(), a.shape().end()) == std::vector<std::int64_t>{2, 3});
    CHECK((a.is_c_contiguous() && !a.is_f_contiguous() && !a.is_scalar()));
    CHECK(text_of(a.bytes()) == "aabbccddeeff");
    CHECK(loaded.ckpt.root().type_name() == "numpy.ndarray");
    CHECK(loaded.ckpt.print() == "numpy.ndarray <i2 [2, 3]\n");
    CHECK(loaded.ckpt.arrays().size() == 1);
  }
}

TEST_CASE("column-major, and axes in another order: elements are given row-major") {
  CHECK(row_major(Loaded(array("u1", {2, 3}, "adbecf", true, "|")).array()) == "abcdef");
  CHECK(Loaded(array("u1", {2, 3}, "adbecf", true, "|")).array().is_f_contiguous());
  CHECK(row_major(Loaded(buffer("adbecf", {2, 3}, "F")).array()) == "abcdef");
  CHECK(row_major(Loaded(buffer("abcdef", {2, 3}, "C")).array()) == "abcdef");
  const Loaded turned(buffer("abcdefgh", {2, 2, 2}, "K", {1, 0, 2}));
  CHECK(row_major(turned.array()) == "abefcdgh");
}

TEST_CASE("a tensor over the same bytes, or a copy in this machine's order") {
  const Loaded loaded(array("f4", {2}, std::string("\0\0\x80\x3F\0\0\0\x40", 8)));
  CHECK(floats(loaded.array().to_tensor().value()) == "1 2");
  const Loaded foreign(array("f4", {2}, std::string("\x3F\x80\0\0\x40\0\0\0", 8), false, ">"));
  CHECK(foreign.array().dtype() == "<f4");
  CHECK(floats(foreign.array().to_tensor().value()) == "1 2");
  CHECK(floats(Loaded(array("u1", {2, 2}, std::string("\1\3\2\4"), true, "|")).array().to_tensor().value()) == "1 2 3 4");
  check_code(Loaded(array("M8", {1}, "12345678")).array().to_tensor(), ErrorKind::usage, ErrorCode::wrong_dtype);
}

// numpy swaps what _reconstruct and scalar make, element by element or part by part; not structures, nor what _frombuffer makes.
TEST_CASE("big-endian elements are given as numpy has them after loading") {
  const auto swapped = [](std::string_view type, std::initializer_list<std::int64_t> shape, std::string_view data, bool fortran = false) {
    const Loaded loaded(array(type, shape, data, fortran, ">"));
    const Array a = loaded.array();
    CHECK(a.dtype() == "<" + std::string(type));
    CHECK(a.descr().value() == "'<" + std::string(type) + "'");
    CHECK((a.bytes().empty() && a.nbytes() == data.size()));
    return row_major(a);
  };
  CHECK(swapped("i2", {3}, "badcfe") == "abcdef");
  CHECK(swapped("i2", {2, 2}, "bafedchg", true) == "abcdefgh");
  CHECK(swapped("c8", {1}, "dcbahgfe") == "abcdefgh");
  CHECK(swapped("M8", {1}, "hgfedcba") == "abcdefgh");
  CHECK(swapped("U2", {1}, std::string("\0\0\0a\0\0\0b", 8)) == std::string("a\0\0\0b\0\0\0", 8));
  CHECK(Loaded(array("S3", {1}, "abc", false, "|")).array().bytes().size() == 3);
}

TEST_CASE("scalars") {
  const Loaded half(scalar("f8", std::string("\0\0\0\0\0\0\xE0\x3F", 8)));
  CHECK(half.array().is_scalar());
  CHECK(half.array().shape().empty());
  CHECK(half.array().to_tensor().value().item<double>().value() == 0.5);
  CHECK(half.ckpt.print() == "numpy scalar <f8 0.5\n");
  CHECK(half.ckpt.arrays().empty());
  CHECK(Loaded(scalar("b1", "\1")).ckpt.print() == "numpy scalar |b1 True\n");
  CHECK(Loaded(scalar("u8", std::string(8, '\xFF'))).ckpt.print() == "numpy scalar <u8 18446744073709551615\n");
  refused(scalar("f8", "short"), ErrorKind::corrupt, ErrorCode::tensor_bounds);
  Pickle keys(4);
  keys.empty_dict().global("numpy.core.multiarray", "scalar");
  dtype(keys, "f8").op(Op::SHORT_BINBYTES, "short").op(Op::TUPLE2).reduce().integer(1).setitem();  // of a float that nobody knows
  CHECK(Loaded(keys).ckpt.print() == "dict (1)\n  <float64>: 1\n");
}

TEST_CASE("scalars are taken for the Python values that they equal, and for no others") {
  const auto as = [](std::string_view text, std::string_view data, auto member, std::string_view order = "<") {
    const Loaded loaded(scalar(text, data, order));
    return (loaded.ckpt.root().*member)().value();
  };
  CHECK(as("b1", "\1", &Value::as_bool));
  CHECK(as("i1", "\xFD", &Value::as_int) == -3);
  CHECK(as("i2", std::string("\0\7", 2), &Value::as_int, ">") == 7);
  CHECK(as("u4", std::string("\7\0\0\0", 4), &Value::as_double) == 7.0);
  CHECK(as("f2", std::string("\0\x38", 2), &Value::as_double) == 0.5);
  CHECK(as("f4", std::string("\0\0\0\x3F", 4), &Value::as_double) == 0.5);
  CHECK(as("c8", std::string("\0\0\x80\x3F\0\0\0\x40", 8), &Value::as_complex) == std::complex<double>(1, 2));
  CHECK(as("u8", std::string(8, '\xFF'), &Value::as_big_int) == "18446744073709551615");

  const Loaded text(scalar("U2", std::string("a\0\0\0\0\0\0\0", 8))), bytes(scalar("S3", std::string("ab\0", 3))), raw(scalar("V2", "ab"));
  CHECK(text.ckpt.root().as_string().value() == "a");
  CHECK(text_of(bytes.ckpt.root().as_bytes().value()) == "ab");
  check_code(raw.ckpt.root().as_bytes(), ErrorKind::usage, ErrorCode::wrong_kind);
  const Loaded max(scalar("u8", std::string(8, '\xFF'))), half(scalar("f8", std::string("\0\0\0\0\0\0\xE0\x3F", 8)));
  const Loaded extended(scalar("f16", std::string(16, '\1'))), date(scalar("M8", "12345678"));
  CHECK(half.ckpt.root().kind() == Kind::object);
  check_code(max.ckpt.root().as_int(), ErrorKind::usage, ErrorCode::does_not_fit);
  check_code(max.ckpt.root().as_double(), ErrorKind::usage, ErrorCode::does_not_fit);
  CHECK(check_code(half.ckpt.root().as_int(), ErrorKind::usage, ErrorCode::wrong_kind).text() == "expected int, found numpy.float64");
  CHECK(check_code(extended.ckpt.root().as_double(), ErrorKind::usage, ErrorCode::wrong_kind).text() == "expected float, found numpy.longdouble");
  check_code(date.ckpt.root().as_int(), ErrorKind::usage, ErrorCode::wrong_kind);
}

TEST_CASE("subclasses by their names; masked arrays are two") {
  Pickle p(4);
  p.global("numpy._core.multiarray", "_reconstruct").global("numpy", "matrix").ints({0}).op(Op::SHORT_BINBYTES, "b").op(Op::TUPLE3).reduce().mark().integer(1).ints({1, 2});
  const Loaded matrix(dtype(p, "u1", "|").boolean(false).op(Op::BINBYTES, "ab").tuple().build());
  CHECK(matrix.ckpt.root().type_name() == "numpy.matrix");
  CHECK(matrix.ckpt.print() == "numpy.matrix |u1 [1, 2]\n");
  CHECK(row_major(matrix.array()) == "ab");
  Pickle masked(4);
  refused(masked.global("numpy.ma.core", "_mareconstruct").global("numpy.ma", "MaskedArray").op(Op::TUPLE1).reduce(), ErrorKind::unsupported, ErrorCode::other_format);
}

TEST_CASE("strings of any length, and structures of objects, are items") {
  Pickle p(4);
  reconstruct(p).mark().integer(1).ints({2}).global("numpy._core._internal", "_convert_to_stringdtype_kwargs").integer(1).op(Op::TUPLE1).reduce().boolean(false);
  const Loaded strings(p.empty_list().mark().str("a").none().op(Op::APPENDS).tuple().build());
  CHECK(strings.array().dtype() == "|T16");
  CHECK((strings.array().items()[0].as_string().value() == "a" && strings.array().items()[1].is_none()));
  check_code(strings.array().to_tensor(), ErrorKind::usage, ErrorCode::wrong_dtype);
  CHECK(strings.ckpt.print() == "numpy.ndarray |T16 [2]\n  [0]: 'a'\n  [1]: None\n");

  // scalar(dtype, array): numpy takes the one element of the array
  Pickle record(4);
  record.global("numpy.core.multiarray", "scalar").global("numpy", "dtype").global("numpy", "record").boolean(false).boolean(true).op(Op::TUPLE3).reduce();
  record.mark().integer(3).str("|").none().str("o").op(Op::TUPLE1).empty_dict().str("o");
  dtype(record, "O8", "|").integer(0).op(Op::TUPLE2).setitem().integer(8).integer(1).integer(27).tuple().build();
  reconstruct(record).mark().integer(1).ints({});
  dtype(record, "V8", "|", 8).boolean(false).empty_list().integer(7).op(Op::TUPLE1).append().tuple().build();
  const Loaded one(record.op(Op::TUPLE2).reduce());
  CHECK(one.ckpt.root().type_name() == "numpy.record");
  CHECK(one.array().is_scalar());
  CHECK(one.array().items()[0][0].as_int().value() == 7);
}

TEST_CASE("titles of fields are in the description") {
  const auto titled = [](auto title) {
    Pickle p(4);
    reconstruct(p).mark().integer(1).ints({1}).global("numpy", "dtype").str("V4").boolean(false).boolean(true).op(Op::TUPLE3).reduce();
    p.mark().integer(3).str("|").none().str("x").op(Op::TUPLE1).empty_dict().str("x");
    title(dtype(p, "i4").integer(0)).op(Op::TUPLE3).setitem().integer(4).integer(1).integer(16).tuple().build();
    const Loaded loaded(p.boolean(false).op(Op::BINBYTES, "1234").tuple().build());
    return loaded.array().descr();
  };
  CHECK(titled([](Pickle& p) -> Pickle& { return p.str("the x"); }).value() == "[(('the x', 'x'), '<i4')]");
  check_code(titled([](Pickle& p) -> Pickle& { return p.integer(1); }), ErrorKind::unsupported, ErrorCode::other_format);
}

TEST_CASE("texts, structures, objects") {
  Pickle text(4);
  reconstruct(text).mark().integer(1).ints({1});
  CHECK(Loaded(dtype(text, "U2", "<", 8).boolean(false).op(Op::SHORT_BINBYTES, std::string(8, '\0')).tuple().build()).array().dtype() == "<U2");

  Pickle fields(4);
  reconstruct(fields).mark().integer(1).ints({1}).global("numpy", "dtype").str("V12").boolean(false).boolean(true).op(Op::TUPLE3).reduce();
  fields.mark().integer(3).str("|").none().str("a").str("b").op(Op::TUPLE2).empty_dict().mark().str("a");
  dtype(fields, "i4").integer(0).op(Op::TUPLE2).str("b");
  dtype(fields, "f4", ">").integer(8).op(Op::TUPLE2).op(Op::SETITEMS).integer(12).integer(1).integer(16).tuple().build();
  const Loaded structure(fields.boolean(false).op(Op::SHORT_BINBYTES, std::string(12, 'x')).tuple().build());
  CHECK(structure.array().dtype() == "|V12");
  CHECK(structure.array().descr().value() == "[('a', '<i4'), ('', '|V4'), ('b', '>f4')]");

  Pickle objects(4);
  reconstruct(objects).mark().integer(1).ints({2});
  dtype(objects, "O8", "|").boolean(false).empty_list().mark().vector("0", 2).integer(7).op(Op::APPENDS).tuple().build();
  const Checkpoint ckpt = open_zip(objects, {{"0", counting(2)}});
  const Array array = Array::of(ckpt.root()).value();
  CHECK(array.dtype() == "|O");
  CHECK(array.items()[1].as_int().value() == 7);
  CHECK(tensor_list(ckpt) == "0 float32 [2 ]\n");
  CHECK(ckpt.print() == "numpy.ndarray |O [2]\n  [0]: Tensor float32 [2]\n  [1]: 7\n");
}

TEST_CASE("what no array can be") {
  refused(array("f4", {2}, "1234567"), ErrorKind::corrupt, ErrorCode::tensor_bounds);
  refused(array("f4", {2}, "123456789"), ErrorKind::corrupt, ErrorCode::tensor_bounds);
  refused(array("f4", {-1}, ""), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(array("f4", {INT64_MAX, INT64_MAX}, ""), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(array("f4", {INT64_MAX}, ""), ErrorKind::corrupt, ErrorCode::tensor_bounds);
  refused(array("f4", {INT64_MAX, 0, INT64_MAX}, ""), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(array("O8", {1}, "12345678"), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(array("x9", {1}, "1"), ErrorKind::unsupported, ErrorCode::other_format);
  refused(array("f5", {1}, "12345"), ErrorKind::unsupported, ErrorCode::other_format);
  refused(array("", {1}, "1"), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(buffer("ab", {2}, "Z"), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(buffer("ab", {2}, "K"), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(buffer("ab", {1, 2}, "K", {0, 0}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  Pickle bare(4);
  refused(reconstruct(bare), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  refused(Pickle(4).integer(1), ErrorKind::usage, ErrorCode::wrong_kind);
}

TEST_CASE("copy_part: in range, whole elements") {
  const Loaded loaded(array("i2", {3}, "aabbcc"));
  std::byte room[4];
  CHECK(loaded.array().copy_part(1, room).has_value());
  CHECK(text_of(room) == "bbcc");
  check_code(loaded.array().copy_part(2, room), ErrorKind::usage, ErrorCode::out_of_range);
  check_code(loaded.array().copy_part(-1, room), ErrorKind::usage, ErrorCode::out_of_range);
  check_code(loaded.array().copy_part(0, std::span(room).first(3)), ErrorKind::usage, ErrorCode::buffer_size);
}

TEST_CASE("a state that is no array's hides nothing") {
  Pickle p(4);
  reconstruct(p).mark().integer(1).vector("0", 2).none().none().none().tuple().build();
  CHECK(tensor_list(open_zip(p, {{"0", counting(2)}})) == "state.1 float32 [2 ]\n");
}

TEST_CASE("elements as a str, as numpy reads them of Python 2's pickles") {
  Pickle p(4);
  reconstruct(p).mark().integer(1).ints({3});
  CHECK(text_of(Loaded(dtype(p, "i1", "|").boolean(false).str("abc").tuple().build()).array().bytes()) == "abc");
  const auto of_str = [](std::string_view data) {
    Pickle call(4);
    call.global("numpy.core.multiarray", "scalar");
    return dtype(call, "i2").str(data).op(Op::TUPLE2).reduce();
  };
  CHECK(text_of(Loaded(of_str("ab")).array().bytes()) == "ab");
  refused(of_str("\xc3\xa9z"), ErrorKind::corrupt, ErrorCode::tensor_arguments);  // of Latin-1's other two
}

TEST_CASE("units of dates") {
  const auto dates = [](std::string_view unit, std::int64_t count) {
    Pickle p(4);
    reconstruct(p).mark().integer(1).ints({1}).global("numpy", "dtype").str("M8").boolean(false).boolean(true).op(Op::TUPLE3).reduce();
    p.mark().integer(4).str("<").none().none().none().integer(-1).integer(-1).integer(0).none();
    p.mark().op(Op::SHORT_BINBYTES, unit).integer(count).integer(1).integer(1).tuple().op(Op::TUPLE2).tuple().build();
    return p.boolean(false).op(Op::BINBYTES, "12345678").tuple().build();
  };
  CHECK(Loaded(dates("s", 25)).array().dtype() == "<M8[25s]");
  CHECK(Loaded(dates("D", 1)).array().descr().value() == "'<M8[D]'");
  CHECK(Loaded(dates("generic", 1)).array().dtype() == "<M8");
  refused(dates("s']", 1), ErrorKind::unsupported, ErrorCode::other_format);
  refused(dates("s", 0), ErrorKind::corrupt, ErrorCode::tensor_arguments);
}

TEST_CASE("a state that numpy takes no notice of, and units it divides, are not guessed at") {
  const auto state = [](Pickle& p, std::string_view order) -> Pickle& { return p.mark().integer(3).str(order).none().none().none().integer(-1).integer(-1).integer(0).tuple().build(); };
  Pickle p(4);
  reconstruct(p).mark().integer(1).ints({1}).global("numpy", "dtype").mark().str("f4").tuple().reduce();
  refused(state(p, ">").boolean(false).op(Op::BINBYTES, "1234").tuple().build(), ErrorKind::unsupported, ErrorCode::other_format);
}
