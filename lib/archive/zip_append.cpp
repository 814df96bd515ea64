// SPDX-License-Identifier: MIT
#include "archive/zip_append.hpp"

#include <algorithm>

namespace brine {

namespace {

constexpr std::uint16_t kNoVersion = 0;                           // PyTorch names none for its records,
constexpr std::uint16_t kEndMadeBy = 0x031E, kEndVersion = 45;    // but Unix, 3.0 and zip64 for the end

std::uint16_t flags(const ZipItem& item) { return item.size != 0 ? zip::kFlagDescriptor | zip::kFlagUtf8 : zip::kFlagUtf8; }

std::uint32_t saturated32(std::uint64_t v) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(v, zip::kSaturated32)); }
std::uint16_t saturated16(std::uint64_t v) { return static_cast<std::uint16_t>(std::min<std::uint64_t>(v, zip::kSaturated16)); }

/// `packed`: what stands for the packed size, which PyTorch does not know yet when it writes the local header.
void append_zip64(Buffer& out, const ZipItem& item, std::uint64_t packed) {
  if (!item.zip64()) return;
  out.u16(zip::kExtraZip64).u16(static_cast<std::uint16_t>(item.local_zip64_size() - zip::kExtraHeader));
  if (item.size_big()) out.u64(item.size).u64(packed);
  if (item.offset_big()) out.u64(item.offset);
}

}  // namespace

void append_zip_local(Buffer& out, const ZipItem& item, std::uint64_t padding) {
  const auto name = static_cast<std::uint16_t>(item.name.size());
  const auto extra = static_cast<std::uint16_t>(item.local_zip64_size() + zip::kExtraHeader + padding);
  Fields<zip::local::kSize> header;
  header.u32(zip::kLocalSignature).u16(kNoVersion).u16(flags(item)).u16(zip::kStored).u16(0).u16(0);
  header.u32(0).u32(0).u32(0).u16(name).u16(extra);  // CRC and sizes come behind the data
  out.bytes(header.bytes()).text(item.name);
  append_zip64(out, item, 0);
  out.bytes(Fields<zip::kExtraHeader>().u16(zip::kExtraPadding).u16(static_cast<std::uint16_t>(padding)).bytes());
  out.fill(static_cast<std::size_t>(padding), std::byte{zip::kPaddingByte});
}

void append_zip_descriptor(Buffer& out, const ZipItem& item) {
  Fields<zip::kSignatureSize + zip::kDescriptor64Size> fields;
  fields.u32(zip::kDescriptorSignature).u32(item.crc);
  if (item.zip64()) fields.u64(item.size).u64(item.size);
  else fields.u32(static_cast<std::uint32_t>(item.size)).u32(static_cast<std::uint32_t>(item.size));
  out.bytes(fields.bytes());
}

void append_zip_entry(Buffer& out, const ZipItem& item) {
  const std::uint32_t size = saturated32(item.size);
  Fields<zip::entry::kSize> entry;
  entry.u32(zip::kEntrySignature).u16(kNoVersion).u16(kNoVersion).u16(flags(item)).u16(zip::kStored).u16(0).u16(0);
  entry.u32(item.crc).u32(size).u32(size).u16(static_cast<std::uint16_t>(item.name.size()));
  entry.u16(static_cast<std::uint16_t>(item.local_zip64_size()));  // the same fields as in the local block
  entry.u16(0).u16(0).u16(0).u32(0).u32(saturated32(item.offset));
  out.bytes(entry.bytes()).text(item.name);
  append_zip64(out, item, item.size);
}

void append_zip_end(Buffer& out, std::uint64_t count, std::uint64_t directory_offset, std::uint64_t directory_size) {
  out.u32(zip::kEnd64Signature).u64(zip::end64::kRecordSizeValue).u16(kEndMadeBy).u16(kEndVersion).u32(0).u32(0);
  out.u64(count).u64(count).u64(directory_size).u64(directory_offset);
  out.u32(zip::kLocatorSignature).u32(0).u64(directory_offset + directory_size).u32(1);
  out.u32(zip::kEndSignature).u16(0).u16(0).u16(saturated16(count)).u16(saturated16(count));
  out.u32(saturated32(directory_size)).u32(saturated32(directory_offset)).u16(0);
}

}  // namespace brine
