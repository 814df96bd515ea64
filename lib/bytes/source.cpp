// SPDX-License-Identifier: MIT
// Source: the handle, and its two simple kinds — memory and the caller's function. Files are in source_file.cpp.
#include "bytes/guard.hpp"
#include "bytes/source_impl.hpp"
#include "support/checked.hpp"

#include <cstring>

namespace brine {

namespace {

struct CallbackImpl final : Source::Impl {
  Source::ReadAt read_at;

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    std::string_view fault = "the caller's function could not read ";
#if defined(__cpp_exceptions)
    // An exception of the caller's must not run through libzip, which is C.
    try {
      if (read_at && read_at(offset, out)) return {};
    } catch (...) {
      fault = "the caller's function threw when asked for ";
    }
#else
    if (read_at && read_at(offset, out)) return {};
#endif
    return Error(ErrorKind::io, ErrorCode::read_failed, std::string(fault) + std::to_string(out.size()) + " bytes").at_offset(offset);
  }
};

Error range_error(std::uint64_t offset, std::uint64_t size, std::uint64_t total) {
  return Error(ErrorKind::usage, ErrorCode::out_of_range,
               std::to_string(size) + " bytes were asked for at byte " + std::to_string(offset) + " of " + std::to_string(total))
      .at_offset(offset);
}

}  // namespace

Result<void> Source::Impl::read(std::uint64_t offset, std::span<std::byte>) const {
  return Error(ErrorKind::io, ErrorCode::read_failed, "this source cannot read").at_offset(offset);
}

Source::Source(std::shared_ptr<const Impl> impl, std::uint64_t offset, std::uint64_t size)
    : impl_(std::move(impl)), offset_(offset), size_(size) {}

Source Source::memory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::string name) {
  auto impl = std::make_shared<MemoryImpl>();
  impl->name = std::move(name);
  impl->size = bytes.size();
  impl->in_memory = true;
  impl->bytes = bytes;
  impl->owner = std::move(owner);
  return Source(std::move(impl), 0, bytes.size());
}

Source Source::callback(std::uint64_t size, ReadAt read_at, std::string name) {
  auto impl = std::make_shared<CallbackImpl>();
  impl->name = std::move(name);
  impl->size = size;
  impl->read_at = std::move(read_at);
  return Source(std::move(impl), 0, size);
}

std::uint64_t Source::size() const noexcept { return size_; }
std::string_view Source::name() const noexcept { return name_ ? *name_ : impl_->name; }
bool Source::in_memory() const noexcept { return impl_->in_memory; }

std::span<const std::byte> Source::view() const noexcept {
  if (!impl_->in_memory) return {};
  return impl_->bytes.subspan(static_cast<std::size_t>(offset_), static_cast<std::size_t>(size_));
}

Result<void> Source::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (!fits(offset, out.size(), size_))
    return guarded({}, [&]() -> Result<void> { return range_error(offset, out.size(), size_).in_file(name()); });
  if (out.empty()) return {};
  if (impl_->in_memory) {
    std::memcpy(out.data(), impl_->bytes.data() + offset_ + offset, out.size());
    return {};
  }
  return guarded(name(), [&]() -> Result<void> {
    auto done = impl_->read(offset_ + offset, out);
    if (!done) return std::move(done).error().in_file(name());
    return done;
  });
}

Result<Source> Source::part(std::uint64_t offset, std::uint64_t size) const {
  if (!fits(offset, size, size_)) return range_error(offset, size, size_).in_file(name());
  Source out = *this;
  out.offset_ += offset;
  out.size_ = size;
  return out;
}

Source Source::named(std::string name) const {
  Source out = *this;
  out.name_ = std::make_shared<const std::string>(std::move(name));
  return out;
}

}  // namespace brine
