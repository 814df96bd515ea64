// SPDX-License-Identifier: MIT
// Source: torch/_weights_only_unpickler.py, torch/_utils.py (the two mappings) and torch/serialization.py (_get_wo_message) of 2.13.
#include "torch/weights_only.hpp"

#include "graph/walk.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>
#include <string>

namespace brine {

namespace {

// Sorted, for binary search. PyTorch adds a few names when nested tensors or DTensor are imported; by default they are not.
constexpr std::string_view kAllowed[] = {
    "_codecs.encode", "builtins.bytearray", "builtins.complex", "builtins.set", "collections.Counter", "collections.OrderedDict",
    "torch.BFloat16Storage", "torch.BFloat16Tensor", "torch.BoolStorage", "torch.BoolTensor", "torch.ByteStorage", "torch.ByteTensor",
    "torch.CharStorage", "torch.CharTensor", "torch.ComplexDoubleStorage", "torch.ComplexFloatStorage", "torch.DoubleStorage",
    "torch.DoubleTensor", "torch.FloatStorage", "torch.FloatTensor", "torch.HalfStorage", "torch.HalfTensor", "torch.IntStorage",
    "torch.IntTensor", "torch.LongStorage", "torch.LongTensor", "torch.QInt32Storage", "torch.QInt8Storage", "torch.QUInt2x4Storage",
    "torch.QUInt4x2Storage", "torch.QUInt8Storage", "torch.ShortStorage", "torch.ShortTensor", "torch.Size", "torch.Tensor",
    "torch._tensor._rebuild_from_type_v2", "torch._utils._rebuild_device_tensor_from_cpu_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy", "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_nested_tensor", "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor", "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_wrapper_subclass", "torch.bfloat16",
    "torch.bits16", "torch.bits1x8", "torch.bits2x4", "torch.bits4x2", "torch.bits8", "torch.bool", "torch.complex128", "torch.complex32",
    "torch.complex64", "torch.cuda.BFloat16Storage", "torch.cuda.BFloat16Tensor", "torch.cuda.BoolStorage", "torch.cuda.BoolTensor",
    "torch.cuda.ByteStorage", "torch.cuda.ByteTensor", "torch.cuda.CharStorage", "torch.cuda.CharTensor",
    "torch.cuda.ComplexDoubleStorage", "torch.cuda.ComplexFloatStorage", "torch.cuda.DoubleStorage", "torch.cuda.DoubleTensor",
    "torch.cuda.FloatStorage", "torch.cuda.FloatTensor", "torch.cuda.HalfStorage", "torch.cuda.HalfTensor", "torch.cuda.IntStorage",
    "torch.cuda.IntTensor", "torch.cuda.LongStorage", "torch.cuda.LongTensor", "torch.cuda.ShortStorage", "torch.cuda.ShortTensor",
    "torch.cuda.sparse.BFloat16Tensor", "torch.cuda.sparse.ByteTensor", "torch.cuda.sparse.CharTensor", "torch.cuda.sparse.DoubleTensor",
    "torch.cuda.sparse.FloatTensor", "torch.cuda.sparse.HalfTensor", "torch.cuda.sparse.IntTensor", "torch.cuda.sparse.LongTensor",
    "torch.cuda.sparse.ShortTensor", "torch.device", "torch.float16", "torch.float32", "torch.float4_e2m1fn_x2", "torch.float64",
    "torch.float8_e4m3fn", "torch.float8_e4m3fnuz", "torch.float8_e5m2", "torch.float8_e5m2fnuz", "torch.float8_e8m0fnu", "torch.int1",
    "torch.int16", "torch.int2", "torch.int3", "torch.int32", "torch.int4", "torch.int5", "torch.int6", "torch.int64", "torch.int7",
    "torch.int8", "torch.nn.parameter.Parameter", "torch.per_channel_affine", "torch.per_channel_affine_float_qparams",
    "torch.per_channel_symmetric", "torch.per_tensor_affine", "torch.per_tensor_symmetric", "torch.qint32", "torch.qint8",
    "torch.quint2x4", "torch.quint4x2", "torch.quint8", "torch.serialization._get_layout", "torch.sparse.BFloat16Tensor",
    "torch.sparse.ByteTensor", "torch.sparse.CharTensor", "torch.sparse.DoubleTensor", "torch.sparse.FloatTensor",
    "torch.sparse.HalfTensor", "torch.sparse.IntTensor", "torch.sparse.LongTensor", "torch.sparse.ShortTensor",
    "torch.storage.TypedStorage", "torch.storage.UntypedStorage", "torch.uint1", "torch.uint16", "torch.uint2", "torch.uint3",
    "torch.uint32", "torch.uint4", "torch.uint5", "torch.uint6", "torch.uint64", "torch.uint7", "torch.uint8",
};

struct Renamed {
  std::string_view module, name, now;
};
constexpr Renamed kNames[] = {
    {"__builtin__", "xrange", "builtins.range"},        {"__builtin__", "reduce", "functools.reduce"},
    {"__builtin__", "intern", "sys.intern"},            {"__builtin__", "unichr", "builtins.chr"},
    {"__builtin__", "unicode", "builtins.str"},         {"__builtin__", "long", "builtins.int"},
    {"itertools", "izip", "builtins.zip"},              {"itertools", "imap", "builtins.map"},
    {"itertools", "ifilter", "builtins.filter"},        {"itertools", "ifilterfalse", "itertools.filterfalse"},
    {"itertools", "izip_longest", "itertools.zip_longest"}, {"UserDict", "IterableUserDict", "collections.UserDict"},
    {"__builtin__", "basestring", "builtins.str"},      {"exceptions", "StandardError", "builtins.Exception"},
};
constexpr std::string_view kModules[][2] = {
    {"__builtin__", "builtins"}, {"copy_reg", "copyreg"},     {"Queue", "queue"},   {"repr", "reprlib"},  {"_abcoll", "collections.abc"},
    {"UserDict", "collections"}, {"UserList", "collections"}, {"UserString", "collections"}, {"whichdb", "dbm"}, {"StringIO", "io"}, {"cStringIO", "io"},
};

constexpr std::string_view kUnsafe =
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running `torch.load` with "
    "`weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution. Do it only if you got the file from a trusted source.";
constexpr std::string_view kDocs =
    "\n\nCheck the documentation of torch.load to learn more about types accepted by default with weights_only "
    "https://pytorch.org/docs/stable/generated/torch.load.html.";

Error forbidden(ErrorCode code, std::string text) { return Error(ErrorKind::forbidden, code, std::move(text)); }

Error other(ErrorCode code, const std::string& message) {
  return forbidden(code, "Weights only load failed. " + std::string(kUnsafe) +
                             "\nPlease file an issue with the following so that we can make `weights_only=True` compatible with your use case: "
                             "WeightsUnpickler error: \n\n" + message + std::string(kDocs));
}

// Python's <class '…'> of a value.
std::string type_of(const Ref& value) { return "<class '" + qualified_class_name(value) + "'>"; }

std::string full_name(std::string_view module, std::string_view name) {
  for (const Renamed& row : kNames)
    if (row.module == module && row.name == name) return std::string(row.now);
  for (const auto& [from, to] : kModules)
    if (from == module) module = to;
  return std::string(module) + "." + std::string(name);
}

}  // namespace

Result<void> WeightsOnly::opcode(Op op) const {
  return other(ErrorCode::opcode_not_allowed, "Unsupported operand " + std::to_string(static_cast<unsigned>(op)));
}

Result<void> WeightsOnly::global(std::string_view module, std::string_view name) const {
  std::string full = full_name(module, name);
  const std::string_view now = std::string_view(full).substr(0, full.rfind('.'));
  for (const std::string_view blocked : {"sys", "os", "posix", "nt"})
    if (now == blocked)
      return forbidden(ErrorCode::global_not_allowed, "Weights only load failed. " + std::string(kUnsafe) + "\n\n\nTrying to load unsupported GLOBAL " + full +
                                                          " whose module " + std::string(blocked) + " is blocked." + std::string(kDocs));
  if (std::binary_search(std::begin(kAllowed), std::end(kAllowed), std::string_view(full))) return {};
  if (full.starts_with("builtins.")) full.erase(0, 9);
  return forbidden(ErrorCode::global_not_allowed,
                   "Weights only load failed. This file can still be loaded, to do so you have two options, \x1b[1mdo those steps only if you trust the source of the "
                   "checkpoint\x1b[0m. \n\t(1) " + std::string(kUnsafe) +
                   "\n\t(2) Alternatively, to load with `weights_only=True` please check the recommended steps in the following error message.\n\tWeightsUnpickler "
                   "error: Unsupported global: GLOBAL " + full + " was not an allowed global by default. Please use `torch.serialization.add_safe_globals([" + full +
                   "])` or the `torch.serialization.safe_globals([" + full + "])` context manager to allowlist this global if you trust this class/function." +
                   std::string(kDocs));
}

// Every global was allowed when it was named; what is no global was never a function.
Result<void> WeightsOnly::call(const Ref& callee, How how) const {
  if (callee.kind == Kind::global && !dtype_of_global(callee)) return {};
  if (how == How::reduce) return other(ErrorCode::build_not_allowed, "Trying to call reduce for unrecognized function " + key_name(callee));
  return other(ErrorCode::build_not_allowed, "Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got " + key_name(callee));
}

Result<void> WeightsOnly::build(const Ref& target) const {
  const bool made_by_call = target.kind == Kind::tensor || target.kind == Kind::object || (is_container(target) && target.node->origin) ||
                            ((target.kind == Kind::bytearray || target.kind == Kind::complex) && target.node->origin);
  if (made_by_call) return {};
  return other(ErrorCode::build_not_allowed,
               "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got " + type_of(target));
}

Result<void> WeightsOnly::append(const Ref& target, Op op) const {
  if (target.kind == Kind::list && target.node->made == Made::plain) return {};
  return other(ErrorCode::build_not_allowed, std::string(op == Op::APPEND ? "Can only append to lists, but got " : "Can only extend lists, but got ") + type_of(target));
}

Result<void> WeightsOnly::set_item(const Ref& target, Op op) const {
  if (target.kind == Kind::dict && target.node->made != Made::default_dict) return {};
  return other(ErrorCode::build_not_allowed,
               "Can only " + std::string(info(op).name) + " for dict, collections.OrderedDict, collections.Counter, but got " + type_of(target));
}

Result<void> WeightsOnly::persistent(const Ref& id) const {
  if (is_tuple(id) && tuple_of(id).size > 0) {
    const Ref& tag = tuple_of(id).items()[0];
    if (tag.kind == Kind::string && text_of(tag) == "storage") return {};
    return other(ErrorCode::build_not_allowed, "Only persistent_load of storage is allowed, but got " + type_of(tag));
  }
  return other(ErrorCode::build_not_allowed, "persistent_load id must be tuple or int, but got " + type_of(id));
}

}  // namespace brine
