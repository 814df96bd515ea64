// SPDX-License-Identifier: MIT
// load_state_dict: a checkpoint's weights into the caller's own memory, by PyTorch's rules and with PyTorch's words.
//
//   brine::Parameters mine;                                        // the engine's memory, by name
//   mine.add("fc.weight", std::span(w), {10, 4});
//   auto report = brine::load_state_dict(mine, *weights, {.strict = false});
//   if (!report) return fail(report.error().text());               // "Error(s) in loading state_dict for …", byte for byte
//   report->missing_keys; report->unexpected_keys;                 // PyTorch's, in its order
//
// What is ours: skip_mismatched, validate_first and dry_run, suggest(), and that an Error carries the report (Error::report()).
#pragma once

#include <brine/state_dict.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace brine {

/// What there is to say of one entry of Parameters beside its memory and shape.
struct EntryOptions {
  std::vector<std::int64_t> stride = {};  ///< in elements, one for each dimension; empty: row-major
  bool requires_grad = true;         ///< of a parameter; counts with `assign` only, where an integer tensor cannot take its place
  bool persistent = true;            ///< of a buffer; false: no part of the state dict, its key is unexpected
};

/// Modules whose loader differs from nn.Module's; `none` is a child that is None: whatever is below it is passed over.
enum class ModuleKind : std::uint8_t { plain, batch_norm, instance_norm, none };

/// What PyTorch's rules ask of a module.
struct ModuleOptions {
  ModuleKind kind = ModuleKind::plain;    ///< batch_norm: BatchNorm1d to 3d and SyncBatchNorm
  std::string class_name = {};             ///< "InstanceNorm2d": named in that kind's message
  std::optional<bool> track_running_stats = {}; ///< of the norms; unset is PyTorch's default: true for batch_norm, false for instance_norm
  bool extra_state = false;               ///< the class has set_extra_state: `_extra_state` is expected, and the report says where it is
};

/// The target of load_state_dict: the caller's memory, by name, as mutable views. Only load_state_dict writes to it.
///
/// Names are a state dict's: "layer1.0.bn1.weight". The module tree is made of their dotted parts, in order of appearance; module() adds
/// what names do not tell (children without parameters, kinds, extra state). Within a module parameters come before buffers, each in the
/// order in which they were added: that is the order of missing_keys. A parameter or buffer that is None is simply not added. A module that
/// was not described and has running_mean, running_var and num_batches_tracked is taken for a BatchNorm.
///
/// Borrows: all memory must outlive the last load_state_dict into it. A fault of an add (negative size, memory too small, a name given
/// twice) is kept, and load_state_dict fails with it; fault() tells at once. Not thread-safe.
class BRINE_API Parameters {
 public:
  Parameters();
  ~Parameters();
  Parameters(Parameters&&) noexcept;
  Parameters& operator=(Parameters&&) noexcept;

  /// A parameter. `data` holds exactly the shape's elements, or with strides, at least up to the last one.
  template <class T, std::size_t N>
    requires(!std::is_const_v<T>)
  void add(std::string_view name, std::span<T, N> data, std::initializer_list<std::int64_t> shape, const EntryOptions& options = {}) {
    add(name, dtype_of<T>::value, std::as_writable_bytes(data), std::span(shape.begin(), shape.size()), options);
  }
  void add(std::string_view name, DType dtype, std::span<std::byte> bytes, std::span<const std::int64_t> shape,
           const EntryOptions& options = {}) {
    put(name, dtype, bytes, shape, options, Role::parameter);
  }

  /// A buffer (running_mean, num_batches_tracked …).
  template <class T, std::size_t N>
    requires(!std::is_const_v<T>)
  void add_buffer(std::string_view name, std::span<T, N> data, std::initializer_list<std::int64_t> shape,
                  const EntryOptions& options = {}) {
    add_buffer(name, dtype_of<T>::value, std::as_writable_bytes(data), std::span(shape.begin(), shape.size()), options);
  }
  void add_buffer(std::string_view name, DType dtype, std::span<std::byte> bytes, std::span<const std::int64_t> shape,
                  const EntryOptions& options = {}) {
    put(name, dtype, bytes, shape, options, Role::buffer);
  }

  /// A parameter without memory, as one on PyTorch's meta device: checked as any, filled by `assign` only.
  void add_meta(std::string_view name, DType dtype, std::span<const std::int64_t> shape, const EntryOptions& options = {}) {
    put(name, dtype, {}, shape, options, Role::meta);
  }
  void add_meta(std::string_view name, DType dtype, std::initializer_list<std::int64_t> shape) {
    add_meta(name, dtype, std::span(shape.begin(), shape.size()));
  }

  /// Describes a module; "" is the root. Its ancestors are made where they are not there yet.
  void module(std::string_view name, const ModuleOptions& options = {});

  /// Meta entries with the names, dtypes and shapes of a state dict, and the modules that its `_metadata` names: a model of which only
  /// weights are known.
  static Parameters like(const StateDict& state);

