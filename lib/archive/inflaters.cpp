// SPDX-License-Identifier: MIT
#include "archive/inflaters.hpp"

#include "support/text.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace brine {

Result<void> Inflaters::read(const Source& source, const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> out, Budget& budget) {
  {
    const std::lock_guard guard(lock_);
    const std::size_t known = copy_recent(entry, offset, out);
    out = out.subspan(known);
    offset += known;
  }
  if (out.empty()) return {};
  BRINE_LET(inflater, take(source, entry, offset));
  const std::uint64_t over = offset - (*inflater)->position();
  bool back = false;
  {
    const std::lock_guard guard(lock_);
    back = over > kMuch || (keeps(entry) && (*inflater)->position() == window_at_ + window_.size());
  }
  if (over > kMuch) {
    BRINE_TRY(budget.charge(over, "passing over so much of the deflated record " + escaped(entry.name, 200) + " to read a part of it"));
    BRINE_TRY((*inflater)->skip(over - std::min(over, kWindow)));
  }
  std::vector<std::byte> piece;
  while (back && (*inflater)->position() < offset) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(offset - (*inflater)->position(), 1 << 20)));
    const std::uint64_t at = (*inflater)->position();
    BRINE_TRY((*inflater)->read(piece));
    const std::lock_guard guard(lock_);
    keep(entry, at, piece);
  }
  BRINE_TRY((*inflater)->skip(offset - (*inflater)->position()));
  BRINE_TRY((*inflater)->read(out));
  if (back) {
    const std::lock_guard guard(lock_);
    keep(entry, offset, out);
  }
  if ((*inflater)->position() == entry.size) return (*inflater)->finish();
  give_back(std::move(*inflater));
  return {};
}

// One that stands at `offset` or before it, to be used alone by the caller.
Result<std::unique_ptr<Inflater>> Inflaters::take(const Source& source, const ZipEntry& entry, std::uint64_t offset) {
  {
    const std::lock_guard guard(lock_);
    auto nearest = kept_.end();
    for (auto one = kept_.begin(); one != kept_.end(); ++one)
      if ((*one)->entry().data_offset == entry.data_offset && (*one)->position() <= offset &&
          (nearest == kept_.end() || (*one)->position() > (*nearest)->position()))
        nearest = one;
    if (nearest != kept_.end()) {
      auto inflater = std::move(*nearest);
      kept_.erase(nearest);
      return inflater;
    }
  }
  return Inflater::open(source, entry);
}

void Inflaters::give_back(std::unique_ptr<Inflater> inflater) {
  const std::lock_guard guard(lock_);
  if (kept_.size() == kMax) kept_.erase(kept_.begin());
  kept_.push_back(std::move(inflater));
}

std::size_t Inflaters::copy_recent(const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> out) const {
  if (!keeps(entry) || offset < window_at_ || offset - window_at_ >= window_.size()) return 0;
  const auto from = static_cast<std::size_t>(offset - window_at_);
  const std::size_t n = std::min(out.size(), window_.size() - from);
  std::memcpy(out.data(), window_.data() + from, n);
  return n;
}

void Inflaters::keep(const ZipEntry& entry, std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.size() > kWindow) {
    offset += bytes.size() - kWindow;
    bytes = bytes.last(kWindow);
  }
  if (!keeps(entry) || offset != window_at_ + window_.size()) {
    window_.clear();
    window_record_ = entry.data_offset;
    window_at_ = offset;
  }
  if (window_.size() + bytes.size() > 2 * kWindow) {
    const std::size_t gone = window_.size() - (kWindow - bytes.size());
    window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(gone));
    window_at_ += gone;
  }
  window_.reserve(2 * kWindow);  // pages are had when they are used
  window_.insert(window_.end(), bytes.begin(), bytes.end());
}

}  // namespace brine
