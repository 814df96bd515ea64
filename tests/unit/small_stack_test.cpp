// SPDX-License-Identifier: MIT
// No function recurses to a depth that a file chooses: files nested 50,000 deep in every way, read, listed, shown, saved and compared in a thread
// with a small stack, by a library built without optimisation, whose frames are large.
#include "support/torch_file.hpp"

#include <pthread.h>

#include <cstdio>
#include <functional>

using namespace brine;
using namespace brine::test;

namespace {

constexpr int kDepth = 50'000;
constexpr std::size_t kStack = BRINE_TEST_STACK;

/// Each in a thread of its own, side by side.
void in_threads(const std::vector<std::function<void()>>& work) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, kStack) == 0);
  std::vector<pthread_t> threads(work.size());
  for (std::size_t i = 0; i < work.size(); ++i) {
    auto* f = const_cast<std::function<void()>*>(&work[i]);
    REQUIRE(pthread_create(&threads[i], &attributes, [](void* call) -> void* { return (*static_cast<std::function<void()>*>(call))(), nullptr; }, f) == 0);
  }
  for (const pthread_t thread : threads) REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
}

// Memo numbers of what all files name.
enum Named : std::uint8_t { hooks, parameter, with_state, typed, parameter_class, f, M, optimized, tensor };

Pickle names() {
  Pickle p(4);
  const auto name = [&p](Named n, const char* module, const char* attribute) { p.global(module, attribute).put(n).op(Op::POP); };
  name(hooks, "collections", "OrderedDict");
  name(parameter, "torch._utils", "_rebuild_parameter");
  name(with_state, "torch._utils", "_rebuild_parameter_with_state");
  name(typed, "torch._tensor", "_rebuild_from_type_v2");
  name(parameter_class, "torch.nn.parameter", "Parameter");
  name(f, "m", "f");
  name(M, "m", "M");
  name(optimized, "torch._dynamo.eval_frame", "OptimizedModule");
  return p.vector("0", 2).put(tensor).op(Op::POP);
}
Pickle no_hooks() { return Pickle(0).get(hooks).empty_tuple().reduce(); }

struct Nesting {
  const char* name;
  Pickle before, core, after;
  bool key = false;  // hashable

  Pickle pickle() const {
    Pickle p(0);
    for (int i = 0; i < kDepth; ++i) p.raw(before.unfinished());
    p.raw(core.unfinished());
    for (int i = 0; i < kDepth; ++i) p.raw(after.unfinished());
    return p;
  }
};

std::vector<Nesting> nestings() {
  const Pickle none(0), t = Pickle(0).get(tensor), one = Pickle(0).integer(1);
  const auto p = [] { return Pickle(0); };
  const auto part = [&](const char* key) { return p().str(key).empty_dict().str("a"); };  // key: {"a": …
  const Pickle module_parts = p().str("_parameters").empty_dict().str("_buffers").empty_dict().str("_modules").empty_dict().str("a");
  const Pickle tensor_call =
      p().global("torch._utils", "_rebuild_tensor_v2").mark().storage("FloatStorage", "0", 2).integer(0).ints({2}).ints({1}).boolean(false);
  // Where a level is of few opcodes: bytes enough for the memory that it takes.
  const Pickle room = p().get(f).op(Op::POP).get(f).op(Op::POP);
  return {
      {"parameters", p().get(parameter).mark(), t, p().boolean(true).raw(no_hooks().unfinished()).tuple().reduce()},
      {"parameters with state", p().get(with_state).mark(), t, p().boolean(true).raw(no_hooks().unfinished()).empty_dict().tuple().reduce()},
      {"states of parameters", p().get(with_state).mark().get(tensor).boolean(true).raw(no_hooks().unfinished()).empty_dict().str("a"), t,
       p().setitem().tuple().reduce()},
      {"typed parameters", p().get(typed).mark().get(parameter).get(parameter_class).mark(), t,
       p().boolean(true).raw(no_hooks().unfinished()).tuple().empty_dict().tuple().reduce()},
      {"states of typed", p().get(typed).mark().get(parameter).get(parameter_class).get(tensor).boolean(true).raw(no_hooks().unfinished()).op(Op::TUPLE3)
           .empty_dict().str("a"), t, p().setitem().tuple().reduce()},
      {"metadata of tensors", Pickle(tensor_call).raw(no_hooks().unfinished()).empty_dict().str("a"), t, p().setitem().tuple().reduce()},
      {"hooks of tensors", Pickle(tensor_call).raw(no_hooks().unfinished()).integer(0), t, p().setitem().tuple().reduce()},
      {"callees", none, p().get(f), p().empty_tuple().reduce()},
      {"classes", none, p().get(M), p().empty_tuple().op(Op::NEWOBJ)},
      {"arguments", p().get(f), one, p().op(Op::TUPLE1).reduce()},
      {"keyword arguments", p().get(M).empty_tuple().empty_dict().str("a"), one, p().setitem().op(Op::NEWOBJ_EX)},
      {"getattr", p().global("builtins", "getattr"), p().get(M), p().str("a").op(Op::TUPLE2).reduce()},
      {"states", p().get(M).empty_tuple().op(Op::NEWOBJ), p().empty_dict(), p().build()},
      {"states of slots", p().get(M).empty_tuple().op(Op::NEWOBJ).none().empty_dict().str("a"), p().empty_dict(), p().setitem().op(Op::TUPLE2).build()},
      {"items of objects", p().get(M).empty_tuple().op(Op::NEWOBJ), one, p().append()},
      {"entries of objects", p().get(M).empty_tuple().op(Op::NEWOBJ).str("a"), one, p().setitem()},
      {"persistent ids", room, one, p().op(Op::TUPLE1).op(Op::BINPERSID)},
      {"lists", p().empty_list(), t, p().append()},
      {"tuples", room, one, p().op(Op::TUPLE1), true},
      {"tuples of tensors", none, t, p().op(Op::TUPLE1)},
      {"pairs", one, t, p().op(Op::TUPLE2)},
      {"frozensets", Pickle(room).mark(), one, p().op(Op::FROZENSET), true},
      {"dicts", p().empty_dict().str("a"), t, p().setitem()},
      {"known keys", p().empty_dict().str("model"), p().empty_dict().str("w").get(tensor).setitem(), p().setitem()},
      {"ordered dicts", p().get(hooks).empty_list().empty_list().str("a").append(), t, p().append().append().op(Op::TUPLE1).reduce()},
      {"deques", p().global("collections", "deque").empty_list(), t, p().append().op(Op::TUPLE1).reduce()},
      {"sets of frozensets", p().global("builtins", "frozenset").empty_list(), one, p().append().op(Op::TUPLE1).reduce(), true},
      {"modules", p().get(M).empty_tuple().op(Op::NEWOBJ).empty_dict().mark().raw(module_parts.unfinished()),
       p().get(M).empty_tuple().op(Op::NEWOBJ).empty_dict().mark().raw(part("_parameters").unfinished()).get(tensor).setitem().str("_buffers").empty_dict()
           .str("_modules").empty_dict().op(Op::SETITEMS).build(),
       p().setitem().op(Op::SETITEMS).build()},
      {"optimized modules",
       p().get(optimized).empty_tuple().op(Op::NEWOBJ).empty_dict().mark().str("_parameters").empty_dict().str("_buffers").empty_dict().str("_modules")
           .empty_dict().str("_orig_mod"),
       p().get(M).empty_tuple().op(Op::NEWOBJ).empty_dict().mark().raw(part("_parameters").unfinished()).get(tensor).setitem().str("_buffers").empty_dict()
           .str("_modules").empty_dict().op(Op::SETITEMS).build(),
       p().setitem().op(Op::SETITEMS).build()},
  };
}

