// SPDX-License-Identifier: MIT
// Tensors that are of no file: over the caller's memory, or a copy of it. The same check makes them.
#include "tensor/layout.hpp"

#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/checked.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace brine {

namespace {

struct OwnStorage {
  StorageRecord record;
  std::shared_ptr<const void> bytes;
};

struct OwnTensor {
  TensorRecord record;
  std::vector<std::int64_t> dims;
  std::shared_ptr<const StorageRecord> storage;
};

}  // namespace

Storage Storage::borrow(std::span<const std::byte> bytes, DType dtype, std::shared_ptr<const void> owner) {
  auto own = std::make_shared<OwnStorage>();
  own->record.device = "cpu";
  own->record.nbytes = bytes.size();
  own->record.data = bytes.data();
  own->record.dtype = dtype;
  own->record.found = true;
  own->bytes = std::move(owner);
  return Storage(std::shared_ptr<const StorageRecord>(own, &own->record));
}

Result<Tensor> Tensor::view(const Storage& storage, DType dtype, Shape shape, Shape stride, std::int64_t offset) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    auto own = std::make_shared<OwnTensor>();
    own->dims.assign(shape.begin(), shape.end());
    if (!stride.empty() || shape.empty()) {
      own->dims.insert(own->dims.end(), stride.begin(), stride.end());
    } else {
      own->dims.resize(shape.size() * 2);
      const std::span<std::int64_t> both = own->dims;
      row_major(both.first(shape.size()), both.subspan(shape.size()));
    }
    const std::span<const std::int64_t> dims = own->dims;
    const auto numel = static_cast<std::int64_t>(storage.nbytes() / item_size(dtype));
    BRINE_TRY(check_strided({dtype, dims.first(shape.size()), dims.subspan(shape.size()), offset, numel}, Limits{}));
    own->storage = storage.record_;
    own->record.set_body({storage.record_.get(), offset});
    own->record.dims = own->dims.data();
    own->record.dtype = dtype;
    own->record.ndim = static_cast<std::uint8_t>(shape.size());
    return Tensor(std::shared_ptr<const TensorRecord>(own, &own->record));
  });
}

Result<Tensor> Tensor::borrow(std::span<const std::byte> data, DType dtype, Shape shape, std::shared_ptr<const void> owner) {
  return guarded("a tensor", [&]() -> Result<Tensor> {
    if (const auto negative = std::find_if(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; }); negative != shape.end())
      return Error(ErrorKind::usage, ErrorCode::bad_argument, "expected sizes from 0 on, found " + std::to_string(*negative));
    const auto count = element_count(shape);
    const auto bytes = count ? checked_multiply(*count, static_cast<std::int64_t>(item_size(dtype))) : std::nullopt;
    if (!bytes || *bytes < 0 || static_cast<std::uint64_t>(*bytes) != data.size())
      return Error(
          ErrorKind::usage, ErrorCode::buffer_size,
          "the memory has " + std::to_string(data.size()) + " bytes, the shape needs " + (bytes ? std::to_string(*bytes) : "more than there can be"));
    return view(Storage::borrow(data, dtype, std::move(owner)), dtype, shape);
  });
}

Result<Tensor> Tensor::copy(std::span<const std::byte> data, DType dtype, Shape shape) {
  BRINE_LET(buffer, allocate(data.size(), "a copy of a tensor"));
  if (!data.empty()) std::memcpy(buffer->get(), data.data(), data.size());
  const std::span<const std::byte> own(buffer->get(), data.size());
  return borrow(own, dtype, shape, std::move(*buffer));
}

}  // namespace brine
