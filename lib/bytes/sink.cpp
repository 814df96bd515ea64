// SPDX-License-Identifier: MIT
// Sink: the handle, which gathers small writes, and its two simple kinds. Files are in file_sink.cpp.
#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "bytes/sink_impl.hpp"
#include "support/try.hpp"

#include <algorithm>
#include <cstring>

namespace brine {

namespace {

/// What is gathered before it is handed on. Files written by the MiB are also read faster: the system keeps them in larger pieces.
constexpr std::size_t kGathered = std::size_t{1} << 20;

/// Pieces of this size are not worth a copy.
constexpr std::size_t kStraight = std::size_t{64} << 10;

struct MemorySink final : Sink::Impl {
  std::vector<std::byte>* out;

  Result<void> put(std::span<const std::byte> first, std::span<const std::byte> second) override {
    out->insert(out->end(), first.begin(), first.end());
    out->insert(out->end(), second.begin(), second.end());
    return {};
  }
};

struct CallbackSink final : Sink::Impl {
  Sink::Write write;

  Result<void> put(std::span<const std::byte> first, std::span<const std::byte> second) override {
    for (const auto& part : {first, second}) {
      if (part.empty()) continue;
      BRINE_TRY(put(part));
    }
    return {};
  }

  Result<void> put(std::span<const std::byte> part) const {
    std::string_view fault = "the caller's function did not take ";
#if defined(__cpp_exceptions)
    try {
      if (write && write(part)) return {};
    } catch (...) {
      fault = "the caller's function threw when given ";
    }
#else
    if (write && write(part)) return {};
#endif
    return Error(ErrorKind::io, ErrorCode::write_failed, std::string(fault) + std::to_string(part.size()) + " bytes");
  }
};

/// Hands on what was gathered, and `bytes` behind it.
Result<void> hand_on(Sink::Impl& sink, std::span<const std::byte> bytes) {
  const std::span<const std::byte> gathered(sink.buffer.get(), sink.gathered);
  sink.gathered = 0;
  return sink.put(gathered, bytes);
}

Result<void> gather(Sink::Impl& sink, std::span<const std::byte> bytes) {
  if (sink.buffer == nullptr) {
    BRINE_LET(buffer, allocate(kGathered, "the buffer of a sink"));
    sink.buffer = std::move(*buffer);
  }
  // Full buffers are handed on whole: the pieces keep their size, and in a file their alignment.
  const std::size_t first = std::min(bytes.size(), kGathered - sink.gathered);
  std::memcpy(sink.buffer.get() + sink.gathered, bytes.data(), first);
  sink.gathered += first;
  if (sink.gathered < kGathered) return {};
  BRINE_TRY(hand_on(sink, {}));
  const auto rest = bytes.subspan(first);
  if (!rest.empty()) std::memcpy(sink.buffer.get(), rest.data(), rest.size());
  sink.gathered = rest.size();
  return {};
}

/// Does `work` unless the sink has failed before; remembers its failure.
template <class Work>
Result<void> attempt(Sink::Impl& sink, Work&& work) {
  return guarded("writing", [&]() -> Result<void> {
    if (sink.failed) return *sink.failed;
    Result<void> done = guarded("writing", std::forward<Work>(work));
    if (done) return done;
    sink.failed.emplace(std::move(done).error().in_file(sink.name));
    sink.gathered = 0;
    return *sink.failed;
  });
}

}  // namespace

Sink::Sink(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Sink Sink::callback(Write write, std::string name) {
  auto impl = std::make_shared<CallbackSink>();
  impl->write = std::move(write);
  impl->name = std::move(name);
  return Sink(std::move(impl));
}

Sink Sink::memory(std::vector<std::byte>& out) {
  auto impl = std::make_shared<MemorySink>();
  impl->out = &out;
  impl->gathers = false;
  return Sink(std::move(impl));
}

Result<void> Sink::write(std::span<const std::byte> bytes) {
  Impl& sink = *impl_;
  if (bytes.empty() && !sink.failed) return {};
  if (sink.buffer != nullptr && !sink.failed && bytes.size() < kStraight && bytes.size() < kGathered - sink.gathered) {
    std::memcpy(sink.buffer.get() + sink.gathered, bytes.data(), bytes.size());
    sink.gathered += bytes.size();
    sink.position += bytes.size();
    return {};
  }
  return attempt(sink, [&]() -> Result<void> {
    auto done = bytes.size() >= kStraight || !sink.gathers ? hand_on(sink, bytes) : gather(sink, bytes);
    if (done) sink.position += bytes.size();
    return done;
  });
}

Result<void> Sink::flush() {
  Impl& sink = *impl_;
  if (sink.gathered == 0 && !sink.failed) return {};
  return attempt(sink, [&] { return hand_on(sink, {}); });
}

std::uint64_t Sink::position() const noexcept { return impl_->position; }
std::string_view Sink::name() const noexcept { return impl_->name; }

}  // namespace brine
