// SPDX-License-Identifier: MIT
#include "support/zip_builder.hpp"

#include "bytes/buffer.hpp"

#include <libdeflate.h>

#include <cstdlib>
#include <fstream>
#include <memory>

namespace brine::test {

namespace {

std::uint16_t small16(std::uint64_t v) { return v >= zip::kSaturated16 ? zip::kSaturated16 : static_cast<std::uint16_t>(v); }
std::uint32_t small32(std::uint64_t v) { return v >= zip::kSaturated32 ? zip::kSaturated32 : static_cast<std::uint32_t>(v); }
std::uint16_t length16(const std::string& text) { return static_cast<std::uint16_t>(text.size()); }

void append_local(Buffer& out, const ZipRecord::Local& h) {
  out.u32(h.signature).u16(h.version).u16(h.flags).u16(h.method).u16(h.time).u16(h.date).u32(h.crc).u32(h.packed).u32(h.size);
  out.u16(h.name_length.value_or(length16(h.name))).u16(h.extra_length.value_or(length16(h.extra))).text(h.name).text(h.extra);
}

void append_entry(Buffer& out, const ZipRecord::Entry& e) {
  out.u32(e.signature).u16(e.made_by).u16(e.version).u16(e.flags).u16(e.method).u16(e.time).u16(e.date).u32(e.crc).u32(e.packed)
      .u32(e.size);
  out.u16(e.name_length.value_or(length16(e.name))).u16(e.extra_length.value_or(length16(e.extra))).u16(length16(e.comment));
  out.u16(e.disk).u16(e.internal).u32(e.external).u32(e.offset).text(e.name).text(e.extra).text(e.comment);
}

}  // namespace

std::uint32_t crc_of(std::string_view data) { return libdeflate_crc32(0, data.data(), data.size()); }

std::string deflated(std::string_view data) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> packer(libdeflate_alloc_compressor(6),
                                                                                             &libdeflate_free_compressor);
  std::string out(libdeflate_deflate_compress_bound(packer.get(), data.size()), '\0');
  out.resize(libdeflate_deflate_compress(packer.get(), data.data(), data.size(), out.data(), out.size()));
  return out;
}

std::string extra_block(std::uint16_t id, std::string_view content) {
  Buffer out;
  out.u16(id).u16(static_cast<std::uint16_t>(content.size())).text(content);
  return std::string(out.text());
}

std::string numbers64(std::initializer_list<std::uint64_t> values) {
  Buffer out;
  for (const auto v : values) out.u64(v);
  return std::string(out.text());
}

ZipRecord& ZipBuilder::add(std::string_view name, std::string_view data) {
  ZipRecord& r = records.emplace_back();
  r.data = data;
  r.local.name = r.entry.name = name;
  r.local.crc = r.entry.crc = crc_of(data);
  r.local.packed = r.local.size = r.entry.packed = r.entry.size = static_cast<std::uint32_t>(data.size());
  return r;
}

ZipRecord& ZipBuilder::deflate(std::string_view name, std::string_view data) {
  ZipRecord& r = add(name, data);
  r.data = deflated(data);
  r.local.packed = r.entry.packed = static_cast<std::uint32_t>(r.data.size());
  r.local.method = r.entry.method = zip::kDeflated;
  return r;
}

void ZipBuilder::describe(ZipRecord& r, bool zip64, bool signature) {
  r.local.flags |= zip::kFlagDescriptor;
  r.entry.flags |= zip::kFlagDescriptor;
  if (zip64) r.local.extra += extra_block(zip::kExtraZip64, numbers64({0, 0}));
  r.local.crc = r.local.packed = r.local.size = 0;
  Buffer out;
  if (signature) out.u32(zip::kDescriptorSignature);
  out.u32(r.entry.crc);
  if (zip64) out.u64(r.entry.packed).u64(r.entry.size);
  else out.u32(r.entry.packed).u32(r.entry.size);
  r.descriptor = out.text();
}

ZipRecord& ZipBuilder::torch(std::string_view name, std::string_view data, std::uint64_t hole, std::uint64_t alignment) {
  const std::uint64_t at = records_size(), size = hole != 0 ? hole : data.size();
  const bool size_big = size >= zip::kSaturated32, offset_big = at >= zip::kSaturated32;
  ZipRecord& r = records.emplace_back();
  r.data = data;
  r.hole = hole;
  r.local.name = r.entry.name = name;
  r.local.version = r.entry.version = r.entry.made_by = 0;
  r.local.date = r.entry.date = 0;
  r.local.flags = r.entry.flags = size != 0 ? zip::kFlagUtf8 | zip::kFlagDescriptor : zip::kFlagUtf8;
  r.entry.crc = hole != 0 ? 0 : crc_of(data);
  r.entry.packed = r.entry.size = small32(size);
  std::string local64, central64;
  if (size_big) local64 += numbers64({size, 0}), central64 += numbers64({size, size});
  if (offset_big) local64 += numbers64({at}), central64 += numbers64({at});
  if (!central64.empty()) r.entry.extra = extra_block(zip::kExtraZip64, central64), r.local.extra = extra_block(zip::kExtraZip64, local64);
  const std::uint64_t start = at + zip::local::kSize + name.size() + r.local.extra.size() + zip::kExtraHeader;
  r.local.extra +=
      extra_block(zip::kExtraPadding, std::string((alignment - start % alignment) % alignment, static_cast<char>(zip::kPaddingByte)));
  if (size == 0) return r;
  Buffer out;
  out.u32(zip::kDescriptorSignature).u32(r.entry.crc);
  if (!local64.empty()) out.u64(size).u64(size);
  else out.u32(small32(size)).u32(small32(size));
  r.descriptor = out.text();
  return r;
}

