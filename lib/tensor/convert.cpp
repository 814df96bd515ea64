// SPDX-License-Identifier: MIT
// Conversions of arrays: cuts them into blocks (convert_block.hpp), and takes complex numbers apart and together.
#include <brine/convert.hpp>

#include "bytes/guard.hpp"
#include "support/text.hpp"
#include "tensor/convert_block.hpp"

#include <algorithm>
#include <cstring>

namespace brine {
namespace {

/// The dtype of a complex number's two parts; a real dtype is its own.
DType part_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::complex32: return DType::float16;
    case DType::complex64: return DType::float32;
    case DType::complex128: return DType::float64;
    case DType::bcomplex32: return DType::bfloat16;
    default: return dtype;
  }
}

/// Copies every n-th element to every m-th place.
template <std::size_t Size>
void copy_spaced(const std::byte* in, std::size_t in_step, std::byte* out, std::size_t out_step, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) std::memcpy(out + i * out_step, in + i * in_step, Size);
}

void copy_parts(std::size_t size, const std::byte* in, std::size_t in_step, std::byte* out, std::size_t out_step,
                std::size_t count) noexcept {
  if (size == 2) copy_spaced<2>(in, in_step, out, out_step, count);
  else if (size == 4) copy_spaced<4>(in, in_step, out, out_step, count);
  else copy_spaced<8>(in, in_step, out, out_step, count);
}

struct Job {
  DType from, to;  // real
  std::size_t in_step, out_step;  // bytes from one element to the next; more than an element's size where one part of pairs is meant
};

void run(const Job& job, const std::byte* in, std::byte* out, std::size_t count) noexcept {
  const std::size_t in_size = item_size(job.from), out_size = item_size(job.to);
  const BlockPlan plan = make_plan(job.from, job.to);
  Numbers numbers;
  alignas(64) std::byte in_block[kBlock * 8] = {}, out_block[kBlock * 8];
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t n = std::min(kBlock, count - done);
    const std::byte* source = in + done * job.in_step;
    if (job.in_step != in_size) copy_parts(in_size, source, job.in_step, in_block, in_size, n);
    else if (n < kBlock) std::memcpy(in_block, source, n * in_size);
    const bool gathered = job.in_step != in_size || n < kBlock;

    std::byte* target = out + done * job.out_step;
    const bool direct = job.out_step == out_size && n == kBlock;
    convert_block(plan, numbers, gathered ? in_block : source, direct ? target : out_block);
    if (job.out_step != out_size) copy_parts(out_size, out_block, out_size, target, job.out_step, n);
    else if (!direct) std::memcpy(target, out_block, n * out_size);
  }
}

/// A complex number is true when either part is.
void complex_to_bool(DType part, const std::byte* in, std::byte* out, std::size_t count) noexcept {
  const std::size_t size = item_size(part), pair = 2 * size;
  std::byte imaginary[kBlock];
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t n = std::min(kBlock, count - done);
    const Job job{part, DType::bool_, pair, 1};
    run(job, in + done * pair, out + done, n);
    run(job, in + done * pair + size, imaginary, n);
    for (std::size_t i = 0; i < n; ++i) out[done + i] |= imaginary[i];
  }
}

Error unfit(ErrorCode code, DType from, DType to, std::string_view why) {
  return Error(ErrorKind::usage, code, concat({"cannot convert ", name(from), " to ", name(to), ": ", why}));
}

}  // namespace

bool convertible(DType from, DType to) noexcept {
  if (from == to) return item_size(from) != 0;
  return is_real_number(part_of(from)) && is_real_number(part_of(to));
}

Result<void> convert(DType from, std::span<const std::byte> in, DType to, std::span<std::byte> out) {
  return guarded("a conversion", [&]() -> Result<void> {
    if (!convertible(from, to)) return unfit(ErrorCode::wrong_dtype, from, to, "only real and complex numbers can be");
    const std::size_t in_size = item_size(from), out_size = item_size(to), count = in.size() / in_size;
    if (in.size() % in_size != 0 || out.size() % out_size != 0 || out.size() / out_size != count) {
      const std::string why = concat({std::to_string(in.size()), " and ", std::to_string(out.size()), " bytes are not as many elements"});
      return unfit(ErrorCode::buffer_size, from, to, why);
    }
    if (count == 0) return {};

    if (from == to && from != DType::bool_) {  // bool: PyTorch makes 0 or 1 of every byte, even here
      std::memcpy(out.data(), in.data(), in.size());
      return {};
    }
    const DType from_part = part_of(from), to_part = part_of(to);
    if (is_complex(from) && is_complex(to)) {
      run({from_part, to_part, in_size / 2, out_size / 2}, in.data(), out.data(), 2 * count);
    } else if (is_complex(from) && to == DType::bool_) {
      complex_to_bool(from_part, in.data(), out.data(), count);
    } else {
      if (is_complex(to)) std::memset(out.data(), 0, out.size());  // the imaginary parts
      run({from_part, to_part, in_size, out_size}, in.data(), out.data(), count);
    }
    return {};
  });
}

}  // namespace brine