void use_state(const StateDict& state) {
  auto memory = Parameters::like(state);
  const auto loaded = load_state_dict(memory, state, {.strict = false, .dry_run = true});
  if (loaded) (void)suggest(memory, state, *loaded);
  (void)diff(state, state);
  StateDict edited = state;
  edited.add_prefix("p.");
  std::vector<std::byte> out;
  (void)save(edited, Sink::memory(out));
}

void save_and_load(const Value& value, int protocol, bool compact) {
  SaveOptions options;
  options.protocol = protocol, options.compact = compact;
  std::vector<std::byte> out;
  if (save(value, Sink::memory(out), options)) (void)load(Source::memory(out));
}

/// All that a program may do with a file; false where it does not load.
bool use(const std::string& file) {
  const Source source = source_over(file);
  LoadOptions strict;
  strict.weights_only = true;
  (void)load(source, strict);
  (void)disassemble(source, [](std::string_view, const Instruction&) { return true; });
  const auto ckpt = load(source);
  if (!ckpt) return false;
  const Value root = ckpt->root();
  (void)ckpt->tensors();
  (void)ckpt->arrays();
  (void)ckpt->print();
  (void)root.type_name();
  if (const auto module = Module::of(root)) (void)module->repr(), (void)module->children();
  if (const auto state = ckpt->state_dict()) use_state(*state);
  save_and_load(root, 2, false);
  save_and_load(root, 4, true);
  std::vector<std::byte> out;
  (void)save(root, Sink::memory(out), SaveOptions::as_read(*ckpt));
  Tree tree;
  save_and_load(tree.list({root}), 3, false);
  return true;
}

}  // namespace

TEST_CASE("files nested 50,000 deep need no stack") {
  for (const Nesting& nesting : nestings()) {
    std::printf("%s\n", nesting.name);  // in a small stack that overflows nothing more can be said
    std::fflush(stdout);
    const std::string deep = nesting.pickle().unfinished();
    Pickle at_the_root = names().raw(deep), beside = names().empty_dict().str("w").get(tensor).setitem().str("m._extra_state").raw(deep).setitem();
    std::vector<std::string> files = {torch_zip(at_the_root, {{"0", counting(2)}}), torch_zip(beside, {{"0", counting(2)}})};
    if (nesting.key) {
      // Twice: the one key is held against the other.
      files.push_back(torch_zip(names().empty_dict().raw(deep).none().setitem().raw(deep).none().setitem(), {{"0", counting(2)}}));
    }
    std::vector<char> loads(files.size());
    std::vector<std::function<void()>> work;
    for (std::size_t i = 0; i < files.size(); ++i) work.push_back([&loads, &files, i] { loads[i] = use(files[i]); });
    in_threads(work);
    for (const bool loaded : loads) CHECK(loaded);
  }
}