ZipBuilder ZipBuilder::torch_file(const std::vector<std::string>& storages) {
  ZipBuilder zip;
  zip.torch("archive/data.pkl", "\x80\x02}q\x01.");
  zip.torch("archive/.format_version", "1");
  zip.torch("archive/.storage_alignment", "64");
  zip.torch("archive/byteorder", "little");
  for (std::size_t i = 0; i < storages.size(); ++i) zip.torch("archive/data/" + std::to_string(i), storages[i]);
  zip.torch("archive/version", "3\n");
  zip.torch("archive/.data/serialization_id", std::string(40, '7'));
  zip.end64.emplace();
  return zip;
}

std::uint64_t ZipBuilder::records_size() const {
  std::uint64_t size = 0;
  for (const ZipRecord& r : records) {
    size += r.prefix.size() + zip::local::kSize + r.local.name.size() + r.local.extra.size() + r.data_size() + r.descriptor.size();
  }
  return size;
}

ZipBuilder& ZipBuilder::lay_out() {
  std::uint64_t at = 0, count = 0;
  for (ZipRecord& r : records) {
    r.local_at = at + r.prefix.size();
    r.data_at = r.local_at + zip::local::kSize + r.local.name.size() + r.local.extra.size();
    r.descriptor_at = r.data_at + r.data_size();
    at = r.descriptor_at + r.descriptor.size();
    r.entry.offset = small32(r.local_at);
  }
  directory_at = at += gap.size();
  for (ZipRecord& r : records) {
    if (!r.listed) continue;
    r.entry_at = at;
    at += zip::entry::kSize + r.entry.name.size() + r.entry.extra.size() + r.entry.comment.size();
    ++count;
  }
  const std::uint64_t directory_size = at - directory_at;
  if (!end64 && (count >= zip::kSaturated16 || at >= zip::kSaturated32)) end64.emplace();
  if (end64) {
    end64_at = at;
    locator_at = at + zip::end64::kSize;
    at = locator_at + zip::locator::kSize;
    end64->count_here = end64->count = count;
    end64->directory_size = directory_size;
    end64->directory_offset = directory_at;
    end64->locator_offset = end64_at;
  }
  end_at = at;
  end.count_here = end.count = small16(count);
  end.directory_size = small32(directory_size);
  end.directory_offset = small32(directory_at);
  return *this;
}

namespace {

/// What follows the records.
std::string end_bytes(const ZipBuilder& zip) {
  Buffer out;
  out.text(zip.gap);
  for (const ZipRecord& r : zip.records) {
    if (r.listed) append_entry(out, r.entry);
  }
  if (const auto& e = zip.end64) {
    out.u32(e->signature).u64(e->record_size).u16(0x031E).u16(45).u32(e->disk).u32(e->directory_disk);
    out.u64(e->count_here).u64(e->count).u64(e->directory_size).u64(e->directory_offset);
    out.u32(e->locator_signature).u32(e->locator_disk).u64(e->locator_offset).u32(e->locator_disks);
  }
  const ZipEndRecord& e = zip.end;
  out.u32(e.signature).u16(e.disk).u16(e.directory_disk).u16(e.count_here).u16(e.count).u32(e.directory_size).u32(e.directory_offset);
  out.u16(e.comment_length.value_or(length16(e.comment))).text(e.comment).text(zip.suffix);
  return std::string(out.text());
}

std::string header_bytes(const ZipRecord& r) {
  Buffer out;
  out.text(r.prefix);
  append_local(out, r.local);
  return std::string(out.text());
}

}  // namespace

std::string ZipBuilder::bytes() const {
  std::string out;
  for (const ZipRecord& r : records) {
    if (r.hole != 0) std::abort();  // has to be written to a file
    out.append(header_bytes(r)).append(r.data).append(r.descriptor);
  }
  return out.append(end_bytes(*this));
}

void ZipBuilder::write(const std::filesystem::path& path) const {
  std::ofstream file(path, std::ios::binary);
  const auto put = [&file](const std::string& text) { file.write(text.data(), static_cast<std::streamsize>(text.size())); };
  for (const ZipRecord& r : records) {
    put(header_bytes(r));
    put(r.data);
    file.seekp(static_cast<std::streamoff>(r.hole), std::ios::cur);
    put(r.descriptor);
  }
  put(end_bytes(*this));
  if (!file.flush()) std::abort();  // a test cannot go on without it
}

}  // namespace brine::test
