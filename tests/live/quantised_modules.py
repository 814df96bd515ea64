# SPDX-License-Identifier: MIT
"""Quantised models whose state dict brine gives as PyTorch does: KINDS, by name functions that make one, for the engine that is set."""
import copy
import warnings

import torch
from torch import nn

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])


def ao():
    import torch.ao.quantization as quantization
    return quantization


def nnq():
    import torch.ao.nn.quantized as module
    return module


def dynamic():
    import torch.ao.nn.quantized.dynamic as module
    return module


def reference():
    import torch.ao.nn.quantized.reference as module
    return module


def fused():
    try: import torch.ao.nn.intrinsic.quantized as module
    except ImportError: import torch.nn.intrinsic.quantized as module
    return module


def fused_dynamic():
    try: import torch.ao.nn.intrinsic.quantized.dynamic as module
    except ImportError: import torch.nn.intrinsic.quantized.dynamic as module
    return module


class Net(nn.Module):
    """What eager quantisation can do: a quantised region, layers that are fused, a sum."""
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = ao().QuantStub(), ao().DeQuantStub()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2, bias=False), nn.BatchNorm2d(4))
        self.down = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Hardswish(), nn.LeakyReLU(), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True))
        self.head = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.LayerNorm(3), nn.Linear(3, 2))
        self.sum = nnq().FloatFunctional()
        self.register_buffer('steps', torch.tensor(7))

    def forward(self, x):
        x = self.body(self.quant(x))
        x = self.sum.add(x, self.down(x)).mean([2, 3])
        return self.dequant(self.head(x))


def fuse(net, qat=False):
    names = [['body.0', 'body.1', 'body.2'], ['body.3', 'body.4'], ['head.0', 'head.1']]
    return (ao().fuse_modules_qat if qat else ao().fuse_modules)(net, names)


def without_recipe(net):
    """What prepare() left in it cannot be pickled: functions of its own."""
    for module in net.modules():
        for name in [name for name in module.__dict__ if 'qconfig' in name or name == 'meta']: del module.__dict__[name]
    return net


def calibrated():
    net = fuse(Net().eval())
    net.qconfig = ao().get_default_qconfig(torch.backends.quantized.engine)
    ao().prepare(net, inplace=True)
    net(torch.randn(2, 1, 8, 8))
    return net


def prepared(): return without_recipe(calibrated())
def converted(): return ao().convert(calibrated())


def training(convert=False):
    net = fuse(Net().train(), qat=True)
    net.qconfig = ao().get_default_qat_qconfig(torch.backends.quantized.engine)
    ao().prepare_qat(net, inplace=True)
    net(torch.randn(2, 1, 8, 8))
    return ao().convert(net.eval()) if convert else without_recipe(net)


def quantised_dynamically():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.ModuleDict({'rnn': nn.LSTM(4, 3, num_layers=2, bidirectional=True), 'gru': nn.GRU(6, 2)}),
                        nn.LSTMCell(4, 3), nn.GRUCell(3, 3), nn.RNNCell(3, 3), nn.Linear(3, 2, bias=False))
    return ao().quantize_dynamic(net, {nn.Linear, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell})


def half_dynamically():
    return ao().quantize_dynamic(nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 3), nn.Linear(3, 2)), {nn.Linear, nn.LSTM}, dtype=torch.float16)


def embeddings():
    net = nn.Sequential(nn.Embedding(5, 8), nn.EmbeddingBag(6, 4), nn.Linear(4, 2))
    for part in net[:2]: part.qconfig = ao().float_qparams_weight_only_qconfig
    ao().prepare(net, inplace=True)
    return ao().convert(net)


def embeddings_of_four_bits():
    net = nn.Sequential(nn.EmbeddingBag(6, 4))
    net.qconfig = ao().float_qparams_weight_only_qconfig_4bit
    ao().prepare(net, inplace=True)
    return ao().convert(net)


class Small(nn.Module):
    """Layers, and functions of weights: what becomes of those are packed weights of the graph itself."""
    def __init__(self, functional=True):
        super().__init__()
        self.conv, self.norm, self.act, self.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Linear(4, 3)
        if functional: self.w, self.b, self.kernel, self.c = (nn.Parameter(torch.randn(*size)) for size in ((2, 3), (2,), (4, 4, 1, 1), (4,)))

    def forward(self, x):
        x = self.act(self.norm(self.conv(x)))
        if hasattr(self, 'w'): x = nn.functional.conv2d(x, self.kernel, self.c, (1, 1), (0, 0), (1, 1), 1)
        x = self.fc(x.mean([2, 3]))
        return nn.functional.linear(x, self.w, self.b) if hasattr(self, 'w') else x


def by_graph(net, qat=False, convert=True, reference=False):
    from torch.ao.quantization import quantize_fx
    engine, x = torch.backends.quantized.engine, torch.randn(2, 1, 8, 8)
    if qat: net = quantize_fx.prepare_qat_fx(net.train(), ao().get_default_qat_qconfig_mapping(engine), (x,))
    else: net = quantize_fx.prepare_fx(net.eval(), ao().get_default_qconfig_mapping(engine), (x,))
    net(x)
    if reference: return quantize_fx.convert_to_reference_fx(net.eval())
    return quantize_fx.convert_fx(net.eval()) if convert else without_recipe(net)


