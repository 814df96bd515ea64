// SPDX-License-Identifier: MIT
// What PyTorch prints between the parentheses, class by class. Source: extra_repr(), __repr__() and _get_name() of PyTorch 2.13 and torchvision 0.14.
#include "inspect/module_repr.hpp"
#include "support/text.hpp"

#include <span>

namespace brine {

namespace {

// A word for each argument:
//   x       the value of the attribute x        x=      "x=" before it               x=r     its repr, where that is another text: 'zeros'
//   ?x      "x=True" unless x is None           *x      "x=True" if x is true        #x      the first size of the tensor x
//   x!V     left out when x equals V: a number (a tuple: all of its items), None, True, False, or a text
//   x~V     V when the file has no x, as __setstate__ gives it; without it the word is left out
//   @name   a text of its own, in module_arguments.cpp
//   x|y     y only where x is left out          a.x     x of the child a
struct Row {
  std::string_view classes, words;
};

constexpr Row kTorch[] = {
    {"Linear LazyLinear NonDynamicallyQuantizableLinear _LinearWithBias LinearReLU LinearBn1d", "in_features= out_features= ?bias"},
    {"Bilinear", "in1_features= in2_features= out_features= ?bias"},
    {"Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d "
     "LazyConvTranspose3d ConvBn1d ConvBn2d ConvBn3d ConvBnReLU1d ConvBnReLU2d ConvBnReLU3d ConvReLU1d ConvReLU2d ConvReLU3d",
     "in_channels out_channels kernel_size= stride= padding=!0 dilation=!1 output_padding=!0 groups=!1 ?bias!True padding_mode=!zeros"},
    {"BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d "
     "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
     "num_features eps= momentum= affine= ?bias track_running_stats="},
    {"LayerNorm", "normalized_shape eps= elementwise_affine= ?bias"},
    {"RMSNorm", "normalized_shape eps= elementwise_affine="},
    {"GroupNorm", "num_groups num_channels eps= affine= ?bias"},
    {"LocalResponseNorm CrossMapLRN2d", "size alpha= beta= k="},
    {"Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout", "p= inplace="},
    {"ReLU ReLU6 SiLU Mish SELU", "*inplace"},
    {"Threshold", "threshold= value= *inplace"},
    {"RReLU", "lower= upper= *inplace"},
    {"Hardtanh", "min_val= max_val= *inplace"},
    {"LeakyReLU", "negative_slope= *inplace"},
    {"ELU CELU", "alpha= *inplace"},
    {"GELU", "approximate=r"},
    {"Hardshrink Softshrink", "lambd"},
    {"Softplus", "beta= threshold="},
    {"PReLU", "num_parameters="},
    {"Softmax LogSoftmax Softmin", "dim=~None"},
    {"GLU", "dim="},
    {"MaxPool1d MaxPool2d MaxPool3d", "kernel_size= stride= padding= dilation= ceil_mode="},
    {"AvgPool1d AvgPool2d AvgPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d", "kernel_size= stride= padding=~0"},
    {"LPPool1d LPPool2d LPPool3d", "norm_type= kernel_size= stride= ceil_mode="},
    {"AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d", "output_size="},
    {"Embedding", "num_embeddings embedding_dim padding_idx=!None max_norm=!None norm_type=!2 scale_grad_by_freq=!False *sparse"},
    {"EmbeddingBag", "num_embeddings embedding_dim max_norm=!None norm_type=!2 scale_grad_by_freq=!False mode=r padding_idx=!None"},
    {"Flatten", "start_dim= end_dim="},
    {"Unflatten", "dim= unflattened_size="},
    {"Fold", "output_size= kernel_size= dilation= padding= stride="},
    {"Unfold", "kernel_size= dilation= padding= stride="},
    {"ConstantPad1d ConstantPad2d ConstantPad3d", "padding= value="},
    {"ZeroPad1d ZeroPad2d ZeroPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d CircularPad1d "
     "CircularPad2d CircularPad3d",
     "padding"},
    {"Upsample UpsamplingNearest2d UpsamplingBilinear2d", "scale_factor=r!None|size=r mode=r"},
    {"PixelShuffle", "upscale_factor="},
    {"PixelUnshuffle", "downscale_factor="},
    {"ChannelShuffle", "groups="},
    {"RNN LSTM GRU RNNBase", "input_size hidden_size proj_size=!0 num_layers=!1 bias=!True batch_first=!False dropout=!0 bidirectional=!False"},
    {"LSTMCell GRUCell RNNCell", "input_size hidden_size bias=!True nonlinearity=!tanh"},
    {"ParameterList", "@list"},
    {"ParameterDict", "@dict"},
    {"LinearCrossEntropyLoss",
     "linear.in_features= num_classes= out_features= ?linear.bias reduction= ignore_index= label_smoothing= options="},
};

constexpr Row kQuantised[] = {
    {"Linear LinearReLU LinearLeakyReLU LinearTanh", "in_features= out_features= scale= zero_point= qscheme="},
    {"Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d ConvReLU1d ConvReLU2d ConvReLU3d ConvAdd2d ConvAddReLU2d",
     "in_channels out_channels kernel_size= stride= scale= zero_point= padding=!0 dilation=!1 output_padding=!0 groups=!1 ?bias!True"},
    {"BNReLU2d BNReLU3d", "num_features eps= momentum= affine= ?bias track_running_stats="},
    {"Embedding EmbeddingBag", "num_embeddings= embedding_dim= _packed_params.dtype= qscheme="},
    {"QFunctional", "scale= zero_point="},
    {"Quantize", "dtype="},  // and two tensors of one element
    {"ReLU6", "*inplace"},
    {"LSTM MultiheadAttention PReLU", ""},
};
constexpr Row kDynamic[] = {
    {"LSTM GRU", "input_size hidden_size num_layers=!1 bias=!True batch_first=!False dropout=!0 bidirectional=!False"},
    {"Linear LinearReLU", "in_features= out_features= _packed_params.dtype= qscheme="},
};

constexpr Row kVision[] = {
    {"Conv3DSimple Conv3DNoTemporal", "in_channels out_channels kernel_size= stride= padding=!0 dilation=!1 output_padding=!0 groups=!1 ?bias!True padding_mode=!zeros"},
    {"DeformConv2d", "in_channels out_channels kernel_size= stride= padding=!0 dilation=!1 groups=!1 ?bias!True"},
    {"LayerNorm2d", "normalized_shape eps= elementwise_affine= ?bias"},
    {"FrozenBatchNorm2d", "#weight eps="},
    {"StochasticDepth", "p= mode="},
    {"DropBlock2d DropBlock3d", "p= block_size= inplace="},
    {"RoIAlign", "output_size= spatial_scale= sampling_ratio= aligned="},
    {"PSRoIAlign", "output_size= spatial_scale= sampling_ratio="},
    {"RoIPool PSRoIPool", "output_size= spatial_scale="},
    {"MultiScaleRoIAlign", "featmap_names= output_size= sampling_ratio="},
    {"DefaultBoxGenerator", "aspect_ratios= clip= scales= steps="},
    {"GeneralizedRCNNTransform", "@rcnn"},
};

constexpr Row kObservers[] = {{"PlaceholderObserver", "dtype= is_dynamic="}};

// By the class's module: what stands before and behind its name, and the rows. The first that fits.
struct Family {
  std::string_view part, before, behind;
  std::span<const Row> rows[3] = {};
};
constexpr Family kFamilies[] = {
    {"torch.nn.modules.", "", "", {kTorch}},
    {"torchvision.", "", "", {kVision}},
    {".quantized.reference.", "Quantized", "(Reference)", {kTorch}},
    {".sparse.quantized.", "", ""},
    {".quantized.dynamic.", "DynamicQuantized", "", {kDynamic, kQuantised, kTorch}},
    {".quantized.", "Quantized", "", {kQuantised, kTorch}},
    {".qat.", "", "", {kTorch}},
    {".quantization.", "", "", {kObservers}},
};
// Quantised classes that keep their own name.
constexpr std::string_view kOwnName = "QFunctional FloatFunctional FXFloatFunctional Quantize DeQuantize Sigmoid LinearPackedParams EmbeddingPackedParams PackedParameter";

bool has_name(std::string_view names, std::string_view name) noexcept {
  for (std::size_t at = 0; (at = names.find(name, at)) != std::string_view::npos; at += name.size())
    if ((at == 0 || names[at - 1] == ' ') && (at + name.size() == names.size() || names[at + name.size()] == ' ')) return true;
  return false;
}

}  // namespace

ClassText class_text(const GlobalName& cls) {
  const std::string_view name = cls.name.substr(cls.name.rfind('.') + 1).substr(0, 1000), module = cls.module.substr(0, 200);
  ClassText out{std::string(name), {}};
  if (name.empty() || !module.starts_with("torch")) return out;
  for (const Family& family : kFamilies) {
    const auto at = (std::string(module) + ".").find(family.part);
    if (at == std::string_view::npos || (at > 0 && !family.part.starts_with('.'))) continue;
    if (!has_name(kOwnName, name)) out.name = concat({family.before, name, family.behind});
    for (const auto rows : family.rows)
      for (const Row& row : rows)
        if (has_name(row.classes, name)) return out.words = row.words, out;
    return out;
  }
  return out;
}

}  // namespace brine
