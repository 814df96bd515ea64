// SPDX-License-Identifier: MIT
// Storage and Tensor: a tensor is a checked view (dtype, shape, stride, offset) over a storage, and a storage is bytes of the file.
//
// Both are cheap shared handles that keep alive what they need (the mapping, the names) and may outlive the Checkpoint. All members are
// const and thread-safe. A Tensor can only be made by the one check of its kind; a strided one's proves that every element lies inside its storage
// (lib/tensor/layout.hpp, kinds.hpp).
//
// Most tensors are strided. Others are, by PyTorch's names, quantised (is_quantized(): strided integers that stand for numbers), sparse (layout()),
// nested (is_nested()), or without data (is_meta()); what each has is said below, and what it has not is an error that says what to use instead.
#pragma once

#include <brine/convert.hpp>
#include <brine/dtype.hpp>
#include <brine/layout.hpp>
#include <brine/result.hpp>
#include <brine/shape.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace brine {

struct StorageRecord;
struct TensorRecord;
struct TensorPart;

/// Where a storage's bytes lie in the file, for engines that read them themselves (into pinned or device memory).
struct Location {
  std::uint64_t offset;  ///< in the source
  std::uint64_t size;    ///< bytes
};

/// Elements in a file's order of bytes. Two tensors share memory exactly when their storages are equal (==).
class BRINE_API Storage {
 public:
  Storage() noexcept = default;
  explicit operator bool() const noexcept { return record_ != nullptr; }  ///< false: no storage at all (an empty old-style tensor)

  std::string_view key() const noexcept;       ///< the file's name for it: "0", or a pointer's digits in old files
  std::string_view device() const noexcept;    ///< what the file says: "cpu", "cuda:0"; never acted on
  DType dtype() const noexcept;                ///< of the class that named it first; uint8 for UntypedStorage
  std::uint64_t nbytes() const noexcept;

  /// The raw bytes, in the file's byte order. A slice of the mapped file or of the caller's memory; where that cannot be (deflated
  /// record, callback or plain source) they are fetched once, on first use, behind a lock, and kept. Borrows: valid while any handle of the same
  /// checkpoint lives. Fails with: io, corrupt (inflating), limit.
  Result<std::span<const std::byte>> bytes() const;

  /// Fills `out` from byte `offset` on without keeping anything. Fails as bytes() does; usage (out of range).
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;

  /// Nothing when the bytes are packed (deflated) or not from a file.
  std::optional<Location> location() const noexcept;

  /// True when the elements are stored in the other byte order than this machine's; the copying accessors of Tensor swap them.
  bool foreign_byte_order() const noexcept;

  /// Checks the CRC of the record, where the file has one; false: it has none (legacy streams, CRC 0). Fails with: corrupt, io.
  Result<bool> verify_crc() const;

  /// Memory of the caller's as a storage, to be viewed by tensors that share it (tied weights). Identity is the Storage, never the address.
  /// Borrows: `bytes` must outlive every handle made from it, unless `owner` keeps them alive.
  static Storage borrow(std::span<const std::byte> bytes, DType dtype, std::shared_ptr<const void> owner = nullptr);

  friend bool operator==(const Storage& a, const Storage& b) noexcept { return a.record_.get() == b.record_.get(); }

 private:
  friend class Tensor;
  friend struct Handles;
  explicit Storage(std::shared_ptr<const StorageRecord> record) noexcept : record_(std::move(record)) {}
  std::shared_ptr<const StorageRecord> record_;
};

class BRINE_API Tensor {
 public:
  /// A tensor over a storage; without strides row-major. The same check as for tensors of a file. Fails with: corrupt (tensor_bounds,
  /// tensor_size, tensor_arguments), limit (too_many_dimensions).
  static Result<Tensor> view(const Storage& storage, DType dtype, Shape shape, Shape stride = {}, std::int64_t offset = 0);

  /// A row-major tensor over the caller's memory: std::span(vector), or borrow<float>(anything a span is made of). Borrows: `data` must
  /// outlive every handle, unless `owner` keeps it alive. Fails with: usage (buffer_size), and as view().
  template <class T, std::size_t N>
  static Result<Tensor> borrow(std::span<T, N> data, Shape shape, std::shared_ptr<const void> owner = nullptr) {
    return borrow(std::as_bytes(data), dtype_of<std::remove_const_t<T>>::value, shape, std::move(owner));
  }
  template <class T>
  static Result<Tensor> borrow(std::span<const std::type_identity_t<T>> data, Shape shape, std::shared_ptr<const void> owner = nullptr) {
    return borrow(std::as_bytes(data), dtype_of<T>::value, shape, std::move(owner));
  }
  static Result<Tensor> borrow(std::span<const std::byte> data, DType dtype, Shape shape, std::shared_ptr<const void> owner = nullptr);

