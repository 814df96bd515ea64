// SPDX-License-Identifier: MIT
// The records behind the handles Storage and Tensor. Those of a file live as long as its checkpoint; nothing in them changes once it is open, but
// the bytes of a storage that had to be fetched.
#pragma once

#include <brine/tensor.hpp>

#include "graph/node.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace brine {

/// Where the bytes of a checkpoint's storages come from: a form.
class StorageReader {
 public:
  StorageReader(std::uint64_t max, std::optional<std::uint64_t> start) noexcept : copy_bytes(max), base(start) {}
  virtual ~StorageReader() = default;
  const std::uint64_t copy_bytes;  ///< Limits::copy_bytes
  const std::optional<std::uint64_t> base;  ///< where the records' offsets count from in the caller's source; nothing: they are not of it
  virtual Result<void> read(const StorageRecord& storage, std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// All bytes, fetched once and kept. Thread-safe.
  virtual Result<std::span<const std::byte>> fetch(const StorageRecord& storage) const = 0;
  virtual Result<bool> verify_crc(const StorageRecord& storage) const = 0;
  /// What the CRC-32 of all its bytes should be, where the file says so.
  virtual std::optional<std::uint32_t> crc(const StorageRecord&) const { return std::nullopt; }
};

struct StorageRecord {
  std::string_view key, device;
  std::uint64_t nbytes = 0;
  std::uint64_t offset = 0;                          // of the data in the source, unless `packed`
  mutable std::atomic<const std::byte*> data = nullptr;  // once known: in the map, the caller's memory, or a fetched buffer
  const StorageReader* reader = nullptr;             // null: `data` is all there is
  const GlobalNode* cls = nullptr;                   // the class that named it first; null: none did (a storage of the caller's)
  std::uint32_t entry = 0;                           // of the archive's directory
  DType dtype = DType::uint8;
  bool untyped = false;                              // UntypedStorage: bytes are never swapped
  bool packed = false, foreign = false, found = false;
  mutable bool mixed = false;                        // a tensor has elements of another size: where bytes are swapped, PyTorch swaps them by `dtype`
  bool key_shared = true;                            // its key is one str object wherever it is named
};

/// A storage of a legacy file that is a part of another one (0.1.10 to 0.3.1); counts elements.
struct StorageView {
  const StorageRecord* root;
  std::int64_t offset, numel;
};

/// What the pickle wrote: decides how the writer writes it back.
enum class TensorForm : std::uint8_t { v1, v2, v3, parameter, old_class };

/// Ref.tag of a tensor that is a Parameter.
inline constexpr std::uint16_t kParameterTag = 1;

struct TensorRecord;

/// The body of a strided tensor.
struct Strided {
  const StorageRecord* storage = nullptr;  // null: an old-style tensor that was never given one
  std::int64_t offset = 0;                 // elements, from the root storage's start
  bool operator==(const Strided&) const = default;
};

/// … of one whose integers stand for numbers: scale * (integer - zero point).
struct Quantised : Strided {
  QScheme scheme = QScheme::per_tensor_affine;
  double scale = 1;
  std::int64_t zero_point = 0, axis = 0;
  const TensorRecord *scales = nullptr, *zero_points = nullptr;  // per channel: float64 and int64, of float qparams float32 both
};

/// … of a sparse one. COO: indices [sparse dims, nnz]; else the compressed and the plain indices, by rows or by columns.
struct Sparse {
  const TensorRecord *indices, *plain;  // plain: null in COO
  const TensorRecord* values;
  bool coalesced = false;
  mutable std::atomic<std::uint8_t> checked = 0;  // 1: the indices were looked at, and keep the invariants
};

/// … of a nested one: component i is the buffer as a view of sizes[i], strides[i] at offsets[i].
struct Nested {
  const TensorRecord *buffer, *sizes, *strides, *offsets;
};

/// … of a jagged one: component i is the values along the ragged dimension from offsets[i] on, lengths[i] of them, or all up to offsets[i + 1].
struct Jagged {
  const TensorRecord *values, *offsets, *lengths;  // lengths: null where there is nothing between the components
  std::size_t ragged = 0;                          // which dimension of the values
};

enum class Body : std::uint8_t { strided, quantised, meta, sparse, nested, jagged };

/// A head, which all tensors have, and a body, by layout: where the elements are. That of a strided one is inline, as nearly all are.
struct TensorRecord : TensorNode {
  /// The only way to storage and offset. Null: not strided. Of a quantised tensor: where its integers are.
  const Strided* as_strided() const noexcept { return body_ == Body::strided ? &strided_ : body_ == Body::quantised ? quantised_ : nullptr; }
  const Quantised* as_quantised() const noexcept { return body_ == Body::quantised ? quantised_ : nullptr; }
  const Sparse* as_sparse() const noexcept { return body_ == Body::sparse ? sparse_ : nullptr; }
  const Nested* as_nested() const noexcept { return body_ == Body::nested ? nested_ : nullptr; }
  const Jagged* as_jagged() const noexcept { return body_ == Body::jagged ? jagged_ : nullptr; }
  bool is_nested() const noexcept { return body_ == Body::nested || body_ == Body::jagged; }
  bool is_meta() const noexcept { return body_ == Body::meta; }