def reference_cells():
    cells = reference().RNNCell(2, 3, True), reference().LSTMCell(2, 3, True), reference().GRUCell(2, 3, True), reference().LSTM(2, 3)
    return nn.Sequential(*cells)


def per_channel_reference():
    scales, zeros = torch.tensor([.1, .2]), torch.tensor([0, 1])
    params = {'qscheme': torch.per_channel_affine, 'dtype': torch.qint8, 'scale': scales, 'zero_point': zeros, 'axis': torch.tensor(0)}
    return nn.Sequential(reference().Linear(3, 2, weight_qparams=params), reference().Conv2d(2, 2, 1, weight_qparams=params))


def observers():
    q = ao()
    kinds = [q.MinMaxObserver, q.MovingAverageMinMaxObserver, q.PerChannelMinMaxObserver, q.MovingAveragePerChannelMinMaxObserver,
             q.HistogramObserver, q.PlaceholderObserver, q.NoopObserver, q.RecordingObserver]
    net = nn.ModuleList([kind() for kind in kinds] + [q.HistogramObserver()])
    for part in net[:5]: part(torch.randn(3, 4))
    return net


def fake_quantisers():
    q = ao()
    channel = q.FakeQuantize.with_args(observer=q.MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127, dtype=torch.qint8,
                                       qscheme=torch.per_channel_symmetric)()
    net = nn.ModuleList([q.FakeQuantize(), channel, q.FusedMovingAvgObsFakeQuantize(), q.default_weight_fake_quant(), q.FakeQuantize()])
    for part in net[:4]: part(torch.randn(3, 4))
    return net


def norms():
    q, one = nnq(), nn.Parameter(torch.ones(4))
    return nn.Sequential(q.BatchNorm2d(4), q.BatchNorm3d(4), q.LayerNorm(4, one, one, .5, 3), q.GroupNorm(2, 4, one, one, .5, 3),
                         q.InstanceNorm1d(4, one, one, .5, 3), q.InstanceNorm2d(4, one, one, .5, 3), q.InstanceNorm3d(4, one, one, .5, 3))


def activations():
    q = nnq()
    return nn.Sequential(q.ReLU6(), q.Hardswish(.5, 1), q.ELU(.5, 1), q.LeakyReLU(.5, 1), q.Sigmoid(.5, 1), q.Softmax(0, .5, 1), q.PReLU(.5, 1),
                         q.Quantize(.25, 128, torch.quint8), q.DeQuantize(), q.Dropout(), q.FloatFunctional(), q.FXFloatFunctional(), q.QFunctional())


def custom_module(kind):
    """LSTM and MultiheadAttention are converted as custom modules."""
    net = nn.Sequential(kind())
    net.qconfig = ao().get_default_qconfig(torch.backends.quantized.engine)
    ao().prepare(net, inplace=True)
    x = torch.randn(2, 3, 4)
    net(x) if kind is not attention else net[0](x, x, x)
    return ao().convert(net)


def lstm(): return nn.LSTM(4, 3)
def attention(): return nn.MultiheadAttention(4, 2)


def shared():
    inner = nnq().Linear(2, 2)
    return nn.ModuleDict({'a': inner, 'b': inner, 'c': nn.Sequential(inner, nn.Linear(2, 2))})


def with_parameter():
    """A bias that is a Parameter stays one."""
    net = nn.Sequential(nnq().Linear(3, 2), nnq().Conv2d(1, 2, 3))
    net[0].set_weight_bias(net[0].weight(), nn.Parameter(torch.ones(2)))
    net[1].set_weight_bias(net[1].weight(), nn.Parameter(torch.ones(2)))
    return net


class Mine(nn.Module):
    """A class of the writer's own with quantised parts."""
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))
        self.q = nnq().QFunctional()
        self.fc = nnq().Linear(2, 3)
        self.fc.scale, self.fc.zero_point = 0.1, 77
        self.norm = nn.BatchNorm1d(3)


class MyLinear(torch.ao.nn.quantized.Linear):
    pass


def vision(name):
    """torchvision's own quantize=True asks for one engine; this is what it does."""
    from torchvision.models import quantization
    net = getattr(quantization, name)(weights=None, quantize=False, **({'init_weights': False} if name in ('googlenet', 'inception_v3') else {})).eval()
    net.qconfig = ao().get_default_qconfig(torch.backends.quantized.engine)
    net.fuse_model(is_qat=False)
    ao().prepare(net, inplace=True)
    net(torch.rand(1, 3, 64, 64))
    return ao().convert(net, inplace=True)


