// SPDX-License-Identifier: MIT
// What a file is: PyTorch's formats, and a name with advice for everything else.
#include "forms/detect.hpp"
#include "support/zip_builder.hpp"

#include <doctest/doctest.h>

using namespace brine;
using namespace brine::test;
using namespace std::string_view_literals;

namespace {

Detected look(std::string_view bytes) {
  const auto found = detect(Source::memory(std::as_bytes(std::span(bytes)), nullptr, "file"));
  if (!found) FAIL(found.error().message());
  return *found;
}

void check_format(std::string_view bytes, FileFormat format) {
  CAPTURE(bytes);
  CHECK(static_cast<int>(look(bytes).format) == static_cast<int>(format));
}

/// Is `other`, and the name and the advice have these words.
void check_other(std::string_view bytes, std::string_view what, std::string_view advice = {}) {
  const Detected found = look(bytes);
  CAPTURE(what);
  CHECK(static_cast<int>(found.format) == static_cast<int>(FileFormat::other));
  CAPTURE(found.what);
  CHECK(found.what.find(what) != std::string_view::npos);
  CHECK(found.advice.find(advice) != std::string_view::npos);
}

std::string tar_header(std::string_view name, char type = '0', std::string_view size = "00000000000") {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(124, size.size(), size);
  block[156] = type;
  block.replace(257, 6, "ustar\0"sv);
  return block;
}

}  // namespace

TEST_CASE("an empty file is an error of its own") {
  const auto found = detect(Source::memory({}, nullptr, "file"));
  REQUIRE_FALSE(found);
  CHECK(found.error().kind() == ErrorKind::not_a_checkpoint);
  CHECK(found.error().code() == ErrorCode::empty_file);
}

TEST_CASE("a failing source is an io error") {
  const auto found = detect(Source::callback(100, [](std::uint64_t, std::span<std::byte>) { return false; }));
  REQUIRE_FALSE(found);
  CHECK(found.error().kind() == ErrorKind::io);
}

TEST_CASE("zip: whole, cut short, its first bytes damaged") {
  std::string zip = ZipBuilder::torch_file({"weights"}).lay_out().bytes();
  check_format(zip, FileFormat::zip);
  check_format(std::string_view(zip).substr(0, 40), FileFormat::zip);
  zip[2] = 'x';
  check_format(zip, FileFormat::zip);
  check_other("stub" + ZipBuilder::torch_file({}).lay_out().bytes(), "a zip archive with other bytes in front");
  check_other(ZipBuilder().lay_out().bytes(), "an empty zip");
}

TEST_CASE("pickles of every protocol") {
  check_format("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E"sv, FileFormat::pickle);  // the legacy magic number
  check_format("\x80\x03}q\x00."sv, FileFormat::pickle);
  check_format("\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00N."sv, FileFormat::pickle);
  check_format("\x80\x05N."sv, FileFormat::pickle);
  check_format("L119547037146038801333356L\n.I1001\n."sv, FileFormat::pickle);  // protocols 0 and 1
  check_format("(dp0\nS'a'\np1\nI1\ns."sv, FileFormat::pickle);
  check_format("(lp0\nI1\naI2\na."sv, FileFormat::pickle);
  check_format("ccollections\nOrderedDict\np0\n(tRp1\n."sv, FileFormat::pickle);
  check_format("(ctorch._utils\n_rebuild_tensor_v2\np0\n(I1\nI2\ntp1\nRp2\n"sv, FileFormat::pickle);
  check_format("}q\x00(U\x01"
               "aq\x01K\x01u."sv, FileFormat::pickle);
  check_format("]q\x00."sv, FileFormat::pickle);
  check_format("(K\x01K\x02tq\x00."sv, FileFormat::pickle);
  check_format("}q\x00X\x00\x10\x00\x00"sv.substr(0, 8), FileFormat::other);  // cut short in its first string
  check_format("G?\xF0\x00\x00\x00\x00\x00\x00."sv, FileFormat::pickle);
}

TEST_CASE("what is no pickle, though it begins with its letters") {
  for (const auto text :
       {"It is a text.", "(see below)", "class A:\n  pass\n", "Notes.", "]]>\n", "A.", ".", "..", "adds.", "Nothing", "I am"}) {
    check_other(text, "text");
  }
  check_other("\x80\x06N."sv, "no file of a known kind");
}

