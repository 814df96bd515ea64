// SPDX-License-Identifier: MIT
#include "state/state_dict.hpp"

#include "state/module.hpp"
#include "support/hash_index.hpp"
#include "support/text.hpp"

namespace brine {

struct StateDict::Impl {
  std::shared_ptr<const void> owner;
  std::vector<Entry> entries;
  std::vector<std::uint32_t> index;
  std::uint64_t seed = random_seed();
  std::string path;
  bool from_module = false;

  void make_index() {
    index.assign(HashIndex::slots_for(entries.size()), 0);
    for (std::uint32_t i = 0; i < entries.size(); ++i) HashIndex::insert(index, hash_bytes(entries[i].name, seed), i);
  }
};

namespace {

/// A module's tensors as its state_dict() has them: detached, under names of their own.
struct Detached {
  std::shared_ptr<const void> owner;
  std::vector<NamedTensor> names;
  std::vector<TensorRecord> records;
};

}  // namespace

Result<std::shared_ptr<const StateDict::Impl>> make_state_dict(const Graph& graph, const Ref& weights, std::string path, std::shared_ptr<const void> owner,
                                                               Budget& budget) {
  auto impl = std::make_shared<StateDict::Impl>();
  impl->path = std::move(path);
  impl->from_module = weights.kind == Kind::object;
  if (impl->from_module) {
    auto names = module_tensors(graph, weights, budget);
    if (!names) return std::move(names).error();
    auto detached = std::make_shared<Detached>();
    detached->owner = std::move(owner);
    detached->names = std::move(*names);
    detached->records.reserve(detached->names.size());
    for (const NamedTensor& n : detached->names) {
      TensorRecord record = *n.tensor;
      record.requires_grad = record.parameter = false;
      record.origin = nullptr;
      record.base = nullptr;
      if (record.form == TensorForm::parameter) record.form = TensorForm::v2;
      detached->records.push_back(record);
    }
    impl->entries.reserve(detached->names.size());
    for (std::size_t i = 0; i < detached->records.size(); ++i)
      impl->entries.push_back({detached->names[i].name, Handles::tensor(detached, &detached->records[i])});
    impl->owner = std::move(detached);
  } else {
    for (const brine::Entry& e : dict_of(weights).entries())
      if (e.value.kind == Kind::tensor) impl->entries.push_back({text_of(e.key), Handles::tensor(owner, &tensor_of(e.value))});
    impl->owner = std::move(owner);
  }
  impl->make_index();
  return std::shared_ptr<const StateDict::Impl>(std::move(impl));
}

std::size_t StateDict::size() const noexcept { return impl_->entries.size(); }
std::span<const StateDict::Entry> StateDict::entries() const noexcept { return impl_->entries; }
std::string_view StateDict::path() const noexcept { return impl_->path; }
bool StateDict::from_module() const noexcept { return impl_->from_module; }

const Tensor* StateDict::find(std::string_view name) const noexcept {
  const auto i = HashIndex::find(impl_->index, hash_bytes(name, impl_->seed), [&](std::uint32_t n) { return impl_->entries[n].name == name; });
  return i == HashIndex::npos ? nullptr : &impl_->entries[i].tensor;
}

Result<Tensor> StateDict::at(std::string_view name) const {
  if (const Tensor* found = find(name)) return *found;
  return Error(ErrorKind::usage, ErrorCode::missing_key, "the state dict has no " + brine::quoted(name));
}

}  // namespace brine
