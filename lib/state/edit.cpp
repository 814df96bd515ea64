// SPDX-License-Identifier: MIT
// StateDict's editing members. A handle that shares its list with others gets one of its own first.
#include "state/state_dict.hpp"

#include "bytes/bytes.hpp"
#include "bytes/guard.hpp"
#include "support/text.hpp"
#include "torch/access.hpp"
#include "torch/record.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace brine {

namespace {

using Entry = StateDict::Entry;

// Takes out the entries for which `gone` holds; what stands between the rest keeps its place.
template <class Gone>
std::size_t remove(StateDict::Impl& impl, Gone&& gone) {
  std::vector<Entry> left;
  std::size_t other = 0;
  for (std::size_t i = 0; i <= impl.entries.size(); ++i) {
    for (; other < impl.others.size() && impl.others[other].before == i; ++other) impl.others[other].before = left.size();
    if (i < impl.entries.size() && !gone(impl.entries[i].name)) left.push_back(std::move(impl.entries[i]));
  }
  const std::size_t went = impl.entries.size() - left.size();
  const auto dropped = std::remove_if(impl.others.begin(), impl.others.end(), [&](const auto& o) { return gone(o.name); });
  const auto others = static_cast<std::size_t>(impl.others.end() - dropped);
  impl.others.erase(dropped, impl.others.end());
  impl.entries = std::move(left);
  impl.make_index();
  return went + others;
}

}  // namespace

StateDict::Impl& StateDict::edit() {
  if (impl_.use_count() > 1) {
    impl_ = std::make_shared<Impl>(*impl_);
    impl_->owners.push_back(std::exchange(impl_->texts, nullptr));  // two lists must not add texts to one deque
  }
  impl_->source = {};
  return *impl_;
}

void StateDict::insert(std::string_view name, Tensor tensor) {
  Impl& impl = edit();
  if (const std::uint32_t i = impl.find(name); i != HashIndex::npos) {
    impl.entries[i].tensor = std::move(tensor);
    return;
  }
  std::erase_if(impl.others, [&](const Impl::Other& o) { return o.name == name; });
  impl.entries.push_back({impl.text(name), std::move(tensor)});
  if (impl.index.size() * 2 < impl.entries.size() * 3) {
    impl.index.assign(HashIndex::slots_for(impl.entries.size() * 2), 0);
    for (std::uint32_t i = 0; i < impl.entries.size(); ++i) HashIndex::insert(impl.index, hash_bytes(impl.entries[i].name, impl.seed), i);
  } else {
    HashIndex::insert(impl.index, hash_bytes(impl.entries.back().name, impl.seed), static_cast<std::uint32_t>(impl.entries.size() - 1));
  }
}

bool StateDict::erase(std::string_view name) {
  const std::string own(name);  // it may be a view of the very entry
  return remove(edit(), [&](std::string_view n) { return n == own; }) > 0;
}

Result<void> StateDict::rename(std::string_view from, std::string_view to) {
  return guarded("a state dict", [&]() -> Result<void> {
    if (from == to && contains(from)) return {};
    if (contains(to)) return Error(ErrorKind::usage, ErrorCode::bad_argument, "there is a " + in_quotes(to) + " already");
    const std::uint32_t i = impl_->find(from);
    if (i == HashIndex::npos) return Error(ErrorKind::usage, ErrorCode::missing_key, "the state dict has no " + in_quotes(from));
    Impl& impl = edit();
    impl.entries[i].name = impl.text(to);
    impl.make_index();
    return {};
  });
}

void StateDict::merge(const StateDict& other) {
  const StateDict from = other;  // it may be this one
  for (const auto& [name, tensor] : from) insert(name, tensor);
  Impl& impl = edit();
  impl.owners.insert(impl.owners.end(), from.impl_->owners.begin(), from.impl_->owners.end());
}

void StateDict::add_prefix(std::string_view prefix) {
  Impl& impl = edit();
  const std::string own(prefix);
  for (Entry& e : impl.entries) e.name = impl.text(own + std::string(e.name));
  for (Impl::Other& o : impl.others) o.name = impl.text(own + std::string(o.name));
  const std::string module = own.ends_with('.') ? own.substr(0, own.size() - 1) : own;
  for (Impl::ModuleInfo& m : impl.metadata) m.name = impl.text(m.name.empty() ? module : own + std::string(m.name));
  impl.make_index();
}