  std::size_t size() const noexcept;
  bool contains(std::string_view name) const noexcept;

  /// One entry. The views are valid until an entry is added.
  struct Entry {
    std::string_view name;
    DType dtype;
    std::span<std::byte> bytes;  ///< empty for a meta entry
    std::span<const std::int64_t> shape, stride;
    bool buffer, meta;
  };
  /// In the order in which they were added.
  Entry entry(std::size_t index) const;

  /// What load_state_dict(…, {.assign = true}) gave this entry in place of its memory, or null: the checkpoint's own tensor, with its dtype
  /// and strides.
  const Tensor* assigned(std::string_view name) const noexcept;

  /// The first fault of an add, or null.
  const Error* fault() const noexcept;

  struct Impl;

 private:
  friend struct ParametersAccess;
  enum class Role : std::uint8_t { parameter, buffer, meta };
  void put(std::string_view name, DType dtype, std::span<std::byte> bytes, std::span<const std::int64_t> shape, const EntryOptions& options,
           Role role);
  std::unique_ptr<Impl> impl_;
};

struct LoadStateDictOptions {
  bool strict = true;            ///< missing and unexpected keys are an error
  bool assign = false;           ///< entries take the checkpoint's tensors (Parameters::assigned) instead of copies; no byte is written
  bool skip_mismatched = false;  ///< ours: an entry of another shape is left alone and reported, no error
  /// Ours: all or nothing. PyTorch (and brine by default) copies what it can, then raises; with this nothing is written when there is
  /// an error to come. Only a read that fails later (io, a damaged record) can leave the memory half written.
  bool validate_first = false;
  bool dry_run = false;          ///< ours: the report or error as without, and nothing is written or assigned; meta entries count as memory
  std::string model_name = "Module";  ///< X of "Error(s) in loading state_dict for X:"
};

/// What load_state_dict found.
struct LoadReport {
  /// What kept one entry from being loaded.
  struct Problem {
    ErrorCode code = ErrorCode::size_mismatch;  ///< size_mismatch, not_a_tensor, copy_refused, unexpected_running_stats
    std::string key;                            ///< of the entry; of running stats: the module's name
    std::string text;                           ///< PyTorch's sentence
    std::vector<std::int64_t> model_shape, checkpoint_shape;
  };

  std::vector<std::string> missing_keys, unexpected_keys;
  std::vector<Problem> problems;              ///< in the order of the error's text
  std::vector<Problem> skipped;               ///< what skip_mismatched left alone
  std::vector<std::string> extra_state_keys;  ///< expected and there: StateDict::others() or find() has the value, for the caller to take
  std::uint64_t loaded = 0;                   ///< entries that were copied or assigned (with dry_run: would be)

  bool all_matched() const noexcept { return missing_keys.empty() && unexpected_keys.empty(); }

  /// As PyTorch's result prints: "<All keys matched successfully>", "_IncompatibleKeys(missing_keys=['a'], unexpected_keys=[])".
  BRINE_API std::string to_string() const;
};

/// Puts the state dict's tensors into `model`, as torch.nn.Module.load_state_dict does: element-wise, converted to each entry's dtype as
/// copy_ converts (convert.hpp), into its strides; a tensor of one element and one dimension fits a 0-d entry; nothing is broadcast. Rules
/// for norms ask for `_metadata` versions (StateDict::version). An entry `assign_to_params_buffers` in a file's metadata is not followed:
/// the caller's word counts.
///
/// Fails with: usage — key_mismatch, size_mismatch, not_a_tensor, copy_refused, unexpected_running_stats: the text is PyTorch's, keys in it
/// raw (Error::message() escapes them), and Error::report() has the report; copies made before stay, unless validate_first. usage —
/// Parameters::fault(). io, corrupt, limit: as Tensor::copy_to(); the path names the entry; entries before it are written.
BRINE_API Result<LoadReport> load_state_dict(Parameters& model, const StateDict& state, const LoadStateDictOptions& options = {});

/// "Did you mean": what could make missing and unexpected keys meet.
struct Suggestions {
  enum class Why : std::uint8_t { similar_name, same_shape };
  struct Pair {
    std::string missing, unexpected;
    Why why;
    bool shapes_agree;
  };
  std::string strip_prefix;            ///< the checkpoint's keys carry it ("module."): StateDict::strip_prefix
  std::string add_prefix;              ///< they lack it: StateDict::add_prefix
  std::size_t prefix_matches = 0;      ///< missing keys that either of these would find
  std::vector<Pair> pairs;             ///< other missing keys, each with its nearest unexpected one; at most 100
  bool empty() const noexcept { return prefix_matches == 0 && pairs.empty(); }
  /// One line for each, escaped; empty when there is none.
  BRINE_API std::string to_string() const;
};

/// Looks for a prefix first, then for the nearest name, or the only key of the same shape. The cost is bounded, whatever the keys.
BRINE_API Suggestions suggest(const Parameters& model, const StateDict& state, const LoadReport& report);

}  // namespace brine
