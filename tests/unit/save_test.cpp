// SPDX-License-Identifier: MIT
// save() and what it is given: paths and sinks, options, edited state dicts, trees.
#include "forms/file_layout.hpp"
#include "support/saved.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

using namespace brine;
using namespace brine::test;

namespace {

namespace fs = std::filesystem;

constexpr std::array<float, 6> kSix{0, 1, 2, 3, 4, 5};

Tensor six() { return Tensor::borrow<float>(kSix, {2, 3}).value(); }

/// A folder that goes away.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("brine-save-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + "-" + std::to_string(::getpid()));
  Folder() { fs::create_directory(path); }
  ~Folder() { fs::remove_all(path); }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {})); }
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string names(const StateDict& s) {
  std::string out;
  for (const auto& [name, tensor] : s) out += std::string(name) + " ";
  return out;
}

StateDict three() {
  StateDict s;
  for (const char* name : {"a.weight", "a.bias", "b.weight"}) s.insert(name, six());
  s.set_version("", 1);
  s.set_version("a", 2);
  s.set_version("b", 3);
  return s;
}

}  // namespace

TEST_CASE("saving over the file that is mapped") {
  Folder folder;
  const auto path = folder.path / "m.pth";
  REQUIRE(save(three(), path));
  const std::string before = read(path);
  const auto ckpt = load(path.string()).value();
  auto weights = ckpt.state_dict().value();
  REQUIRE(save(weights, path));
  CHECK(read(path) == before);
  weights.erase("a.bias");
  REQUIRE(save(weights, path));
  CHECK(read(path) != before);
  CHECK(ckpt.state_dict().value().at("a.bias").value().to_vector<float>().value()[5] == 5);  // the old file is still mapped
  CHECK(names(load(path.string()).value().state_dict().value()) == "a.weight b.weight ");
  CHECK(folder.files() == 1);
}

TEST_CASE("what cannot be saved leaves no file") {
  Folder folder;
  const auto fails = [&](const Result<void>& r, ErrorKind kind) {
    REQUIRE_FALSE(r);
    CHECK(r.error().kind() == kind);
    CHECK_FALSE(r.error().message().empty());
  };
  fails(save(three(), folder.path / ".hidden"), ErrorKind::usage);
  fails(save(three(), folder.path), ErrorKind::io);
  fails(save(three(), folder.path / "missing" / "m.pth"), ErrorKind::io);
  fails(save(Value(), folder.path / "m.pth"), ErrorKind::usage);
  SaveOptions options;
  for (const int protocol : {0, 6, -1}) options.protocol = protocol, fails(save(three(), folder.path / "m.pth", options), ErrorKind::usage);
  options = {};
  options.alignment = 0;
  fails(save(three(), folder.path / "m.pth", options), ErrorKind::usage);
  fails(save(three(), Sink::callback([](std::span<const std::byte>) { return false; })), ErrorKind::io);

  const Storage s = Storage::borrow(std::as_bytes(std::span(kSix)), DType::float32);
  StateDict two;
  two.insert("a", Tensor::view(s, DType::float32, {6}).value());
  two.insert("b", Tensor::view(s, DType::int32, {6}).value());
  fails(save(two, folder.path / "m.pth"), ErrorKind::usage);  // torch.save refuses as well
  CHECK(folder.files() == 0);
}

TEST_CASE("a sink, a root, an alignment, no CRCs") {
  SaveOptions options;
  options.root = "mine";
  options.alignment = 4096;
  options.crc = false;
  const auto bytes = saved(three(), options);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  CHECK(text.find("mine/data.pkl") != text.npos);
  CHECK(text.find("archive/") == text.npos);
  const auto ckpt = loaded(bytes);
  for (const auto& [name, tensor] : ckpt.state_dict().value()) {
    CHECK(tensor.storage().location()->offset % 4096 == 0);
    CHECK_FALSE(tensor.storage().verify_crc().value());
  }
  CHECK(saved(ckpt.root(), SaveOptions::as_read(ckpt)) == bytes);
}

TEST_CASE("every profile and protocol is read back as it was") {
  for (const auto profile : {Profile::torch_1_6, Profile::torch_2_1, Profile::torch_2_7})
    for (int protocol = 1; protocol <= 5; ++protocol) {
      SaveOptions options;
      options.profile = profile;
      options.protocol = protocol;
      const auto bytes = saved(three(), options);
      const auto ckpt = loaded(bytes);
      CHECK(names(ckpt.state_dict().value()) == "a.weight a.bias b.weight ");
      CHECK(saved(ckpt.root(), options) == bytes);
      CHECK(saved(ckpt.root(), SaveOptions::as_read(ckpt)) == bytes);
    }
}

