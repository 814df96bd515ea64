// SPDX-License-Identifier: MIT
#include "pickle/memo.hpp"

#include "pickle/text_args.hpp"

namespace brine {

Memo::Memo(std::span<const std::byte> pickle) : limit_(pickle.size()) {
  bool puts = false, memoizes = false;
  Scanner scanner(pickle);
  Scanned ins{};
  while (scanner.next(ins)) {
    std::uint64_t number = ins.number;
    switch (ins.op) {
      case Op::PUT: case Op::BINPUT: case Op::LONG_BINPUT: puts = true; continue;
      case Op::MEMOIZE: memoizes = true; continue;
      case Op::STOP: end_ = scanner.position(); break;
      case Op::GET:
        if (const auto n = parse_memo_index(ins.text)) number = *n;
        else continue;
        [[fallthrough]];
      case Op::BINGET: case Op::LONG_BINGET:
        if (!valid(number)) continue;
        if (number / 64 >= bits_.size()) bits_.resize(number / 64 + 1);
        bits_[number / 64] |= std::uint64_t{1} << (number % 64);
        continue;
      default: continue;
    }
    break;
  }
  mixed_ = puts && memoizes;
  if (mixed_) present_.resize(limit_ + 1);
  before_.reserve(bits_.size());
  std::uint32_t total = 0;
  for (const std::uint64_t word : bits_) {
    before_.push_back(total);
    total += static_cast<std::uint32_t>(std::popcount(word));
  }
  values_.resize(total);
}

}  // namespace brine
