// SPDX-License-Identifier: MIT
// The reader's front door: what the file is, its pickle, its storages, the handles.
#include <brine/checkpoint.hpp>

#include "bytes/guard.hpp"
#include "forms/form.hpp"
#include "graph/print.hpp"
#include "graph/walk.hpp"
#include "module/module.hpp"
#include "pickle/disassemble.hpp"
#include "state/find.hpp"
#include "state/notes.hpp"
#include "state/state_dict.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "tensor/kinds.hpp"
#include "torch/access.hpp"
#include "torch/numpy.hpp"
#include "torch/tensor_objects.hpp"
#include "torch/weights_only.hpp"

namespace brine {

namespace {

// What `work` returns, an Error with the source's name.
template <class Work>
auto reading(const Source& source, Work&& work) -> decltype(work()) {
  return guarded("reading", [&]() -> decltype(work()) {
    auto done = guarded("reading", work);
    if (done || source.name().empty()) return done;
    return std::move(done).error().in_file(source.name());
  });
}

}  // namespace

struct Checkpoint::Impl {
  Impl(Source from, const LoadOptions& with)
      : part{std::move(from), 0, {}}, options(with), inflated(with.limits.inflated_bytes, ErrorCode::inflated_too_large, "Limits::inflated_bytes") {}

  // In the order in which they are needed, so destroyed in the other.
  Part part;
  LoadOptions options;
  Budget inflated;
  std::optional<Opened> opened;

  Document& object() const noexcept { return opened->object(); }
  Graph& graph() const noexcept { return object().graph; }

  Result<void> open() {
    BRINE_LET(chosen, choose_part(part.source, options, inflated));
    part = std::move(*chosen);
    return reading(part.source, [this]() -> Result<void> {
      const WeightsOnly policy;
      auto done = open_form({part, options.limits, inflated, options.weights_only ? &policy : nullptr});
      if (!done) return std::move(done).error();
      opened.emplace(std::move(*done));
      return options.verify_crc ? verify() : Result<void>();
    });
  }

