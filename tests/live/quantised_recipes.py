# SPDX-License-Identifier: MIT
"""More quantised models, each as one recipe makes it of one network: RECIPES, by name functions that make one, for the engine that is set."""
import torch
from torch import nn
from torch.nn.utils import prune

from quantised_modules import ao, dynamic, nnq, without_recipe
from sparse_modules import GraphConv, Holder, SparseLinear


class Region(nn.Module):
    """A network between a quantising and a dequantising stub."""
    def __init__(self, *layers):
        super().__init__()
        self.quant, self.body, self.dequant = ao().QuantStub(), nn.Sequential(*layers), ao().DeQuantStub()

    def forward(self, x): return self.dequant(self.body(self.quant(x)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.add = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nnq().FloatFunctional()

    def forward(self, x): return self.add.add_relu(x, self.norm(self.conv(x)))


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.rnn, self.fc = nn.Embedding(7, 4), nn.LSTM(4, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, x): return self.fc(self.rnn(self.words(x))[0])


# name: (network, shape of its input, what is fused)
NETS = {
    'mlp': (lambda: Region(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2, bias=False)), (3, 4), [['body.0', 'body.1']]),
    'deep': (lambda: Region(nn.Sequential(nn.Sequential(nn.Linear(4, 4)), nn.Linear(4, 3)), nn.Dropout(), nn.Linear(3, 2)), (3, 4), None),
    'conv': (lambda: Region(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1, groups=4), nn.AdaptiveAvgPool2d(1)), (2, 2, 8, 8),
             [['body.0', 'body.1', 'body.2']]),
    'dilated': (lambda: Region(nn.Conv2d(2, 2, 3, dilation=2, padding_mode='reflect', padding=2), nn.Hardswish(), nn.Conv2d(2, 3, (1, 3), bias=False)), (1, 2, 8, 8), None),
    'upsampling': (lambda: Region(nn.ConvTranspose2d(2, 3, 2, stride=2), nn.LeakyReLU(), nn.Conv2d(3, 1, 1)), (1, 2, 5, 5), None),
    'residual': (lambda: Region(Residual(), Residual()), (1, 2, 6, 6), [['body.0.conv', 'body.0.norm']]),
    'normed': (lambda: Region(nn.Conv2d(2, 4, 1), nn.InstanceNorm2d(4, affine=True), nn.GroupNorm(2, 4), nn.ELU(), nn.Sigmoid()), (2, 2, 4, 4), None),
}
CONFIGS = {'tensor': lambda: ao().default_qconfig, 'channel': lambda: ao().default_per_channel_qconfig, 'symmetric': lambda: ao().qconfig.default_symmetric_qnnpack_qconfig,
           'histogram': lambda: ao().get_default_qconfig(torch.backends.quantized.engine)}
# A transposed convolution has one scale; the others of these take about as long to make, and give no other kind of value.
STATIC = [(net, config) for net in NETS for config in CONFIGS if net != 'upsampling' or config in ('tensor', 'symmetric')]
TRAINED = {'plain': lambda: ao().default_qat_qconfig, 'fused': lambda: ao().qconfig.default_qat_qconfig_v2, 'channel': lambda: ao().qconfig.default_per_channel_symmetric_qnnpack_qat_qconfig}


def static(name, config):
    make, shape, fused = NETS[name]
    net = make().eval()
    if fused: net = ao().fuse_modules(net, fused)
    net.qconfig = CONFIGS[config]()
    ao().prepare(net, inplace=True)
    net(torch.randn(shape))
    return ao().convert(net)


def trained(name, config, convert):
    make, shape, fused = NETS[name]
    net = make().train()
    if fused: net = ao().fuse_modules_qat(net, fused)
    net.qconfig = TRAINED[config]()
    ao().prepare_qat(net, inplace=True)
    net(torch.randn(shape))
    return ao().convert(net.eval()) if convert else without_recipe(net)


