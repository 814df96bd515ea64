// SPDX-License-Identifier: MIT
// The facts of the zip format that reader and writer share: signatures, sizes, where each field lies, flags, methods, extra blocks.
//
//   local header, name, extra │ data │ [descriptor]      one per record, back to back from byte 0
//   directory entry, name, extra, [comment]              one per record: the central directory
//   [zip64 end record, zip64 locator] end record, [comment]
//
// All numbers are little-endian. Offsets of fields count from the signature.
#pragma once

#include <cstdint>

namespace brine::zip {

inline constexpr std::uint32_t kLocalSignature = 0x04034B50;       // PK\3\4
inline constexpr std::uint32_t kDescriptorSignature = 0x08074B50;  // PK\7\8
inline constexpr std::uint32_t kEntrySignature = 0x02014B50;       // PK\1\2
inline constexpr std::uint32_t kEnd64Signature = 0x06064B50;       // PK\6\6
inline constexpr std::uint32_t kLocatorSignature = 0x07064B50;     // PK\6\7
inline constexpr std::uint32_t kEndSignature = 0x06054B50;         // PK\5\6

// A 16-bit or 32-bit field that does not hold its number says so with all bits set; a zip64 block or record holds it instead.
inline constexpr std::uint16_t kSaturated16 = 0xFFFF;
inline constexpr std::uint32_t kSaturated32 = 0xFFFFFFFF;

namespace local {
inline constexpr unsigned kVersion = 4, kFlags = 6, kMethod = 8, kTime = 10, kDate = 12, kCrc = 14, kPacked = 18, kUnpacked = 22,
                          kNameLength = 26, kExtraLength = 28, kSize = 30;
}

/// A record of the central directory.
namespace entry {
inline constexpr unsigned kMadeBy = 4, kVersion = 6, kFlags = 8, kMethod = 10, kTime = 12, kDate = 14, kCrc = 16, kPacked = 20,
                          kUnpacked = 24, kNameLength = 28, kExtraLength = 30, kCommentLength = 32, kDisk = 34, kInternal = 36,
                          kExternal = 38, kOffset = 42, kSize = 46;
}

namespace end64 {
inline constexpr unsigned kRecordSize = 4, kMadeBy = 12, kVersion = 14, kDisk = 16, kDirectoryDisk = 20, kCountHere = 24, kCount = 32,
                          kDirectorySize = 40, kDirectoryOffset = 48, kSize = 56;
inline constexpr std::uint64_t kRecordSizeValue = kSize - 12;  // the size does not count itself and what is before it
}  // namespace end64

namespace locator {
inline constexpr unsigned kDisk = 4, kOffset = 8, kDisks = 16, kSize = 20;
}

namespace end {
inline constexpr unsigned kDisk = 4, kDirectoryDisk = 6, kCountHere = 8, kCount = 10, kDirectorySize = 12, kDirectoryOffset = 16,
                          kCommentLength = 20, kSize = 22;
inline constexpr unsigned kLongestComment = 0xFFFF;
}  // namespace end

// What follows the data when kFlagDescriptor is set: [signature,] CRC, packed size, size; 8-byte sizes when the local extra has a zip64 block.
inline constexpr unsigned kDescriptorSize = 12, kDescriptor64Size = 20, kSignatureSize = 4;

inline constexpr std::uint16_t kStored = 0, kDeflated = 8;

inline constexpr std::uint32_t kDosFolder = 0x10;  // in the external attributes

inline constexpr std::uint16_t kFlagEncrypted = 1 << 0;
inline constexpr std::uint16_t kFlagsDeflate = 3 << 1;  // how hard the packer tried: of no consequence
inline constexpr std::uint16_t kFlagDescriptor = 1 << 3;
inline constexpr std::uint16_t kFlagStrongEncryption = 1 << 6;
inline constexpr std::uint16_t kFlagUtf8 = 1 << 11;
inline constexpr std::uint16_t kFlagMaskedHeaders = 1 << 13;

// Extra blocks: id, u16 length, content.
inline constexpr unsigned kExtraHeader = 4;
inline constexpr std::uint16_t kExtraZip64 = 0x0001;        // the numbers whose 32-bit fields are saturated
inline constexpr std::uint16_t kExtraUnicodePath = 0x7075;  // another name for the record
inline constexpr std::uint16_t kExtraPadding = 0x4246;      // "FB": PyTorch's filler before aligned data, kPaddingByte each
inline constexpr unsigned char kPaddingByte = 'Z';

/// Deflate cannot do better than 1032 : 1; the constant covers the smallest streams.
inline constexpr std::uint64_t kDeflateRatio = 1032, kDeflateSlack = 64;

}  // namespace brine::zip
