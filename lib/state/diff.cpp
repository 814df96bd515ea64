// SPDX-License-Identifier: MIT
// State dicts compared by name, trees by place, checkpoints by both.
#include <brine/diff.hpp>

#include "bytes/guard.hpp"
#include "state/compare.hpp"
#include "state/state_dict.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"

namespace brine {

namespace {

using Impl = StateDict::Impl;

/// Compares values that are no tensors, and tells the first difference of each.
class KeptComparer {
 public:
  KeptComparer(TensorComparer& tensors, const DiffOptions& options) : tensors_(tensors), options_(options) { options_.most = 1; }

  /// "" where they are equal.
  Result<std::string> difference(const Impl::Kept& a, const Impl::Kept& b) {
    if (!comparer_ || graph_a_ != a.graph || graph_b_ != b.graph) {
      comparer_.emplace(*(graph_a_ = a.graph), *(graph_b_ = b.graph), tensors_, options_);
      texts_.clear();
      numbers_ = {};
    }
    // One object can have many names.
    const void* node = is_container(a.value) ? a.value.node : nullptr;
    if (const std::uint32_t* number = numbers_.find(node); number && texts_[*number].first == b.value.node) return texts_[*number].second;
    comparer_->result() = {};
    if (auto ok = comparer_->compare(a.value, b.value); !ok) return std::move(ok).error();
    const Comparison& found = comparer_->result();
    std::string text;
    if (!found.differences.empty()) {
      const Difference& first = found.differences[0];
      text = first.path.empty() ? "" : printable(first.path, 200) + ": ";
      text += first.text + (first.kind == Difference::Kind::only_in_a ? ", only in the first" : first.kind == Difference::Kind::only_in_b ? ", only in the second" : "");
      if (found.differing > 1) text += ", and " + std::to_string(found.differing - 1) + " more";
    }
    numbers_.add(node, static_cast<std::uint32_t>(texts_.size()));
    texts_.emplace_back(b.value.node, text);
    return text;
  }

