// SPDX-License-Identifier: MIT
// Parameters: the target of load_state_dict — a model as its names, shapes and memory tell it.
//
//   brine::Parameters mine;
//   mine.add("fc.weight", std::span(w), {10, 4});
//   mine.add_buffer("bn.running_mean", std::span(mean), {64});
#pragma once

#include <brine/shape.hpp>
#include <brine/state_dict.hpp>

#include <cstddef>
#include <cstdint>
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
  bool buffer = false;               ///< of add_meta and add_lazy: a buffer, no parameter. add_buffer() says it by itself
};

/// Modules whose loader differs from nn.Module's; `none` is a child that is None: whatever is below it is passed over.
enum class ModuleKind : std::uint8_t { plain, batch_norm, instance_norm, none };

/// torch.nn.utils.spectral_norm on a parameter X, whose entries are X_orig, X_u and X_v. (parametrizations.spectral_norm needs no word.)
struct SpectralNorm {
  std::string name = "weight";  ///< X
  std::int64_t dim = 0;         ///< of the outputs; PyTorch's default is 1 for ConvTranspose1d to 3d
};

/// What PyTorch's rules ask of a module. Other classes of torch.nn have no rule for load_state_dict.
struct ModuleOptions {
  ModuleKind kind = ModuleKind::plain;    ///< batch_norm: BatchNorm1d to 3d and SyncBatchNorm
  std::string class_name = {};             ///< "InstanceNorm2d": named in that kind's message
  std::optional<bool> track_running_stats = {}; ///< of the norms; unset is PyTorch's default: true for batch_norm, false for instance_norm
  bool extra_state = false;               ///< the class has set_extra_state: `_extra_state` is expected, and the report says where it is
  /// Weights from before its version 1 have X, X_orig and X_u: X_v is made of them, if all three are float32 or float64.
  std::vector<SpectralNorm> spectral_norm = {};
  /// Parameters X under parametrizations.weight_norm: X_g and X_v, as the older weight_norm saves them, are taken for
  /// parametrizations.X.original0 and original1. Of a module that is not described, names tell.
  std::vector<std::string> weight_norm = {};
};

/// The target of load_state_dict: the caller's memory, by name, as mutable views. Only load_state_dict writes to it.
///
/// Names are a state dict's: "layer1.0.bn1.weight". The module tree is made of their dotted parts, in order of appearance; module() adds
/// what names do not tell (children without parameters, kinds, extra state, hooks). Within a module parameters come before buffers, each in
/// the order in which they were added: that is the order of missing_keys. A parameter or buffer that is None is simply not added. A module
/// that was not described and has running_mean, running_var and num_batches_tracked is taken for a BatchNorm.
///
/// Borrows: all memory it was given must outlive the last load_state_dict into it. A fault of an add (negative size, memory too small, a
/// name given twice) or alias is kept, and load_state_dict fails with it; fault() tells at once. Not thread-safe.
class BRINE_API Parameters {
 public:
  Parameters();
  ~Parameters();
  Parameters(Parameters&&) noexcept;
  Parameters& operator=(Parameters&&) noexcept;

  /// A parameter. `data` holds exactly the shape's elements, or with strides, at least up to the last one.
  template <class T, std::size_t N>
    requires(!std::is_const_v<T>)
  void add(std::string_view name, std::span<T, N> data, Shape shape, const EntryOptions& options = {}) {
    add(name, dtype_of<T>::value, std::as_writable_bytes(data), shape, options);
  }
  void add(std::string_view name, DType dtype, std::span<std::byte> bytes, Shape shape, const EntryOptions& options = {}) {
    put(name, dtype, bytes, shape, options, Memory::caller);
  }

  /// A buffer (running_mean, num_batches_tracked …).
  template <class T, std::size_t N>
    requires(!std::is_const_v<T>)
  void add_buffer(std::string_view name, std::span<T, N> data, Shape shape, const EntryOptions& options = {}) {
    add_buffer(name, dtype_of<T>::value, std::as_writable_bytes(data), shape, options);
  }
  void add_buffer(std::string_view name, DType dtype, std::span<std::byte> bytes, Shape shape, EntryOptions options = {}) {
    options.buffer = true;
    put(name, dtype, bytes, shape, options, Memory::caller);
  }

  /// A parameter without memory, as one on PyTorch's meta device: checked as any, filled by `assign` only.
  void add_meta(std::string_view name, DType dtype, Shape shape, const EntryOptions& options = {}) {
    put(name, dtype, {}, shape, options, Memory::none);
  }

  /// A parameter without a shape, as the UninitializedParameter and UninitializedBuffer of PyTorch's lazy modules: the first load gives it
  /// the checkpoint's shape, and memory of its own in this dtype. assigned() hands that out as a Tensor that keeps it alive, entry() as
  /// bytes to be written to. From then on the shape stays, and later loads write into the same memory.
  void add_lazy(std::string_view name, DType dtype, const EntryOptions& options = {}) { put(name, dtype, {}, {}, options, Memory::lazy); }

  /// Describes a module; "" is the root. Its ancestors are made where they are not there yet.
  void module(std::string_view name, const ModuleOptions& options = {});

  /// The module `name` is the module `of` once more, as after `self.c = self.a`: its keys are expected under both names, and both names
  /// have the same entries, so that the last tensor wins, with `assign` too. `of` must be complete, and `name` be new and not inside it.
  void alias(std::string_view name, std::string_view of);

  /// Meta entries with the names, dtypes and shapes of a state dict, and the modules that its `_metadata` names: a model of which only
  /// weights are known. Of a module that was saved whole also what else it tells: buffers, requires_grad, torch's own norms, old
  /// spectral_norm, children that are None, modules under several names, and lazy entries (float32, as torch.load makes them).
  static Parameters like(const StateDict& state);

  std::size_t size() const noexcept;
  bool contains(std::string_view name) const noexcept;

  /// One entry. The views are valid until an entry is added; of a lazy one, until the next load_state_dict.
  struct Entry {
    std::string_view name;
    DType dtype;
    std::span<std::byte> bytes;  ///< empty for a meta entry, and for a lazy one that has taken no tensor
    std::span<const std::int64_t> shape, stride;
    bool buffer, meta;
    bool lazy;                   ///< without a shape as yet
  };
  /// In the order in which they were added.
  Entry entry(std::size_t index) const&;
  Entry entry(std::size_t index) && = delete;

  /// What load_state_dict gave this entry that is not the caller's memory, or null. With `assign`: the checkpoint's own tensor, with its
  /// dtype and strides. Of a lazy entry: the tensor that was made. The handle may outlive this.
  const Tensor* assigned(std::string_view name) const& noexcept;
  const Tensor* assigned(std::string_view name) && = delete;

  /// The first fault of an add, an alias or like(), or null.
  const Error* fault() const& noexcept;
  const Error* fault() && = delete;

  struct Impl;

 private:
  friend struct ParametersAccess;
  enum class Memory : std::uint8_t { caller, none, lazy };
  void put(std::string_view name, DType dtype, std::span<std::byte> bytes, Shape shape, const EntryOptions& options, Memory memory);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brine