  /// The same over a copy of its own. Fails with: limit (out of memory) as well.
  template <class T, std::size_t N>
  static Result<Tensor> copy(std::span<T, N> data, Shape shape) {
    return copy(std::as_bytes(data), dtype_of<std::remove_const_t<T>>::value, shape);
  }
  template <class T>
  static Result<Tensor> copy(std::span<const std::type_identity_t<T>> data, Shape shape) {
    return copy(std::as_bytes(data), dtype_of<T>::value, shape);
  }
  static Result<Tensor> copy(std::span<const std::byte> data, DType dtype, Shape shape);

  DType dtype() const noexcept;
  std::span<const std::int64_t> shape() const noexcept;   ///< empty for a 0-d tensor
  std::span<const std::int64_t> stride() const noexcept;  ///< in elements; as the file says, also for sizes 0 and 1; empty for sparse and nested tensors
  std::int64_t storage_offset() const noexcept;           ///< in elements, from the start of storage() (the root, where a legacy file has views)
  std::int64_t numel() const noexcept;
  std::uint64_t nbytes() const noexcept;                  ///< numel × item_size, as a packed copy needs
  bool is_contiguous() const noexcept;                    ///< row-major without gaps; sizes of 1 and empty tensors do not count
  bool requires_grad() const noexcept;
  bool is_parameter() const noexcept;                     ///< wrapped as nn.Parameter (or a Variable of old files)
  bool is_conj() const noexcept;                          ///< lazy conjugation; the copying accessors resolve it
  bool is_neg() const noexcept;                           ///< lazy negation; likewise
  std::string_view device() const noexcept;
  Storage storage() const noexcept;                       ///< none where the tensor is not strided, or has no data

  Layout layout() const noexcept;                         ///< strided also for quantised, meta and (PyTorch's older) nested tensors; newer ones: jagged
  bool is_quantized() const noexcept;
  bool is_meta() const noexcept;                          ///< shape, stride and dtype, and no data
  bool is_sparse() const noexcept;                        ///< of any sparse layout
  bool is_nested() const noexcept;                        ///< a list of tensors of different shapes: unbind(); shape() is empty

  // Quantised: number = scale * (integer - zero point). Fail with: usage (wrong_layout) where the tensor is not, or not by channel.
  Result<QScheme> qscheme() const;
  Result<double> q_scale() const;
  Result<std::int64_t> q_zero_point() const;
  Result<Tensor> q_per_channel_scales() const;
  Result<Tensor> q_per_channel_zero_points() const;
  Result<std::int64_t> q_per_channel_axis() const;
  /// The integers, as a view of the same storage; of quint4x2 and quint2x4 the bytes (uint8), of which each packs 2 or 4, the lowest bits first.
  Result<Tensor> int_repr() const;

  // Sparse: what there is by layout. The indices are checked, once, before they are given, in time linear in how many there are: they keep what
  // torch.sparse.check_sparse_tensor_invariants asks for. Fail with: usage (wrong_layout), corrupt (sparse_indices), and as copy_part().
  Result<Tensor> indices() const;       ///< COO: int64 [sparse dimensions, nnz]
  Result<Tensor> crow_indices() const;  ///< CSR, BSR
  Result<Tensor> col_indices() const;   ///< CSR, BSR
  Result<Tensor> ccol_indices() const;  ///< CSC, BSC
  Result<Tensor> row_indices() const;   ///< CSC, BSC
  Result<Tensor> values() const;        ///< of jagged tensors, too; not checked: there is nothing to check
  bool is_coalesced() const noexcept;   ///< COO: no element is named twice, and they are in order
  /// All elements row-major into `out`, numel × item_size bytes, those that are not named 0; what COO names twice is added up. `dtype`: converted
  /// after that, as copy_to() does. Of strided and quantised tensors the same as copy_to(). Fails as copy_to() and indices() do.
  Result<void> to_dense(std::span<std::byte> out) const;
  Result<void> to_dense(DType dtype, std::span<std::byte> out) const;