 private:
  TensorComparer& tensors_;
  DiffOptions options_;
  const Graph *graph_a_ = nullptr, *graph_b_ = nullptr;
  std::optional<Comparer> comparer_;
  PointerMap numbers_;
  std::vector<std::pair<const Node*, std::string>> texts_;
};

Result<void> compare_items(const Impl& a, const Impl& b, const StateDict::Item& x, const StateDict::Item& y, TensorComparer& tensors, KeptComparer& values,
                           StateDiff& out) {
  const Impl::Kept *kept_a = a.kept_of(x), *kept_b = b.kept_of(y);
  StateDiff::Entry entry;
  entry.name = x.name;
  entry.a = kept_a ? nullptr : &x.tensor;
  entry.b = kept_b ? nullptr : &y.tensor;
  if (kept_a && kept_b) {
    auto text = values.difference(*kept_a, *kept_b);
    if (!text) return std::move(text).error();
    entry.equal_bits = text->empty();
    entry.text = std::move(*text);
  } else if (kept_a || kept_b) {
    entry.equal_bits = false;
    entry.text = "no tensor in the " + std::string(kept_a ? "first" : "second");
  } else {
    auto found = tensors.compare(x.tensor, y.tensor);
    if (!found) return std::move(found).error();
    static_cast<TensorDifference&>(entry) = *found;
    if (!tensors.is_equal(*found) || !found->same_attributes) entry.text = change(*found, x.tensor, y.tensor);
  }
  if (kept_a || kept_b ? !entry.equal_bits : !tensors.is_equal(entry)) out.differing.push_back(std::move(entry));
  else if (!entry.same_attributes) out.attributes.push_back(std::move(entry));
  return {};
}

Result<void> compare_versions(const StateDict& left, const StateDict& right, KeptComparer& values, StateDiff& out) {
  const Impl &a = *Access::impl(left), &b = *Access::impl(right);
  const auto add = [&](std::string_view module, std::string text) {
    StateDiff::Entry entry;
    entry.name = module;
    entry.equal_bits = false;
    entry.text = std::move(text);
    out.versions.push_back(std::move(entry));
  };
  if (a.has_metadata != b.has_metadata) return add("_metadata", a.has_metadata ? "only in the first" : "only in the second"), Result<void>();
  for (const Impl::ModuleInfo& x : a.metadata) {
    const std::uint32_t at = b.metadata.find(x.name);
    if (at == b.metadata.npos) {
      add(x.name, "only in the first");
      continue;
    }
    const Impl::ModuleInfo& y = b.metadata[at];
    if (x.value.kind != Kind::absent && y.value.kind != Kind::absent) {
      auto text = values.difference({x.value, x.graph}, {y.value, y.graph});
      if (!text) return std::move(text).error();
      if (!text->empty()) add(x.name, std::move(*text));
    } else if (const auto from = left.version(x.name), to = right.version(x.name); from != to) {
      const auto text = [](const std::optional<std::int64_t>& version) { return version ? std::to_string(*version) : "none"; };
      add(x.name, "version: " + text(from) + " -> " + text(to));
    }
  }
  for (const Impl::ModuleInfo& y : b.metadata)
    if (a.metadata.find(y.name) == a.metadata.npos) add(y.name, "only in the second");
  return {};
}

Result<StateDiff> compare_all(const StateDict& left, const StateDict& right, TensorComparer& tensors, const DiffOptions& options) {
  const Impl &a = *Access::impl(left), &b = *Access::impl(right);
  StateDiff out;
  KeptComparer values(tensors, options);
  std::vector<bool> met(static_cast<std::size_t>(b.items.data_end() - b.items.data()));
  std::size_t last = 0;
  for (const StateDict::Item& x : a.items) {
    const std::uint32_t at = b.items.find(x.name);
    if (at == b.items.npos) {
      out.only_in_a.push_back(x.name);
      continue;
    }
    met[at] = true;
    if (out.compared++ > 0 && at < last) out.same_order = false;
    last = at;
    if (auto ok = compare_items(a, b, x, b.items[at], tensors, values, out); !ok) return std::move(ok).error().at_path(x.name);
  }
  for (const StateDict::Item& y : b.items)
    if (!met[static_cast<std::size_t>(&y - b.items.data())]) out.only_in_b.push_back(y.name);
  if (auto ok = compare_versions(left, right, values, out); !ok) return std::move(ok).error();
  return out;
}

Result<CheckpointDiff> compare_checkpoints(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options, std::string_view at_a, std::string_view at_b) {
  const Value from_a = a.at(at_a), from_b = b.at(at_b);
  for (const auto& [from, ckpt, at] : {std::tuple(&from_a, &a, at_a), std::tuple(&from_b, &b, at_b)})
    if (!from->exists()) return Error(ErrorKind::usage, ErrorCode::missing_key, "the checkpoint has no place " + in_quotes(at)).in_file(ckpt->file());
  CheckpointDiff out;
  TensorComparer tensors(options);
  Comparer comparer(*Access::graph(from_a), *Access::graph(from_b), tensors, options);
  const Ref &root_a = Access::ref(from_a), &root_b = Access::ref(from_b);
  auto weights_a = a.state_dict(at_a), weights_b = b.state_dict(at_b);
  for (const auto* weights : {&weights_a, &weights_b})
    if (!*weights && weights->error().kind() == ErrorKind::limit) return weights->error();
  Result<void> done;
  if (weights_a && weights_b) {
    out.weights_a = std::move(*weights_a);
    out.weights_b = std::move(*weights_b);
    auto found = compare_all(out.weights_a, out.weights_b, tensors, options);
    if (!found) return std::move(found).error();
    out.weights = std::move(*found);
    // What is beside the names in the two, then what is beside the two.
    const Ref mine = Access::ref(a.at(out.weights_a.path())), theirs = Access::ref(b.at(out.weights_b.path()));
    comparer.leave_out(mine, theirs, out.weights_a);
    if (mine.kind == Kind::dict && theirs.kind == Kind::dict) out.weights->versions.clear();  // told with the other attributes of the dicts
    std::string_view place = out.weights_a.path();
    place.remove_prefix(std::min(place.size(), at_a.size() + !at_a.empty()));
    done = comparer.compare(mine, theirs, place);
    const bool all_a = same_object(mine, root_a), all_b = same_object(theirs, root_b);
    if (done && !(all_a && all_b)) done = all_a ? comparer.compare_rest({}, root_b) : all_b ? comparer.compare_rest(root_a, {}) : comparer.compare(root_a, root_b);
  } else {
    done = comparer.compare(root_a, root_b);
  }
  if (!done) return std::move(done).error();
  out.rest = std::move(comparer.result());
  return out;
}

}  // namespace

Result<StateDiff> diff(const StateDict& a, const StateDict& b, const DiffOptions& options) {
  return guarded("comparing state dicts", [&] {
    TensorComparer tensors(options);
    return compare_all(a, b, tensors, options);
  });
}

Result<Comparison> diff(const Value& a, const Value& b, const DiffOptions& options) {
  return guarded("comparing values", [&]() -> Result<Comparison> {
    if (!a.exists() || !b.exists()) return Error(ErrorKind::usage, ErrorCode::missing_key, "expected two values, found none" + (a.path().empty() ? "" : " at " + in_quotes(a.path())));
    TensorComparer tensors(options);
    Comparer comparer(*Access::graph(a), *Access::graph(b), tensors, options);
    if (auto ok = comparer.compare(Access::ref(a), Access::ref(b)); !ok) return std::move(ok).error();
    return std::move(comparer.result());
  });
}

Result<CheckpointDiff> diff(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options, std::string_view at_a, std::string_view at_b) {
  return guarded("comparing checkpoints", [&] { return compare_checkpoints(a, b, options, at_a, at_b); });
}

}  // namespace brine
