// SPDX-License-Identifier: MIT
// Source: extra_repr() in torch/nn/modules/*.py of 1.13; later ones add bias=… to the normalisations, and shorten equal modules in a list.
#include "state/module_repr.hpp"

#include "graph/walk.hpp"
#include "state/module.hpp"
#include "support/text.hpp"

#include <string_view>

namespace brine {

namespace {

// One template for each class. {x} is the attribute x; a part in <…> is left out when its first attribute has the value behind the '!'
// (several: any of them); {?x} is whether the parameter x is there.
struct Row {
  std::string_view names, text;
};
constexpr Row kRows[] = {
    {"Linear LazyLinear NonDynamicallyQuantizableLinear", "in_features={in_features}, out_features={out_features}, bias={?bias}"},
    {"Bilinear", "in1_features={in1_features}, in2_features={in2_features}, out_features={out_features}, bias={?bias}"},
    {"Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
     "{in_channels}, {out_channels}, kernel_size={kernel_size}, stride={stride}<{padding}!(0,)!(0, 0)!(0, 0, 0)|, padding={padding:s}>"
     "<{dilation}!(1,)!(1, 1)!(1, 1, 1)|, dilation={dilation}><{output_padding}!(0,)!(0, 0)!(0, 0, 0)|, output_padding={output_padding}>"
     "<{groups}!1|, groups={groups}><{?bias}!True|, bias=False><{padding_mode}!'zeros'|, padding_mode={padding_mode:s}>"},
    {"BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d",
     "{num_features}, eps={eps}, momentum={momentum}, affine={affine}, track_running_stats={track_running_stats}"},
    {"LayerNorm", "{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}"},
    {"GroupNorm", "{num_groups}, {num_channels}, eps={eps}, affine={affine}"},
    {"Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout", "p={p}, inplace={inplace}"},
    {"ReLU ReLU6 Hardswish SiLU Mish SELU Hardsigmoid", "<{inplace}!False!absent|inplace=True>"},
    {"LeakyReLU", "negative_slope={negative_slope}<{inplace}!False|, inplace=True>"},
    {"ELU CELU", "alpha={alpha}<{inplace}!False|, inplace=True>"},
    {"GELU", "approximate={approximate}"},
    {"PReLU", "num_parameters={num_parameters}"},
    {"Softmax LogSoftmax Softmin GLU", "dim={dim}"},
    {"MaxPool1d MaxPool2d MaxPool3d", "kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil_mode}"},
    {"AvgPool1d AvgPool2d AvgPool3d", "kernel_size={kernel_size}, stride={stride}, padding={padding}"},
    {"AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d", "output_size={output_size}"},
    {"Embedding", "{num_embeddings}, {embedding_dim}<{padding_idx}!None|, padding_idx={padding_idx}><{max_norm}!None|, max_norm={max_norm}>"},
    {"Flatten", "start_dim={start_dim}, end_dim={end_dim}"},
    {"Unflatten", "dim={dim}, unflattened_size={unflattened_size}"},
    {"ZeroPad2d ReflectionPad1d ReflectionPad2d ReplicationPad2d", "{padding}"},
    {"Upsample UpsamplingNearest2d UpsamplingBilinear2d",
     "<{scale_factor}!None|scale_factor={scale_factor}><{size}!None|size={size}>, mode={mode}"},
    {"PixelShuffle", "upscale_factor={upscale_factor}"},
    {"RNN LSTM GRU",
     "{input_size}, {hidden_size}<{proj_size}!0!absent|, proj_size={proj_size}><{num_layers}!1|, num_layers={num_layers}><{bias}!True|, bias={bias}>"
     "<{batch_first}!False|, batch_first={batch_first}><{dropout}!0!0.0|, dropout={dropout}><{bidirectional}!False|, bidirectional={bidirectional}>"},
    {"LSTMCell GRUCell RNNCell", "{input_size}, {hidden_size}<{bias}!True|, bias={bias}>"},
};

bool has_name(std::string_view names, std::string_view name) noexcept {
  for (std::size_t at = 0; (at = names.find(name, at)) != std::string_view::npos; at += name.size())
    if ((at == 0 || names[at - 1] == ' ') && (at + name.size() == names.size() || names[at + name.size()] == ' ')) return true;
  return false;
}

class Template {
 public:
  Template(const Graph& graph, const Ref& module) : graph_(graph), module_(module) {}

  // A field's text: {x}, {?x}, {x:s}, its braces taken off.
  std::string field(std::string_view f) const {
    if (f.starts_with('?')) {
      const Ref parameters = module_part(graph_, module_, "_parameters");
      const Entry* e = parameters.kind == Kind::dict ? graph_.find(dict_of(parameters), f.substr(1)) : nullptr;
      return e && e->value.kind != Kind::none ? "True" : "False";
    }
    const bool plain = f.ends_with(":s");
    const Ref v = attribute(graph_, module_, plain ? f.substr(0, f.size() - 2) : f);
    if (v.kind == Kind::absent) return "absent";
    if (v.kind == Kind::string && !plain) return "'" + escaped(text_of(v), 80) + "'";
    return escaped(key_name(v), 80);
  }

  std::string fill(std::string_view text) const {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == '{') {
        const std::size_t close = text.find('}', i);
        out += field(text.substr(i + 1, close - i - 1));
        i = close + 1;
      } else if (text[i] == '<') {
        const std::size_t close = text.find('>', i), bar = text.find('|', i);
        if (shown(text.substr(i + 1, bar - i - 1))) out += fill(text.substr(bar + 1, close - bar - 1));  // parts do not nest
        i = close + 1;
      } else {
        out += text[i++];
      }
    }
    return out;
  }

 private:
  bool shown(std::string_view condition) const {
    const std::size_t first = condition.find('!');
    const std::string value = fill(condition.substr(0, first));
    for (std::size_t at = first; at != std::string_view::npos;) {
      const std::size_t next = condition.find('!', at + 1);
      if (condition.substr(at + 1, next == std::string_view::npos ? next : next - at - 1) == value) return false;
      at = next;
    }
    return true;
  }

  const Graph& graph_;
  const Ref& module_;
};

}  // namespace

std::string module_arguments(const Graph& graph, const Ref& module) {
  const std::string full = qualified_class_name(module), name = class_name(module);
  if (!full.starts_with("torch.nn.")) return {};
  for (const Row& row : kRows)
    if (has_name(row.names, name)) return Template(graph, module).fill(row.text);
  return {};
}

}  // namespace brine
