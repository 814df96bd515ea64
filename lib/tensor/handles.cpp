// SPDX-License-Identifier: MIT
// The members of Storage and Tensor that only look; the copying ones are in copy.cpp.
#include "tensor/layout.hpp"

#include "bytes/guard.hpp"
#include "support/checked.hpp"

namespace brine {

std::string_view Storage::key() const noexcept { return record_ ? record_->key : std::string_view(); }
std::string_view Storage::device() const noexcept { return record_ ? record_->device : std::string_view(); }
DType Storage::dtype() const noexcept { return record_ ? record_->dtype : DType::uint8; }
std::uint64_t Storage::nbytes() const noexcept { return record_ ? record_->nbytes : 0; }
bool Storage::foreign_byte_order() const noexcept { return record_ && record_->foreign && !record_->untyped && item_size(record_->dtype) > 1; }

Result<std::span<const std::byte>> Storage::bytes() const {
  return guarded("a storage", [&]() -> Result<std::span<const std::byte>> {
    if (nbytes() == 0) return std::span<const std::byte>();
    if (const std::byte* data = record_->data) return std::span(data, record_->nbytes);
    return record_->reader->fetch(*record_);
  });
}

Result<void> Storage::read(std::uint64_t offset, std::span<std::byte> out) const {
  return guarded("a storage", [&]() -> Result<void> {
    if (!fits(offset, out.size(), nbytes()))
      return Error(ErrorKind::usage, ErrorCode::out_of_range,
                   "bytes " + std::to_string(offset) + " to " + std::to_string(offset + out.size()) + " of a storage of " + std::to_string(nbytes()));
    if (out.empty()) return {};
    if (const std::byte* data = record_->data) {
      std::copy_n(data + offset, out.size(), out.data());
      return {};
    }
    return record_->reader->read(*record_, offset, out);
  });
}

std::optional<Location> Storage::location() const noexcept {
  if (!record_ || !record_->reader || record_->packed || !record_->reader->base) return std::nullopt;
  return Location{*record_->reader->base + record_->offset, record_->nbytes};
}

Result<bool> Storage::verify_crc() const {
  return guarded("a storage", [&]() -> Result<bool> {
    if (!record_ || !record_->reader) return false;
    return record_->reader->verify_crc(*record_);
  });
}

DType Tensor::dtype() const noexcept { return record_->dtype; }
std::span<const std::int64_t> Tensor::shape() const noexcept { return record_->is_nested() ? std::span<const std::int64_t>() : record_->shape(); }
std::span<const std::int64_t> Tensor::stride() const noexcept {
  return record_->as_sparse() || record_->is_nested() ? std::span<const std::int64_t>() : record_->stride();
}
std::int64_t Tensor::storage_offset() const noexcept { return strided_or_none(*record_).offset; }
std::int64_t Tensor::numel() const noexcept { return record_->numel(); }
std::uint64_t Tensor::nbytes() const noexcept { return static_cast<std::uint64_t>(numel()) * item_size(dtype()); }
bool Tensor::is_contiguous() const noexcept { return (record_->as_strided() || record_->is_meta()) && brine::is_contiguous(shape(), stride()); }
bool Tensor::requires_grad() const noexcept { return record_->requires_grad; }
bool Tensor::is_parameter() const noexcept { return record_->parameter; }
bool Tensor::is_conj() const noexcept { return record_->conj; }
bool Tensor::is_neg() const noexcept { return record_->neg; }
std::string_view Tensor::device() const noexcept {
  const TensorRecord* t = record_.get();
  if (t->is_meta()) return "meta";
  if (const Sparse* s = t->as_sparse()) t = s->values;
  if (const Nested* n = t->as_nested()) t = n->buffer;
  if (const Jagged* j = t->as_jagged()) t = j->values;
  const StorageRecord* s = strided_or_none(*t).storage;
  return s ? s->device : std::string_view("cpu");
}
Storage Tensor::storage() const noexcept { return Handles::storage(record_, strided_or_none(*record_).storage); }

}  // namespace brine
