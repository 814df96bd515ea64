// SPDX-License-Identifier: MIT
// Tensors from their calls, in every form of every age; what is no such call is an error with its place, or stays an object.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

namespace {

/// (storage "0" of 6 float32, offset, size, stride) on the stack.
Pickle& four(Pickle& p, std::string_view cls = "FloatStorage", std::int64_t numel = 6) {
  return p.storage(cls, "0", numel).integer(0).ints({2, 3}).ints({3, 1});
}
Pickle rebuild(std::string_view name, std::string_view module = "torch._utils") {
  Pickle p(2);
  p.global(module, name).mark();
  return p;
}
Pickle v2(std::string_view cls = "FloatStorage", std::int64_t numel = 6, bool grad = false) {
  Pickle p = rebuild("_rebuild_tensor_v2");
  return four(p, cls, numel).boolean(grad).ordered_dict();
}
Pickle done(Pickle p) { return p.tuple().reduce(); }
/// The tensor of v2() on the stack, without PROTO.
std::string plain() { return done(v2()).unfinished().substr(2); }

void refused(const Pickle& arguments, ErrorCode code = ErrorCode::tensor_arguments, ErrorKind kind = ErrorKind::corrupt) {
  Pickle before = arguments;
  before.tuple();
  check_last(before, Pickle(before).reduce(), code, "REDUCE", kind);
}
const std::string kV2 = "tensor(v2 float32 0 +0 [2,3] [3,1])";

}  // namespace

TEST_CASE("v2, canonical: nothing of the call is kept") {
  CHECK(made_by_pickle(done(v2())) == kV2);
  CHECK(made_by_pickle(done(v2("FloatStorage", 6, true))) == "tensor(v2 float32 0 +0 [2,3] [3,1] grad)");
  CHECK(made_by_pickle(Pickle(2).tensor({.cls = "HalfStorage", .key = "k", .numel = 9, .offset = 8})) == "tensor(v2 float16 k +8 [] [])");
}

TEST_CASE("v2, not canonical: the call is kept") {
  Pickle none = rebuild("_rebuild_tensor_v2");
  four(none).boolean(false).none();
  CHECK(text_of_pickle(done(none)) == kV2);
  CHECK(made_by_pickle(done(none)).starts_with(kV2 + "<REDUCE torch._utils._rebuild_tensor_v2"));
  const Pickle arguments = Pickle(v2()).tuple();
  check_last(arguments, Pickle(arguments).op(Op::NEWOBJ), ErrorCode::pickle_arguments, "NEWOBJ");  // of a class only
  Pickle number = rebuild("_rebuild_tensor_v2");
  refused(four(number).integer(1).ordered_dict());  // as PyTorch's setter does
}

TEST_CASE("v2 with a 7th argument: conj and neg") {
  const auto with = [](std::string_view cls, std::string_view key, bool value) {
    Pickle p = v2(cls);
    return RunPickle(done(p.empty_dict().str(key).boolean(value).setitem())).text();
  };
  CHECK(with("ComplexFloatStorage", "conj", true) == "tensor(v2 complex64 0 +0 [2,3] [3,1] conj)");
  CHECK(with("FloatStorage", "neg", true) == "tensor(v2 float32 0 +0 [2,3] [3,1] neg)");
  CHECK(with("ComplexFloatStorage", "conj", false) == "tensor(v2 complex64 0 +0 [2,3] [3,1] conj)");  // being there counts
  CHECK(with("FloatStorage", "neg", false) == "tensor(v2 float32 0 +0 [2,3] [3,1] neg)");
  CHECK(with("FloatStorage", "backend", true) == kV2);
  CHECK(RunPickle(done(v2().none())).text() == kV2);
  refused(v2().empty_dict().str("conj").boolean(true).setitem());
}

