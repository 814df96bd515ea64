// SPDX-License-Identifier: MIT
// What a file shares costs once: large texts, dicts, states and modules that are met many thousand times. Quadratic, each of these
// would take minutes; the bound is wide, for slow machines and sanitizers.
#include "graph/print.hpp"
#include "state/find.hpp"
#include "support/run_pickle.hpp"
#include "support/torch_file.hpp"

#include <chrono>

using namespace brine;
using namespace brine::test;

namespace {

constexpr int kMany = 50'000;

class Watch {
 public:
  ~Watch() { CHECK(std::chrono::steady_clock::now() - start_ < std::chrono::seconds(30)); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string printed(const RunPickle& run) {
  return print(run.value(), {.depth = 1000, .nodes = 10'000'000, .per_container = 10'000'000}, [](const Ref&) { return std::string("T"); });
}

/// [x, x, x …]
Pickle many(const Pickle& x, const Pickle& around = Pickle(0).get(0)) {
  Pickle p(4);
  p.mark().raw(x.unfinished()).put(0).op(Op::POP_MARK).empty_list().mark();
  for (int i = 0; i < kMany; ++i) p.raw(around.unfinished());
  return p.op(Op::APPENDS);
}
Pickle names(int n, const Pickle& value) {
  Pickle p(0);
  p.empty_dict().mark();
  for (int i = 0; i < n; ++i) p.str("n" + std::to_string(i)).raw(value.unfinished());
  return p.op(Op::SETITEMS);
}

}  // namespace

TEST_CASE("printing: long bytes, ints, names, as values and as keys") {
  const std::string megabyte(1'000'000, '7');
  const Pickle texts[] = {Pickle(0).op(Op::BINBYTES, megabyte),
                          Pickle(0).op(Op::LONG4, megabyte),
                          Pickle(0).op(Op::LONG, megabyte.substr(0, 100'000)),
                          Pickle(0).str(megabyte),
                          Pickle(0).global(std::string(4096, 'm'), "C"),
                          Pickle(0).str(megabyte).op(Op::TUPLE1)};
  for (const Pickle& text : texts) {
    const Watch watch;
    CHECK(printed(RunPickle(many(text))).size() < std::size_t{kMany} * 400);
    CHECK(printed(RunPickle(many(text, Pickle(0).empty_dict().get(0).none().setitem()))).size() < std::size_t{kMany} * 400);
    CHECK(printed(RunPickle(many(text, Pickle(0).get(0).empty_tuple().reduce()))).size() < std::size_t{kMany} * 400);
  }
}

TEST_CASE("calls with long arguments, names and keys, again and again") {
  const Watch watch;
  const auto again = [](const Pickle& things, const Pickle& once) {
    const RunPickle run(many(things, once));
    return run.ok() ? std::string() : std::string(name(run.error().code()));
  };
  const std::string megabyte(1'000'000, 'x');
  CHECK(again(Pickle(0).str(megabyte), Pickle(0).get(0).get(0).op(Op::STACK_GLOBAL)) == "pickle_global");
  Pickle encode(0);
  encode.global("_codecs", "encode").put(1).str(megabyte + "\xC4\x80").str("latin1").op(Op::TUPLE2);
  CHECK(again(encode, Pickle(0).get(1).get(0).reduce()) == "metadata_too_large");
  Pickle pairs(0);
  pairs.global("collections", "OrderedDict").put(1).empty_list().mark().ints({1, 2}).put(2);
  for (int i = 0; i < kMany; ++i) pairs.get(2);
  pairs.none().op(Op::APPENDS).op(Op::TUPLE1);
  CHECK(again(pairs, Pickle(0).get(1).get(0).reduce()) == "metadata_too_large");
  Pickle key(0);
  key.mark().str("storage").global("torch", "FloatStorage").str(megabyte).str("cpu").integer(1).tuple();
  CHECK(again(key, Pickle(0).get(0).op(Op::BINPERSID)) == "storage_key");
  Pickle bits(0);
  bits.global("torch._utils", "_rebuild_tensor_v2").put(1).op(Op::POP).mark().storage("FloatStorage", "0", 1).integer(0).ints({1}).ints({1})
      .boolean(false).none();
  CHECK(again(bits.raw(names(kMany, Pickle(0).none()).unfinished()).tuple(), Pickle(0).get(1).get(0).reduce()).empty());
}

TEST_CASE("walking: many thousand states of one object") {
  const Watch watch;
  Pickle p(2);
  p.mark().raw(names(kMany, Pickle(0).none()).unfinished()).put(0).op(Op::POP_MARK).global("m", "C").empty_tuple().reduce();
  for (int i = 0; i < kMany; ++i) p.get(0).build();
  const RunPickle run(p);
  Walker walk(run.value());
  int met = 0;
  while (walk.next()) ++met;
  CHECK(met == kMany + 1);
}

TEST_CASE("looking for weights: one dict at many thousand places; attributes of long tuples") {
  const Watch watch;
  const RunPickle same(many(names(kMany, Pickle(0).none())));
  CHECK_FALSE(find_weights(same.graph, same.value(), {}));
  Pickle parts(0);
  parts.mark();
  for (int i = 0; i < kMany; ++i) parts.empty_dict();
  const RunPickle states(many(parts.tuple(), Pickle(0).ordered_dict().get(0).build()));
  CHECK_FALSE(find_weights(states.graph, states.value(), {}));
}

TEST_CASE("modules: long lists shared by many; a deep chain") {
  const Watch watch;
  const auto load_and_find = [](const Pickle& p) {
    const Checkpoint ckpt = open_zip(p, {});
    const auto found = ckpt.state_dict();
    return found ? std::string("found") : std::string(name(found.error().code()));
  };
  for (const std::string_view part : {"_parameters", "_buffers", "_state_dict_hooks", "_non_persistent_buffers_set"}) {
    CAPTURE(part);
    Pickle p(4);
    p.mark().raw(names(kMany, Pickle(0).none()).unfinished()).put(0).empty_dict().put(1).global("m", "C").put(2).op(Op::POP_MARK);
    const auto begin = [&] { p.get(2).empty_tuple().reduce().empty_dict().mark(); };
    begin();
    p.str("_modules").empty_dict().mark();
    for (int i = 0; i < kMany; ++i) {
      p.integer(i).op(Op::POP).str("c" + std::to_string(i));
      if (i > 0) {
        p.get(3);
        continue;
      }
      begin();
      for (const std::string_view name : {"_parameters", "_buffers", "_modules"})
        if (name != part) p.str(name).get(1);
      p.str(part).get(0).op(Op::SETITEMS).build().put(3);
    }
    p.op(Op::SETITEMS).str("_parameters").get(1).str("_buffers").get(1).op(Op::SETITEMS).build();
    const std::string outcome = load_and_find(p);
    CHECK((outcome == "found" || outcome == "metadata_too_large"));
  }
  Pickle chain(2);
  for (int i = 0; i < 30'000; ++i)
    chain.global("m", "C").empty_tuple().reduce().empty_dict().mark().str("_parameters").empty_dict().str("_buffers").empty_dict()
        .str("_modules").empty_dict().str("c");
  chain.none();
  for (int i = 0; i < 30'000; ++i) chain.setitem().op(Op::SETITEMS).build();
  const std::string outcome = load_and_find(chain);
  CHECK((outcome == "found" || outcome == "metadata_too_large"));
}

TEST_CASE("a key of a megabyte, set many times over, is looked at once") {
  const Watch watch;
  Pickle p(4);
  p.str(std::string(1'000'000, 'k')).put(0).op(Op::POP).empty_dict().mark();
  for (int i = 0; i < kMany; ++i) p.get(0).none();
  const RunPickle run(p.op(Op::SETITEMS));
  REQUIRE(run.ok());
  CHECK(dict_of(run.value()).size == 1);
}

TEST_CASE("what DUP shares is shared when it is saved, and not written 2 to the 60th times") {
  const Watch watch;
  Pickle laughs(2);
  laughs.ints({1, 2});
  for (int i = 0; i < 60; ++i) laughs.op(Op::DUP).op(Op::TUPLE2);
  std::vector<std::byte> out;
  const Checkpoint ckpt = open_zip(laughs, {});
  REQUIRE(save(ckpt.root(), Sink::memory(out)));
  CHECK(out.size() < 2000);
}