  void set_body(const Strided& strided) noexcept { body_ = Body::strided, strided_ = strided; }
  void set_body(const Quantised* quantised) noexcept { body_ = Body::quantised, quantised_ = quantised; }
  void set_body(const Sparse* sparse) noexcept { body_ = Body::sparse, sparse_ = sparse; }
  void set_body(const Nested* nested) noexcept { body_ = Body::nested, nested_ = nested; }
  void set_body(const Jagged* jagged) noexcept { body_ = Body::jagged, jagged_ = jagged; }
  void set_meta() noexcept { body_ = Body::meta, strided_ = {}; }
  bool same_body(const TensorRecord& other) const noexcept {
    if (body_ != other.body_) return false;
    return body_ == Body::strided ? strided_ == other.strided_ : body_ == Body::meta || quantised_ == other.quantised_;
  }
  void take_body(const TensorRecord& from) noexcept {
    body_ = from.body_;
    if (body_ == Body::strided || body_ == Body::meta) strided_ = from.strided_;
    else quantised_ = from.quantised_;
  }
  /// The data of another one: body, layout, dtype, dims, bits.
  void take_data(const TensorRecord& from) noexcept {
    take_body(from);
    layout = from.layout;
    dims = from.dims;
    ndim = from.ndim;
    dtype = from.dtype;
    conj = from.conj;
    neg = from.neg;
    unset = from.unset;
  }

  const std::int64_t* dims = nullptr;      // shape, then stride (of what has none: zeros)
  const TensorRecord* base = nullptr;      // of a parameter: the tensor it wraps
  DType dtype = DType::float32;
  std::uint8_t ndim = 0;
  Layout layout = Layout::strided;
  TensorForm form = TensorForm::v2;
  bool requires_grad = false, parameter = false, conj = false, neg = false, unset = false;
  mutable bool read = false;               // another one was made of it, so that it may not change any more

  std::span<const std::int64_t> shape() const noexcept { return {dims, ndim}; }
  std::span<const std::int64_t> stride() const noexcept { return {dims + ndim, ndim}; }
  std::int64_t numel() const noexcept {  // checked when the record was made
    std::int64_t n = 1;
    for (const std::int64_t size : shape()) n *= size;
    return n;
  }

 private:
  Body body_ = Body::strided;
  union {
    Strided strided_ = {};
    const Quantised* quantised_;
    const Sparse* sparse_;
    const Nested* nested_;
    const Jagged* jagged_;
  };
};

/// The same, for those who have nothing to do where there is none: without a storage where it is not strided.
inline Strided strided_or_none(const TensorRecord& t) noexcept {
  const Strided* s = t.as_strided();
  return s ? *s : Strided{};
}

/// Strided, and its elements are numbers themselves: what a part of another tensor has to be.
inline bool is_plain(const TensorRecord& t) noexcept { return t.as_strided() && !t.as_quantised(); }

/// Of the compressed sparse layouts: which compress the rows (the others the columns), and whose values are blocks.
constexpr bool compresses_rows(Layout layout) noexcept { return layout == Layout::sparse_csr || layout == Layout::sparse_bsr; }
constexpr bool has_blocks(Layout layout) noexcept { return layout == Layout::sparse_bsr || layout == Layout::sparse_bsc; }

/// Are its elements in the other byte order than the machine's?
inline bool is_swapped(const TensorRecord& t) noexcept {
  const StorageRecord* s = strided_or_none(t).storage;
  return s && s->foreign && t.form != TensorForm::v3 && !s->untyped && item_size(t.dtype) > 1;
}

inline const TensorRecord& tensor_of(const Ref& r) noexcept { return static_cast<const TensorRecord&>(tensor_node_of(r)); }
/// The same, of which another one is made.
inline const TensorRecord& read_tensor(const Ref& r) noexcept {
  tensor_of(r).read = true;
  return tensor_of(r);
}
inline Ref make_tensor_ref(const TensorRecord* record) noexcept {
  Ref r;
  r.kind = record ? Kind::tensor : Kind::absent;
  r.pointer = static_cast<const TensorNode*>(record);
  if (record && record->parameter) r.tag = kParameterTag;
  return r;
}

/// Makes public handles from records; `owner` keeps the record alive.
struct Handles {
  static Tensor tensor(std::shared_ptr<const void> owner, const TensorRecord* record) noexcept {
    return Tensor(std::shared_ptr<const TensorRecord>(std::move(owner), record));
  }
  static Storage storage(std::shared_ptr<const void> owner, const StorageRecord* record) noexcept {
    return record ? Storage(std::shared_ptr<const StorageRecord>(std::move(owner), record)) : Storage();
  }
  static const TensorRecord& record(const Tensor& tensor) noexcept { return *tensor.record_; }
  static const StorageRecord& record(const Storage& storage) noexcept { return *storage.record_; }
  static std::shared_ptr<const void> owner(const Tensor& tensor) noexcept { return tensor.record_; }
  /// May all elements be copied, of `item` bytes each? Fails with: limit (copy_too_large).
  static Result<void> check_copy(const Tensor& tensor, std::size_t item) { return tensor.check_copy(item); }
};

}  // namespace brine
