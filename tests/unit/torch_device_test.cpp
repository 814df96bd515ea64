// SPDX-License-Identifier: MIT
// Tensors of XLA and its like, whose data is a numpy array in the pickle.
#include "support/saved.hpp"
#include "support/torch_file.hpp"

using namespace brine;
using namespace brine::test;

namespace {

struct Of {
  std::string_view function = "_rebuild_device_tensor_from_numpy", numpy = "f4", order = "<", dtype = "float32";
  std::initializer_list<std::int64_t> shape = {2, 2};
  bool fortran = false, grad = false, list = false;
  std::string data = elements<float>({1, 2, 3, 4});
};
Pickle pickle(const Of& of) {
  Pickle p(4);
  p.global("torch._utils", of.function).mark();
  p.global("numpy.core.multiarray", "_reconstruct").global("numpy", "ndarray").ints({0}).op(Op::SHORT_BINBYTES, "b").op(Op::TUPLE3).reduce().put(7).mark().integer(1).ints(of.shape);
  p.global("numpy", "dtype").str(of.numpy).boolean(false).boolean(true).op(Op::TUPLE3).reduce().mark().integer(3).str(of.order).none().none().none().integer(-1).integer(-1).integer(0).tuple().build();
  p.boolean(of.fortran);
  if (of.list) p.empty_list().mark().none().none().none().none().op(Op::APPENDS);
  else p.op(Op::BINBYTES, of.data);
  return p.tuple().build().global("torch", of.dtype).str("xla:0").boolean(of.grad).tuple().reduce();
}
Tensor tensor(const Of& of) { return root_tensor(open_zip(pickle(of), {})); }
Kind kind(const Of& of) {
  const Checkpoint ckpt = open_zip(pickle(of), {});
  return ckpt.root().kind();
}

}  // namespace

TEST_CASE("dtype, device, order and wish for gradients are the call's, the elements the array's") {
  for (const std::string_view function : {"_rebuild_device_tensor_from_numpy", "_rebuild_xla_tensor"}) {
    const Tensor t = tensor({.function = function, .grad = true});
    CHECK(t.device() == "xla:0");
    CHECK(t.requires_grad());
    CHECK(floats(t) == "1 2 3 4");
    CHECK(t.data_bytes().value().size() == 16);
    CHECK(floats(tensor({.function = function, .dtype = "bfloat16"})) == "1 2 3 4");
  }
  CHECK(tensor({.dtype = "bfloat16"}).dtype() == DType::bfloat16);
  CHECK(floats(tensor({.fortran = true})) == "1 3 2 4");
  CHECK(floats(tensor({.dtype = "float64", .fortran = true})) == "1 3 2 4");
  CHECK(floats(tensor({.numpy = "i2", .order = ">", .dtype = "int16", .shape = {2}, .data = std::string("\0\1\1\0", 4)})) == "1 256");
  CHECK(tensor({.dtype = "float16", .shape = {0, 3}, .data = {}}).numel() == 0);
  CHECK(floats(tensor({.shape = {}, .data = elements<float>({5})})) == "5");
}

TEST_CASE("saved as it was read; in a form of today's its bytes are the CPU's") {
  const Checkpoint ckpt = open_zip(pickle({}), {});
  CHECK(floats(root_tensor(loaded(saved(ckpt.root())))) == "1 2 3 4");
  CHECK(root_tensor(loaded(saved(ckpt.root()))).device() == "xla:0");
  StateDict state;
  state.insert("w", root_tensor(ckpt));
  REQUIRE(state.cast(DType::float16));
  const Checkpoint cast = loaded(saved(state));
  CHECK(floats(tensor_under(cast, "w")) == "1 2 3 4");
  CHECK(tensor_under(cast, "w").device() == "cpu");
}

TEST_CASE("what is no array of numbers, lies, or grows without end is refused or stays an object") {
  check_load(torch_zip(pickle({.shape = {3, 3}}), {}), ErrorKind::corrupt, ErrorCode::tensor_bounds);
  check_load(torch_zip(pickle({.shape = {-1}}), {}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  check_load(torch_zip(pickle({.numpy = "i4", .dtype = "int32", .grad = true}), {}), ErrorKind::corrupt, ErrorCode::tensor_arguments);
  CHECK(kind({.numpy = "O8", .order = "|", .list = true}) == Kind::object);
  CHECK(kind({.numpy = "O", .order = "|", .list = true}) == Kind::object);
  CHECK(kind({.numpy = "S4", .order = "|"}) == Kind::object);
  CHECK(kind({.dtype = "qint8"}) == Kind::object);
  Pickle foreign(4);  // numpy leaves its bytes as they are
  foreign.global("torch._utils", "_rebuild_xla_tensor").mark().global("numpy._core.numeric", "_frombuffer").mark().op(Op::BINBYTES, "1234");
  foreign.global("numpy", "dtype").str("f4").boolean(false).boolean(true).op(Op::TUPLE3).reduce();
  foreign.mark().integer(3).str(">").none().none().none().integer(-1).integer(-1).integer(0).tuple().build().ints({1}).str("C").tuple().reduce();
  const Checkpoint ckpt = open_zip(foreign.global("torch", "float32").str("xla:0").boolean(false).tuple().reduce(), {});
  CHECK(ckpt.root().kind() == Kind::object);
  Pickle late(2);
  late.mark().raw(pickle({}).unfinished().substr(2)).get(7).mark().integer(1).tuple().build().tuple();
  check_load(torch_zip(Pickle(4).raw(late.unfinished().substr(2)), {}), ErrorKind::unsupported, ErrorCode::pickle_target);
  // One array, converted by each of many calls.
  const std::string data(1 << 16, '\0');
  Pickle many(4);
  many.empty_list().mark().raw(pickle({.numpy = "u1", .order = "|", .dtype = "complex128", .shape = {1 << 16}, .data = data}).unfinished().substr(2));
  for (int i = 0; i < 1000; ++i) many.global("torch._utils", "_rebuild_xla_tensor").mark().get(7).global("torch", "complex128").str("xla:0").boolean(false).tuple().reduce();
  check_load(torch_zip(many.op(Op::APPENDS), {}), ErrorKind::limit, ErrorCode::metadata_too_large);
}
