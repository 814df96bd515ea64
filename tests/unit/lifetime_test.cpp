// SPDX-License-Identifier: MIT
// What borrows from a handle is not given by one that is about to go: it does not compile, or is a value of its own.
#include "support/saved.hpp"
#include "support/state_dicts.hpp"

#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace brine;
using namespace brine::test;

namespace {

// The members, of an lvalue (T&) or of a temporary (T).
template <class T> concept Arrow = requires(T&& r) { std::forward<T>(r).operator->(); };
template <class T> concept Find = requires(T&& t) { std::forward<T>(t).find("w"); };
template <class T> concept Others = requires(T&& t) { std::forward<T>(t).others(); };
template <class T> concept Root = requires(T&& t) { std::forward<T>(t).root(); };
template <class T> concept At = requires(T&& t) { std::forward<T>(t).at("w"); };
template <class T> concept Arrays = requires(T&& t) { std::forward<T>(t).arrays(); };
template <class T> concept Sources = requires(T&& t) { std::forward<T>(t).sources(); };
template <class T> concept Made = requires(T&& t) { std::forward<T>(t).list(); };
template <class T> concept Trees = requires(T&& t) { std::forward<T>(t).tree(); };
template <class T> concept Assigned = requires(T&& t) { std::forward<T>(t).assigned("w"); };
template <class T> concept Fault = requires(T&& t) { std::forward<T>(t).fault(); };
template <class T> concept EntryOf = requires(T&& t) { std::forward<T>(t).entry(0); };

static_assert(Arrow<Result<StateDict>&> && Arrow<const Result<StateDict>&> && !Arrow<Result<StateDict>> && !Arrow<const Result<StateDict>>);
static_assert(!Arrow<Result<LoadReport>> && !Arrow<Result<Checkpoint>> && !Arrow<Result<Array>>);
static_assert(Arrow<Result<std::string_view>> && Arrow<Result<GlobalName>> && Arrow<Result<std::span<const std::byte>>>);  // of what owns nothing
static_assert(Find<StateDict&> && Find<const StateDict&> && !Find<StateDict>);
static_assert(Others<StateDict&> && !Others<StateDict>);
static_assert(Root<Checkpoint&> && !Root<Checkpoint> && At<Checkpoint&> && !At<Checkpoint> && Arrays<Checkpoint&> && !Arrays<Checkpoint>);
static_assert(Sources<Checkpoint&> && !Sources<Checkpoint>);
static_assert(Made<Tree&> && !Made<Tree> && Trees<Edits&> && !Trees<Edits>);
static_assert(Assigned<Parameters&> && !Assigned<Parameters> && Fault<Parameters&> && !Fault<Parameters> && EntryOf<Parameters&> && !EntryOf<Parameters>);

static_assert(std::is_same_v<decltype(std::declval<StateDict>().entries()), StateDict>);
static_assert(std::is_same_v<decltype(std::declval<StateDict>().notes()), std::vector<Note>>);
static_assert(std::is_same_v<decltype(std::declval<StateDict>().path()), std::string>);
static_assert(std::is_same_v<decltype(std::declval<Checkpoint>().notes()), std::vector<Note>>);
static_assert(std::is_same_v<decltype(std::declval<Checkpoint>().file()), std::string>);
static_assert(std::is_same_v<decltype(std::declval<Array>().dtype()), std::string>);
static_assert(std::is_same_v<decltype(std::declval<Array>().shape()), std::vector<std::int64_t>>);

}  // namespace

TEST_CASE("ranges over what a call gives outlive it") {
  const Checkpoint ckpt = loaded(saved(dict({{"w", numbers({2})}, {"b", numbers({3})}})));
  std::string names;
  for (const auto& [name, tensor] : ckpt.state_dict().value().entries()) names += std::string(name) + std::to_string(tensor.numel());
  for (const auto& [name, tensor] : *ckpt.state_dict()) names += std::string(name) + std::to_string(tensor.numel());
  CHECK(names == "w2b3w2b3");
  for (const Note& note : ckpt.state_dict().value().notes()) CHECK(note.text.empty());
  CHECK((*ckpt.state_dict()).size() == 2);
  CHECK(ckpt.state_dict().value().path().empty());
}
