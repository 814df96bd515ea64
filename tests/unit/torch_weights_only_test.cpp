// SPDX-License-Identifier: MIT
// weights_only: what PyTorch 2.13 refuses, with its own words, written out here in full.
#include "support/run_pickle.hpp"

using namespace brine;
using namespace brine::test;

namespace {

const std::string kU =
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running "
    "`torch.load` with "
    "`weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution. Do it only if you got the file from "
    "a trusted source.";
const std::string kD =
    "\n\nCheck the documentation of torch.load to learn more about types accepted by default with weights_only "
    "https://pytorch.org/docs/stable/generated/torch.load.html.";

std::string message_a(const std::string& message) {
  return "Weights only load failed. This file can still be loaded, to do so you have two options, \x1b[1mdo those steps only if you trust "
         "the source of the "
         "checkpoint\x1b[0m. \n\t(1) " +
         kU +
         "\n\t(2) Alternatively, to load with `weights_only=True` please check the recommended steps in the following error "
         "message.\n\tWeightsUnpickler error: " +
         message + kD;
}
std::string message_c(const std::string& message) {
  return "Weights only load failed. " + kU +
         "\nPlease file an issue with the following so that we can make `weights_only=True` compatible with your use case: "
         "WeightsUnpickler error: \n\n" +
         message + kD;
}
std::string unsupported_global(const std::string& n) {
  return "Unsupported global: GLOBAL " + n + " was not an allowed global by default. Please use `torch.serialization.add_safe_globals([" +
         n + "])` or the `torch.serialization.safe_globals([" + n +
         "])` context manager to allowlist this global if you trust this class/function.";
}

void refused(const Pickle& pickle, ErrorCode code, const std::string& text) {
  const RunPickle strict(pickle, true);
  REQUIRE_FALSE(strict.ok());
  CHECK(strict.error().kind() == ErrorKind::forbidden);
  CHECK(name(strict.error().code()) == name(code));
  CHECK(strict.error().text() == text);
  CHECK(strict.error().place().offset.has_value());
  CHECK_FALSE(strict.error().place().opcode.empty());
}
Pickle fresh() { return Pickle(2); }

}  // namespace

TEST_CASE("globals that are not allowed; the name without builtins; Python 2's names by PyTorch's own table") {
  const auto global = [](std::string_view module, std::string_view name, const std::string& n) {
    refused(fresh().global(module, name), ErrorCode::global_not_allowed, message_a(unsupported_global(n)));
  };
  global("numpy.core.multiarray", "_reconstruct", "numpy.core.multiarray._reconstruct");
  global("__builtin__", "getattr", "getattr");
  global("builtins", "eval", "eval");
  global("__builtin__", "unicode", "str");
  global("copy_reg", "_reconstructor", "copyreg._reconstructor");
  global("exceptions", "StandardError", "Exception");
  global("exceptions", "ValueError", "exceptions.ValueError");
  global("os.path", "join", "os.path.join");
  global("torch.nn.modules.linear", "Linear", "torch.nn.modules.linear.Linear");
  global("collections", "defaultdict", "collections.defaultdict");
  global("torch", "bcomplex32", "torch.bcomplex32");
}

TEST_CASE("blocked modules") {
  for (const std::string module : {"os", "sys", "posix", "nt"})
    refused(fresh().global(module, "system"), ErrorCode::global_not_allowed,
            "Weights only load failed. " + kU + "\n\n\nTrying to load unsupported GLOBAL " + module + ".system whose module " + module +
                " is blocked." + kD);
}

TEST_CASE("allowed globals") {
  for (const auto& [module, name] : {std::pair("collections", "OrderedDict"),
                                     {"collections", "Counter"},
                                     {"__builtin__", "set"},
                                     {"builtins", "bytearray"},
                                     {"_codecs", "encode"},
                                     {"torch", "float8_e5m2"},
                                     {"torch", "int4"},
                                     {"torch.cuda", "FloatStorage"},
                                     {"torch", "per_tensor_affine"},
                                     {"torch._utils", "_rebuild_qtensor"},
                                     {"torch.storage", "UntypedStorage"},
                                     {"torch.sparse", "FloatTensor"}})
    CHECK_MESSAGE(RunPickle(fresh().global(module, name), true).ok(), name);
}

TEST_CASE("opcodes that are not allowed, by their number") {
  const auto opcode = [](const Pickle& p, int number) {
    refused(p, ErrorCode::opcode_not_allowed, message_c("Unsupported operand " + std::to_string(number)));
  };
  opcode(Pickle(0).op(Op::INT, "1"), 73);
  opcode(fresh().op(Op::BINSTRING, "a"), 84);
  opcode(fresh().op(Op::LONG4, "a"), 139);
  opcode(fresh().none().op(Op::POP), 48);
  opcode(Pickle(4).op(Op::FRAME, 0), 149);
  opcode(Pickle(4).op(Op::SHORT_BINUNICODE, "a"), 140);
  opcode(fresh().none().op(Op::DUP), 50);
  opcode(fresh().mark().op(Op::LIST), 108);
  opcode(Pickle(3).op(Op::SHORT_BINBYTES, "a"), 67);
  opcode(fresh().op(Op::EXT1, 1), 130);
}

TEST_CASE("calls, states, items") {
  refused(fresh().integer(1).empty_tuple().reduce(), ErrorCode::build_not_allowed,
          message_c("Trying to call reduce for unrecognized function 1"));
  refused(fresh().integer(1).empty_tuple().op(Op::NEWOBJ), ErrorCode::build_not_allowed,
          message_c("Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got 1"));
  const auto build = [](const Pickle& p, const std::string& type) {
    refused(p, ErrorCode::build_not_allowed,
            message_c("Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got <class '" + type +
                      "'>"));
  };
  build(fresh().empty_list().none().build(), "list");
  build(fresh().integer(1).none().build(), "int");
  build(fresh().empty_dict().none().build(), "dict");
  const auto append = [](const Pickle& p, const std::string& text) { refused(p, ErrorCode::build_not_allowed, message_c(text)); };
  append(fresh().empty_dict().none().append(), "Can only append to lists, but got <class 'dict'>");
  append(fresh().empty_tuple().mark().none().op(Op::APPENDS), "Can only extend lists, but got <class 'tuple'>");
  append(fresh().vector("0", 1).none().none().setitem(),
         "Can only SETITEM for dict, collections.OrderedDict, collections.Counter, but got <class 'torch.Tensor'>");
  append(fresh().empty_list().mark().none().none().op(Op::SETITEMS),
         "Can only SETITEMS for dict, collections.OrderedDict, collections.Counter, but got <class 'list'>");
}

TEST_CASE("persistent ids") {
  refused(fresh().mark().str("module").str("x").tuple().op(Op::BINPERSID), ErrorCode::build_not_allowed,
          message_c("Only persistent_load of storage is allowed, but got <class 'str'>"));
  refused(fresh().str("id").op(Op::BINPERSID), ErrorCode::build_not_allowed,
          message_c("persistent_load id must be tuple or int, but got <class 'str'>"));
}

TEST_CASE("what is allowed gives the same value") {
  Pickle p(2);
  p.ordered_dict().mark().str("a").vector("0", 2).str("n").op(Op::SHORT_BINSTRING, "x").str("l").op(Op::LONG1, "\x05").op(Op::SETITEMS)
      .empty_dict().str("_metadata").none().setitem().build();
  CHECK(RunPickle(p, true).text(true) == RunPickle(p).text(true));
}