TEST_CASE("a big-endian file: as it was read, and by default in this machine's order") {
  const auto little = loaded(saved(three()));
  auto options = SaveOptions::as_read(little);
  auto layout = *options.layout;
  layout.big_endian = true;
  options.layout = std::make_shared<FileLayout>(layout);
  const auto bytes = saved(little.root(), options);
  const auto big = loaded(bytes);
  const auto weights = big.state_dict().value();
  CHECK(weights.at("a.bias").value().storage().foreign_byte_order());
  CHECK(weights.at("a.bias").value().to_vector<float>().value()[5] == 5);
  CHECK(saved(big.root(), SaveOptions::as_read(big)) == bytes);
  CHECK(saved(big.root()) == saved(three()));
}

TEST_CASE("compact keeps views and ties, and cuts the rest") {
  std::vector<float> many(1000, 1);
  for (int i = 0; i < 10; ++i) many[500 + static_cast<std::size_t>(i)] = static_cast<float>(i);
  const Storage s = Storage::borrow(std::as_bytes(std::span(many)), DType::float32);
  StateDict state;
  const std::array<std::int64_t, 2> shape{2, 5}, stride{1, 2};
  state.insert("a", Tensor::view(s, DType::float32, shape, stride, 500).value());
  state.insert("b", Tensor::view(s, DType::float32, std::array<std::int64_t, 1>{3}, {}, 504).value());
  state.insert("none", Tensor::view(s, DType::float32, std::array<std::int64_t, 1>{0}, {}, 900).value());
  SaveOptions options;
  options.compact = true;
  const auto back = loaded(saved(state, options)).state_dict().value();
  CHECK(back.at("a").value().storage() == back.at("b").value().storage());
  CHECK(back.at("a").value().storage().nbytes() == 40);
  CHECK(back.at("a").value().storage_offset() == 0);
  CHECK(back.at("b").value().to_vector<float>().value() == std::vector<float>{4, 5, 6});
  CHECK(back.at("a").value().to_vector<float>().value() == std::vector<float>{0, 2, 4, 6, 8, 1, 3, 5, 7, 9});
  CHECK(back.at("none").value().numel() == 0);
}

TEST_CASE("state dicts are edited as Python's dicts are") {
  StateDict s = three();
  const StateDict copy = s;
  s.insert("a.bias", Tensor::borrow<float>(kSix, {6}).value());
  s.insert("c", six());
  CHECK(names(s) == "a.weight a.bias b.weight c ");
  CHECK(s.at("a.bias").value().shape().size() == 1);
  CHECK(names(copy) == "a.weight a.bias b.weight ");  // copies are independent
  CHECK(copy.at("a.bias").value().shape().size() == 2);
  CHECK(s.rename("a.weight", "first"));
  CHECK_FALSE(s.rename("c", "first"));
  CHECK_FALSE(s.rename("gone", "x"));
  CHECK(names(s) == "first a.bias b.weight c ");
  CHECK(s.erase("first"));
  CHECK_FALSE(s.erase("first"));
  s.merge(copy);
  CHECK(names(s) == "a.bias b.weight c a.weight ");
  CHECK(s.at("a.bias").value().shape().size() == 2);
  CHECK(s.keep(std::vector<std::string>{"*.weight"}) == 2);
  CHECK(s.drop(std::vector<std::string>{"b.*"}) == 1);
  CHECK(names(loaded(saved(s)).state_dict().value()) == "a.weight ");
}

TEST_CASE("prefixes: _metadata follows as in PyTorch") {
  StateDict s = three();
  s.add_prefix("module.");
  CHECK(names(s) == "module.a.weight module.a.bias module.b.weight ");
  CHECK(s.version("module") == 1);
  CHECK(s.version("module.a") == 2);
  CHECK_FALSE(s.version("a"));
  s.set_version("", 7);
  CHECK(s.strip_prefix("module.") == 3);
  const auto back = loaded(saved(s)).state_dict().value();
  CHECK(names(back) == "a.weight a.bias b.weight ");
  CHECK(back.version("") == 1);  // the prefix's own entry takes the root's place
  CHECK(back.version("a") == 2);
  CHECK_FALSE(back.version("module.a"));
  CHECK(s.strip_prefix("module.") == 0);

  StateDict some;
  for (const char* name : {"module.a", "b", "module.c"}) some.insert(name, six());
  CHECK(some.strip_prefix("module.") == 2);
  CHECK(names(some) == "b a c ");  // those that had it move to the end
}

