// SPDX-License-Identifier: MIT
#include "tensor/gather.hpp"

#include "bytes/bytes.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace brine {

namespace {

constexpr std::size_t kMaxDims = 255;

/// A view without its storage: the elements from storage offset `offset` on; packed, it starts `out` elements into the range.
struct Box {
  std::span<const std::int64_t> shape, stride;
  std::int64_t offset, numel;
};

/// Cuts the elements [first, first + count) into boxes, in order and at most two for each dimension.
class Boxes {
 public:
  Boxes(const TensorRecord& t, std::int64_t first, std::int64_t count) noexcept
      : shape_(t.shape()), stride_(t.stride()), offset_(t.as_strided()->offset), at_(first), left_(count) {}

  bool next(Box& box) noexcept {
    if (left_ == 0) return false;
    std::size_t d = shape_.size();
    std::int64_t size = 1;  // of the dimensions from d on, which are taken whole
    while (d > 0 && at_ % (size * shape_[d - 1]) == 0 && left_ / size >= shape_[d - 1]) size *= shape_[--d];
    std::int64_t index = at_ / size, taken = 1;
    if (d > 0) {
      std::copy(shape_.begin() + static_cast<std::ptrdiff_t>(d) - 1, shape_.end(), sizes_);
      taken = sizes_[0] = std::min(left_ / size, shape_[d - 1] - index % shape_[d - 1]);
    }
    box.shape = d > 0 ? std::span<const std::int64_t>(sizes_, shape_.size() - d + 1) : shape_;
    box.stride = stride_.subspan(d > 0 ? d - 1 : 0);
    box.numel = taken * size;
    box.offset = offset_;
    for (std::size_t i = d; i-- > 0; index /= shape_[i]) box.offset += index % shape_[i] * stride_[i];
    at_ += box.numel;
    left_ -= box.numel;
    return true;
  }

 private:
  std::span<const std::int64_t> shape_, stride_;
  const std::int64_t offset_;
  std::int64_t at_, left_;
  std::int64_t sizes_[kMaxDims];
};

/// The elements of a box in row-major order, row by row: a row is count() runs, one every step() elements, and a run the longest stretch of
/// memory that is packed.
class Runs {
 public:
  explicit Runs(const Box& box) : shape_(box.shape), stride_(box.stride), at_{} {
    while (outer_ = shape_.size() - packed_dims_, outer_ > 0) {
      const std::size_t d = outer_ - 1;
      if (shape_[d] != 1 && stride_[d] != run_) break;
      run_ *= shape_[d];
      ++packed_dims_;
    }
    if (outer_ == 0) return;
    --outer_;
    count_ = shape_[outer_];
    step_ = stride_[outer_];
  }
  std::int64_t length() const noexcept { return run_; }
  std::int64_t count() const noexcept { return count_; }
  std::int64_t step() const noexcept { return step_; }
  /// Offset of the present row from the first element.
  std::int64_t offset() const noexcept { return offset_; }
  /// Moves to the next row; false after the last.
  bool next() noexcept {
    for (std::size_t d = outer_; d-- > 0;) {
      offset_ += stride_[d];
      if (++at_[d] < shape_[d]) return true;
      offset_ -= stride_[d] * shape_[d];
      at_[d] = 0;
    }
    return false;
  }

 private:
  std::span<const std::int64_t> shape_, stride_;
  std::size_t packed_dims_ = 0, outer_ = 0;
  std::int64_t run_ = 1, count_ = 1, step_ = 0, offset_ = 0;
  std::int64_t at_[kMaxDims];
};

/// Copies a row of `count` runs, `step` bytes apart; `size` is one of its own where the run is as long as one element.
template <class Size>
std::byte* copy_row(std::byte* to, const std::byte* from, std::size_t count, std::size_t step, Size size) noexcept {
  for (; count != 0; --count, from += step, to += size) std::memcpy(to, from, size);
  return to;
}

template <std::size_t N>
using Fixed = std::integral_constant<std::size_t, N>;

/// From memory.
void gather(const Box& box, const std::byte* from, std::byte* to, std::size_t item) noexcept {
  Runs runs(box);
  const std::size_t size = static_cast<std::size_t>(runs.length()) * item, step = static_cast<std::size_t>(runs.step()) * item;
  const auto count = static_cast<std::size_t>(runs.count());
  const auto all = [&](auto n) {
    do to = copy_row(to, from + static_cast<std::size_t>(runs.offset()) * item, count, step, n);
    while (runs.next());
  };
  switch (size) {
    case 1: return all(Fixed<1>());
    case 2: return all(Fixed<2>());
    case 4: return all(Fixed<4>());
    case 8: return all(Fixed<8>());
    case 16: return all(Fixed<16>());
    default: return all(size);
  }
}

/// A part of a storage that is read ahead while it is read onwards.
class Window {
 public:
  explicit Window(const Storage& storage) noexcept : storage_(storage) {}

