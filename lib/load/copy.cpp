// SPDX-License-Identifier: MIT
// One tensor into the caller's memory, as copy_ does it: what copy_ refuses, with its words, and the copy itself.
#include "load/load_state_dict.hpp"

#include "bytes/bytes.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "tensor/layout.hpp"
#include "tensor/record.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <cstring>

namespace brine {

namespace {

using Item = Parameters::Impl::Item;
using Dims = std::span<const std::int64_t>;

bool is_empty(Dims shape) noexcept { return std::ranges::find(shape, 0) != shape.end(); }

bool is_bits(DType dtype) noexcept { return name(dtype).starts_with("bits"); }

/// Every place between the first and the last element belongs to exactly one element (ATen's is_non_overlapping_and_dense).
bool is_dense(Dims shape, Dims stride) {
  if (is_empty(shape)) return true;
  std::vector<std::size_t> order;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (shape[d] != 1) order.push_back(d);
  std::ranges::sort(order, {}, [&](std::size_t d) { return stride[d]; });
  std::int64_t expected = 1;
  for (const std::size_t d : order) {
    if (stride[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

bool is_expanded(Dims shape, Dims stride) noexcept {
  if (is_empty(shape)) return false;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (shape[d] > 1 && stride[d] == 0) return true;
  return false;
}

/// Bytes from the first element to the end of the last.
std::size_t reach(Dims shape, Dims stride, DType dtype) noexcept {
  std::int64_t last = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) last += (shape[d] - 1) * stride[d];
  return (static_cast<std::size_t>(last) + 1) * item_size(dtype);
}

enum class Overlap : std::uint8_t { none, same, some };

Overlap overlap(const Item& target, const Tensor& source) {
  const TensorRecord& t = Handles::record(source);
  const Strided at = strided_or_none(t);
  const std::byte* const data = at.storage ? at.storage->data.load() : nullptr;
  if (!data || target.bytes.empty() || is_empty(t.shape())) return Overlap::none;
  const std::byte *const from = data + static_cast<std::size_t>(at.offset) * item_size(t.dtype), *const to = target.bytes.data();
  const std::byte *const from_end = from + reach(t.shape(), t.stride(), t.dtype), *const to_end = to + reach(target.shape(),
                                                                                                             target.stride(), target.dtype);
  if (!std::less<>()(from, to_end) || !std::less<>()(to, from_end)) return Overlap::none;
  return from == to && target.dtype == t.dtype && std::ranges::equal(target.stride(), t.stride()) ? Overlap::same : Overlap::some;
}

// The elements of a packed buffer to where strides put them, the last dimension as a loop.
template <std::size_t Size>
void scatter(const std::byte* from, std::byte* to, Dims shape, Dims stride) {
  const std::size_t outer = shape.size() - 1;
  std::vector<std::int64_t> at(outer);
  for (std::int64_t offset = 0;;) {
    std::byte* out = to + static_cast<std::size_t>(offset) * Size;
    for (std::int64_t i = 0; i < shape[outer]; ++i, from += Size, out += static_cast<std::size_t>(stride[outer]) * Size)
      std::memcpy(out, from, Size);
    std::size_t d = outer;
    for (; d-- > 0;) {
      offset += stride[d];
      if (++at[d] < shape[d]) break;
      offset -= stride[d] * shape[d];
      at[d] = 0;
    }
    if (d >= outer) return;  // wrapped below 0: that was the last row
  }
}

}  // namespace

namespace {

bool is_compressed(Layout layout) noexcept { return layout != Layout::strided && layout != Layout::sparse_coo && layout != Layout::jagged; }

// c10's names.
std::string_view layout_text(Layout layout) noexcept {
  switch (layout) {
    case Layout::sparse_coo: return "Sparse";
    case Layout::sparse_csr: return "SparseCsr";
    case Layout::sparse_csc: return "SparseCsc";
    case Layout::sparse_bsr: return "SparseBsr";
    case Layout::sparse_bsc: return "SparseBsc";
    default: return "Strided";
  }
}

// Between kinds of tensors: what copy_ says, "" where nothing stands against it, and nothing where both are strided.
std::optional<std::string> kinds_refusal(const Item& target, const Tensor& source) {
  const Layout to = target.kind.layout, from = source.layout();
  if (is_compressed(to)) {
    if (to != from)
      return concat({"torch.copy_: copy of sparse compressed tensors having different layouts is not supported. self layout is ", layout_text(to),
                     " and src layout is ", layout_text(from)});
    const auto parts = source.parts();  // compressed and plain indices, values
    return parts && (*parts)[1].tensor.numel() == target.kind.specified
               ? std::string()
               : std::string("torch.copy_: only sparse compressed tensors with the same number of specified elements are supported.");
  }
  if (source.is_meta()) return "Cannot copy out of meta tensor; no data!";
  if (is_compressed(from)) return concat({"copy_sparse_compressed_ expected sparse compressed tensor layout but got ", layout_text(to)});
  if (to == Layout::sparse_coo && from == to) return std::string();
  if (to == Layout::sparse_coo || from == Layout::sparse_coo)
    return concat({"copy_() between dense and sparse Tensors is not implemented! Found self type = ", tensor_type(target.dtype, to == Layout::sparse_coo), " and src type = ",
                   tensor_type(source.dtype(), from == Layout::sparse_coo)});
  if (target.kind.nested && source.is_nested()) return std::string();
  if (source.is_nested()) return "brine does not copy nested tensors: unbind() gives the tensors in it";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> copy_refusal(const Item& target, const Tensor& source) {
  const DType from = source.dtype(), to = target.dtype;
  if (auto refusal = kinds_refusal(target, source)) return refusal->empty() ? std::nullopt : refusal;
  if (is_quantised(to) && !is_quantised(from)) {
    if (from != DType::float32) return "Quantized copy only works with kFloat as source Tensor";
    return "brine does not quantise: the entry has no scale and zero point";
  }
  if (is_quantised(from) && !is_quantised(to))
    return "Copying from quantized Tensor to non-quantized Tensor is not allowed, please use dequantize to get a float Tensor from a "
           "quantized Tensor";
  if (is_quantised(from) && from != to)
    return "Expected self.scalar_type() == src.scalar_type() to be true, but got false.  (Could this error message be improved?  If so, "
           "please report an "
           "enhancement request to PyTorch.)";
  if (is_expanded(target.shape(), target.stride()))
    return "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the "
           "tensor before "
           "performing the operation.";
  if (!target.meta && overlap(target, source) == Overlap::some && is_dense(target.shape(), target.stride()) &&
      is_dense(source.shape(), source.stride()))
    return "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please "
           "clone() the tensor "
           "before performing the operation.";
  if (is_empty(target.shape()) || convertible(from, to)) return std::nullopt;
  const DType odd = is_bits(to) || (to == DType::float4_e2m1fn_x2) ? to : from;
  return concat({is_bits(from) || is_bits(to) ? "\"copy_\"" : "\"copy_kernel\"", " not implemented for '", scalar_type(odd), "'"});
}

Result<void> make_memory(Item& target, const Tensor& source) {
  if (!target.lazy || target.memory) return {};
  BRINE_TRY(Handles::check_copy(source, item_size(target.dtype)));
  const std::size_t size = static_cast<std::size_t>(source.numel()) * item_size(target.dtype);
  BRINE_LET(memory, allocate(size, "the tensor of a lazy entry"));
  target.memory = std::move(*memory);
  target.bytes = {target.memory.get(), size};
  return {};
}

Result<void> copy_into(const Item& target, const Tensor& source) {
  if (is_empty(target.shape())) return {};
  const std::size_t size = static_cast<std::size_t>(source.numel()) * item_size(target.dtype);
  const Overlap shared = overlap(target, source);
  if (shared == Overlap::same && !source.is_conj() && !source.is_neg()) return {};
  const bool direct = shared == Overlap::none && is_contiguous(target.shape(), target.stride());
  std::span<std::byte> packed = target.bytes.first(direct ? size : 0);
  std::shared_ptr<std::byte[]> own;
  if (!direct) {
    BRINE_LET(buffer, allocate(size, "a copy of a tensor"));
    own = std::move(*buffer);
    packed = {own.get(), size};
  }
  BRINE_TRY(source.copy_to(target.dtype, packed));
  if (target.dtype == DType::bool_)  // any byte but 0 is True, and True is 1
    for (std::byte& b : packed) b = static_cast<std::byte>(b != std::byte{0});
  if (direct) return {};
  if (target.shape().empty()) return std::memcpy(target.bytes.data(), packed.data(), size), Result<void>();
  switch (item_size(target.dtype)) {
    case 1: scatter<1>(packed.data(), target.bytes.data(), target.shape(), target.stride()); break;
    case 2: scatter<2>(packed.data(), target.bytes.data(), target.shape(), target.stride()); break;
    case 4: scatter<4>(packed.data(), target.bytes.data(), target.shape(), target.stride()); break;
    case 8: scatter<8>(packed.data(), target.bytes.data(), target.shape(), target.stride()); break;
    default: scatter<16>(packed.data(), target.bytes.data(), target.shape(), target.stride()); break;
  }
  return {};
}

Tensor first_element(const Tensor& tensor) {
  const Quantised* q = Handles::record(tensor).as_quantised();
  if (tensor.is_sparse() || tensor.is_nested() || (q && q->scheme != QScheme::per_tensor_affine)) return tensor;  // what they are made of has the dimension, too
  struct Element {
    TensorRecord record;
    Tensor whole;
  };
  auto own = std::make_shared<Element>(Element{Handles::record(tensor), tensor});
  own->record.ndim = 0;
  own->record.base = nullptr;
  own->record.origin = nullptr;
  own->record.parameter = own->record.requires_grad = false;
  if (own->record.form != TensorForm::v3) own->record.form = TensorForm::v2;
  const TensorRecord* record = &own->record;
  return Handles::tensor(std::move(own), record);
}

}  // namespace brine
