// SPDX-License-Identifier: MIT
// LoadOptions::offset, length and member: which part of a source is opened, and what zips that are no checkpoint are said to be.
#include "support/torch_file.hpp"

#include <brine/check.hpp>

#include <doctest/doctest.h>

using namespace brine;
using namespace brine::test;

namespace {

std::string zip_of(std::initializer_list<std::pair<std::string_view, std::string_view>> members, bool deflate = false) {
  ZipBuilder zip;
  for (const auto& [name, data] : members) deflate ? zip.deflate(name, data) : zip.add(name, data);
  return zip.lay_out().bytes();
}

std::string weights(std::size_t n) { return torch_zip(Pickle(2).vector("0", static_cast<std::int64_t>(n)), {{"0", counting(n)}}); }

const std::string kPolicy = weights(3), kOptimizer = weights(5);
std::string agent(bool deflate = false) {
  return zip_of({{"data", "{}"}, {"policy.optimizer.pth", kOptimizer}, {"policy.pth", kPolicy}, {"_stable_baselines3_version", "2.3.0"}}, deflate);
}

LoadOptions member(std::string name) {
  LoadOptions options;
  options.member = std::move(name);
  return options;
}

void check_says(std::string_view bytes, ErrorCode code, std::initializer_list<std::string_view> words) {
  const Error error = check_load(bytes, ErrorKind::not_a_checkpoint, code);
  for (const auto word : words) CHECK_MESSAGE(error.text().find(word) != std::string::npos, std::string(word));
}

}  // namespace

TEST_CASE("sound zips that are no checkpoint are named") {
  check_says(zip_of({{"x.npy", "1"}, {"dir/y.npy", "2"}}), ErrorCode::other_format, {"NumPy archive (.npz) of 2 arrays", "numpy.load"});
  check_says(zip_of({{"metadata.json", "{}"}, {"config.json", "{}"}, {"model.weights.h5", "x"}}), ErrorCode::other_format, {"Keras", "keras.models.load_model"});
  check_says(zip_of({{"[Content_Types].xml", "x"}, {"word/document.xml", "x"}}, true), ErrorCode::other_format, {"Office", "torch.save"});
  check_says(zip_of({{"META-INF/MANIFEST.MF", "x"}, {"a/B.class", "x"}}), ErrorCode::other_format, {"Java archive"});
  check_says(zip_of({{"a.txt", "x"}, {"b/c.txt", "x"}}), ErrorCode::record_missing, {"a zip archive, but not of PyTorch", "data.pkl", "a.txt and b/c.txt"});
  check_says(zip_of({{"a/b.txt", "x"}}), ErrorCode::record_missing, {"'a/data.pkl'"});
}

TEST_CASE("sound zips that the strict directory refuses are named, too") {
  ZipBuilder app;
  app.add("AndroidManifest.xml", "x");
  app.gap = "a signature";
  check_says(app.lay_out().bytes(), ErrorCode::other_format, {"Android app"});
  ZipBuilder commented;
  commented.add("a.txt", "x");
  commented.add("b.txt", "x").entry.comment = "a note";
  check_says(commented.lay_out().bytes(), ErrorCode::record_missing, {"a zip archive, but not of PyTorch", "a.txt and b.txt"});
  commented.add("x/DATA.pkl", "x");
  check_load(commented.lay_out().bytes(), ErrorKind::corrupt, ErrorCode::zip_directory);
}

TEST_CASE("a zip that could be a checkpoint to one reader and none to another stays corrupt") {
  for (const auto name : {"data.pkl", "other/data.pkl", "other/DATA.PKL"})
    check_load(zip_of({{"archive/version", "3\n"}, {name, "x"}}), ErrorKind::corrupt, ErrorCode::zip_name);
  check_load(zip_of({{"evil/", ""}, {"archive/data.pkl", "x"}, {"archive/version", "3\n"}}), ErrorKind::corrupt, ErrorCode::zip_name);
  check_load(zip_of({{"archive/data.pkl", "x"}, {"archive/version", "3\n"}, {"evil/", ""}}), ErrorKind::corrupt, ErrorCode::zip_name);
}

TEST_CASE("checkpoints in a zip are named, whatever they are called, and can be opened") {
  check_says(agent(), ErrorCode::other_format, {"Stable-Baselines3", "policy.optimizer.pth and policy.pth", "--member policy.pth"});
  if (BRINE_HAVE_LIBZIP) check_says(agent(true), ErrorCode::other_format, {"policy.optimizer.pth and policy.pth"});
  check_says(zip_of({{"notes.txt", "x"}, {"my weights", kPolicy}}), ErrorCode::other_format, {"--member 'my weights' "});
  check_says(zip_of({{"notes.txt", "x"}, {"w", kPolicy}}), ErrorCode::other_format, {"a zip archive that holds the checkpoint w;", "--member w"});
  check_says(zip_of({{"notes.txt", "x"}, {"w.pth", "hello, this is text"}}), ErrorCode::record_missing, {"notes.txt and w.pth"});
  const std::string legacy = legacy_stream(Pickle(2).vector("0", 2, true), {{"0", counting(2)}});
  check_says(zip_of({{"x/old.bin", legacy}}), ErrorCode::other_format, {"--member x/old.bin"});
  CHECK(floats(root_tensor(open_file(zip_of({{"x/old.bin", legacy}}), member("x/old.bin")))) == "0 1");

  ZipBuilder many;
  for (int i = 0; i < 20; ++i) many.add("w" + std::to_string(i), kPolicy);
  check_says(many.lay_out().bytes(), ErrorCode::other_format, {"w0, w1, w2, w3, w4, w5, w6, w7 and 12 more"});
}