  /// Copies bytes of the storage; none beyond `end` are read.
  Result<void> copy(std::uint64_t offset, std::span<std::byte> out, std::uint64_t end) {
    if (out.size() >= kMin) return storage_.read(offset, out);
    if (offset < at_ || offset + out.size() > at_ + size_) {
      const bool onwards = offset >= at_ && offset <= at_ + 2 * size_;
      size_ = std::min(onwards ? std::clamp(2 * size_, kMin, kMax) : kMin, end - offset);
      at_ = offset;
      if (!buffer_ || size_ > room_) {
        BRINE_LET(buffer, allocate(room_ = size_, "a piece of a storage"));
        buffer_ = std::move(*buffer);
      }
      BRINE_TRY(storage_.read(at_, {buffer_.get(), static_cast<std::size_t>(size_)}));
    }
    std::memcpy(out.data(), buffer_.get() + (offset - at_), out.size());
    return {};
  }

 private:
  static constexpr std::uint64_t kMin = std::uint64_t{64} << 10, kMax = std::uint64_t{4} << 20;
  const Storage& storage_;
  std::shared_ptr<std::byte[]> buffer_;
  std::uint64_t at_ = 0, size_ = 0, room_ = 0;
};

/// Through a window, in the order of the storage, so that it is read once.
Result<void> scatter(const Box& box, Window& window, std::byte* to, std::size_t item) {
  struct Dim {
    std::int64_t size, from, to;
  } dims[kMaxDims];
  std::size_t n = 0;
  std::int64_t packed = 1, last = box.offset;
  for (std::size_t d = box.shape.size(); d-- > 0; packed *= box.shape[d]) {
    if (box.shape[d] != 1) dims[n++] = {box.shape[d], box.stride[d], packed};
    last += (box.shape[d] - 1) * box.stride[d];
  }
  std::sort(dims, dims + n, [](const Dim& a, const Dim& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  std::size_t inner = 0;
  std::int64_t run = 1;
  while (inner < n && dims[inner].from == run && dims[inner].to == run) run *= dims[inner++].size;

  const std::size_t size = static_cast<std::size_t>(run) * item;
  std::int64_t at[kMaxDims] = {}, from = box.offset, target = 0;
  while (true) {
    BRINE_TRY(window.copy(static_cast<std::uint64_t>(from) * item, {to + static_cast<std::size_t>(target) * item, size}, (static_cast<std::uint64_t>(last) + 1) * item));
    std::size_t d = inner;
    for (; d < n; ++d) {
      from += dims[d].from;
      target += dims[d].to;
      if (++at[d] < dims[d].size) break;
      from -= dims[d].from * dims[d].size;
      target -= dims[d].to * dims[d].size;
      at[d] = 0;
    }
    if (d == n) return {};
  }
}

}  // namespace

Result<void> gather(const TensorRecord& tensor, const Storage& storage, std::int64_t first, std::span<std::byte> out) {
  const std::size_t item = item_size(tensor.dtype);
  const std::byte* data = tensor.as_strided()->storage->data;
  Boxes boxes(tensor, first, static_cast<std::int64_t>(out.size() / item));
  Window window(storage);
  std::byte* to = out.data();
  for (Box box; boxes.next(box); to += static_cast<std::size_t>(box.numel) * item) {
    if (data) gather(box, data + static_cast<std::size_t>(box.offset) * item, to, item);
    else BRINE_TRY(scatter(box, window, to, item));
  }
  return {};
}

}  // namespace brine
