// SPDX-License-Identifier: MIT
// Checkpoints compared: the weights by name, trees by place, files by what else they hold.
#include <brine/diff.hpp>

#include "bytes/guard.hpp"
#include "inspect/diff.hpp"
#include "state/find.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

#include <utility>
#include <vector>

namespace brine {

namespace {

/// The weights below `root`, as Checkpoint::state_dict() finds them.
Weights weights_of(const Graph& graph, const Ref& root) {
  const auto found = find_weights(graph, root, nullptr);
  if (!found) return {};
  Weights out{found->value, spell(found->place.get(), SIZE_MAX), {}};
  std::vector<const Step*> steps;
  for (const PathStep* step = found->place.get(); step; step = step->parent) steps.push_back(&step->step);
  Ref holder = root;
  for (; !steps.empty(); steps.pop_back()) {
    const Step& step = *steps.back();
    out.holders.push_back(holder.node);
    if (holder.kind == Kind::dict) holder = graph.find(dict_of(holder), step.key)->value;
    else holder = (holder.kind == Kind::tuple ? tuple_of(holder).items() : list_of(holder).items())[step.position];
  }
  return out;
}

Result<CheckpointDiff> compare_checkpoints(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options, std::string_view at_a, std::string_view at_b) {
  const Value from_a = a.at(at_a), from_b = b.at(at_b);
  for (const auto& [from, ckpt, at] : {std::tuple(&from_a, &a, at_a), std::tuple(&from_b, &b, at_b)})
    if (!from->exists()) return Error(ErrorKind::usage, ErrorCode::missing_key, "the checkpoint has no place " + in_quotes(at)).in_file(ckpt->file());
  CheckpointDiff out;
  TensorComparer tensors(options);
  Sharing sharing;
  Comparer comparer(*Access::graph(from_a), *Access::graph(from_b), tensors, sharing, options);
  const Ref &root_a = Access::ref(from_a), &root_b = Access::ref(from_b);
  auto weights_a = a.state_dict(at_a), weights_b = b.state_dict(at_b);
  for (const auto* weights : {&weights_a, &weights_b})
    if (!*weights && weights->error().kind() == ErrorKind::limit) return weights->error();
  Result<void> done;
  if (weights_a && weights_b) {
    out.weights_a = std::move(*weights_a);
    out.weights_b = std::move(*weights_b);
    Weights mine = weights_of(*Access::graph(from_a), root_a), theirs = weights_of(*Access::graph(from_b), root_b);
    const Ref ref_a = mine.value, ref_b = theirs.value;
    const std::string place = std::exchange(mine.place, out.weights_a.path());
    theirs.place = out.weights_b.path();
    const bool dicts = ref_a.kind == Kind::dict && ref_b.kind == Kind::dict;  // then `_metadata` is told with their other attributes
    BRINE_LET(found, compare_states(out.weights_a, out.weights_b, tensors, sharing, options, &comparer, !dicts));
    out.weights = std::move(*found);
    // What is beside the names in the two, then what is beside the two.
    comparer.set_weights(std::move(mine), std::move(theirs), out.weights_a, out.weights_b);
    done = comparer.compare(ref_a, ref_b, place);
    if (done && !(same_object(ref_a, root_a) && same_object(ref_b, root_b))) done = comparer.compare(root_a, root_b);
  } else {
    done = comparer.compare(root_a, root_b);
  }
  if (!done) return std::move(done).error();
  out.rest = std::move(comparer.result());
  if (at_a.empty() && at_b.empty())
    BRINE_TRY(compare_files(a, b, options, out.rest));
  return out;
}

}  // namespace

Result<StateDiff> diff(const StateDict& a, const StateDict& b, const DiffOptions& options) {
  return guarded("comparing state dicts", [&] {
    TensorComparer tensors(options);
    Sharing sharing;
    return compare_states(a, b, tensors, sharing, options, nullptr, true);
  });
}

Result<Comparison> diff(const Value& a, const Value& b, const DiffOptions& options) {
  return guarded("comparing values", [&]() -> Result<Comparison> {
    if (!a.exists() || !b.exists())
      return Error(ErrorKind::usage, ErrorCode::missing_key,
                   "expected two values, found none" + (a.path().empty() ? "" : " at " + in_quotes(a.path())));
    TensorComparer tensors(options);
    Sharing sharing;
    Comparer comparer(*Access::graph(a), *Access::graph(b), tensors, sharing, options);
    BRINE_TRY(comparer.compare(Access::ref(a), Access::ref(b)));
    return std::move(comparer.result());
  });
}

Result<CheckpointDiff> diff(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options, std::string_view at_a, std::string_view at_b) {
  return guarded("comparing checkpoints", [&] { return compare_checkpoints(a, b, options, at_a, at_b); });
}

}  // namespace brine
