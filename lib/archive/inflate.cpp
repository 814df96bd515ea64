// SPDX-License-Identifier: MIT
// The Inflater through libzip, which reads a OneRecord. Its CRC check is not ours: whoever wants the CRC takes it of what was read.
#include "archive/inflate.hpp"

#include "archive/zip_fault.hpp"
#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/text.hpp"

#include <algorithm>

#if BRINE_HAVE_LIBZIP

#include "archive/one_record.hpp"
#include "support/try.hpp"

#include <zip.h>

#include <optional>
#include <utility>

namespace brine {

namespace {

/// The OneRecord as libzip's source. Lives longer than the zip_t; libzip's FREE has nothing to do.
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
  if (n && !(*n == 0 && record.at_sentinel())) return static_cast<zip_int64_t>(*n);
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

Error inflate_fault(const ZipEntry& entry, std::string_view text) {
  return zip_fault(ErrorCode::zip_inflate, entry.data_offset, entry.name, text);
}

/// libzip's archive and its one open record, closed in the right order on every path.
class LibzipInflater final : public Inflater {
 public:
  LibzipInflater(const Source& source, const ZipEntry& entry) : Inflater(entry), source_(source), feed_(source_, entry_) { zip_error_init(&error_); }
  LibzipInflater(const LibzipInflater&) = delete;
  LibzipInflater& operator=(const LibzipInflater&) = delete;
  ~LibzipInflater() override { zip_error_fini(&error_); }

  Result<void> open() {
    zip_source_t* source = zip_source_function_create(feed_callback, &feed_, &error_);
    if (source == nullptr) return fault();
    archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error_));
    if (!archive_) {
      zip_source_free(source);  // an archive that was opened owns it
      return fault();
    }
    file_.reset(zip_fopen_index(archive_.get(), 0, 0));
    if (!file_) return fault();
    return {};
  }

  Result<void> read(std::span<std::byte> out) override {
    while (!out.empty()) {
      BRINE_LET(got, next(out.first(std::min(out.size(), kMax))));
      if (*got == 0)
        return inflate_fault(entry_, "the packed data inflates to " + std::to_string(position_) + " bytes, the directory says " + std::to_string(entry_.size));
      position_ += *got;
      out = out.subspan(*got);
    }
    return {};
  }

  Result<void> finish() override {
    std::byte more[1];  // asking for it makes libzip go on to the end of the stream, or shows that there is more
    BRINE_LET(got, next(more));
    if (*got != 0) return inflate_fault(entry_, "the packed data inflates to more than the " + std::to_string(entry_.size) + " bytes the directory says");
    if (!feed_.record.read_last()) return inflate_fault(entry_, "the deflate stream ends before the packed data does");
    return {};
  }

 private:
  static constexpr std::size_t kMax = std::size_t{1} << 20;

  /// At most out.size() bytes; 0 where the stream has ended.
  Result<std::size_t> next(std::span<std::byte> out) {
    const zip_int64_t n = zip_fread(file_.get(), out.data(), out.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    // The CRC is judged where the stream has ended, after all else: then that is how libzip says "the end" here.
    if (zip_error_code_zip(zip_file_get_error(file_.get())) == ZIP_ER_CRC) return std::size_t{0};
    return fault();
  }

  /// Of the call that failed.
  Error fault() {
    zip_error_t* error = file_ ? zip_file_get_error(file_.get()) : archive_ ? zip_get_error(archive_.get()) : &error_;
    if (feed_.fault) return std::move(*std::exchange(feed_.fault, std::nullopt));
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return out_of_memory("inflating");
    if (feed_.record.at_sentinel()) return inflate_fault(entry_, "the packed data ends before its deflate stream does");
    return inflate_fault(entry_, std::string("the packed data is damaged: ") + printable(zip_error_strerror(error)));
  }

  const Source source_;
  Feed feed_;
  zip_error_t error_;
  std::unique_ptr<zip_t, Discard> archive_;
  std::unique_ptr<zip_file_t, Close> file_;
};

}  // namespace

Result<std::unique_ptr<Inflater>> Inflater::open(const Source& source, const ZipEntry& entry) {
  if (entry.packed == 0) return inflate_fault(entry, "there is no packed data");
  auto inflater = std::make_unique<LibzipInflater>(source, entry);
  BRINE_TRY(inflater->open());
  return std::unique_ptr<Inflater>(std::move(inflater));
}

}  // namespace brine

#else

namespace brine {

Result<std::unique_ptr<Inflater>> Inflater::open(const Source&, const ZipEntry& entry) {
  return Error(ErrorKind::unsupported, ErrorCode::zip_disabled, in_quotes(entry.name) + " is compressed, and brine was built without libzip").at_offset(entry.data_offset);
}

}  // namespace brine

#endif

namespace brine {

Result<void> Inflater::skip(std::uint64_t n) {
  constexpr std::uint64_t piece = 64 * 1024;
  if (n == 0) return {};
  BRINE_LET(buffer, allocate(std::min(n, piece), "a buffer"));
  for (; n != 0; n -= std::min(n, piece))
    BRINE_TRY(read({buffer->get(), static_cast<std::size_t>(std::min(n, piece))}));
  return {};
}

}  // namespace brine
