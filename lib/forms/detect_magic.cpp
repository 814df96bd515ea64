// SPDX-License-Identifier: MIT
#include "forms/detect_magic.hpp"

#include "bytes/cursor.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace brine {

namespace {

using namespace std::string_view_literals;

constexpr auto kDecompress = "decompress it first"sv;
constexpr auto kUnpack = "unpack it and give brine the checkpoint inside"sv;
constexpr auto kDownload = "the download failed: fetch the file again"sv;
constexpr auto kMobile = "save the weights with torch.save instead"sv;

constexpr Magic kMagics[] = {
    {"PYTORCH1"sv, 0, "a PYTORCH1 container of a 1.0 preview of PyTorch",
     "no released PyTorch reads it; save it again with the preview that wrote it"},
    {"PTMF"sv, 4, "a flatbuffer module for PyTorch Mobile", kMobile},
    {"ET12"sv, 4, "an ExecuTorch program", kMobile},
    {"TFL3"sv, 4, "a TensorFlow Lite model", ""},
    {"GGUF"sv, 0, "a GGUF model", "brine reads PyTorch files; GGUF belongs to llama.cpp and its kin"},
    {"lmgg"sv, 0, "a GGML model", ""},
    {"tjgg"sv, 0, "a GGML model", ""},
    {"fmgg"sv, 0, "a GGML model", ""},
    {"\x89HDF\r\n\x1A\n"sv, 0, "an HDF5 file (Keras weights are)", ""},
    {"\x93NUMPY"sv, 0, "a NumPy array (.npy)", "read it with numpy"},
    {"\x1F\x8B"sv, 0, "a gzip file", kDecompress},
    {"BZh"sv, 0, "a bzip2 file", kDecompress},
    {"\xFD"
     "7zXZ\0"sv,
     0, "an xz file", kDecompress},
    {"\x28\xB5\x2F\xFD"sv, 0, "a Zstandard file", kDecompress},
    {"\x04\x22\x4D\x18"sv, 0, "an LZ4 file", kDecompress},
    {"7z\xBC\xAF\x27\x1C"sv, 0, "a 7-Zip archive", kUnpack},
    {"Rar!\x1A\x07"sv, 0, "a RAR archive", kUnpack},
    {"PK\5\6"sv, 0, "an empty zip archive", ""},
    {"PK\7\x08"sv, 0, "one part of a split zip archive", "join the parts first"},
    {"\xFF\xFEP\0K\0"sv, 0, "a zip archive that was written as UTF-16 text", "PowerShell's > does that: write it again as binary"},
    {"\xFF\xFE\x80\0"sv, 0, "a pickle that was written as UTF-16 text", "PowerShell's > does that: write it again as binary"},
    {"version https://git-lfs"sv, 0, "a git-lfs pointer, not the file itself", "run: git lfs pull"},
    {"\x7F"
     "ELF"sv,
     0, "an ELF program or library", ""},
    {"\x89PNG\r\n\x1A\n"sv, 0, "a PNG image", ""},
    {"\xFF\xD8\xFF"sv, 0, "a JPEG image", ""},
    {"GIF8"sv, 0, "a GIF image", ""},
    {"RIFF"sv, 0, "a RIFF file (WebP, WAVE, AVI)", ""},
    {"%PDF-"sv, 0, "a PDF document", ""},
    {"SQLite format 3\0"sv, 0, "an SQLite database", ""},
    {"PAR1"sv, 0, "a Parquet table", ""},
    {"ARROW1"sv, 0, "an Arrow file", ""},
    {"#!"sv, 0, "a script", ""},
};

constexpr Magic kOnnx{{}, 0, "an ONNX model (protobuf)", "export the weights from PyTorch with torch.save instead"};
constexpr Magic kHtml{{}, 0, "a web page, not a checkpoint", kDownload};
constexpr Magic kXml{{}, 0, "an XML document", "if it came from a download, that failed: fetch the file again"};
constexpr Magic kJson{{}, 0, "a JSON document", "weights are in another file beside it"};

bool starts_with_folded(std::string_view text, std::string_view small) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  return text.size() >= small.size() && std::equal(small.begin(), small.end(), text.begin(), [&](char s, char t) { return same(t, s); });
}

/// Field 1, the version of the format, a small number; then field 2, the producer's name, or field 7, the graph.
bool is_onnx(std::string_view start) {
  if (start.size() < 8 || start[0] != 0x08 || start[1] < 1 || start[1] > 32) return false;
  if (start[2] == 0x3A) return true;
  if (start[2] != 0x12 || start[3] < 1) return false;
  const auto producer = start.substr(4, std::min<std::size_t>(static_cast<std::size_t>(start[3]), 32));
  return std::all_of(producer.begin(), producer.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Printable, but for a character that the cut at the end of `start` may have split.
bool is_text(std::string_view start) {
  const bool printing = std::none_of(start.begin(), start.end(),
                                     [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7F; });
  for (std::size_t cut = 0; printing && cut < 4 && cut <= start.size(); ++cut) {
    if (is_utf8(start.substr(0, start.size() - cut))) return true;
  }
  return false;
}

}  // namespace

const Magic kText{{}, 0, "a text file", ""};
const Magic kSafetensors{{}, 0, "a safetensors file", "brine does not read it; in Python, torch.save(safetensors.torch.load_file(FILE), 'weights.pth') makes a checkpoint of it"};

/// The header's length, then JSON: an object, whose values are objects.
bool is_safetensors(std::string_view start, unsigned long long size) noexcept {
  constexpr std::size_t count = 8;
  if (start.size() < count + 2 || start[count] != '{') return false;
  const auto length = little_at<std::uint64_t>(reinterpret_cast<const std::byte*>(start.data()));
  constexpr std::uint64_t max = 100'000'000;  // bytes of a header, as safetensors has it; of a file that was cut short all of them may not be there
  if (length < 2 || length > std::max<std::uint64_t>(size - count, max)) return false;
  const std::string_view seen = start.substr(count, static_cast<std::size_t>(std::min<std::uint64_t>(length, start.size() - count)));
  const bool whole = seen.size() == length;
  if (!is_text(seen) || (whole && seen.find_last_not_of(' ') != seen.rfind('}'))) return false;
  const auto first = seen.find_first_not_of(" \t\r\n", 1);
  if (first == seen.npos || (seen[first] != '"' && seen[first] != '}')) return false;
  const auto value = seen.find(':', first);
  return value == seen.npos ? !whole || seen[first] == '}' : seen.find_first_not_of(" \t\r\n", value + 1) == seen.find('{', value);
}

const Magic* find_magic(std::string_view start) noexcept {
  for (const Magic& magic : kMagics) {
    if (start.size() >= magic.offset && start.substr(magic.offset).starts_with(magic.bytes)) return &magic;
  }
  return nullptr;
}

const Magic* find_by_form(std::string_view start) noexcept {
  if (is_onnx(start)) return &kOnnx;
  if (!is_text(start)) return nullptr;
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  for (const auto page : {"<!doctype html"sv, "<html"sv, "<head"sv, "<body"sv, "<!--"sv}) {
    if (starts_with_folded(start, page)) return &kHtml;
  }
  if (start.starts_with("<?xml") || start.starts_with("<Error>")) return &kXml;
  if (start.starts_with('{') || start.starts_with('[')) return &kJson;
  return &kText;
}

}  // namespace brine
