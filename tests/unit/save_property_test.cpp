// SPDX-License-Identifier: MIT
// Random trees: saved, loaded, compared; saved again. RapidCheck makes the choices and makes a failing tree small.
#include <brine/brine.hpp>

#include "support/value_choices.hpp"

#include <rapidcheck.h>

#include <doctest/doctest.h>

using namespace brine;

namespace {

std::vector<std::byte> saved(const Value& value, const SaveOptions& options) {
  std::vector<std::byte> out;
  if (auto done = save(value, Sink::memory(out), options); !done) {
    RC_ASSERT(done.error().kind() == ErrorKind::usage);  // two dtypes over one storage
    RC_DISCARD(done.error().message());
  }
  return out;
}

}  // namespace

TEST_CASE("random trees come back as they were, and are saved again as the same bytes") {
  const auto property = [] {
    const auto bytes = *rc::gen::container<std::vector<std::uint8_t>>(*rc::gen::inRange(0, 400), rc::gen::arbitrary<std::uint8_t>());
    test::ValueChoices choices(bytes);
    const SaveOptions options = choices.options();
    const Value root = choices.value();
    const auto file = saved(root, options);
    const auto ckpt = load(Source::memory(file));
    RC_ASSERT(ckpt.has_value());
    RC_ASSERT(test::SameTree().difference(root, ckpt->root()) == "");
    RC_ASSERT((saved(ckpt->root(), options) == file));
    RC_ASSERT((saved(ckpt->root(), SaveOptions::as_read(*ckpt)) == file));
  };
  for (int hundred = 0; hundred < 100; ++hundred) REQUIRE(rc::check(property));
}
