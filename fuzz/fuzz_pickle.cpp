// SPDX-License-Identifier: MIT
// pickle → instructions → graph → text. What is accepted is the same whenever it is run again; weights_only accepts nothing else; and
// the same again when no tensor's call is taken back from the arena, which proves that nothing refers to what was taken back.
#include "mutate_file.hpp"

#include "graph/print.hpp"
#include "pickle/disassemble.hpp"
#include "pickle/machine.hpp"
#include "torch/torch_calls.hpp"
#include "torch/weights_only.hpp"

#include "support/graph_text.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace brine;

namespace {

[[noreturn]] void differ(const char* what, std::string_view one, std::string_view other) {
  std::fprintf(stderr, "difference: %s\n%.*s\n%.*s\n", what, static_cast<int>(one.size()), one.data(), static_cast<int>(other.size()),
               other.data());
  std::abort();
}

/// As TorchCalls, but nothing is taken back.
class Keeping final : public Calls {
 public:
  explicit Keeping(TorchCalls& calls) : calls_(calls) {}
  std::uint16_t known(std::string_view module, std::string_view name) const override { return calls_.known(module, name); }
  bool is_class(std::uint16_t known) const override { return calls_.is_class(known); }
  Called call(const CallSite& site, const Ref& callee, const Ref& args) override {
    return calls_.call(CallSite(site.graph(), site.how(), nullptr), callee, args);
  }
  Called persistent(Graph& graph, const Ref& id) override { return calls_.persistent(graph, id); }
  Result<void> build(Graph& graph, const Ref& tensor, const Ref& state) override { return calls_.build(graph, tensor, state); }

 private:
  TorchCalls& calls_;
};

enum class Way { plain, weights_only, keeping };

struct Run {
  bool ok = false;
  ErrorCode code{};
  std::string error, text, print, listing;
};

Run run(std::span<const std::byte> pickle, Way way) {
  constexpr Limits limits{.metadata_base = 1 << 16};
  const std::uint64_t max = limits.metadata_base + limits.metadata_factor * pickle.size() * (way == Way::keeping ? 4 : 1);
  Budget budget(max, ErrorCode::metadata_too_large);
  Storages storages(budget);
  TorchCalls calls(storages, limits, legacy_ids());
  Keeping keeping(calls);
  Graph graph(budget);
  Notes notes;
  const WeightsOnly policy;
  Machine machine(graph, way == Way::keeping ? static_cast<Calls&>(keeping) : calls, way == Way::weights_only ? &policy : nullptr, notes,
                  pickle, budget);
  const auto result = machine.run();
  Run out;
  if (budget.used() > max) differ("more memory than the limit", {}, {});
  if (!result) {
    out.code = result.error().code();
    out.error = result.error().message();
    if (!result.error().place().offset) differ("an error without its place", out.error, {});
    return out;
  }
  out.ok = true;
  if (result->size > pickle.size()) differ("a pickle longer than its bytes", {}, {});
  out.text = test::graph_text(result->value, true);
  const auto describe = [](const Ref& r) { return test::graph_text(r); };
  out.print = print(result->value, {.depth = 100, .nodes = 10'000, .per_container = 1'000}, describe);
  Walker walk(result->value, {}, 50);
  for (int i = 0; i < 2'000 && walk.next(); ++i) out.listing += walk.path() + "\n";
  return out;
}

}  // namespace

BRINE_FUZZ_MUTATOR(0)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A heap block of exactly this size: sanitizers see the first byte read past the end.
  const auto copy = std::make_unique<std::byte[]>(size);
  if (size != 0) std::memcpy(copy.get(), data, size);
  const std::span<const std::byte> pickle(copy.get(), size);

  std::uint64_t last = 0;
  const auto listed = disassemble_pickle(pickle, [&](const Instruction& i) {
    if (i.offset < last || i.offset >= size) differ("instructions out of order", {}, {});
    last = i.offset;
    return true;
  });

  const Run plain = run(pickle, Way::plain);
  if (plain.ok && !listed) differ("the machine runs what cannot be disassembled", listed.error().message(), {});

  const Run keeping = run(pickle, Way::keeping);
  if (plain.ok && keeping.ok && plain.text != keeping.text) differ("a value depends on what was taken back", plain.text, keeping.text);
  if (plain.ok != keeping.ok && (plain.ok || plain.code != ErrorCode::metadata_too_large))
    differ("a verdict depends on what was taken back", plain.error, keeping.error);
  if (!plain.ok && !keeping.ok && plain.code != ErrorCode::metadata_too_large && plain.error != keeping.error)
    differ("errors", plain.error, keeping.error);

  const Run strict = run(pickle, Way::weights_only);
  if (strict.ok && strict.text != plain.text) differ("weights_only makes another value", strict.text, plain.text + plain.error);

  const Run again = run(pickle, Way::plain);
  if (again.text != plain.text || again.print != plain.print || again.listing != plain.listing || again.error != plain.error)
    differ("another run", plain.text + plain.error, again.text + again.error);
  return 0;
}
