// SPDX-License-Identifier: MIT
#include "load/parameters.hpp"

#include "support/checked.hpp"
#include "support/text.hpp"
#include "tensor/layout.hpp"

#include <algorithm>

namespace brine {

namespace {

/// Row-major, as PyTorch's: empty dimensions count as 1.
std::vector<std::int64_t> with_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> stride) {
  std::vector<std::int64_t> dims(shape.begin(), shape.end());
  if (!stride.empty()) {
    dims.insert(dims.end(), stride.begin(), stride.end());
    return dims;
  }
  dims.resize(2 * shape.size());
  std::optional<std::int64_t> step = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    dims[shape.size() + d] = step.value_or(0);
    if (step) step = checked_multiply(*step, std::max<std::int64_t>(shape[d], 1));
  }
  return dims;
}

}  // namespace

std::uint32_t LeafIndex::find(std::uint32_t module, std::string_view leaf) const noexcept {
  if (slots_.empty()) return npos;
  const std::uint32_t n = HashIndex::find(slots_, hash(module, leaf), [&](std::uint32_t i) { return keys_[i].module == module && keys_[i].leaf == leaf; });
  return n == npos ? npos : keys_[n].number;
}

void LeafIndex::add(std::uint32_t module, std::string_view leaf, std::uint32_t number) {
  if (find(module, leaf) != npos) return;
  const auto enter = [this](std::uint32_t i) { HashIndex::insert(slots_, hash(keys_[i].module, keys_[i].leaf), i); };
  if (slots_.size() < HashIndex::slots_for(keys_.size() + 1)) {
    slots_.assign(HashIndex::slots_for(keys_.size() + 1), 0);
    for (std::uint32_t i = 0; i < keys_.size(); ++i) enter(i);
  }
  keys_.push_back({leaf, module, number});
  enter(static_cast<std::uint32_t>(keys_.size() - 1));
}

const Parameters::Impl::Description& Parameters::Impl::Module::description() const noexcept {
  static const Description none;
  return description_ ? *description_ : none;
}

Parameters::Impl::Description& Parameters::Impl::Module::describe() {
  if (!description_) description_ = std::make_unique<Description>();
  return *description_;
}

void Parameters::Impl::Item::take_shape(std::span<const std::int64_t> shape) {
  dims = with_strides(shape, {});
  shapeless = false;
}

std::uint32_t Parameters::Impl::find_module(std::string_view name) const noexcept {
  std::uint32_t module = 0;
  if (name.empty()) return module;
  for (std::size_t at = 0, dot; at <= name.size() && module != kNone; at = dot + 1) {
    dot = std::min(name.find('.', at), name.size());
    module = modules_by_name.find(module, name.substr(at, dot - at));
  }
  return module;
}

std::uint32_t Parameters::Impl::find_item(std::string_view name) const noexcept {
  const bool inside = name.find('.') != std::string_view::npos;
  const std::uint32_t module = inside ? find_module(parent_of(name)) : 0;
  return module == kNone ? kNone : items_by_name.find(module, leaf_of(name));
}

std::uint32_t Parameters::Impl::module_of(std::string_view name) {
  std::uint32_t module = 0;
  if (name.empty()) return module;
  for (std::size_t at = 0, dot; at <= name.size(); at = dot + 1) {
    dot = std::min(name.find('.', at), name.size());
    const std::string_view leaf = name.substr(at, dot - at);
    std::uint32_t child = modules_by_name.find(module, leaf);
    if (child == kNone) {
      child = static_cast<std::uint32_t>(modules.size());
      modules.emplace_back().name = name.substr(0, dot);
      modules[module].children.push_back(child);
      modules_by_name.add(module, leaf, child);
    }
    module = child;
  }
  return module;
}

std::string Parameters::Impl::name_in(std::uint32_t module, std::string_view leaf) const {
  return module == 0 ? std::string(leaf) : concat({modules[module].name, ".", leaf});
}

Parameters::Parameters() : impl_(std::make_unique<Impl>()) {}
Parameters::~Parameters() = default;
Parameters::Parameters(Parameters&&) noexcept = default;
Parameters& Parameters::operator=(Parameters&&) noexcept = default;

