// SPDX-License-Identifier: MIT
// Tensors of backends whose memory PyTorch cannot share: XLA, and others. Their data is a tensor of the CPU's, or a numpy array.
// Source: torch/_utils.py, torch/_tensor.py (_reduce_ex_internal) of 1.4 to 2.14.
#include "torch/torch_calls.hpp"

#include "bytes/guard.hpp"
#include "graph/walk.hpp"
#include "support/try.hpp"
#include "tensor/kinds.hpp"
#include "torch/access.hpp"
#include "torch/numpy.hpp"

#include <brine/array.hpp>
#include <brine/convert.hpp>

#include <algorithm>

namespace brine {

// (data, dtype, device, requires_grad)
Called TorchCalls::device_tensor(const CallSite& site, const Ref& callee, const Ref& args) {
  const auto a = tuple_of(args).items();
  if (a.size() != 4) return Error(ErrorKind::corrupt, ErrorCode::tensor_arguments, std::string(global_of(callee).name) + " has " + std::to_string(a.size()) + " arguments");
  const auto dtype = dtype_of_global(a[1]);
  if (!dtype) return std::nullopt;
  TensorRecord record;
  if (a[0].kind == Kind::tensor) {
    record = read_tensor(a[0]);
    if (record.dtype != *dtype) return std::nullopt;
    record.base = nullptr;
    record.form = TensorForm::v2;
    record.parameter = false;
  } else {
    if (!is_array(a[0]) || a[2].kind != Kind::string) return std::nullopt;
    const auto known = guarded("a numpy array", [&] { return from_numpy(site.graph(), a[0], *dtype, text_of(a[2]), record); });
    if (!known) return known.error();
    if (!*known) return std::nullopt;
  }
  return keep_with_call(site, callee, args, record, a[3]);
}

// torch.from_numpy(array).to(dtype, device): over the array's own bytes where they are of that dtype, else over a converted copy, which is charged to
// the pickle. False: an array that is no tensor.
Result<bool> TorchCalls::from_numpy(Graph& graph, const Ref& object, DType dtype, std::string_view device, TensorRecord& record) {
  object.node->flags |= kRead;
  const auto array = Array::of(Access::value(&graph, object));
  if (!array && array.error().kind() == ErrorKind::unsupported) return false;
  if (!array) return array.error();
  if (array->dtype().starts_with('>')) return false;  // as numpy leaves it, of protocol 5; torch.from_numpy refuses it
  const auto from = dtype_of_numpy(array->dtype()[1], array->itemsize());
  if (!from || array->shape().size() > limits_.dimensions || !convertible(*from, dtype)) return false;
  auto* storage = graph.arena().make<StorageRecord>();
  auto* dims = graph.arena().array<std::int64_t>(2 * array->shape().size());
  if (!storage || !dims) return spent();
  std::ranges::copy(array->shape(), dims);
  std::ranges::copy(array->stride(), dims + array->shape().size());

  std::span<const std::byte> elements = array->bytes();
  const auto count = static_cast<std::size_t>(array->size());
  const auto room = [&](std::size_t bytes) { return std::span(reinterpret_cast<std::byte*>(graph.arena().array<double>(bytes / 8 + 1)), bytes); };
  if (elements.size() != array->nbytes()) {  // of the other byte order: copied row-major
    const auto own = room(array->nbytes());
    if (!own.data()) return spent();
    BRINE_TRY(array->copy_part(0, own));
    row_major(array->shape(), std::span(dims + array->shape().size(), array->shape().size()));
    elements = own;
  }
  if (*from != dtype) {
    const auto own = room(count * item_size(dtype));
    if (!own.data()) return spent();
    BRINE_TRY(convert(*from, elements, dtype, own));
    elements = own;
  }
  storage->device = device;
  storage->nbytes = elements.size();
  storage->data = elements.data();
  storage->dtype = dtype;
  storage->found = true;
  record.set_body(Strided{storage, 0});
  record.dtype = dtype;
  record.dims = dims;
  record.ndim = static_cast<std::uint8_t>(array->shape().size());
  return true;
}

}  // namespace brine
