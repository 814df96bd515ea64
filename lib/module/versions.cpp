// SPDX-License-Identifier: MIT
// What only the class knows: `_version` where it is above 1. Source: PyTorch 2.13 and torchvision 0.14.
#include "module/module.hpp"

#include <algorithm>
#include <string_view>

namespace brine {

namespace {

struct Row {
  std::string_view name;  // last part of the class name
  std::int64_t version;
};
// Of torch's own modules, sorted.
constexpr Row kTorch[] = {
    {"BNReLU2d", 2}, {"BNReLU3d", 2}, {"BatchNorm1d", 2}, {"BatchNorm2d", 2}, {"BatchNorm3d", 2}, {"ConvBn1d", 2}, {"ConvBn2d", 2}, {"ConvBn3d", 2},
    {"ConvBnReLU1d", 2}, {"ConvBnReLU2d", 2}, {"ConvBnReLU3d", 2}, {"GRU", 2}, {"HistogramObserver", 3}, {"InstanceNorm1d", 2}, {"InstanceNorm2d", 2},
    {"InstanceNorm3d", 2}, {"LSTM", 2}, {"LazyBatchNorm1d", 2}, {"LazyBatchNorm2d", 2}, {"LazyBatchNorm3d", 2}, {"LazyInstanceNorm1d", 2},
    {"LazyInstanceNorm2d", 2}, {"LazyInstanceNorm3d", 2}, {"Linear", 3}, {"LinearLeakyReLU", 3}, {"LinearPackedParams", 3}, {"LinearReLU", 3},
    {"LinearTanh", 3}, {"MinMaxObserver", 3}, {"MovingAverageMinMaxObserver", 3}, {"MovingAveragePerChannelMinMaxObserver", 3},
    {"PerChannelMinMaxObserver", 3}, {"SyncBatchNorm", 2},
};
constexpr std::string_view kTorchvision[] = {"FeaturePyramidNetwork", "IntermediateLayerGetter", "MLPBlock", "MNASNet", "MaskRCNNHeads",
                                             "QuantizableSqueezeExcitation", "RPNHead", "RetinaNetClassificationHead", "RetinaNetRegressionHead", "_DenseBlock"};

}  // namespace

std::int64_t module_version(std::string_view qualified_class) noexcept {
  const auto dot = qualified_class.rfind('.');
  const std::string_view module = dot == std::string_view::npos ? std::string_view() : qualified_class.substr(0, dot);
  const std::string_view name = dot == std::string_view::npos ? qualified_class : qualified_class.substr(dot + 1);
  if (module.starts_with("torchvision.")) return std::binary_search(std::begin(kTorchvision), std::end(kTorchvision), name) ? 2 : 1;
  if (!module.starts_with("torch.")) return 1;
  const auto at = std::lower_bound(std::begin(kTorch), std::end(kTorch), name, [](const Row& row, std::string_view n) { return row.name < n; });
  if (at == std::end(kTorch) || at->name != name) return 1;
  // Linear, LSTM and GRU have a version only as quantised modules; the dynamic ones are a version further.
  if (module.find(".sparse.") != std::string_view::npos || module.find("reference") != std::string_view::npos) return 1;
  const bool quantised = module.find("quantized") != std::string_view::npos, dynamic = module.find("dynamic") != std::string_view::npos;
  if (name == "LSTM" || name == "GRU") return quantised && dynamic ? 2 : 1;
  if (name == "Linear" || name == "LinearReLU") return !quantised ? 1 : module.find(".qat.") != std::string_view::npos ? 1 : dynamic ? 4 : 3;
  if (name.starts_with("ConvBn")) return module.find("qat") != std::string_view::npos ? 2 : 1;
  return at->version;
}

}  // namespace brine