def partly():
    """One layer stays as it was; another module has a recipe of its own."""
    net = Region(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)).eval()
    net.body.qconfig = ao().default_qconfig
    net.body[0].qconfig = ao().default_per_channel_qconfig
    net.quant.qconfig = ao().default_qconfig
    net = nn.ModuleDict({'a': net, 'b': nn.Linear(4, 2)})
    ao().prepare(net['a'], inplace=True)
    net['a'](torch.randn(2, 4))
    return nn.ModuleDict({'a': ao().convert(net['a']), 'b': net['b']})


def dynamically(net, dtype=torch.qint8, kinds=(nn.Linear, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell)):
    return ao().quantize_dynamic(net.eval(), set(kinds), dtype=dtype)


def dynamically_by_channel(net): return ao().quantize_dynamic(net.eval(), {nn.Linear: ao().per_channel_dynamic_qconfig})


def words_only(*parts, four_bits=False):
    net = nn.Sequential(*parts)
    for part in net.modules():
        if isinstance(part, (nn.Embedding, nn.EmbeddingBag)):
            part.qconfig = ao().float_qparams_weight_only_qconfig_4bit if four_bits else ao().float_qparams_weight_only_qconfig
    return ao().convert(ao().prepare(net))


def words_trained():
    net = nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 2)).train()
    net[0].qconfig, net[1].qconfig = ao().default_embedding_qat_qconfig, ao().default_qat_qconfig
    ao().prepare_qat(net, inplace=True, mapping={**ao().get_default_qat_module_mappings()})
    net(torch.tensor([1, 2]))
    return ao().convert(net.eval())


def by_graph(name, mapping, qat=False): return of_graph(NETS[name][0]().body, mapping, NETS[name][1], qat)


def of_graph(net, mapping, shape, qat=False):
    from torch.ao.quantization import quantize_fx
    x = torch.randn(shape)
    net = quantize_fx.prepare_qat_fx(net.train(), mapping, (x,)) if qat else quantize_fx.prepare_fx(net.eval(), mapping, (x,))
    net(x)
    return quantize_fx.convert_fx(net.eval())


def mapped(config): return ao().QConfigMapping().set_global(config)


def weights_set(net, weight):
    net.set_weight_bias(weight, torch.randn(weight.shape[0]))
    return net


def channels(*shape, dtype=torch.qint8): return torch.quantize_per_channel(torch.randn(shape), torch.rand(shape[0]) / 50 + .01, torch.zeros(shape[0], dtype=torch.int64), 0, dtype)


def pruned_first(then):
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    prune.l1_unstructured(net[0], 'weight', amount=.5)
    prune.remove(net[0], 'weight')
    return then(net)


def held(dtype):
    """Buffers and parameters that are quantised tensors: by one scale, by channel, a view, transposed."""
    t = torch.quantize_per_tensor(torch.randn(4, 6), .1, 3, dtype)
    net = Holder(tensor=t, part=t[1:3, 2:], turned=t.t(), channel=channels(3, 4, dtype=dtype), scalar=torch.quantize_per_tensor(torch.tensor(.7), .1, 0, dtype))
    net.weight = nn.Parameter(torch.quantize_per_channel(torch.randn(3, 4), torch.rand(4) + .1, torch.arange(4), 1, dtype), requires_grad=False)
    return nn.Sequential(net, nn.Linear(2, 2))


def both():
    return nn.ModuleDict({'q': nnq().Linear(3, 2), 's': SparseLinear(4, 3, 'coo'), 'g': GraphConv('csr'), 'd': dynamic().Linear(3, 2), 'h': held(torch.qint8)})


def rnn(kind, *args, **options): return lambda: dynamically(nn.Sequential(kind(4, 3, *args, **options)))


