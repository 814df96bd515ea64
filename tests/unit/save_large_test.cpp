// SPDX-License-Identifier: MIT
// More records than 16 bits count, and more bytes than 32: saved into a sink that keeps the two ends, and read back from them.
#include <brine/brine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <sys/mman.h>

using namespace brine;

namespace {

/// Keeps what was written below `low` and the last bytes, and counts the rest.
struct Ends {
  static constexpr std::uint64_t kLow = 1 << 20;
  std::uint64_t size = 0;
  std::vector<std::byte> low, high;

  Sink sink() {
    return Sink::callback([this](std::span<const std::byte> bytes) {
      if (size < kLow) low.insert(low.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(bytes.size(), kLow - size)));
      const std::size_t keep = std::min<std::size_t>(bytes.size(), kLow);
      high.insert(high.end(), bytes.end() - static_cast<std::ptrdiff_t>(keep), bytes.end());
      if (high.size() > kLow) high.erase(high.begin(), high.end() - static_cast<std::ptrdiff_t>(kLow));
      size += bytes.size();
      return true;
    });
  }

  /// A source with these ends, and zeros between them.
  Source source() const {
    return Source::callback(size, [this](std::uint64_t offset, std::span<std::byte> out) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::uint64_t at = offset + i;
        out[i] = at < low.size() ? low[at] : at >= size - high.size() ? high[at - (size - high.size())] : std::byte{0};
      }
      return true;
    });
  }
};

}  // namespace

TEST_CASE("70,000 storages are more than the old end record counts") {
  const std::array<float, 1> one{1};
  StateDict state;
  for (int i = 0; i < 70'000; ++i) state.insert("t." + std::to_string(i), Tensor::borrow<float>(one, {1}).value());
  std::vector<std::byte> file;
  REQUIRE(save(state, Sink::memory(file)).has_value());
  const auto ckpt = load(Source::memory(file));
  REQUIRE(ckpt.has_value());
  const auto back = ckpt->state_dict();
  REQUIRE(back.has_value());
  CHECK(back->size() == 70'000);
  CHECK(back->at("t.69999").value().item<float>().value() == 1);
  CHECK(back->at("t.69999").value().storage().key() == "69999");

  std::vector<std::byte> again;
  REQUIRE(save(ckpt->root(), Sink::memory(again)).has_value());
  CHECK(again == file);
}

TEST_CASE("a storage of more than 4 GiB, and others behind it") {
  // Pages that are only read cost no memory.
  constexpr std::size_t kLarge = (std::size_t{4} << 30) + 12;
  void* zeros = ::mmap(nullptr, kLarge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) {
    MESSAGE("no room for 4 GiB of addresses");
    return;
  }
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(zeros), kLarge);
  const std::array<std::int64_t, 4> four{1, 2, 3, 4};
  StateDict state;
  state.insert("first", Tensor::borrow<std::int64_t>(four, {4}).value());
  state.insert("large", Tensor::borrow(bytes, DType::float32, std::array<std::int64_t, 1>{kLarge / 4}).value());
  state.insert("empty", Tensor::borrow<std::int64_t>({}, {0}).value());
  state.insert("last", Tensor::borrow<std::int64_t>(four, {4}).value());

  for (const bool compact : {false, true}) {
    Ends ends;
    SaveOptions options;
    options.crc = false;
    options.compact = compact;
    REQUIRE(save(state, ends.sink(), options).has_value());
    CHECK(ends.size > kLarge);
    const auto ckpt = load(ends.source());
    if (!ckpt) FAIL(ckpt.error().message());
    const auto back = ckpt->state_dict().value();
    CHECK(back.at("large").value().nbytes() == kLarge);
    CHECK(back.at("large").value().storage().location()->size == kLarge);
    CHECK(back.at("last").value().storage().location()->offset > UINT32_MAX);
    CHECK(back.at("last").value().to_vector<std::int64_t>().value() == std::vector<std::int64_t>{1, 2, 3, 4});
    CHECK(back.at("first").value().to_vector<std::int64_t>().value() == std::vector<std::int64_t>{1, 2, 3, 4});
    CHECK(back.at("empty").value().numel() == 0);
  }
  ::munmap(zeros, kLarge);
}
