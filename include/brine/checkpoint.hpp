// SPDX-License-Identifier: MIT
// Checkpoint: the reader's front door.
//
//   auto ckpt = brine::load("resnet50.pth");                    // maps, parses, copies nothing
//   if (!ckpt) return fail(ckpt.error().message());
//   auto weights = ckpt->state_dict();                           // bare dict, {"state_dict": …}, or a whole pickled nn.Module
//   for (const auto& [name, t] : *weights)
//     if (auto w = t.data<float>()) use(name, t.shape(), *w);    // a span into the mapped file
//
// Nothing in the file is ever executed: classes and functions are names; what brine does not know stays in the tree as an inert object.
#pragma once

#include <brine/instruction.hpp>
#include <brine/load_options.hpp>
#include <brine/note.hpp>
#include <brine/state_dict.hpp>
#include <brine/value.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace brine {

/// A tensor and where it stands in the tree. The path is spelled when it is asked for: of many tensors deep in a tree, or under long keys, the paths
/// can be far longer than the file.
struct BRINE_API TensorAt {
  /// At most `max` bytes, which 4,096 bounds: a longer path, which no honest file has, is given without its middle ("…").
  std::string path(std::size_t max = 4096) const;
  /// All of it, path_size() bytes. For a whole list add up path_size() first.
  std::string full_path() const;
  std::uint64_t path_size() const noexcept;

  Tensor tensor;
  std::shared_ptr<const PathStep> place;  ///< internal
};

/// A numpy array and where it stands in the tree: Array::of(value).
struct BRINE_API ArrayAt {
  std::string path(std::size_t max = 4096) const { return value.path(max); }
  std::string full_path() const;
  std::uint64_t path_size() const noexcept;

  Value value;
};

/// The source text of a class, which legacy streams of whole models carry. Borrows from the Checkpoint.
struct ClassSource {
  GlobalName name;
  std::string_view file, text;  ///< empty where the writer did not find them
};

/// Bounds for print().
struct PrintOptions {
  std::uint64_t depth = Limits{}.print_depth;
  std::uint64_t nodes = Limits{}.print_nodes;
  std::uint64_t per_container = 10'000'000;  ///< items shown of one container
  std::uint64_t text_factor = Limits{}.text_factor;  ///< bytes of the text: so many times the pickle's, and 1 MiB
};

/// A cheap shared handle on an opened file. Thread-safe.
class BRINE_API Checkpoint {
 public:
  /// The object that was saved. Only on an lvalue: what it gives borrows from this handle.
  Value root() const&;
  Value root() const&& = delete;

  /// The weights, wherever they are: the root if it is weights (a dict of tensors, a pickled nn.Module); else, in a dict, the first of the
  /// keys state_dict, model_state_dict, model, net, network, module, weights, params_ema, params, ema under which the same rule finds
  /// weights (four levels at most); else the only value of that dict, or item of a list or tuple, that is weights.
  ///
  /// A whole model gives what nn.Module.state_dict() gives: names, order, `_metadata`. What a class adds by code of its own (get_extra_state, an
  /// overridden state_dict) is not in the file, and so not here; of hooks StateDict::notes() tells. PyTorch's
  /// quantised modules give what theirs give: scale and zero_point as tensors, packed weights unpacked, among StateDict::others(). A module that
  /// keeps its weights otherwise (sparse quantised layers, __reduce__, a state that is no dict) is an error, wherever it is: a part of the weights
  /// is never given for the whole.
  ///
  /// Fails with: usage — several_state_dicts (lists them), no_state_dict (says what the file holds instead); corrupt (module_cycle);
  /// unsupported (module_form).
  Result<StateDict> state_dict() const;

  /// The same below the place `path`: "ema", "model.encoder". Fails with: usage (missing_key …) as well.
  Result<StateDict> state_dict(std::string_view path) const;

  /// The place `path` of the tree ("" is the root), as `brine ls --all` prints it; may be absent. Borrows from this handle.
  Value at(std::string_view path) const&;
  Value at(std::string_view path) const&& = delete;

  /// Every tensor of the tree, in the pickle's order, at every place that holds it; a container met again is not entered again. After a tensor come
  /// those of the attributes that were saved with it (of wrapper subclasses, of Parameters), but PyTorch's own.
  /// Costs the same for each, however deep it lies and however long its path is.
  std::vector<TensorAt> tensors() const;
  std::vector<TensorAt> tensors(const Value& from) const;

  /// Every numpy array, likewise; scalars are none. Borrows from this handle.
  std::vector<ArrayAt> arrays() const&;
  std::vector<ArrayAt> arrays(const Value& from) const&;
  std::vector<ArrayAt> arrays() const&& = delete;
  std::vector<ArrayAt> arrays(const Value& from) const&& = delete;

  /// The tree as indented text, cycle-safe and bounded: what is left out is marked with "…"; control characters are escaped.
  std::string print(const PrintOptions& options = {}) const;
  std::string print(const Value& from, const PrintOptions& options = {}) const;

  /// Source texts of the model's classes, where the file has them. Kept, and never run.
  std::vector<ClassSource> sources() const&;
  std::vector<ClassSource> sources() const&& = delete;

  /// What the file holds beside the object, such as records that nothing refers to: names, to tell people.
  std::vector<std::string> extras() const;

  /// What is odd in the file but no error.
  std::span<const Note> notes() const& noexcept;
  std::vector<Note> notes() && { return {notes().begin(), notes().end()}; }

  Format format() const noexcept;
  /// The pickle protocol of the object's pickle, 0 to 5.
  int protocol() const noexcept;
  /// Name of the source, for messages; with LoadOptions::offset or member it says so: "m.zip, member policy.pth", and offsets in messages count from there.
  std::string_view file() const& noexcept;
  std::string file() && { return std::string(file()); }
  /// Where this object ends in the source (in a deflated member: in that): its size for a zip; for a legacy stream, where a next object may start.
  std::uint64_t end_offset() const noexcept;
  /// Bytes of the object's pickle, as limits count them (Limits::pickle_ratio), and of memory kept for the tree: for accounting.
  std::uint64_t pickle_bytes() const noexcept;
  std::uint64_t metadata_bytes() const noexcept;

  struct Impl;

 private:
  friend BRINE_API Result<Checkpoint> load(Source, const LoadOptions&);
  friend struct CheckpointAccess;
  explicit Checkpoint(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// Opens a checkpoint. Costs time in the number of tensors, never in their bytes.
/// Fails with: io, not_a_checkpoint (the message names what the file is), corrupt, unsupported, forbidden, limit.
BRINE_API Result<Checkpoint> load(const std::filesystem::path& path, const LoadOptions& options = {});
BRINE_API Result<Checkpoint> load(Source source, const LoadOptions& options = {});

/// Disassembles the pickles of a checkpoint, one call per instruction: `record` is "archive/data.pkl", or in a legacy stream "magic number",
/// "protocol", "sys_info", "object", "storage keys". Stops when `each` returns false. What precedes a fault is given before the error.
BRINE_API Result<void> disassemble(const Source& source, const std::function<bool(std::string_view record, const Instruction&)>& each,
                                   const LoadOptions& options = {});

}  // namespace brine
