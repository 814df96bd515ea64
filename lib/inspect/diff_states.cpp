// SPDX-License-Identifier: MIT
// State dicts compared by name.
#include "inspect/diff.hpp"

#include "inspect/compare_text.hpp"
#include "state/state_dict.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

namespace brine {

namespace {

using Impl = StateDict::Impl;

/// Compares values that are no tensors, and tells the first difference of each.
class KeptComparer {
 public:
  KeptComparer(TensorComparer& tensors, Sharing& sharing, const DiffOptions& options, Comparer* trees)
      : tensors_(tensors), sharing_(sharing), options_(options), trees_(trees) {
    options_.max = 1;
  }

  /// "" where they are equal.
  Result<std::string> difference(const Impl::Kept& a, const Impl::Kept& b) {
    if (!comparer_ || !comparer_->is_graphs(a.graph, b.graph)) {
      comparer_ = trees_ && trees_->is_graphs(a.graph, b.graph) ? trees_ : &own_.emplace(*a.graph, *b.graph, tensors_, sharing_, options_);
      texts_.clear();
      numbers_ = {};
    }
    // One object can have many names.
    const void* node = is_container(a.value) ? a.value.node : nullptr;
    if (const std::uint32_t* number = numbers_.find(node); number && texts_[*number].first == b.value.node) return texts_[*number].second;
    BRINE_TRY(comparer_->compare(a.value, b.value));
    const Comparison found = std::exchange(comparer_->result(), {});
    std::string text;
    if (!found.differences.empty()) {
      const Difference& first = found.differences[0];
      text = first.path.empty() ? "" : printable(first.path, 200) + ": ";
      text += first.text + (first.kind == Difference::Kind::only_in_a ? ", in A only" : first.kind == Difference::Kind::only_in_b ? ", in B only" : "");
      if (found.differing > 1) text += ", and " + std::to_string(found.differing - 1) + " more";
    }
    numbers_.add(node, static_cast<std::uint32_t>(texts_.size()));
    texts_.emplace_back(b.value.node, text);
    return text;
  }

 private:
  TensorComparer& tensors_;
  Sharing& sharing_;
  DiffOptions options_;
  Comparer* const trees_;  // of the trees that the two are of, or null: what it has met it goes on to know
  Comparer* comparer_ = nullptr;
  std::optional<Comparer> own_;
  PointerMap numbers_;
  std::vector<std::pair<const Node*, std::string>> texts_;
};

/// What two names have in common.
struct Comparers {
  TensorComparer& tensors;
  Sharing& sharing;
  KeptComparer values;
};

Result<void> compare_items(const Impl& a, const Impl& b, const StateDict::Item& x, const StateDict::Item& y, Comparers& by, StateDiff& out) {
  const Impl::Kept *kept_a = a.kept_of(x), *kept_b = b.kept_of(y);
  StateDiff::Entry entry;
  entry.name = x.name;
  entry.a = x.is_tensor ? &x.tensor : nullptr;
  entry.b = y.is_tensor ? &y.tensor : nullptr;
  if (kept_a && kept_b) {
    BRINE_LET(text, by.values.difference(*kept_a, *kept_b));
    entry.equal_bits = text->empty();
    entry.text = std::move(*text);
  } else if (!x.is_tensor || !y.is_tensor) {
    entry.equal_bits = false;
    entry.text = "no tensor in " + std::string(x.is_tensor ? "B" : "A");
  } else {
    BRINE_LET(found, by.tensors.compare(x.tensor, y.tensor));
    static_cast<TensorDifference&>(entry) = *found;
    if (!by.tensors.is_equal(*found) || !found->same_attributes) entry.text = change(*found, x.tensor, y.tensor);
    const std::string shared = by.sharing.of_storages(Handles::record(x.tensor), Handles::record(y.tensor), [&] { return printable(x.name, 120); });
    entry.same_sharing = shared.empty();
    if (!shared.empty()) entry.text += (entry.text.empty() ? "" : "  ") + shared;
  }
  if ((kept_a && kept_b) || !x.is_tensor || !y.is_tensor ? !entry.equal_bits : !by.tensors.is_equal(entry)) out.differing.push_back(std::move(entry));
  else if (!entry.same_attributes || !entry.same_sharing) out.attributes.push_back(std::move(entry));
  return {};
}

Result<void> compare_versions(const StateDict& left, const StateDict& right, KeptComparer& values, StateDiff& out) {
  const Impl &a = *StateDictAccess::impl(left), &b = *StateDictAccess::impl(right);
  const auto add = [&](std::string_view module, std::string text) {
    StateDiff::Entry entry;
    entry.name = module;
    entry.equal_bits = false;
    entry.text = std::move(text);
    out.versions.push_back(std::move(entry));
  };
  if (a.has_metadata != b.has_metadata) return add("_metadata", a.has_metadata ? "in A only" : "in B only"), Result<void>();
  for (const Impl::ModuleInfo& x : a.metadata) {
    const std::uint32_t at = b.metadata.find(x.name);
    if (at == b.metadata.npos) {
      add(x.name, "in A only");
      continue;
    }
    const Impl::ModuleInfo& y = b.metadata[at];
    if (x.value.kind != Kind::absent && y.value.kind != Kind::absent) {
      BRINE_LET(text, values.difference({x.value, x.graph, {}}, {y.value, y.graph, {}}));
      if (!text->empty()) add(x.name, std::move(*text));
    } else if (const auto from = left.version(x.name), to = right.version(x.name); from != to) {
      const auto text = [](const std::optional<std::int64_t>& version) { return version ? std::to_string(*version) : "none"; };
      add(x.name, "version: " + text(from) + " -> " + text(to));
    }
  }
  for (const Impl::ModuleInfo& y : b.metadata)
    if (a.metadata.find(y.name) == a.metadata.npos) add(y.name, "in B only");
  return {};
}

}  // namespace

Result<StateDiff> compare_states(const StateDict& left, const StateDict& right, TensorComparer& tensors, Sharing& sharing, const DiffOptions& options, Comparer* trees,
                                 bool versions) {
  const Impl &a = *StateDictAccess::impl(left), &b = *StateDictAccess::impl(right);
  StateDiff out;
  Comparers by{tensors, sharing, {tensors, sharing, options, trees}};
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
    if (auto ok = compare_items(a, b, x, b.items[at], by, out); !ok) return std::move(ok).error().at_path(x.name);
  }
  for (const StateDict::Item& y : b.items)
    if (!met[static_cast<std::size_t>(&y - b.items.data())]) out.only_in_b.push_back(y.name);
  if (versions) BRINE_TRY(compare_versions(left, right, by.values, out));
  return out;
}

}  // namespace brine
