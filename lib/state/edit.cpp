// SPDX-License-Identifier: MIT
// StateDict's editing members. A handle that shares its list with others gets one of its own first.
#include "state/state_dict.hpp"

#include "bytes/guard.hpp"
#include "support/text.hpp"
#include "tensor/record.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <utility>

namespace brine {

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
  impl.set({{impl.items.find(name) == impl.items.npos ? impl.text(name) : name, std::move(tensor)}});
}

bool StateDict::erase(std::string_view name) {
  const std::uint32_t n = impl_->items.find(name);
  if (n == impl_->items.npos) return false;
  edit().take(n);
  return true;
}

Result<void> StateDict::rename(std::string_view from, std::string_view to) {
  return guarded("a state dict", [&]() -> Result<void> {
    const std::uint32_t n = impl_->items.find(from);
    if (n == impl_->items.npos) return Error(ErrorKind::usage, ErrorCode::missing_key, "the state dict has no " + in_quotes(from));
    if (from == to) return {};
    if (impl_->items.find(to) != impl_->items.npos)
      return Error(ErrorKind::usage, ErrorCode::bad_argument, "there is a " + in_quotes(to) + " already");
    Impl& impl = edit();
    impl.items.rename(n, impl.text(to));
    return {};
  });
}

void StateDict::merge(const StateDict& other) {
  const StateDict from = other;  // it may be this one
  Impl& impl = edit();
  if (from.impl_->file != impl.file) impl.file = impl.items.size() == 0 ? from.impl_->file : std::string_view();
  impl.owners.push_back(from.impl_);  // which nobody edits from now on; it has the names
  for (const Item& item : from.impl_->items) {
    const Impl::Kept* kept = from.impl_->kept_of(item);
    impl.set(kept ? impl.keep(item.name, *kept) : item);
  }
  for (const Impl::ModuleInfo& m : from.impl_->metadata) impl.metadata.set(m);
  impl.has_metadata |= from.impl_->has_metadata;
}

void StateDict::add_prefix(std::string_view prefix) {
  StateDict out = *this;  // all or nothing
  Impl& impl = out.edit();
  const std::string own(prefix), module = own.ends_with('.') ? own.substr(0, own.size() - 1) : own;
  NamedList<Item> items;
  items.reserve(impl.items.size());
  for (Item& item : impl.items) {
    item.name = impl.text(own + std::string(item.name));
    items.push(std::move(item));
  }
  impl.items = std::move(items);
  NamedList<Impl::ModuleInfo> metadata;
  for (Impl::ModuleInfo& m : impl.metadata) {
    m.name = impl.text(m.name.empty() ? module : own + std::string(m.name));
    metadata.set(std::move(m));
  }
  impl.metadata = std::move(metadata);
  *this = std::move(out);
}

std::size_t StateDict::strip_prefix(std::string_view prefix) {
  StateDict out = *this;
  Impl& impl = out.edit();
  const std::string own(prefix);
  std::vector<std::string_view> names, modules;
  for (const Item& item : impl.items)
    if (item.name.starts_with(own)) names.push_back(item.name);
  for (const std::string_view name : names) {
    Item item = impl.take(impl.items.find(name));
    item.name = name.substr(own.size());
    impl.set(std::move(item));
  }
  // PyTorch's rule: the root's entry is passed over; the prefix's own (without its dots) and what begins with it follow.
  std::string module = own;
  std::erase(module, '.');
  for (const Impl::ModuleInfo& m : impl.metadata)
    if (!m.name.empty() && (m.name == module || m.name.starts_with(own))) modules.push_back(m.name);
  for (const std::string_view name : modules) {
    Impl::ModuleInfo m = impl.metadata.take(impl.metadata.find(name));
    m.name = name.substr(std::min(own.size(), name.size()));
    impl.metadata.set(std::move(m));
  }
  *this = std::move(out);
  return names.size();
}

std::size_t StateDict::keep(std::span<const std::string> globs) {
  return edit().erase_if([&](const Item& i) { return std::none_of(globs.begin(), globs.end(), [&](const std::string& g) { return matches_glob(g, i.name); }); });
}

std::size_t StateDict::drop(std::span<const std::string> globs) {
  return edit().erase_if([&](const Item& i) { return std::any_of(globs.begin(), globs.end(), [&](const std::string& g) { return matches_glob(g, i.name); }); });
}

void StateDict::set_version(std::string_view module, std::int64_t version) {
  Impl& impl = edit();
  impl.has_metadata = true;
  impl.metadata.set({impl.metadata.find(module) == impl.metadata.npos ? impl.text(module) : module, {}, version, {}, {}, nullptr});
}

}  // namespace brine