  /// The tensors that it is made of, by PyTorch's names: int_repr, scales, zero_points; indices, crow_indices, values …; buffer, sizes, strides, offsets
  /// (jagged: values, offsets, lengths). None of a strided one. Not checked: the indices of a hostile file may say anything. Fails with: limit (out of memory).
  Result<std::vector<TensorPart>> parts() const;

  /// The tensors along the first dimension, as views; of a nested tensor its components. Fails with: usage (wrong_layout, does_not_fit: 0-d),
  /// corrupt (a component reaches outside), limit (more than 100,000 tensors, 1,000,000 components), and as copy_part().
  Result<std::vector<Tensor>> unbind() const;

  /// The elements where they lie: no copy. Refuses what a plain span cannot say. Borrows: valid while this or another handle of the
  /// same checkpoint lives. Fails with: usage (wrong_dtype, not_contiguous, not_aligned, foreign_byte_order, lazy_bits), and as Storage::bytes().
  template <class T>
  Result<std::span<const T>> data() const {
    auto bytes = elements(dtype_of<T>::value, alignof(T));
    if (!bytes) return std::move(bytes).error();
    return std::span<const T>(reinterpret_cast<const T*>(bytes->data()), bytes->size() / sizeof(T));
  }

  /// As data(), without a type: the bytes of a contiguous tensor, aligned or not, in the file's byte order.
  Result<std::span<const std::byte>> data_bytes() const;

  /// Copies all elements, row-major, in the machine's byte order, conj and neg resolved; `out` has exactly nbytes() bytes, any alignment.
  /// Fails with: usage (buffer_size), limit (Limits::copy_bytes), and as Storage::bytes().
  Result<void> copy_to(std::span<std::byte> out) const;

  /// As above, converted to `dtype` as PyTorch's copy_ does (convert.hpp); `out` holds numel × item_size(dtype) bytes. A quantised tensor gives its
  /// integers as its own dtype, and as a floating one what dequantize() gives; quint4x2 and quint2x4 only that.
  Result<void> copy_to(DType dtype, std::span<std::byte> out) const;

  /// Copies the elements from number `first` on (row-major), as many as fill `out`, as copy_to() does: for going through a tensor of any size
  /// in pieces. Keeps nothing; needs at most 4 MiB beside `out`. Deflated data goes on being inflated where the last piece ended, so pieces in
  /// order cost one pass. No Limits apply. Fails with: usage (out_of_range, buffer_size, wrong_dtype), and as Storage::read().
  Result<void> copy_part(std::int64_t first, std::span<std::byte> out) const;
  Result<void> copy_part(DType dtype, std::int64_t first, std::span<std::byte> out) const;

  /// A packed copy of the caller's own. Fails as copy_to().
  template <class T>
  Result<std::vector<T>> to_vector() const {
    static_assert(sizeof(T) == 1 || !std::is_same_v<T, bool>);
    if (auto room = check_copy(sizeof(T)); !room) return std::move(room).error();
    std::vector<T> out;
    if (!resized(out, static_cast<std::size_t>(numel()))) return Error(ErrorKind::limit, ErrorCode::out_of_memory, "out of memory");
    if (auto done = copy_to(dtype_of<T>::value, std::as_writable_bytes(std::span(out))); !done) return std::move(done).error();
    return out;
  }

  /// The one element of a tensor that has one, as Python's item(). Fails with: usage (more or no elements), and as copy_to().
  template <class T>
  Result<T> item() const {
    if (numel() != 1) return Error(ErrorKind::usage, ErrorCode::does_not_fit, "item() needs one element, the tensor has " + std::to_string(numel()));
    T out{};
    if (auto done = copy_to(dtype_of<T>::value, std::as_writable_bytes(std::span(&out, 1))); !done) return std::move(done).error();
    return out;
  }

 private:
  friend struct Handles;
  explicit Tensor(std::shared_ptr<const TensorRecord> record) noexcept : record_(std::move(record)) {}
  Result<std::span<const std::byte>> elements(DType dtype, std::size_t alignment) const;
  Result<void> check_copy(std::size_t item) const;
  template <class T>
  static bool resized(std::vector<T>& out, std::size_t n) {
#if defined(__cpp_exceptions)
    try {
      out.resize(n);
    } catch (...) {
      return false;
    }
#else
    out.resize(n);
#endif
    return true;
  }
  std::shared_ptr<const TensorRecord> record_;
};

struct TensorPart {
  std::string_view name;
  Tensor tensor;
};

}  // namespace brine