TEST_CASE("v1 and v3") {
  Pickle v1 = rebuild("_rebuild_tensor");
  CHECK(made_by_pickle(done(four(v1))).starts_with("tensor(v1 float32 0 +0 [2,3] [3,1])<REDUCE"));
  Pickle v3 = rebuild("_rebuild_tensor_v3");
  four(v3, "UntypedStorage", 12).boolean(false).ordered_dict().global("torch", "bits16");
  CHECK(made_by_pickle(done(v3)) == "tensor(v3 bits16 0 +0 [2,3] [3,1])");
  refused(Pickle(v3).none().none());
  Pickle small = rebuild("_rebuild_tensor_v3");
  refused(four(small, "UntypedStorage", 11).boolean(false).ordered_dict().global("torch", "bits16"), ErrorCode::tensor_bounds);
  Pickle odd = rebuild("_rebuild_tensor_v3");
  refused(four(odd, "UntypedStorage", 12).boolean(false).ordered_dict().global("torch", "half"));
  Pickle text = rebuild("_rebuild_tensor_v3");
  refused(four(text, "UntypedStorage", 12).boolean(false).ordered_dict().str("float32"));
}

TEST_CASE("errors of the arguments") {
  refused(rebuild("_rebuild_tensor_v2"));
  refused(v2().none().none());
  Pickle five = rebuild("_rebuild_tensor_v2");
  refused(four(five).boolean(false));
  Pickle three = rebuild("_rebuild_tensor");
  refused(three.storage("FloatStorage", "0", 1).integer(0).ints({1}));
  Pickle text = rebuild("_rebuild_tensor_v2");
  refused(text.str("0").integer(0).ints({1}).ints({1}).boolean(false).ordered_dict());
  Pickle untyped = rebuild("_rebuild_tensor_v2");
  CHECK(text_of_pickle(four(untyped, "UntypedStorage", 24).boolean(false).ordered_dict().tuple().reduce()).find("uint8") != std::string::npos);  // as in PyTorch
  struct Row {
    Pickle offset, size, stride, grad, hooks;
  };
  const auto p = [] { return Pickle(0); };
  const Row rows[] = {
      {p().none(), p().ints({1}), p().ints({1}), p().boolean(false), p().none()},
      {p().op(Op::LONG1, "\x01\x02\x03\x04\x05\x06\x07\x08\x09"), p().ints({1}), p().ints({1}), p().boolean(false), p().none()},
      {p().boolean(true), p().ints({1}), p().ints({1}), p().boolean(false), p().none()},
      {p().integer(0), p().empty_list(), p().ints({1}), p().boolean(false), p().none()},
      {p().integer(0), p().ints({1}), p().none(), p().boolean(false), p().none()},
      {p().integer(0), p().floating(1).op(Op::TUPLE1), p().ints({1}), p().boolean(false), p().none()},
      {p().integer(0), p().ints({1}), p().str("1").op(Op::TUPLE1), p().boolean(false), p().none()},
      {p().integer(0), p().ints({1}), p().ints({1, 1}), p().boolean(false), p().none()},
      {p().integer(0), p().ints({1}), p().ints({1}), p().integer(2), p().none()},
      {p().integer(0), p().ints({1}), p().ints({1}), p().none(), p().none()},
      {p().integer(0), p().ints({1}), p().ints({1}), p().boolean(false), p().empty_list()},
  };
  for (const Row& row : rows) {
    Pickle whole = rebuild("_rebuild_tensor_v2");
    whole.storage("FloatStorage", "0", 6);
    for (const Pickle* part : {&row.offset, &row.size, &row.stride, &row.grad, &row.hooks}) whole.raw(part->unfinished());
    refused(whole);
  }
}

TEST_CASE("bounds, dimensions, gradients of integers") {
  refused(v2("FloatStorage", 5), ErrorCode::tensor_bounds);
  refused(v2("LongStorage", 6, true));
  CHECK(RunPickle(done(v2("ComplexFloatStorage", 6, true))).ok());
  Pickle many = rebuild("_rebuild_tensor_v2");
  many.storage("FloatStorage", "0", 1).integer(0);
  for (int i = 0; i < 2; ++i) {
    many.mark();
    for (int n = 0; n < 65; ++n) many.integer(1);
    many.tuple();
  }
  refused(many.boolean(false).ordered_dict(), ErrorCode::too_many_dimensions, ErrorKind::limit);
  Pickle huge = rebuild("_rebuild_tensor_v2");
  huge.storage("FloatStorage", "0", 1).integer(0).ints({INT64_MAX, INT64_MAX}).ints({0, 0}).boolean(false).ordered_dict();
  refused(huge, ErrorCode::tensor_size);
}

