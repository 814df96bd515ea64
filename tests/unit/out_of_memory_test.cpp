// SPDX-License-Identifier: MIT
// Memory runs out at every allocation of each call in turn, once or for good. What returns a Result returns an Error; what does not may throw
// std::bad_alloc and no more. What the call was given is as good as before, and nothing leaks (sanitizers see to that).
#include "support/failing_memory.hpp"
#include "support/temporary_folder.hpp"
#include "support/torch_file.hpp"

#include <brine/brine.hpp>

#include <functional>

using namespace brine;
using namespace brine::test;

namespace {

constexpr std::string_view kLong = "a.module.whose.name.is.too.long.for.any.small.string";

std::string name_of(int i) { return std::string(kLong) + "." + std::to_string(i); }

/// {"epoch": 3, "state_dict": OrderedDict of `n` float32 vectors over one storage, an int and an object}, with `_metadata`.
Pickle training_checkpoint(int n, bool legacy) {
  Pickle p(2);
  p.empty_dict().mark().str("epoch").integer(3).str("state_dict").ordered_dict().mark();
  for (int i = 0; i < n; ++i) p.str(name_of(i)).vector("0", 4, legacy);
  p.str("a.number.that.is.no.tensor").integer(7).str("an.object").global("a_package", "AClass").empty_tuple().reduce();
  p.op(Op::SETITEMS).empty_dict().str("_metadata").ordered_dict().str(kLong).empty_dict().str("version").integer(1).setitem().setitem().setitem().build();
  return p.op(Op::SETITEMS);
}

/// A Sequential of one Linear.
Pickle whole_model() {
  const auto object = [](std::string_view module, std::string_view cls, const std::function<void(Pickle&)>& state) {
    Pickle p(0);
    p.global(module, cls).empty_tuple().op(Op::NEWOBJ).empty_dict().mark();
    state(p);
    return p.op(Op::SETITEMS).build();
  };
  const Pickle linear = object("torch.nn.modules.linear", "Linear", [](Pickle& p) {
    p.str("training").boolean(true).str("_parameters").ordered_dict().str("weight").vector("0", 4).setitem();
    p.str("_buffers").ordered_dict().str("_modules").ordered_dict().str("in_features").integer(2).str("out_features").integer(2);
  });
  const Pickle model = object("torch.nn.modules.container", "Sequential", [&](Pickle& p) {
    p.str("training").boolean(true).str("_parameters").ordered_dict().str("_buffers").ordered_dict();
    p.str("_modules").ordered_dict().str("a_child_with_quite_a_long_name").raw(linear.unfinished()).setitem();
  });
  return Pickle(2).raw(model.unfinished());
}

std::string zip_bytes(int n = 3) { return torch_zip(training_checkpoint(n, false), {{"0", counting(4)}}); }

/// Runs `call` with ever more memory until it has enough; how many allocations that were. `call` gives its Error, or nothing.
template <class Call>
long starve(Call&& call) {
  long needed = 0;
  for (const bool for_good : {false, true}) {
    for (long n = 0;; ++n) {
      CAPTURE(n);
      CAPTURE(for_good);
      REQUIRE(n < 100'000);
      std::optional<Error> error;
      memory.start(n, for_good);
      try {
        error = call();
      } catch (const std::bad_alloc&) {
        memory.stop();
        FAIL_CHECK("std::bad_alloc got out");
        return needed;
      }
      const bool starved = memory.stop();
      if (error) {
        CAPTURE(error->message());
        CHECK(starved);
        CHECK(error->kind() == ErrorKind::limit);
        CHECK(error->code() == ErrorCode::out_of_memory);
      }
      if (starved) continue;
      CHECK_FALSE(error);
      needed = n;
      break;
    }
  }
  return needed;
}

template <class T>
std::optional<Error> error_of(Result<T> result) {
  if (result) return std::nullopt;
  return std::move(result).error();
}

/// As starve(), of a call without a Result, which may throw; what it gives in the end is true.
template <class Call>
long starve_throwing(Call&& call) {
  bool right = false;
  const long needed = starve([&]() -> std::optional<Error> {
    try {
      right = call();
    } catch (const std::bad_alloc&) {
      return Error(ErrorKind::limit, ErrorCode::out_of_memory, "thrown");
    }
    return std::nullopt;
  });
  CHECK(right);
  return needed;
}

std::string names(const StateDict& state) {
  std::string out;
  for (const auto& [name, tensor] : state) out += std::string(name) + (state.find(name) == &tensor ? " " : "? ");
  return out;
}

}  // namespace

TEST_CASE("memory runs out while a checkpoint is loaded") {
  TemporaryFolder folder;
  const auto path = folder / "a_file_whose_name_is_too_long_for_any_small_string.pth";
  for (const std::string& bytes : {zip_bytes(), zip_bytes(300), legacy_stream(training_checkpoint(3, true), {{"0", counting(4)}})}) {
    write_whole(path, bytes);
    for (const auto mode : {FileMode::mapped, FileMode::plain}) {
      LoadOptions with;
      with.file_mode = mode;
      CHECK(starve([&] { return error_of(load(path, with)); }) > 20);
    }
    const Source behind = callback_over(bytes);
    CHECK(starve([&] { return error_of(load(behind)); }) > 20);
    CHECK(starve([&] { return error_of(disassemble(behind, [](std::string_view, const Instruction&) { return true; })); }) > 5);
  }
}

TEST_CASE("memory runs out while weights are found, listed and converted") {
  const Checkpoint checkpoint = open_file(zip_bytes());
  const std::string name = name_of(1);
  CHECK(starve([&] { return error_of(checkpoint.state_dict()); }) > 5);
  CHECK(starve([&] { return error_of(checkpoint.state_dict("state_dict")); }) > 5);
  CHECK(starve_throwing([&] { return checkpoint.tensors().size() == 3; }) > 0);
  CHECK(starve_throwing([&] { return checkpoint.root()["state_dict"][name].as_tensor().has_value(); }) > 0);

  const Checkpoint model = open_file(torch_zip(whole_model(), {{"0", counting(4)}}));
  REQUIRE(model.state_dict());
  CHECK(starve([&] { return error_of(model.state_dict()); }) > 5);
  starve([&] { return error_of(Module::of(model.root())); });
  const Module module = *Module::of(model.root());
  CHECK(starve_throwing([&] { return module.repr().find("Linear(in_features=2, out_features=2") != std::string::npos; }) > 5);
  CHECK(starve([&] {
    auto error = error_of(Module::of(checkpoint.root()));
    return error && error->code() == ErrorCode::wrong_kind ? std::nullopt : error;
  }) > 0);

  const Tensor tensor = *checkpoint.root()["state_dict"][name_of(1)].as_tensor();
  CHECK(starve([&] { return error_of(tensor.to_vector<double>()); }) > 0);
  CHECK(starve([&] { return error_of(tensor.to_vector<float>()); }) > 0);
  CHECK(starve([&] { return error_of(Tensor::copy(std::span<const float>(std::array{1.F, 2.F}), {2})); }) > 0);
  const std::array<std::int64_t, 1> two{2};
  CHECK(starve([&] { return error_of(Tensor::view(tensor.storage(), DType::float32, two)); }) > 0);
}

TEST_CASE("memory runs out while weights are fetched from a source that is no memory") {
  for (const bool deflate : {false, true}) {
    if (deflate && !BRINE_HAVE_LIBZIP) continue;
    const std::string bytes = torch_zip(training_checkpoint(1, false), {{"0", counting(4)}}, {.deflate = deflate});
    const Source source = callback_over(bytes);
    CHECK(starve([&]() -> std::optional<Error> {
      auto checkpoint = load(source);
      if (!checkpoint) return std::move(checkpoint).error();
      auto state = checkpoint->state_dict();
      if (!state) return std::move(state).error();
      auto data = state->begin()->tensor.data<float>();
      if (!data) return std::move(data).error();
      return error_of(state->begin()->tensor.storage().verify_crc());
    }) > 20);
  }
}

TEST_CASE("memory runs out while a state dict is edited") {
  const Checkpoint checkpoint = open_file(zip_bytes());
  const StateDict state = *checkpoint.state_dict();
  const std::string before = names(state);
  const auto edit = [&](const std::function<void(StateDict&)>& change) {
    const auto needed = starve_throwing([&] {
      StateDict mine = state;
      change(mine);
      return true;
    });
    CHECK(names(state) == before);
    return needed;
  };
  CHECK(edit([](StateDict& mine) { mine.insert("another.name.that.is.too.long.for.any.small.string", *mine.find(name_of(0))); }) > 0);
  CHECK(edit([](StateDict& mine) { mine.erase(name_of(1)); }) > 0);
  CHECK(edit([](StateDict& mine) { mine.add_prefix("a.prefix."); }) > 0);
  CHECK(edit([](StateDict& mine) { mine.strip_prefix("a.module."); }) > 0);
  CHECK(edit([](StateDict& mine) { mine.set_version("a.module.that.is.new.and.has.a.long.name", 2); }) > 0);
  CHECK(edit([&](StateDict& mine) { mine.merge(state); }) > 0);
  CHECK(edit([](StateDict& mine) { mine.keep(std::vector<std::string>{"a.module.*.1"}); }) > 0);

  const auto try_to = [&](auto&& change) {
    CHECK(starve([&] {
      StateDict mine = state;
      return error_of(change(mine));
    }) > 0);
  };
  const std::vector<std::string> rules{"s/a.module./another.module.with.a.long.name./"};
  const std::string from = name_of(0);
  try_to([](StateDict& mine) { return mine.cast(DType::float64); });
  try_to([&](StateDict& mine) { return mine.rename(from, "another.name.that.is.too.long.for.any.small.string"); });
  try_to([&](StateDict& mine) { return remap_keys(mine, rules); });
  CHECK(names(state) == before);
  CHECK(starve([&] { return error_of(diff(state, state)); }) > 0);
}

TEST_CASE("memory runs out while a checkpoint is saved") {
  TemporaryFolder folder;
  const auto path = folder / "a_file_whose_name_is_too_long_for_any_small_string.pth";
  const Checkpoint checkpoint = open_file(zip_bytes());
  const StateDict state = *checkpoint.state_dict();
  const auto starve_save = [&](const auto& value, const SaveOptions& options) {
    write_whole(path, "old");
    return starve([&] {
      auto error = error_of(save(value, path, options));
      const long left = std::exchange(memory.allowed, -1);
      if (error && read_whole(path) != "old") error = Error(ErrorKind::io, ErrorCode::write_failed, "the old file is gone");
      if (folder.listing() != path.filename().string()) error = Error(ErrorKind::io, ErrorCode::write_failed, "left behind: " + folder.listing());
      if (!error) write_whole(path, "old");
      memory.allowed = left;
      return error;
    });
  };
  for (const bool compact : {false, true}) {
    SaveOptions options;
    options.compact = compact;
    CHECK(starve_save(state, options) > 20);
    CHECK(starve_save(checkpoint.root(), options) > 20);
    std::vector<std::byte> out;
    CHECK(starve([&] {
      out.clear();
      const long left = std::exchange(memory.allowed, -1);
      Sink sink = Sink::memory(out);
      memory.allowed = left;
      return error_of(save(state, std::move(sink), options));
    }) > 10);
  }
  const SaveOptions as_read = SaveOptions::as_read(checkpoint);
  CHECK(starve_save(checkpoint.root(), as_read) > 20);

  const Checkpoint large = open_file(zip_bytes(300));  // the pickle's memory grows, its memo too
  CHECK(starve_save(large.root(), {}) > 20);
}

TEST_CASE("memory runs out while edits are made and saved") {
  const Checkpoint checkpoint = open_file(zip_bytes());
  const StateDict state = *checkpoint.state_dict();
  const std::string place(state.path()), name = place + (place.empty() ? "" : ".") + name_of(0);
  CHECK(starve([&]() -> std::optional<Error> {
    std::optional<Edits> edits;
    const long left = std::exchange(memory.allowed, -1);
    edits.emplace(checkpoint);  // throws
    memory.allowed = left;
    if (auto ok = edits->cast(place, DType::float16); !ok) return ok.error();
    if (auto ok = edits->set(name, "a text that is too long for any small string"); !ok) return ok.error();
    std::vector<std::byte> out;
    const long before = std::exchange(memory.allowed, -1);
    Sink sink = Sink::memory(out);
    memory.allowed = before;
    return error_of(save(*edits, std::move(sink)));
  }) > 20);
}

TEST_CASE("memory runs out while a tree is built") {
  const Checkpoint checkpoint = open_file(zip_bytes());
  const StateDict state = *checkpoint.state_dict();
  CHECK(starve_throwing([] {
    Tree tree;
    const Value list = tree.list({1, "a text that is too long for any small string", 2.5, tree.size({1, 2}), tree.dtype(DType::float16), tree.complex(1, 2)});
    return list.size() == 6 && list[1].as_string() && list[3].size() == 2 && list[4].as_global().value().name == "float16" && tree.bytes({}).exists();
  }) > 10);
  const std::string text(10'000, 'x');  // more than a small tree has room for
  const auto in_tree = [](auto&& change) {
    return starve([&] {
      const long left = std::exchange(memory.allowed, -1);
      Tree tree;
      const Value dict = tree.dict(), list = tree.list();
      memory.allowed = left;
      return error_of(change(tree, dict, list));
    });
  };
  CHECK(in_tree([&](Tree& tree, const Value& dict, const Value& list) { return tree.set(dict, text, list); }) > 0);
  CHECK(in_tree([&](Tree& tree, const Value&, const Value& list) { return tree.append(list, text); }) > 0);
  CHECK(in_tree([&](Tree& tree, const Value&, const Value&) { return tree.state_dict(state); }) > 0);
}

TEST_CASE("memory runs out while a model is loaded") {
  const Checkpoint checkpoint = open_file(zip_bytes());
  const StateDict state = *checkpoint.state_dict();
  std::vector<float> memory_of_mine(12);
  Parameters mine;
  for (int i = 0; i < 3; ++i) mine.add(name_of(i), std::span(memory_of_mine).subspan(static_cast<std::size_t>(4 * i), 4), {4});
  CHECK(starve([&] { return error_of(load_state_dict(mine, state, {.strict = false})); }) > 10);
  bool mismatched = false;
  CHECK(starve([&] {
    auto error = error_of(load_state_dict(mine, state));
    mismatched = error && error->code() == ErrorCode::key_mismatch;
    return mismatched ? std::nullopt : std::move(error);
  }) > 10);
  CHECK(mismatched);
  CHECK(starve([&] { return error_of(load_state_dict(mine, state, {.strict = false, .assign = true})); }) > 10);
  CHECK(starve_throwing([&] {
    Parameters other;
    other.add_buffer(name_of(0), std::span(memory_of_mine), {12});
    other.module(kLong, {.kind = ModuleKind::batch_norm});
    return other.size() == 1;
  }) > 5);
}
