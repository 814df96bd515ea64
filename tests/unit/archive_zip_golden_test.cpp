// SPDX-License-Identifier: MIT
// Real files of torch.save, laid out again: the records of each, in their order, give the same file byte for byte.
#include "archive/zip_writer.hpp"
#include "forms/serialization_id.hpp"
#include "forms/write_zip.hpp"
#include "support/zip_check.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

using namespace brine;
using namespace brine::test;

namespace {

struct Relaid {
  bool same = true;
  bool own_id = true;  ///< the first half of the serialization id is libstdc++'s as well
};

/// Compares what it is given with what `expected` has there.
Sink comparing(std::span<const std::byte> expected, std::uint64_t& at, bool& same) {
  return Sink::callback([expected, &at, &same](std::span<const std::byte> bytes) {
    same = same && at + bytes.size() <= expected.size() && std::memcmp(expected.data() + at, bytes.data(), bytes.size()) == 0;
    at += bytes.size();
    return true;
  });
}

Relaid lay_out_again(const Archive& archive) {
  const auto entries = archive.directory().entries();
  const std::string_view root = archive.directory().root();
  const bool crc = std::any_of(entries.begin(), entries.end(), [](const ZipEntry& e) { return e.crc != 0; });
  const bool aligned = archive.directory().find_record(".storage_alignment") != nullptr;
  const auto alignment = aligned ? std::stoul(read_record(archive, ".storage_alignment")) : 64;

  Budget budget(std::uint64_t{1} << 30, ErrorCode::inflated_too_large);
  Relaid out;
  std::uint64_t at = 0;
  Sink sink = comparing(archive.source().view(), at, out.same);
  ZipWriter writer(sink, {.root = std::string(root), .alignment = static_cast<std::uint32_t>(alignment), .crc = crc});
  for (const ZipEntry& e : entries) {
    const std::string_view record = e.name.substr(root.size() + 1);
    auto data = archive.read(e, budget, false);
    if (!data) return {.same = false};  // packed, in a build without libzip
    std::string id;
    if (record == ".data/serialization_id") {
      id = serialization_id(writer, data->text().substr(0, 20));
      out.own_id = id == serialization_id(writer);
      data->span = std::as_bytes(std::span(id));
    }
    if (auto done = writer.add(record, data->span); !done) FAIL(done.error().message());
  }
  if (auto done = writer.finish(); !done) FAIL(done.error().message());
  out.same = out.same && at == archive.source().size();
  return out;
}

/// TorchScript: torch.jit.save packs its code, and in 2019 wrote the time of day.
bool is_script(const Archive& archive) {
  const std::string code = std::string(archive.directory().root()) + "/code/";
  const auto entries = archive.directory().entries();
  return std::any_of(entries.begin(), entries.end(), [&](const ZipEntry& e) { return e.name.starts_with(code); });
}

struct Count {
  int same = 0, scripts = 0, other_library = 0;
  std::set<std::string> different;
};

Count lay_out_all(const std::filesystem::path& folder) {
  Count count;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (!file.is_regular_file()) continue;
    const auto source = Source::file(file.path());
    REQUIRE(source);
    if (source->size() < 4 || std::memcmp(source->view().data(), "PK\3\4", 4) != 0) continue;
    const auto archive = Archive::open(*source, {});
    if (!archive) {
      count.different.insert(file.path().filename().string());
      continue;
    }
    if (is_script(*archive)) {
      ++count.scripts;
      continue;
    }
    const Relaid relaid = lay_out_again(*archive);
    if (!relaid.same) count.different.insert(file.path().filename().string());
    else ++count.same;
    if (!relaid.own_id) ++count.other_library;
  }
  return count;
}

}  // namespace

TEST_CASE("the golden files of this repository") {
  const char* root = std::getenv("BRINE_SOURCE_ROOT");
  REQUIRE(root != nullptr);
  const Count count = lay_out_all(std::filesystem::path(root) / "tests/golden");
  CHECK(count.same >= 10);
  CHECK(count.different.empty());
  CHECK(count.other_library == 0);
}

TEST_CASE("files of torch 1.7 to 2.6 and of public projects") {
  const char* root = std::getenv("BRINE_SHARED");
  if (root == nullptr) {
    MESSAGE("BRINE_SHARED is not set: skipped");
    return;
  }
  const Count golden = lay_out_all(std::filesystem::path(root) / "golden");
  CHECK(golden.same >= 200);
  CHECK(golden.different.empty());
  CHECK(golden.other_library == 0);

  const Count corpus = lay_out_all(std::filesystem::path(root) / "corpus");
  CHECK(corpus.same >= 170);
  const std::set<std::string> others = {
      // Written by a .NET library with its platform's zip: packed, not aligned.
      "TorchSharp.PyBridge.Tests__pickled_modules__module_save.bin",
      "TorchSharp.PyBridge.Tests__pickled_optimizers__Adagrad_save.bin",
      "TorchSharp.PyBridge.Tests__pickled_optimizers__SGD_save.bin",
      // A TorchServe archive, which PyTorch refuses as we do.
      "frontend__archive__src__test__resources__models__echo.mar",
  };
  CHECK(corpus.different == others);
  MESSAGE("same: " << golden.same << " + " << corpus.same << ", scripts: " << golden.scripts + corpus.scripts
                   << ", ids of other C++ libraries: " << corpus.other_library);
}