void Parameters::put(std::string_view name, DType dtype, std::span<std::byte> bytes, Shape shape, const EntryOptions& options, Memory memory) {
  Impl& impl = *impl_;
  if (impl.fault) return;
  const auto refuse = [&](ErrorCode code, std::string_view why) {
    impl.fault = Error(ErrorKind::usage, code, concat({"the entry ", in_quotes(name), ": ", why}));
  };
  if (impl.find_item(name) != Impl::kNone) return refuse(ErrorCode::bad_argument, "the name was given before");
  if (!options.stride.empty() && options.stride.size() != shape.size())
    return refuse(ErrorCode::bad_argument, "shape and strides have different lengths");

  const std::int64_t min =
      memory != Memory::caller ? INT64_MAX : static_cast<std::int64_t>(bytes.size() / std::max<std::size_t>(item_size(dtype), 1));
  std::vector<std::int64_t> dims = with_strides(shape, options.stride);
  const std::span<const std::int64_t> both = dims;
  if (auto ok = check_strided({dtype, both.first(shape.size()), both.subspan(shape.size()), 0, min}, Limits{}); !ok)
    return refuse(ErrorCode::bad_argument, ok.error().text());
  if (memory == Memory::caller && options.stride.empty()) {
    const std::uint64_t needed = static_cast<std::uint64_t>(element_count(shape).value_or(0)) * item_size(dtype);
    if (needed != bytes.size())
      return refuse(ErrorCode::buffer_size,
                    concat({"the memory has ", std::to_string(bytes.size()), " bytes, the shape needs ", std::to_string(needed)}));
  }

  const auto number = static_cast<std::uint32_t>(impl.items.size());
  Impl::Item& item = impl.items.emplace_back();
  item.name = name;
  item.same = number;
  item.dtype = dtype;
  item.bytes = bytes;
  item.lies_in = bytes.data();
  item.dims = std::move(dims);
  item.buffer = options.buffer;
  item.meta = memory == Memory::none;
  item.lazy = item.shapeless = memory == Memory::lazy;
  item.persistent = options.persistent || !item.buffer;
  item.requires_grad = !item.buffer && options.requires_grad && (is_floating(dtype) || is_complex(dtype));
  const std::uint32_t module = impl.module_of(parent_of(item.name));
  impl.items_by_name.add(module, leaf_of(item.name), number);
  Impl::Module& m = impl.modules[module];
  if (item.persistent) (item.buffer ? m.buffers : m.parameters).push_back(number);
}

void Parameters::module(std::string_view name, const ModuleOptions& options) {
  Impl::Description& d = impl_->modules[impl_->module_of(impl_->texts.emplace_back(name))].describe();
  d.options = options;
  d.given = true;
}

void Parameters::Impl::copy_module(std::uint32_t from, std::uint32_t to) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stack{{from, to}};
  while (!stack.empty()) {
    const auto [source, target] = stack.back();
    stack.pop_back();
    if (const Description& d = modules[source].description(); &d != &modules[target].description()) {
      modules[target].describe().options = d.options;
      modules[target].describe().given = d.given;
    }
    for (const auto list : {&Module::parameters, &Module::buffers})
      for (const std::uint32_t i : modules[source].*list) {
        const auto number = static_cast<std::uint32_t>(items.size());
        Item& item = items.emplace_back();
        item.name = name_in(target, leaf_of(items[i].name));
        item.same = items[i].same;
        items_by_name.add(target, leaf_of(item.name), number);
        (modules[target].*list).push_back(number);
      }
    for (const std::uint32_t child : modules[source].children) {
      const std::string_view name = modules[child].name;
      stack.emplace_back(child, module_of(texts.emplace_back(name_in(target, leaf_of(name)))));
    }
  }
}

void Parameters::alias(std::string_view name, std::string_view of) {
  Impl& impl = *impl_;
  if (impl.fault) return;
  const std::uint32_t from = impl.find_module(of);
  const auto refuse = [&](std::string_view why) {
    impl.fault =
        Error(ErrorKind::usage, ErrorCode::bad_argument, concat({"the alias ", in_quotes(name), " of ", in_quotes(of), ": ", why}));
  };
  if (from == Impl::kNone) return refuse("there is no such module");
  if (impl.find_module(name) != Impl::kNone || impl.find_item(name) != Impl::kNone) return refuse("the name was given before");
  if (of.empty() || name.starts_with(concat({of, "."}))) return refuse("a module is never inside itself");
  impl.copy_module(from, impl.module_of(impl.texts.emplace_back(name)));
}

std::size_t Parameters::size() const noexcept { return impl_->items.size(); }
bool Parameters::contains(std::string_view name) const noexcept { return impl_->find_item(name) != Impl::kNone; }
const Error* Parameters::fault() const& noexcept { return impl_->fault ? &*impl_->fault : nullptr; }

Parameters::Entry Parameters::entry(std::size_t index) const& {
  const Impl::Item& i = impl_->entry(static_cast<std::uint32_t>(index));
  return {impl_->items[index].name, i.dtype, i.bytes, i.shape(), i.stride(), i.buffer, i.meta, i.shapeless};
}

const Tensor* Parameters::assigned(std::string_view name) const& noexcept {
  const std::uint32_t i = impl_->find_item(name);
  return i == Impl::kNone || !impl_->entry(i).assigned ? nullptr : &*impl_->entry(i).assigned;
}

}  // namespace brine