TEST_CASE("parameters of every age") {
  const auto parameter = [](std::string_view name, const std::string& rest) {
    Pickle p = rebuild(name);
    return RunPickle(done(p.raw(plain()).raw(rest))).text();
  };
  const std::string is = "tensor(parameter float32 0 +0 [2,3] [3,1]", of = " of " + kV2;
  CHECK(parameter("_rebuild_parameter", Pickle(0).boolean(true).ordered_dict().unfinished()) == is + " grad param)" + of);
  CHECK(parameter("_rebuild_parameter_with_state", Pickle(0).boolean(false).ordered_dict().none().unfinished()) == is + " param)" + of);
  const auto cls = [](std::string_view module, std::string_view name, const std::string& rest) {
    Pickle p(2);
    return RunPickle(p.global(module, name).mark().raw(plain()).raw(rest)).text();
  };
  CHECK(cls("torch.nn.parameter", "Parameter", Pickle(0).boolean(false).tuple().reduce().unfinished()) == is + " param)" + of);
  CHECK(cls("torch.nn.parameter", "Parameter", "tR") == is + " grad param)" + of);
  CHECK(cls("torch.autograd.variable", "Variable", "tR") == is + ")" + of);
  CHECK(cls("torch.nn.parameter", "Parameter",
            Pickle(0).tuple().reduce().boolean(false).boolean(false).none().op(Op::TUPLE3).build().unfinished()) == is + " param)" + of);
  CHECK(cls("torch.autograd.variable", "Variable",
            Pickle(0).tuple().reduce().boolean(true).boolean(false).none().op(Op::TUPLE3).build().unfinished()) == is + " grad)" + of);
  Pickle five(2);  // Parameter() and a BUILD with (data, grad, hooks, requires_grad, volatile)
  five.global("torch.nn.parameter", "Parameter").empty_tuple().op(Op::NEWOBJ).mark().raw(plain()).none().none().boolean(true).boolean(false)
      .tuple().build();
  CHECK(text_of_pickle(five) == is + " grad param)" + of);
  std::string integers = done(v2("IntStorage")).unfinished().substr(2);
  const auto parameter_of_int = [&](const Pickle& rest) {
    return Pickle(2).global("torch.nn.parameter", "Parameter").mark().raw(integers).raw(rest.unfinished());
  };
  refused(parameter_of_int(Pickle(0).boolean(true)));
  CHECK(RunPickle(parameter_of_int(Pickle(0).boolean(false).tuple().reduce())).ok());
  const Pickle built = parameter_of_int(Pickle(0).tuple().reduce().boolean(true).boolean(false).none().op(Op::TUPLE3));
  check_last(built, Pickle(built).build(), ErrorCode::tensor_arguments, "BUILD");
  Pickle foreign = rebuild("_rebuild_parameter");
  CHECK(text_of_pickle(done(foreign.global("m", "T").empty_tuple().reduce().boolean(true).ordered_dict())) == "object");
  Pickle few = rebuild("_rebuild_parameter");
  refused(few.raw(plain()).boolean(true));
  Pickle odd = rebuild("_rebuild_parameter");
  refused(odd.raw(plain()).str("yes").ordered_dict());
}

TEST_CASE("tensor classes of the first releases, with BUILD") {
  Pickle p(2);
  p.global("torch", "FloatTensor").empty_tuple().reduce().mark();
  CHECK(text_of_pickle(four(p).tuple().build()) == "tensor(old_class float32 0 +0 [2,3] [3,1])");
  CHECK(text_of_pickle(Pickle(2).global("torch.cuda", "LongTensor").empty_tuple().op(Op::NEWOBJ)) ==
        "tensor(old_class int64 - +0 [0] [1] unset)");
  Pickle twice = p;
  twice.mark();
  const Pickle again = four(twice).tuple();
  check_last(again, Pickle(again).build(), ErrorCode::pickle_target, "BUILD");
  Pickle wrong(2);
  wrong.global("torch", "FloatTensor").empty_tuple().reduce().mark();
  const Pickle small = four(wrong, "FloatStorage", 5).tuple();
  check_last(small, Pickle(small).build(), ErrorCode::tensor_bounds, "BUILD");
  const Pickle canonical = done(v2()).empty_dict();
  check_last(canonical, Pickle(canonical).build(), ErrorCode::pickle_target, "BUILD");
}