  Result<void> verify() const {
    const Storages& storages = object().storages;
    for (std::uint32_t i = 0; i < storages.size(); ++i) {
      const StorageRecord& storage = storages[i];
      if (!storage.reader) continue;
      BRINE_TRY(storage.reader->verify_crc(storage));
    }
    return {};
  }
};

namespace {

std::string describe(const Graph& graph, const Ref& value) {
  if (value.kind == Kind::object && value.node->made != Made::plain) return numpy_summary(graph, value);
  if (value.kind == Kind::object) {
    const std::string shard = shard_text(graph, value);
    return summary(value) + (shard.empty() ? "" : ", a DTensor: " + shard);
  }
  if (value.kind == Kind::storage) {
    const StorageRef s = storage_of(value);
    return "storage " + in_quotes(s.record->key) + " " + std::string(name(s.dtype)) + ", " + std::to_string(s.record->nbytes) + " bytes, " + escaped(s.record->device, 40);
  }
  const TensorRecord& t = tensor_of(value);
  std::string out = std::string(t.parameter ? "Parameter " : "Tensor ") + std::string(name(t.dtype));
  if (!t.is_nested()) out += ' ' + shape_text(t.shape());
  if (const std::string kind = kind_text(t); !kind.empty()) out += ", " + kind;
  if (const StorageRecord* s = strided_or_none(t).storage; s && s->device != "cpu") out += ", " + escaped(s->device, 40);
  if (t.requires_grad) out += ", requires_grad";
  return out;
}

}  // namespace

// The switches have no default: the compiler names an enumerator that is missing here.
std::string_view name(Format format) noexcept {
  switch (format) {
    case Format::zip: return "zip";
    case Format::legacy: return "legacy";
  }
  return "unknown";
}

std::string_view name(Note::Code code) noexcept {
  switch (code) {
    case Note::Code::duplicate_key: return "duplicate_key";
    case Note::Code::crc_not_computed: return "crc_not_computed";
    case Note::Code::trailing_bytes: return "trailing_bytes";
    case Note::Code::another_object: return "another_object";
    case Note::Code::newer_opcode: return "newer_opcode";
    case Note::Code::size_prefix: return "size_prefix";
    case Note::Code::state_dict_hook: return "state_dict_hook";
    case Note::Code::part_of_file: return "part_of_file";
    case Note::Code::placeholders: return "placeholders";
    case Note::Code::no_weights: return "no_weights";
    case Note::Code::nothing_kept: return "nothing_kept";
    case Note::Code::more_notes: return "more_notes";
  }
  return "unknown";
}

Result<Checkpoint> load(Source source, const LoadOptions& options) {
  return reading(source, [&]() -> Result<Checkpoint> {
    auto impl = std::make_shared<Checkpoint::Impl>(source, options);
    BRINE_TRY(impl->open());
    impl->graph().set_owner(impl);
    impl->graph().file = impl->part.source.name();
    return Checkpoint(std::move(impl));
  });
}

Result<Checkpoint> load(const std::filesystem::path& path, const LoadOptions& options) {
  BRINE_LET(source, Source::file(path, options.file_mode));
  return load(std::move(*source), options);
}

const Opened& CheckpointAccess::opened(const Checkpoint& checkpoint) noexcept { return *checkpoint.impl_->opened; }
const Limits& CheckpointAccess::limits(const Checkpoint& checkpoint) noexcept { return checkpoint.impl_->options.limits; }
const Part& CheckpointAccess::part(const Checkpoint& checkpoint) noexcept { return checkpoint.impl_->part; }
const LoadOptions& CheckpointAccess::options(const Checkpoint& checkpoint) noexcept { return checkpoint.impl_->options; }

Value Checkpoint::root() const& { return Access::value(&impl_->graph(), impl_->object().root); }

Result<StateDict> Checkpoint::state_dict() const { return state_dict(std::string_view()); }

Result<StateDict> Checkpoint::state_dict(std::string_view path) const {
  return reading(impl_->part.source, [&]() -> Result<StateDict> {
    const Ref from = find_path(impl_->object().root, path);
    if (from.kind == Kind::absent) return Error(ErrorKind::usage, ErrorCode::missing_key, "the checkpoint has no place " + in_quotes(path));
    BRINE_LET(found, find_weights(impl_->graph(), from, place_of(std::string(path))));
    std::string place = spell(found->place.get(), SIZE_MAX);  // to find it by
    ModuleBudget budget(impl_->options.limits, pickle_bytes());
    auto made = make_state_dict(impl_->graph(), found->value, place, impl_, budget);
    if (!made) return std::move(made).error().at_path(std::move(place));
    note_what_it_is(impl_->object().root, found->value, place, **made);
    return StateDictAccess::make(std::move(*made));
  });
}

Value Checkpoint::at(std::string_view path) const& { return Access::value(&impl_->graph(), find_path(impl_->object().root, path), place_of(std::string(path))); }

std::vector<TensorAt> Checkpoint::tensors() const { return tensors(root()); }

std::vector<TensorAt> Checkpoint::tensors(const Value& from) const {
  std::vector<TensorAt> out;
  Walker walk(Access::ref(from), Access::place(from));
  walk.keep_alive(impl_);
  while (walk.next())
    if (walk.value().kind == Kind::tensor) out.push_back({Handles::tensor(impl_, &tensor_of(walk.value())), walk.place()});
  return out;
}

std::vector<ArrayAt> Checkpoint::arrays() const& { return arrays(root()); }

std::vector<ArrayAt> Checkpoint::arrays(const Value& from) const& {
  std::vector<ArrayAt> out;
  for (Walker walk(Access::ref(from), Access::place(from)); walk.next();)
    if (is_array(walk.value())) out.push_back({Access::value(&impl_->graph(), walk.value(), walk.place())});
  return out;
}

std::string TensorAt::path(std::size_t max) const { return spell(place.get(), std::min<std::size_t>(max, 4096)); }
std::string TensorAt::full_path() const { return spell(place.get(), SIZE_MAX); }
std::uint64_t TensorAt::path_size() const noexcept { return brine::path_size(place.get()); }
std::string ArrayAt::full_path() const { return spell(Access::place(value).get(), SIZE_MAX); }
std::uint64_t ArrayAt::path_size() const noexcept { return brine::path_size(Access::place(value).get()); }

std::string Checkpoint::print(const PrintOptions& options) const { return print(root(), options); }

std::string Checkpoint::print(const Value& from, const PrintOptions& options) const {
  return brine::print(Access::ref(from), {options.depth, options.nodes, options.per_container, text_bytes(pickle_bytes(), options.text_factor)},
                      [this](const Ref& value) { return describe(impl_->graph(), value); });
}

std::vector<ClassSource> Checkpoint::sources() const& {
  std::vector<ClassSource> out;
  for (const Ref& id : impl_->object().calls.class_ids()) {
    const auto part = tuple_of(id).items();
    const auto text = [&](std::size_t i) { return part[i].kind == Kind::string ? text_of(part[i]) : std::string_view(); };
    out.push_back({{global_of(part[1]).module, global_of(part[1]).name}, text(2), text(3)});
  }
  return out;
}

std::vector<std::string> Checkpoint::extras() const {
  std::vector<std::string> out;
  for (const Extra& extra : impl_->opened->form->extras()) out.push_back(extra.name.empty() ? "the archive's comment" : concat({"the record ", extra.name}));
  return out;
}

std::span<const Note> Checkpoint::notes() const& noexcept { return impl_->opened->notes.list(); }
Format Checkpoint::format() const noexcept { return impl_->opened->format; }
int Checkpoint::protocol() const noexcept { return impl_->object().protocol; }
std::string_view Checkpoint::file() const& noexcept { return impl_->part.source.name(); }
std::uint64_t Checkpoint::end_offset() const noexcept { return impl_->part.offset.value_or(0) + impl_->opened->end; }
std::uint64_t Checkpoint::pickle_bytes() const noexcept { return impl_->object().pickle.counted(impl_->options.limits); }
std::uint64_t Checkpoint::metadata_bytes() const noexcept { return impl_->object().budget.used(); }

Result<void> disassemble(const Source& source, const std::function<bool(std::string_view, const Instruction&)>& each, const LoadOptions& options) {
  return reading(source, [&]() -> Result<void> {
    Budget inflated(options.limits.inflated_bytes, ErrorCode::inflated_too_large, "Limits::inflated_bytes");
    BRINE_LET(part, choose_part(source, options, inflated));
    return reading(part->source, [&]() -> Result<void> {
      const auto pickles = find_pickles({*part, options.limits, inflated});
      if (!pickles) return pickles.error();
      bool more = true;
      for (const PickleAt& pickle : *pickles) {
        auto done = disassemble_pickle(pickle.bytes.span, [&](const Instruction& i) { return more = each(pickle.record, i); });
        if (!done) return std::move(done).error().in_record(pickle.record);
        if (!more) break;
      }
      return {};
    });
  });
}

}  // namespace brine