TEST_CASE("a stored member is opened where it lies") {
  const std::string file = agent();
  const Source source = source_over(file);
  const auto ckpt = load(source, member("policy.pth"));
  if (!ckpt) FAIL(ckpt.error().message());
  const Tensor t = root_tensor(*ckpt);
  CHECK(floats(t) == "0 1 2");
  REQUIRE(t.storage().location());
  CHECK(reinterpret_cast<const std::byte*>(t.data<float>().value().data()) == source.view().data() + t.storage().location()->offset);
  CHECK(ckpt->end_offset() == file.find(kPolicy) + kPolicy.size());
  CHECK(ckpt->file() == "m.pth, member policy.pth");
  CHECK(floats(root_tensor(*load(callback_over(file), member("policy.optimizer.pth")))) == "0 1 2 3 4");
}

TEST_CASE("check compares the CRC that the zip around a member has of it") {
  const std::string legacy = legacy_stream(Pickle(2).vector("0", 2, true), {{"0", counting(2)}});  // has no CRC of its own
  std::string file = zip_of({{"pad", "x"}, {"old.bin", legacy}});
  const auto checked = [&] { return check(open_file(file, member("old.bin"))).value(); };
  CHECK(checked().damaged == 0);
  CHECK(checked().member_crc);
  CHECK_FALSE(check(open_file(legacy)).value().member_crc);
  file[file.find(legacy) + legacy.size() - 1] ^= 1;  // in the tensor
  const Checked damaged = checked();
  REQUIRE(damaged.faults.size() == 1);
  CHECK(damaged.damaged == 1);
  CHECK(damaged.faults[0].code() == ErrorCode::zip_crc);
  CHECK(damaged.faults[0].message().find("old.bin") != std::string::npos);
}

TEST_CASE("a deflated member is inflated, within the limits, and lies nowhere") {
  if (!BRINE_HAVE_LIBZIP) {
    check_load(agent(true), ErrorKind::unsupported, ErrorCode::zip_disabled, member("policy.pth"));
    return;
  }
  const std::string file = agent(true);
  const Checkpoint ckpt = open_file(file, member("policy.pth"));
  CHECK(floats(root_tensor(ckpt)) == "0 1 2");
  CHECK_FALSE(root_tensor(ckpt).storage().location());
  CHECK(ckpt.end_offset() == kPolicy.size());
  LoadOptions options = member("policy.pth");
  options.limits.inflated_bytes = kPolicy.size() - 1;
  check_load(file, ErrorKind::limit, ErrorCode::inflated_too_large, options);
  const std::string bomb = zip_of({{"policy.pth", std::string(std::size_t{32} << 20, '\0')}}, true);
  const Error refused = check_load(bomb, ErrorKind::limit, ErrorCode::inflated_too_large, member("policy.pth"));
  CHECK(refused.text().find("unpack it first") != std::string::npos);
  CHECK(refused.place().file == "m.pth, member policy.pth");
}

TEST_CASE("a member that is not there, or no checkpoint") {
  const Error missing = check_load(agent(), ErrorKind::usage, ErrorCode::missing_key, member("policy"));
  CHECK(missing.text() == "the zip has no member 'policy'; it holds policy.optimizer.pth, policy.pth, data and _stable_baselines3_version");
  const Error text = check_load(agent(), ErrorKind::not_a_checkpoint, ErrorCode::other_format, member("data"));
  CHECK(text.message().starts_with("m.pth, member data: "));
  const std::string legacy = legacy_stream(Pickle(2).vector("0", 2, true), {{"0", counting(2)}});
  const Error none = check_load(legacy, ErrorKind::not_a_checkpoint, ErrorCode::zip_signature, member("x"));
  CHECK(none.text().starts_with("only a zip has members"));
}

TEST_CASE("messages about a part say what its offsets count from") {
  std::string damaged = kPolicy;
  damaged[damaged.find("PK\1\2")] = 'X';
  const Error inside = check_load(zip_of({{"pad", "x"}, {"w", damaged}}), ErrorKind::corrupt, ErrorCode::zip_directory, member("w"));
  CHECK(inside.place().file == "m.pth, member w");
  CHECK(inside.place().offset == kPolicy.find("PK\1\2"));
  LoadOptions options;
  options.offset = 4;
  const Error behind = check_load("junk" + damaged, ErrorKind::corrupt, ErrorCode::zip_directory, options);
  CHECK(behind.place().file == "m.pth, from byte 4");
  CHECK(behind.place().offset == kPolicy.find("PK\1\2"));
}

TEST_CASE("offset and length choose a part of the source") {
  const std::string file = kPolicy + kOptimizer + "junk";
  LoadOptions options;
  options.length = kPolicy.size();
  CHECK(floats(root_tensor(open_file(file, options))) == "0 1 2");
  options.offset = kPolicy.size();
  options.length = kOptimizer.size();
  const Checkpoint second = open_file(file, options);
  CHECK(floats(root_tensor(second)) == "0 1 2 3 4");
  CHECK(second.end_offset() == kPolicy.size() + kOptimizer.size());
  CHECK(file.substr(static_cast<std::size_t>(root_tensor(second).storage().location()->offset), 20) == counting(5));
  options.length = kOptimizer.size() + 5;
  check_load(file, ErrorKind::usage, ErrorCode::out_of_range, options);
  options.length = 0;
  check_load(file, ErrorKind::not_a_checkpoint, ErrorCode::empty_file, options);
}