TEST_CASE("cast keeps what is tied") {
  StateDict s;
  const Tensor t = six();
  s.insert("a", t), s.insert("b", t), s.insert("c", six());
  REQUIRE(s.cast(DType::float16));
  CHECK(s.at("a").value().dtype() == DType::float16);
  CHECK(s.at("a").value().storage() == s.at("b").value().storage());
  CHECK_FALSE(s.at("a").value().storage() == s.at("c").value().storage());
  CHECK(s.at("b").value().to_vector<float>().value()[5] == 5);
}

TEST_CASE("values that are no tensors keep their places") {
  Tree tree;
  const Value d = tree.ordered_dict();
  REQUIRE(tree.set(d, "a", six()));
  REQUIRE(tree.set(d, "scale", 0.5));
  REQUIRE(tree.set(d, "b", six()));
  REQUIRE(tree.set(d, "zero_point", 3));
  const auto ckpt = loaded(saved(d));
  auto s = ckpt.state_dict().value();
  CHECK(s.others().size() == 2);
  s.insert("c", six());
  REQUIRE(s.rename("a", "first"));
  const auto back = loaded(saved(s));
  std::string keys;
  for (const auto [key, value] : back.root().items()) keys += std::string(key.as_string().value()) + " ";
  CHECK(keys == "first scale b zero_point c ");
}

TEST_CASE("a tree's identity: words are one object, other texts and containers are their own") {
  Tree tree;
  const Value list = tree.list({1}), text = tree.value("two words");
  CHECK(tree.value("word").same_object(tree.value("word")));
  CHECK(tree.value("").same_object(tree.value("")));
  CHECK(tree.value("é").same_object(tree.value("é")));
  CHECK_FALSE(text.same_object(tree.value("two words")));
  const auto ckpt = loaded(saved(tree.list({list, list, tree.list({1}), text, text, tree.value("two words")})));
  const Value back = ckpt.root();
  REQUIRE(back.size() == 6);
  CHECK(back[0].same_object(back[1]));
  CHECK_FALSE(back[0].same_object(back[2]));
  CHECK(back[3].same_object(back[4]));
  CHECK_FALSE(back[3].same_object(back[5]));
  Tree other;
  CHECK_FALSE(other.append(list, 1));
  CHECK_FALSE(tree.set(list, "a", 1));
  CHECK_FALSE(tree.big_int("12x").exists());
}

TEST_CASE("a tree's sets and dicts hold equal members and keys once") {
  Tree tree;
  const Value set = tree.set({1, "a", 1.0, true, tree.complex(1, 0), "a", tree.complex(1, 2), tree.complex(1, 2), nullptr});
  REQUIRE(set.size() == 4);
  CHECK(set[0].as_int().value() == 1);
  CHECK(set[3].is_none());
  const Value dict = tree.dict();
  REQUIRE(tree.set(dict, tree.complex(0, 1), "first"));
  REQUIRE(tree.set(dict, tree.complex(0, 1), "second"));
  REQUIRE(dict.size() == 1);
  CHECK((*dict.items().begin()).second.as_string().value() == "second");
}

TEST_CASE("a tree may hold values of a checkpoint, which it keeps alive") {
  Tree tree;
  const Value root = tree.dict();
  {
    const auto bytes = std::make_shared<std::vector<std::byte>>(saved(three()));
    const auto ckpt = load(Source::memory(*bytes, bytes)).value();
    REQUIRE(tree.set(root, "old", ckpt.root()));
    REQUIRE(tree.set(root, "state_dict", tree.state_dict(ckpt.state_dict().value()).value()));
  }
  REQUIRE(tree.set(root, "new", tree.ordered_dict()));
  const auto back = loaded(saved(root));
  CHECK(back.root()["old"]["b.weight"].as_tensor().value().to_vector<float>().value()[5] == 5);
  CHECK(back.root()["old"].same_object(back.root()["state_dict"]));
}
