// SPDX-License-Identifier: MIT
#include "tensor/byte_swap.hpp"

#include <boost/endian/conversion.hpp>

#include <cstring>

namespace brine {
namespace {

template <class Word>
void swap_words(std::span<std::byte> bytes) noexcept {
  std::byte* const data = bytes.data();
  for (std::size_t at = 0; at + sizeof(Word) <= bytes.size(); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, data + at, sizeof word);
    word = boost::endian::endian_reverse(word);
    std::memcpy(data + at, &word, sizeof word);
  }
}

}  // namespace

void swap_bytes(DType dtype, std::span<std::byte> elements) noexcept {
  const std::size_t size = item_size(dtype);
  if (size == 0) return;
  elements = elements.first(elements.size() / size * size);
  switch (is_complex(dtype) ? size / 2 : size) {
    case 2: return swap_words<std::uint16_t>(elements);
    case 4: return swap_words<std::uint32_t>(elements);
    case 8: return swap_words<std::uint64_t>(elements);
    default: return;
  }
}

}  // namespace brine