TEST_CASE("_rebuild_from_type_v2: the value is func(*args), nested as well") {
  const auto wrapped = [](const std::string& func, const std::string& args, std::string_view name = "_rebuild_from_type_v2",
                          std::string_view module = "torch._tensor") {
    Pickle p(0);
    return p.global(module, name).mark().raw(func).global("my", "Tensor").raw(args).empty_dict().tuple().reduce().unfinished();
  };
  const std::string func = Pickle(0).global("torch._utils", "_rebuild_tensor_v2").unfinished();
  Pickle inner(0);
  const std::string args = four(inner.mark()).boolean(false).ordered_dict().tuple().unfinished();
  CHECK(text_of_pickle(Pickle(2).raw(wrapped(func, args))) == kV2);
  CHECK(made_by_pickle(Pickle(2).raw(wrapped(func, args))).starts_with(kV2 + "<REDUCE torch._tensor._rebuild_from_type_v2"));
  CHECK(text_of_pickle(Pickle(2).raw(wrapped(func, args, "_rebuild_from_type", "torch.tensor"))) == kV2);
  const std::string self = Pickle(0).global("torch._tensor", "_rebuild_from_type_v2").unfinished();
  const std::string four_args = Pickle(0).mark().raw(func).none().raw(args).none().tuple().unfinished();
  CHECK(text_of_pickle(Pickle(2).raw(wrapped(self, four_args))) == kV2);
  std::string deep = four_args;
  for (int i = 0; i < 20; ++i) deep = Pickle(0).mark().raw(self).none().raw(deep).none().tuple().unfinished();
  const std::string too_deep = wrapped(self, deep);
  check_fault(Pickle(2).raw(too_deep).bytes(), ErrorCode::tensor_arguments, too_deep.size() + 1, "REDUCE");
  const std::string other = Pickle(0).global("my", "func").unfinished();
  const RunPickle object(Pickle(2).raw(wrapped(other, Pickle(0).ints({1}).unfinished())));
  CHECK(object.text(true) == "outer:object<REDUCE my.func (1,)>");
  const std::string wrong = wrapped(func, Pickle(0).none().unfinished());
  check_fault(Pickle(2).raw(wrong).bytes(), ErrorCode::tensor_arguments, wrong.size() + 1, "REDUCE");
}

namespace {

/// `call`(func, type, arguments, state) over the tensor of v2().
Pickle from_type(const Pickle& state) {
  Pickle p = rebuild("_rebuild_from_type_v2", "torch._tensor");
  p.global("torch._utils", "_rebuild_tensor_v2").global("torch", "Tensor").mark();
  four(p).boolean(false).ordered_dict().tuple();
  return done(p.raw(state.unfinished()));
}
Pickle attribute(std::string_view name) { return Pickle(0).empty_dict().str(name).raw(plain()).setitem(); }
std::string paths(const Pickle& pickle) {
  const RunPickle run(pickle);
  std::string out;
  Walker walk(run.value());
  while (walk.next())
    if (walk.value().kind == Kind::tensor) out += walk.path() + " ";
  return out;
}

}  // namespace

TEST_CASE("after a tensor come the tensors of its kept state, but PyTorch's own attributes") {
  CHECK(paths(from_type(attribute("scale"))) == " scale ");
  CHECK(paths(from_type(attribute("grad"))) == " ");
  CHECK(paths(from_type(Pickle(0).raw(attribute("scale").unfinished()).raw(attribute("slot").unfinished()).op(Op::TUPLE2))) == " scale slot ");
  CHECK(paths(from_type(Pickle(0).none().raw(attribute("slot").unfinished()).op(Op::TUPLE2))) == " slot ");
  Pickle parameter = rebuild("_rebuild_parameter_with_state");
  CHECK(paths(done(parameter.raw(plain()).boolean(true).ordered_dict().raw(attribute("mask").unfinished()))) == " mask ");
  // A wrapper subclass has no storage of its own, and stays an object.
  Pickle wrapper = rebuild("_rebuild_from_type_v2", "torch._tensor");
  wrapper.global("torch._utils", "_rebuild_wrapper_subclass").global("m", "W").ints({1}).raw(attribute("inner").unfinished());
  CHECK(paths(done(wrapper)) == "inner ");
  // A container met again is not entered again; nor is a tensor's state.
  CHECK(paths(Pickle(2).empty_list().mark().raw(from_type(attribute("scale")).unfinished().substr(2)).put(9).get(9).op(Op::APPENDS)) == "0 0.scale 1 ");
}
