// SPDX-License-Identifier: MIT
// The names of PyTorch that build data: the rebuild functions, Parameter and Variable, the tensor classes of the first releases, Size, device,
// layout, dtypes. Everything else of torch.* stays an inert object.
#pragma once

#include "pickle/calls.hpp"
#include "tensor/layout.hpp"
#include "torch/persistent_ids.hpp"
#include "torch/storages.hpp"

#include <optional>

namespace brine {

/// The numbers of torch's names; dtypes and storage classes follow, each with its DType added.
enum class TorchCall : std::uint16_t {
  rebuild_tensor = kFirstForeign, rebuild_tensor_v2, rebuild_tensor_v3, rebuild_parameter, rebuild_parameter_with_state, rebuild_from_type,
  rebuild_quantised, rebuild_sparse, rebuild_sparse_csr, rebuild_meta, rebuild_nested, device_tensor,
  parameter, variable, tensor_class, size, device, layout,
  per_tensor_affine, per_channel_affine,  // objects, one each; never called
};
inline constexpr std::uint16_t kFirstDtype = 256, kFirstStorage = 512, kFirstCudaStorage = 768, kUntypedStorage = 1024;
static_assert(kFirstDtype == kFirstValue && kFirstStorage == kEndValue);

class TorchCalls final : public Calls {
 public:
  /// All are borrowed and must live as long as the graphs that are made with it.
  TorchCalls(Storages& storages, const Limits& limits, const PersistentIds& ids) : storages_(storages), limits_(limits), ids_(ids) {}

  std::uint16_t known(std::string_view module, std::string_view name) const override;
  bool is_class(std::uint16_t known) const override;
  Called call(const CallSite& site, const Ref& callee, const Ref& args) override;
  Called persistent(Graph& graph, const Ref& id) override;
  Result<void> build(Graph& graph, const Ref& tensor, const Ref& state) override;

  /// The ids ('module', class, source file, source text) of a legacy stream, in its order.
  std::span<const Ref> class_ids() const noexcept { return class_ids_; }

 private:
  Called rebuild_tensor(const CallSite& site, const Ref& callee, const Ref& args, TensorForm form);
  Called rebuild_parameter(const CallSite& site, const Ref& callee, const Ref& args, bool with_state);
  // rebuild_kinds.cpp, rebuild_device.cpp
  Called rebuild_quantised(const CallSite& site, const Ref& callee, const Ref& args);
  Called rebuild_sparse(const CallSite& site, const Ref& callee, const Ref& args);
  Called rebuild_meta(const CallSite& site, const Ref& callee, const Ref& args);
  Called rebuild_nested(const CallSite& site, const Ref& callee, const Ref& args);
  Called device_tensor(const CallSite& site, const Ref& callee, const Ref& args);
  Result<bool> from_numpy(Graph& graph, const Ref& array, DType dtype, std::string_view device, TensorRecord& record);
  Called keep_with_call(const CallSite& site, const Ref& callee, const Ref& args, TensorRecord& record, const Ref& requires_grad);
  Result<const TensorRecord*> numbers(Graph& graph, const Ref& list, DType dtype);
  Called rebuild_from_type(const CallSite& site, const Ref& callee, const Ref& args);
  Called parameter_class(const CallSite& site, const Ref& callee, const Ref& args, bool parameter);
  Called tensor_class(const CallSite& site, const Ref& callee, const Ref& args);
  Called marked_tuple(const CallSite& site, const Ref& callee, const Ref& args, Made made);
  struct Dims {  // sizes, then strides, of a tensor that is being checked
    static constexpr std::size_t kMax = 255;
    std::int64_t values[2 * kMax];
  };
  Result<std::size_t> sizes(Dims& dims, const Ref& size, const Ref* stride) const;
  Result<void> place(TensorRecord& record, Dims& dims, std::span<const Ref> storage_offset_size_stride, std::optional<DType> dtype, bool packs = false);
  Called keep(Graph& graph, const TensorRecord& record, const Origin* origin);
  Error spent() const;

  Storages& storages_;
  const Limits& limits_;
  const PersistentIds& ids_;
  std::vector<Ref> class_ids_;
};

/// The dtype a global names (torch.float32), or nothing.
std::optional<DType> dtype_of_global(const Ref& value) noexcept;

}  // namespace brine
