// SPDX-License-Identifier: MIT
// inflate() through libzip, which reads a OneRecord. Its CRC check is not ours: whoever wants the CRC takes it of what the sink is given.
#include "archive/inflate.hpp"

#include "archive/zip_fault.hpp"
#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/text.hpp"

#if BRINE_HAVE_LIBZIP

#include "archive/one_record.hpp"

#include <zip.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace brine {

namespace {

/// The OneRecord as libzip's source. Lives on the stack of inflate(), longer than the zip_t; libzip's FREE has nothing to do.
struct Feed {
  OneRecord record;
  std::optional<Error> fault;  // of the caller's source
  zip_error_t error;

  Feed(const Source& source, const ZipEntry& entry) : record(source, entry) { zip_error_init(&error); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  ~Feed() { zip_error_fini(&error); }

  zip_int64_t read(void* out, zip_uint64_t size);
  zip_int64_t stat(void* out) const;
  zip_int64_t seek(void* arguments, zip_uint64_t size);
};

zip_int64_t Feed::read(void* out, zip_uint64_t size) {
  // Nothing may be thrown through libzip; guarded() sees to memory, and Source::read_at to the caller's function.
  auto n = guarded("inflating", [&]() -> Result<std::size_t> {
    return record.read(std::span(static_cast<std::byte*>(out), static_cast<std::size_t>(size)));
  });
  if (n && !(*n == 0 && record.lured())) return static_cast<zip_int64_t>(*n);
  if (!n && !fault) fault = std::move(n).error();
  zip_error_set(&error, ZIP_ER_EOF, 0);
  return -1;
}

zip_int64_t Feed::stat(void* out) const {
  auto* st = static_cast<zip_stat_t*>(out);
  zip_stat_init(st);
  st->size = record.size();
  st->valid = ZIP_STAT_SIZE;
  return sizeof(*st);
}

zip_int64_t Feed::seek(void* arguments, zip_uint64_t size) {
  const zip_int64_t to = zip_source_seek_compute_offset(record.position(), record.size(), arguments, size, &error);
  if (to < 0) return -1;
  record.seek(static_cast<std::uint64_t>(to));
  return 0;
}

zip_int64_t feed_callback(void* feed_pointer, void* data, zip_uint64_t size, zip_source_cmd_t command) {
  auto& feed = *static_cast<Feed*>(feed_pointer);
  switch (command) {
    case ZIP_SOURCE_OPEN: feed.record.seek(0); return 0;
    case ZIP_SOURCE_READ: return feed.read(data, size);
    case ZIP_SOURCE_CLOSE: return 0;
    case ZIP_SOURCE_STAT: return feed.stat(data);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&feed.error, data, size);
    case ZIP_SOURCE_FREE: return 0;
    case ZIP_SOURCE_SEEK: return feed.seek(data, size);
    case ZIP_SOURCE_TELL: return static_cast<zip_int64_t>(feed.record.position());
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
                                            ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
    default: zip_error_set(&feed.error, ZIP_ER_OPNOTSUPP, 0); return -1;
  }
}

struct Discard {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
};
struct Close {
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};

/// libzip's archive and its one open record, closed in the right order on every path.
class Inflater {
 public:
  Inflater() { zip_error_init(&error_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { zip_error_fini(&error_); }

  bool open(Feed& feed) {
    zip_source_t* source = zip_source_function_create(feed_callback, &feed, &error_);
    if (source == nullptr) return false;
    archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error_));
    if (!archive_) {
      zip_source_free(source);  // an archive that was opened owns it
      return false;
    }
    file_.reset(zip_fopen_index(archive_.get(), 0, 0));
    return file_ != nullptr;
  }

  zip_int64_t read(std::span<std::byte> out) { return zip_fread(file_.get(), out.data(), out.size()); }

  /// Of the last call that failed.
  zip_error_t* error() { return file_ ? zip_file_get_error(file_.get()) : archive_ ? zip_get_error(archive_.get()) : &error_; }

 private:
  zip_error_t error_;
  std::unique_ptr<zip_t, Discard> archive_;
  std::unique_ptr<zip_file_t, Close> file_;
};

Error inflate_fault(const ZipEntry& entry, std::string_view text) {
  return zip_fault(ErrorCode::zip_inflate, entry.data_offset, entry.name, text);
}

Error libzip_fault(const ZipEntry& entry, Feed& feed, zip_error_t* error) {
  if (feed.fault) return std::move(*feed.fault);
  if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return out_of_memory("inflating");
  if (feed.record.lured()) return inflate_fault(entry, "the packed data ends before its deflate stream does");
  return inflate_fault(entry, std::string("the packed data is damaged: ") + printable(zip_error_strerror(error)));
}

Result<void> inflate_through_libzip(const Source& source, const ZipEntry& entry,
                                    const std::function<bool(std::span<const std::byte>)>& sink) {
  constexpr std::uint64_t piece = 64 * 1024;
  Feed feed(source, entry);
  Inflater inflater;
  if (!inflater.open(feed)) return libzip_fault(entry, feed, inflater.error());
  auto buffer = allocate(piece, "a buffer");
  if (!buffer) return std::move(buffer).error();

  for (std::uint64_t done = 0;;) {
    // One byte more than is due, so that libzip goes on to the end of the stream, or shows that there is more.
    const std::uint64_t due = entry.size - done, want = std::min(piece, due == ~std::uint64_t{0} ? due : due + 1);
    const zip_int64_t n = inflater.read(std::span(buffer->get(), static_cast<std::size_t>(want)));
    // The CRC is judged where the stream has ended, after all else: then that is how libzip says "the end" here.
    const bool ended = n == 0 || (n < 0 && zip_error_code_zip(inflater.error()) == ZIP_ER_CRC);
    if (n < 0 && !ended) return libzip_fault(entry, feed, inflater.error());
    if (ended) {
      if (due != 0) {
        return inflate_fault(
            entry, "the packed data inflates to " + std::to_string(done) + " bytes, the directory says " + std::to_string(entry.size));
      }
      break;
    }
    const auto got = static_cast<std::uint64_t>(n);
    if (got > due)
      return inflate_fault(entry, "the packed data inflates to more than the " + std::to_string(entry.size) + " bytes the directory says");
    if (!sink(std::span(buffer->get(), static_cast<std::size_t>(got)))) return {};
    done += got;
  }
  if (!feed.record.read_last()) return inflate_fault(entry, "the deflate stream ends before the packed data does");
  return {};
}

}  // namespace

Result<void> inflate(const Source& source, const ZipEntry& entry, const std::function<bool(std::span<const std::byte>)>& sink) {
  return guarded("inflating", [&]() -> Result<void> {
    if (entry.packed == 0 && entry.size == 0) return {};  // some writers call an empty record deflated
    if (entry.packed == 0) return inflate_fault(entry, "there is no packed data");
    auto done = inflate_through_libzip(source, entry, sink);
    if (!done) return std::move(done).error().in_file(source.name());
    return done;
  });
}

}  // namespace brine

#else

namespace brine {

Result<void> inflate(const Source& source, const ZipEntry& entry, const std::function<bool(std::span<const std::byte>)>&) {
  return guarded("inflating", [&]() -> Result<void> {
    return Error(ErrorKind::unsupported, ErrorCode::zip_disabled, in_quotes(entry.name) + " is compressed, and brine was built without libzip")
        .at_offset(entry.data_offset)
        .in_file(source.name());
  });
}

}  // namespace brine

#endif