TEST_CASE("tar: PyTorch's oldest format, and any other") {
  check_format(tar_header("sys_info") + tar_header("pickle"), FileFormat::tar);
  check_format(tar_header("storages"), FileFormat::tar);
  check_format(tar_header("PaxHeader/x", 'x', "00000000100") + std::string(512, 'p') + tar_header("tensors"), FileFormat::tar);
  check_other(tar_header("model.pth"), "a tar archive", "unpack it");
  check_other(tar_header("PaxHeader/x", 'x', "77777777777") + tar_header("pickle"), "a tar archive");
  check_other(tar_header("PaxHeader/x", 'x', "????????????") + tar_header("pickle"), "a tar archive");
}

TEST_CASE("safetensors are known by their form: any length of the header, but a length it is") {
  for (const std::size_t length : {128, 136, 384, 640, 896, 1152, 1408, 35615, 0x6542}) {  // PROTO of every protocol, gzip, "BZ"
    std::string header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    header.resize(length, ' ');
    std::string file;
    for (int i = 0; i < 8; ++i) file += static_cast<char>(length >> (8 * i) & 0xFF);
    check_other(file + header + "1234", "safetensors", "torch.save(safetensors");
    CHECK(look(file + header.substr(0, 20)).what == "a safetensors file");  // cut short
    CHECK(look(file + "{" + std::string(length, '\1')).what != "a safetensors file");
  }
  check_other("\x08\0\0\0\0\0\0\0{}      "sv, "safetensors");
  check_format("\x80\x02{not JSON, but seven bytes behind PROTO"sv, FileFormat::pickle);
}

TEST_CASE("what may have a checkpoint in it is not sure") {
  CHECK_FALSE(look("junk").sure);
  CHECK_FALSE(look(std::string(100, '\0')).sure);
  CHECK_FALSE(look("stub" + ZipBuilder::torch_file({}).lay_out().bytes()).sure);
  CHECK(look("GGUF\3\0\0\0"sv).sure);
  CHECK(look("<html>").sure);
}

TEST_CASE("other files are named") {
  check_other("\x10\0\0\0\0\0\0\0{\"w\":{}}        "sv, "safetensors", "torch.save(safetensors");
  check_other("GGUF\3\0\0\0"sv, "GGUF");
  check_other("\x08\x08\x12\x07pytorch\x1A\x03"
              "2.6:"sv, "ONNX");
  check_other("\x89HDF\r\n\x1A\n........"sv, "HDF5");
  check_other("\x93NUMPY\1\0v\0{'descr'"sv, "NumPy");
  check_other("\x1F\x8B\x08\0\0\0\0\0"sv, "gzip", "decompress");
  check_other("BZh91AY&SY"sv, "bzip2", "decompress");
  check_other("\xFD"
              "7zXZ\0\0\4"sv, "xz", "decompress");
  check_other("\x28\xB5\x2F\xFD\4\0"sv, "Zstandard", "decompress");
  check_other("7z\xBC\xAF\x27\x1C\0\4"sv, "7-Zip", "unpack");
  check_other("Rar!\x1A\x07\x01\0"sv, "RAR", "unpack");
  check_other("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs pointer", "git lfs pull");
  check_other("\n <!DOCTYPE HTML>\n<html><body>404</body></html>", "web page", "download");
  check_other("<html>", "web page");
  check_other("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML");
  check_other("{\"architectures\": [\"Bert\"]}", "JSON");
  check_other("[1, 2]", "JSON");
  check_other("model weights go here\n", "text");
  check_other("caf\xC3\xA9\n", "text");
  check_other("\x89PNG\r\n\x1A\n\0\0"sv, "PNG");
  check_other("\xFF\xD8\xFF\xE0\0\x10JFIF"sv, "JPEG");
  check_other("\x7F"
              "ELF\2\1\1\0"sv, "ELF");
  check_other("\x38\0\0\0PTMF\0\0\0\0"sv, "flatbuffer module", "torch.save");
  check_other("PYTORCH1\2\0\0\0\0\0\0\0"sv, "PYTORCH1");
  check_other(std::string(100, '\0'), "zeros", "fetch the file again");
  check_other(std::string(100'000, '\0'), "zeros");
  check_other("\x07\x13\xC5\x99\0\1"sv, "no file of a known kind");
}