std::size_t StateDict::strip_prefix(std::string_view prefix) {
  const std::string own(prefix);
  Impl& impl = edit();
  std::vector<Entry> moved;
  for (const Entry& e : impl.entries)
    if (e.name.starts_with(own)) moved.push_back({e.name.substr(own.size()), e.tensor});
  std::vector<Impl::Other> moved_others;
  for (const Impl::Other& o : impl.others)
    if (o.name.starts_with(own)) moved_others.push_back({o.name.substr(own.size()), o.value, o.before});
  const std::size_t count = moved.size() + moved_others.size();
  if (count == 0) return 0;
  if (moved.size() == impl.entries.size() && moved_others.size() == impl.others.size()) {  // all of them: places stay
    impl.entries = std::move(moved);
    impl.others = std::move(moved_others);
  } else {
    remove(impl, [&](std::string_view n) { return n.starts_with(own); });
    for (Entry& e : moved) {
      remove(impl, [&](std::string_view n) { return n == e.name; });
      impl.entries.push_back(std::move(e));
    }
    for (Impl::Other& o : moved_others) impl.others.push_back({o.name, o.value, impl.entries.size()});
  }
  // PyTorch's rule: the root's entry is passed over; the prefix's own (without its dots) and what begins with it move to the end.
  std::string module = own;
  std::erase(module, '.');
  std::vector<Impl::ModuleInfo> metadata, followed;
  for (const Impl::ModuleInfo& m : impl.metadata) {
    const bool follows = !m.name.empty() && (m.name == module || m.name.starts_with(own));
    (follows ? followed : metadata).push_back(m);
  }
  for (Impl::ModuleInfo& m : followed) {
    m.name = m.name.size() <= own.size() ? std::string_view() : m.name.substr(own.size());
    std::erase_if(metadata, [&](const Impl::ModuleInfo& old) { return old.name == m.name; });
    metadata.push_back(m);
  }
  impl.metadata = std::move(metadata);
  impl.make_index();
  return count;
}

std::size_t StateDict::keep(std::span<const std::string> globs) {
  return remove(edit(), [&](std::string_view n) { return std::none_of(globs.begin(), globs.end(), [&](const std::string& g) { return matches_glob(g, n); }); });
}

std::size_t StateDict::drop(std::span<const std::string> globs) {
  return remove(edit(), [&](std::string_view n) { return std::any_of(globs.begin(), globs.end(), [&](const std::string& g) { return matches_glob(g, n); }); });
}

Result<void> StateDict::cast(DType dtype, std::string_view glob) {
  return guarded("a state dict", [&]() -> Result<void> {
    // Tensors that are the same view of the same storage are cast once, so that tied weights stay tied.
    using View = std::tuple<const StorageRecord*, std::int64_t, std::vector<std::int64_t>>;
    std::map<View, Tensor> done;
    std::vector<Entry> out = impl_->entries;
    for (Entry& e : out) {
      const Tensor& t = e.tensor;
      if (t.dtype() == dtype || !matches_glob(glob, e.name) || (!is_floating(t.dtype()) && !is_complex(t.dtype()))) continue;
      const TensorRecord& r = Handles::record(t);
      View view{r.storage, r.offset, {r.dims, r.dims + 2 * r.ndim}};
      auto at = done.find(view);
      if (at == done.end()) {
        auto buffer = allocate(static_cast<std::uint64_t>(t.numel()) * item_size(dtype), "a converted tensor");
        if (!buffer) return std::move(buffer).error();
        const std::span<std::byte> bytes(buffer->get(), static_cast<std::size_t>(t.numel()) * item_size(dtype));
        if (auto ok = t.copy_to(dtype, bytes); !ok) return std::move(ok).error().at_path(e.name);
        auto made = Tensor::borrow(bytes, dtype, t.shape(), std::move(*buffer));
        if (!made) return std::move(made).error();
        at = done.emplace(std::move(view), std::move(*made)).first;
      }
      e.tensor = at->second;
    }
    edit().entries = std::move(out);
    return {};
  });
}

void StateDict::set_version(std::string_view module, std::int64_t version) {
  Impl& impl = edit();
  impl.has_metadata = true;
  for (Impl::ModuleInfo& m : impl.metadata) {
    if (m.name != module) continue;
    m.value = {};
    m.version = version;
    m.spectral_norm.clear();
    return;
  }
  impl.metadata.push_back({impl.text(module), {}, version, {}, {}});
}

}  // namespace brine