KINDS = {
    'linear': lambda: nnq().Linear(3, 2), 'linear_no_bias': lambda: nn.Sequential(nnq().Linear(3, 2, bias_=False)),
    'linear_packed': lambda: nnq().Linear(3, 2)._packed_params,
    'linear_fused': lambda: nn.Sequential(fused().LinearReLU(3, 2), fused().LinearLeakyReLU(3, 2, .1), fused().LinearTanh(3, 2)),
    'conv': lambda: nnq().Conv2d(2, 4, 3),
    'convs': lambda: nn.Sequential(nnq().Conv1d(2, 4, 3), nnq().Conv2d(2, 4, (3, 1), groups=2), nnq().Conv3d(1, 2, 2, bias=False)),
    'conv_fused': lambda: nn.Sequential(fused().ConvReLU1d(2, 4, 3), fused().ConvReLU2d(2, 4, 3), fused().ConvReLU3d(2, 4, 3)),
    'conv_added': lambda: nn.Sequential(fused().ConvAdd2d(2, 4, 3), fused().ConvAddReLU2d(2, 4, 3)),
    'conv_transpose': lambda: nn.Sequential(nnq().ConvTranspose1d(2, 4, 3), nnq().ConvTranspose2d(2, 4, 3)),
    'conv_transpose3d': lambda: nnq().ConvTranspose3d(2, 4, 3),
    'conv_dynamic': lambda: nn.Sequential(dynamic().Conv1d(2, 4, 3), dynamic().Conv2d(2, 4, 3), dynamic().Conv3d(2, 4, 3),
                                          dynamic().ConvTranspose1d(2, 4, 3), dynamic().ConvTranspose2d(2, 4, 3)),
    'linear_dynamic': lambda: nn.Sequential(dynamic().Linear(3, 2), fused_dynamic().LinearReLU(3, 2)),
    'linear_half': lambda: dynamic().Linear(3, 2, dtype=torch.float16),
    'lstm_dynamic': lambda: dynamic().LSTM(3, 2, num_layers=2, bidirectional=True), 'gru_dynamic': lambda: nn.Sequential(dynamic().GRU(3, 2)),
    'lstm_half': lambda: dynamic().LSTM(3, 2, dtype=torch.float16),
    'cells_dynamic': lambda: nn.Sequential(dynamic().LSTMCell(3, 2), dynamic().GRUCell(3, 2), dynamic().RNNCell(3, 2)),
    'cells_half': lambda: nn.Sequential(dynamic().LSTMCell(3, 2, dtype=torch.float16), dynamic().GRUCell(3, 2, dtype=torch.float16)),
    'embedding': lambda: nn.Sequential(nnq().Embedding(5, 8), nnq().EmbeddingBag(5, 8)), 'embedding_packed': lambda: nnq().Embedding(5, 8)._packed_params,
    'embeddings': embeddings, 'embeddings_4bit': embeddings_of_four_bits,
    'norms': norms, 'activations': activations, 'bn_relu': lambda: nn.Sequential(fused().BNReLU2d(3), fused().BNReLU3d(3)),
    'functional': lambda: nnq().QFunctional(), 'observers': observers, 'fake_quantisers': fake_quantisers,
    'reference': lambda: nn.Sequential(reference().Linear(3, 2), reference().Conv1d(2, 2, 1), reference().Conv2d(2, 2, 1), reference().Conv3d(2, 2, 1),
                                       reference().ConvTranspose1d(2, 2, 1), reference().ConvTranspose2d(2, 2, 1), reference().ConvTranspose3d(2, 2, 1),
                                       reference().Embedding(3, 2), reference().EmbeddingBag(3, 2)),
    'reference_channel': per_channel_reference, 'reference_cells': reference_cells,
    'prepared': prepared, 'converted': converted, 'trained': training, 'trained_converted': lambda: training(True),
    'dynamically': quantised_dynamically, 'dynamically_half': half_dynamically, 'custom_lstm': lambda: custom_module(lstm),
    'custom_attention': lambda: custom_module(attention), 'shared': shared, 'parameter': with_parameter, 'own_class': Mine,
    'copied': lambda: copy.deepcopy(Mine()), 'in_checkpoint': lambda: {'epoch': 3, 'model': Mine()}, 'subclass': lambda: nn.Sequential(MyLinear(3, 2)),
    'graph_prepared': lambda: by_graph(Small(False), convert=False), 'graph': lambda: by_graph(Small()), 'graph_layers': lambda: by_graph(Small(False)),
    'graph_reference': lambda: by_graph(Small(), reference=True), 'graph_trained': lambda: by_graph(Small(), qat=True),
    'graph_in_own': lambda: nn.Sequential(by_graph(Small()), nn.PReLU()),
}

# Real models; with one engine, as they take their time.
VISION = {f'vision_{name}': lambda name=name: vision(name) for name in ('resnet18', 'mobilenet_v2', 'mobilenet_v3_large', 'googlenet', 'shufflenet_v2_x0_5')}

# Their packed weights are blocks, of which only their code makes a tensor again.
REFUSED = {
    'sparse': lambda: torch.ao.nn.sparse.quantized.Linear(8, 8, 1, 4),
    'sparse_dynamic': lambda: nn.Sequential(nn.Linear(2, 2), torch.ao.nn.sparse.quantized.dynamic.Linear(8, 8, 1, 4)),
}