RECIPES = {
    **{f'static_{net}_{config}': lambda net=net, config=config: static(net, config) for net, config in STATIC}, 'static_partly': partly,
    **{f'qat_{net}_{config}': lambda net=net, config=config: trained(net, config, True) for net in ('mlp', 'conv', 'residual') for config in TRAINED},
    **{f'qat_prepared_{net}': lambda net=net: trained(net, 'channel', False) for net in ('mlp', 'conv')},
    'dynamic_mlp': lambda: dynamically(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2, bias=False))), 'dynamic_channel': lambda: dynamically_by_channel(nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 2))),
    'dynamic_tagger': lambda: dynamically(Tagger()), 'dynamic_transformer': lambda: dynamically(nn.TransformerEncoderLayer(4, 2, 8)),
    'dynamic_decoder': lambda: dynamically(nn.TransformerDecoderLayer(4, 2, 6)), 'dynamic_half_tagger': lambda: dynamically(Tagger(), torch.float16),
    'dynamic_lstm': rnn(nn.LSTM), 'dynamic_lstm_deep': rnn(nn.LSTM, 3), 'dynamic_lstm_two_ways': rnn(nn.LSTM, 2, bidirectional=True, batch_first=True),
    'dynamic_gru': rnn(nn.GRU), 'dynamic_gru_deep': rnn(nn.GRU, 2, dropout=.5), 'dynamic_lstm_cell': rnn(nn.LSTMCell), 'dynamic_gru_cell': rnn(nn.GRUCell),
    'dynamic_rnn_cell': rnn(nn.RNNCell, nonlinearity='relu'), 'dynamic_pruned': lambda: pruned_first(dynamically),
    'words': lambda: words_only(nn.Embedding(5, 12)), 'words_padded': lambda: words_only(nn.Embedding(5, 4, padding_idx=1), nn.Linear(4, 2)),
    'words_bags': lambda: words_only(nn.ModuleList([nn.EmbeddingBag(6, 8, mode=mode, include_last_offset=True) for mode in ('sum', 'mean')])),
    'words_four_bits': lambda: words_only(nn.EmbeddingBag(5, 12, mode='sum'), four_bits=True), 'words_trained': words_trained,
    'graph_mlp': lambda: by_graph('mlp', mapped(ao().default_qconfig)), 'graph_conv': lambda: by_graph('conv', mapped(ao().default_per_channel_qconfig)),
    'graph_dilated': lambda: by_graph('dilated', mapped(ao().default_qconfig)), 'graph_residual': lambda: by_graph('residual', mapped(ao().default_qconfig)),
    'graph_normed': lambda: by_graph('normed', ao().get_default_qconfig_mapping(torch.backends.quantized.engine)), 'graph_dynamic': lambda: by_graph('deep', mapped(ao().default_dynamic_qconfig)),
    'graph_qat_mlp': lambda: by_graph('mlp', mapped(ao().default_qat_qconfig), True), 'graph_qat_conv': lambda: by_graph('conv', mapped(ao().default_qat_qconfig), True),
    'graph_partly': lambda: by_graph('deep', mapped(ao().default_qconfig).set_module_name('2', None)),
    'set_linear_channel': lambda: weights_set(nnq().Linear(3, 2), channels(2, 3)), 'set_dynamic_channel': lambda: weights_set(dynamic().Linear(5, 3), channels(3, 5)),
    'set_conv_channel': lambda: weights_set(nnq().Conv2d(2, 4, 3), channels(4, 2, 3, 3)), 'set_conv_groups': lambda: weights_set(nnq().Conv2d(4, 4, 3, groups=2, stride=2), channels(4, 2, 3, 3)),
    'static_pruned': lambda: pruned_first(lambda net: of_graph(net, mapped(ao().default_qconfig), (2, 6))),
    **{f'held_{str(dtype)[6:]}': lambda dtype=dtype: held(dtype) for dtype in (torch.quint8, torch.qint8, torch.qint32)}, 'quantised_and_sparse': both,
}
