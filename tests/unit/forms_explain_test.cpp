// SPDX-License-Identifier: MIT
// Checkpoints among other bytes: the message says where each is and what opens it, and that does open it.
#include "support/torch_file.hpp"

#include <doctest/doctest.h>

#include <charconv>

using namespace brine;
using namespace brine::test;

namespace {

std::string zipped(std::size_t n) { return torch_zip(Pickle(2).vector("0", static_cast<std::int64_t>(n)), {{"0", counting(n)}}); }
std::string stream(std::size_t n) { return legacy_stream(Pickle(2).vector("0", static_cast<std::int64_t>(n), true), {{"0", counting(n)}}); }

/// How many elements the tensor has in each part that the text's options open.
std::string opened(std::string_view bytes, std::string_view text) {
  std::string out;
  const auto number = [&](std::string_view option, std::string_view in) -> std::optional<std::uint64_t> {
    const auto at = in.find(option);
    if (at == in.npos) return std::nullopt;
    std::uint64_t value = 0;
    std::from_chars(in.data() + at + option.size(), in.data() + in.size(), value);
    return value;
  };
  for (std::size_t at = 0, end; (end = text.find(" opens it", at)) != text.npos; at = end + 1) {
    const std::string_view options = text.substr(text.find("--", at), end - text.find("--", at));
    LoadOptions load;
    load.offset = number("--offset ", options).value_or(0);
    load.length = number("--length ", options);
    out += (out.empty() ? "" : " ") + std::to_string(root_tensor(open_file(bytes, load)).numel());
  }
  return out;
}

void check_parts(std::string_view bytes, ErrorKind kind, std::string_view parts, std::string_view words = "") {
  const auto loaded = load(source_over(bytes));
  REQUIRE_FALSE(loaded);
  const Error& error = loaded.error();
  CAPTURE(error.text());
  CHECK(name(error.kind()) == name(kind));
  CHECK(error.text().find(words) != std::string::npos);
  CHECK(opened(bytes, error.text()) == parts);
}

}  // namespace

TEST_CASE("zips one behind the other, and what is between them") {
  check_parts(zipped(1) + zipped(2), ErrorKind::corrupt, "1 2", "bytes 0 to " + std::to_string(zipped(1).size()) + " are a zip archive (--length " + std::to_string(zipped(1).size()) + " opens it)");
  check_parts(zipped(1) + zipped(2) + zipped(3), ErrorKind::corrupt, "1 2 3");
  check_parts(zipped(1) + stream(2), ErrorKind::corrupt, "1 2", "a checkpoint in the old format");
  check_parts(zipped(1) + "gap" + zipped(2) + "end", ErrorKind::corrupt, "1 2", "are something else");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += zipped(1);
  check_parts(many, ErrorKind::corrupt, "1 1 1 1 1 1", "994 more parts");
}

TEST_CASE("bytes in front of a checkpoint, or behind it") {
  for (const std::string& front : {std::string("junk"), std::string(512, '\0'), std::string(5000, '\0'), std::string("HTTP/1.1 200 OK\r\n\r\n"), std::string(5000, 'x')}) {
    check_parts(front + zipped(2), ErrorKind::not_a_checkpoint, "2", "bytes 0 to " + std::to_string(front.size()) + " are something else");
    check_parts(front + zipped(2) + "end", ErrorKind::not_a_checkpoint, "2");
    check_parts(front + stream(3), ErrorKind::not_a_checkpoint, "3");
    check_parts(front + stream(3) + "end", ErrorKind::not_a_checkpoint, "3");
  }
  check_parts(zipped(2) + "end", ErrorKind::corrupt, "2");
  check_parts(zipped(2) + std::string(100'000, 'x'), ErrorKind::corrupt, "2");
  check_parts(Pickle(2).integer(1).bytes() + zipped(2), ErrorKind::unsupported, "2", "plain pickle");
  check_parts(Pickle(2).integer(1).bytes() + stream(2), ErrorKind::unsupported, "2", "plain pickle");
}

TEST_CASE("offsets count from the caller's source, also within a part of it") {
  const std::string file = "front" + zipped(1) + zipped(2) + "end";
  LoadOptions options;
  options.offset = 5;
  options.length = zipped(1).size() + zipped(2).size();
  const Error error = check_load(file, ErrorKind::corrupt, ErrorCode::zip_directory, options);
  CHECK(error.place().file == "m.pth, from byte 5");
  CHECK(opened(file, error.text()) == "1 2");
}

TEST_CASE("of a stream the rest is a note") {
  const auto note_of = [](const std::string& file) -> Note {
    const Checkpoint ckpt = open_file(file);
    REQUIRE(ckpt.notes().size() == 1);
    return ckpt.notes()[0];
  };
  for (const std::string& next : {stream(2), zipped(2)}) {
    const Note note = note_of(stream(1) + next);
    CHECK(note.code == Note::Code::another_object);
    CHECK(note.place.offset == stream(1).size());
    CHECK(opened(stream(1) + next, note.text) == "2");
  }
  CHECK(note_of(stream(1) + "end").text == "3 bytes follow the last storage, from byte " + std::to_string(stream(1).size()));
  LoadOptions options;
  options.offset = 4;
  const std::string file = "junk" + stream(1) + stream(2);
  const Checkpoint ckpt = open_file(file, options);
  REQUIRE(ckpt.notes().size() == 1);
  CHECK(ckpt.notes()[0].place.offset == 4 + stream(1).size());
  CHECK(opened(file, ckpt.notes()[0].text) == "2");
}

TEST_CASE("what no option opens is not advised") {
  check_parts(zipped(1).substr(0, zipped(1).size() - 30), ErrorKind::corrupt, "");
  check_parts("junk" + zipped(1).substr(0, zipped(1).size() - 30), ErrorKind::not_a_checkpoint, "");
  check_parts(zipped(1) + zipped(2).substr(0, zipped(2).size() - 30), ErrorKind::corrupt, "1");
  ZipBuilder other;
  other.add("a/readme.txt", "x");
  check_parts("junk" + other.lay_out().bytes(), ErrorKind::not_a_checkpoint, "", "a zip archive with other bytes in front of it");
  ZipBuilder counted;  // as a self-extractor: its offsets count from the file's first byte
  counted.torch("archive/data.pkl", Pickle(2).none().bytes()).prefix = "junk";
  counted.torch("archive/version", "3\n");
  check_parts(counted.lay_out().bytes(), ErrorKind::not_a_checkpoint, "", "zip -J FILE");
}

TEST_CASE("a zip whose first bytes are damaged has no other bytes in front") {
  std::string file = zipped(2);
  file[0] = 'X';
  CHECK(check_load(file, ErrorKind::corrupt, ErrorCode::zip_signature).text().find("found XK") != std::string::npos);
  file = zipped(2);
  file[2] = 'X';
  check_load(file, ErrorKind::corrupt, ErrorCode::zip_signature);
}

TEST_CASE("a callback's source: the same, and no more than a search reads") {
  const auto read = std::make_shared<std::uint64_t>(0);
  const auto two = load(callback_over(zipped(1) + zipped(2)));
  CHECK((!two && two.error().text().find("--offset") != std::string::npos));
  const std::string large = zipped(5'000'000);
  CHECK_FALSE(load(callback_over(large.substr(0, large.size() - 100), read)));
  CHECK(*read < 7'000'000);
}
