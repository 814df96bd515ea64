// SPDX-License-Identifier: MIT
#include <brine/result.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <type_traits>
#include <utility>

using namespace brine;

namespace {
Error sample() { return Error(ErrorKind::corrupt, ErrorCode::pickle_stack, "REDUCE needs two values, found one"); }
}  // namespace

TEST_CASE("message: only what is known") {
  CHECK(sample().message() == "REDUCE needs two values, found one");
  CHECK(sample().in_file("m.pth").message() == "m.pth: REDUCE needs two values, found one");
  CHECK(sample().at_offset(0).message() == "byte 0: REDUCE needs two values, found one");
  CHECK(sample().in_record("archive/data.pkl").at_opcode("REDUCE").message() ==
        "archive/data.pkl, REDUCE: REDUCE needs two values, found one");
  CHECK(sample().in_file("m.pth").in_record("archive/data.pkl").at_offset(812).at_opcode("REDUCE").at_path("optimizer.state.0").message() ==
        "m.pth: archive/data.pkl, byte 812, REDUCE, at optimizer.state.0: REDUCE needs two values, found one");
}

TEST_CASE("message: one line, whatever the names") {
  const Error error = Error(ErrorKind::usage, ErrorCode::missing_key, "Error(s) in loading:\n\tMissing key(s): \"a\".\x1B")
                        .in_file("a\nb\\c.pth").at_path("x\r\ty");
  CHECK(error.message() == "a\\x0ab\\c.pth: at x\\x0d\\x09y: Error(s) in loading: Missing key(s): \"a\".\\x1b");
  CHECK(error.text() == "Error(s) in loading:\n\tMissing key(s): \"a\".\x1B");
  CHECK(error.place().path == "x\r\ty");
}

TEST_CASE("the first to know the place is the nearest") {
  const Error error = sample().at_offset(3).in_file("inner").at_path("p").at_opcode("A")
                        .at_offset(4).in_file("outer").at_path("q").at_opcode("B");
  CHECK(error.place().offset == 3);
  CHECK(error.place().file == "inner");
  CHECK(error.place().path == "p");
  CHECK(error.place().opcode == "A");
  CHECK(error.place().record.empty());
}

TEST_CASE("copies are deep; what was moved from can be used, assigned and destroyed") {
  Error error = sample().in_file("m.pth");
  const Error copy = error;
  Error taken = std::move(error);
  CHECK(copy.message() == taken.message());
  CHECK(taken.kind() == ErrorKind::corrupt);
  CHECK(taken.code() == ErrorCode::pickle_stack);

  CHECK(error.kind() == ErrorKind::limit);  // NOLINT: on purpose
  CHECK(error.code() == ErrorCode::out_of_memory);
  CHECK(error.message() == "out of memory");
  const Error copy_of_nothing = error;
  CHECK(copy_of_nothing.text() == "out of memory");
  CHECK(std::move(error).in_file("x").at_offset(1).place().file.empty());
  error = copy;
  CHECK(error.message() == "m.pth: REDUCE needs two values, found one");
  error = *&error;
  CHECK(error.message() == copy.message());
}

TEST_CASE("Result carries either") {
  const auto half_of = [](int n) -> Result<int> {
    if (n % 2 != 0) return sample();
    return n / 2;
  };
  CHECK(*half_of(8) == 4);
  CHECK_FALSE(half_of(3));
  CHECK(half_of(3).error().code() == ErrorCode::pickle_stack);
  CHECK(half_of(3).value_or(7) == 7);
  CHECK_THROWS_WITH_AS(half_of(3).value(), "REDUCE needs two values, found one", Exception);
}

TEST_CASE("names of kinds and codes are the enumerators'") {
  CHECK(name(ErrorKind::io) == "io");
  CHECK(name(ErrorKind::not_a_checkpoint) == "not_a_checkpoint");
  CHECK(name(ErrorKind::usage) == "usage");
  CHECK(name(ErrorCode::open_failed) == "open_failed");
  CHECK(name(ErrorCode::zip_duplicate_name) == "zip_duplicate_name");
  CHECK(name(ErrorCode::bad_argument) == "bad_argument");

  std::set<std::string_view> names;
  const auto last = static_cast<unsigned>(ErrorCode::bad_argument);
  for (unsigned i = 0; i <= last; ++i) names.insert(name(static_cast<ErrorCode>(i)));
  CHECK(names.size() == last + 1);
  CHECK(names.count("") == 0);
  CHECK(name(static_cast<ErrorCode>(last + 1)).empty());
}

TEST_CASE("what a temporary Result gives is a value of its own") {
  static_assert(std::is_same_v<decltype(*std::declval<Result<std::string>>()), std::string>);
  static_assert(std::is_same_v<decltype(std::declval<Result<std::string>>().error()), Error>);
  static_assert(std::is_same_v<decltype(*std::declval<Result<std::string>&>()), std::string&>);
  std::string text;
  for (const char c : *Result<std::string>(std::string(100, 'x'))) text += c;
  CHECK(text == std::string(100, 'x'));
}
