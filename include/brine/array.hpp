// SPDX-License-Identifier: MIT
// Array: a numpy array, or one of numpy's scalars, that a checkpoint holds.
//
//   auto mean = brine::Array::of(ckpt->root()["obs_rms"].attr("mean"));       // Result<Array>
//   if (mean) use(mean->dtype(), mean->shape(), mean->bytes());                // "<f8", {17}, 136 bytes of the pickle: no copy
//   auto best = brine::Array::of(ckpt->root()["best_acc"]);                   // numpy.float64: a scalar, of shape {}
//
// Borrows: an Array and what it gives is valid while the Checkpoint (or a handle of it) lives; to_tensor() keeps alive what it needs.
#pragma once

#include <brine/result.hpp>
#include <brine/tensor.hpp>
#include <brine/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

class BRINE_API Array {
 public:
  /// What numpy 1 and 2 pickle, in every protocol. Fails with: usage (wrong_kind …: no array), corrupt (tensor_arguments, tensor_bounds: it says what no
  /// array can be, or its bytes are too few or too many), unsupported (other_format: a dtype that brine does not know, by its name; a masked array, which
  /// is two), limit. Of subclasses, as numpy.matrix, the elements; Value::type_name() says which class it is.
  static Result<Array> of(const Value& value);

  /// numpy's dtype.str after loading: "<f8", "|b1", "<U5", "<M8[ns]", "|V12" (structured), "|O", "|T16" (StringDType). numpy turns big-endian elements into
  /// its machine's order as it loads them, but for structures and what protocol 5 pickles (_frombuffer); brine says little endian for them on every machine.
  std::string_view dtype() const& noexcept { return dtype_; }
  std::string dtype() && { return std::move(dtype_); }
  /// numpy's dtype.descr, as an .npy file has it: "'<f8'", or "[('x', '<i4'), ('y', '<f8', (3,))]". Fails with: unsupported (fields that overlap, or lie
  /// deeper than 8 in each other; titles that are no str), corrupt, limit (more than 64,000 bytes of text).
  Result<std::string> descr() const;

  std::span<const std::int64_t> shape() const& noexcept { return {dims_.data(), dims_.size() / 2}; }
  std::vector<std::int64_t> shape() && { return {shape().begin(), shape().end()}; }
  /// In elements.
  std::span<const std::int64_t> stride() const& noexcept { return std::span(dims_).subspan(dims_.size() / 2); }
  std::vector<std::int64_t> stride() && { return {stride().begin(), stride().end()}; }
  std::int64_t size() const noexcept { return size_; }           ///< elements
  std::size_t itemsize() const noexcept { return itemsize_; }    ///< bytes of one
  bool is_scalar() const noexcept { return scalar_; }            ///< numpy.float64(0.5), not numpy.array(0.5)
  bool is_c_contiguous() const noexcept;                         ///< numpy's order 'C', row-major
  bool is_f_contiguous() const noexcept;                         ///< numpy's order 'F', column-major

  std::size_t nbytes() const noexcept { return nbytes_; }        ///< of all elements; 0 for arrays of objects

  /// All elements where the pickle has them: packed, in the order that stride() says. Empty for arrays of objects, and for those whose elements the pickle
  /// has in another byte order than dtype() says: copy_part() and to_tensor() give these.
  std::span<const std::byte> bytes() const noexcept { return swap_ ? std::span<const std::byte>() : bytes_; }
  /// Of an array of objects: the list of its items, row-major; absent for others. Such an array is one of StringDType, too (each item a str, or what stands
  /// for none), and of a structure with objects in it (each item a tuple of its fields).
  Value items() const { return items_; }

  /// Fills `out` with the elements from number `first` on, row-major, in dtype()'s byte order. Fails with: usage (out_of_range; buffer_size: no whole
  /// elements; wrong_dtype: objects).
  Result<void> copy_part(std::int64_t first, std::span<std::byte> out) const;

  /// The numbers as a tensor over the same bytes; over a copy in the machine's byte order where they are of the other one. Fails with: usage (wrong_dtype:
  /// PyTorch has no such dtype), limit.
  Result<Tensor> to_tensor() const;

 private:
  friend struct ArrayReader;
  Array() = default;
  void swap(std::span<std::byte> elements) const noexcept;

  std::string dtype_;
  std::vector<std::int64_t> dims_;  // shape, then stride
  std::int64_t size_ = 1;
  std::size_t itemsize_ = 0, nbytes_ = 0;
  std::size_t swap_ = 0;  // bytes of the parts of an element that copy_part() reverses, or 0
  bool scalar_ = false;
  std::span<const std::byte> bytes_;
  Value items_, type_;  // type_: the numpy.dtype object
};

}  // namespace brine
