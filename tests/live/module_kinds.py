# SPDX-License-Identifier: MIT
"""Modules of every kind whose state dict brine gives as PyTorch does: KINDS, by name functions that make one."""
import copy

import torch
from torch import nn

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])
SINCE = {'compiled': (2, 0), 'compiled_child': (2, 0), 'compiled_in_place': (2, 2), 'graph_module': (1, 13), 'rms_norm': (2, 4), 'float8': (2, 1),
         'pre_hook': (2, 0)}


class Custom(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer('kept', torch.arange(3.))
        self.register_buffer('dropped', torch.arange(2.), persistent=False)
        self.register_buffer('none', None)
        self.register_parameter('absent', None)
        self.first = nn.Linear(2, 2)
        self.skipped = None
        self.scale = nn.Parameter(torch.ones(()))
        self.plain = torch.ones(4)
        self.listed = [nn.Linear(1, 1)]


class Parent(nn.Module):
    def __init__(self):
        super().__init__()
        self.child = Custom()
        self.child.__dict__['owner'] = self        # a cycle in the pickle, none in the modules

    def forward(self, x): return self.child.first(x)


class Hooked(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
        self.register_forward_hook(print)


def tied():
    net = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5))
    net[1].weight = net[0].weight
    return net


def shared_module():
    inner = nn.Linear(2, 2)
    return nn.ModuleDict({'a': inner, 'b': inner, 'c': nn.Sequential(inner)})


def pruned():
    from torch.nn.utils import prune
    net = nn.Sequential(nn.Linear(3, 2))
    prune.l1_unstructured(net[0], 'weight', amount=2)
    return net


def graph_module():
    from torch import fx
    return fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2)))


def averaged():
    from torch.optim.swa_utils import AveragedModel
    return AveragedModel(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))


def deleted_and_set_again():
    net = nn.Linear(2, 2)
    weight = net.weight
    del net.weight
    net.weight = weight
    return net


def lazy_made_whole():
    net = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d())
    net(torch.ones(4, 2))
    return net


def distributed():
    from torch import distributed as dist
    if not dist.is_initialized(): dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
    return nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))


class Forgetful(nn.Module):
    """Its state is a dict, as it likes it."""
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.register_buffer('counted', torch.tensor(3))
        self.cache = torch.ones(3)

    def __getstate__(self): return {k: v for k, v in self.__dict__.items() if k != 'cache'}
    def __setstate__(self, state): super().__setstate__({**state, 'cache': None})


class Views(nn.Module):
    """Parameters and buffers that are parts of one tensor, and tensors of every sort."""
    def __init__(self):
        super().__init__()
        whole = torch.arange(24.).view(4, 6)
        self.rows, self.columns = nn.Parameter(whole[1:3]), nn.Parameter(whole.t()[::2])
        self.register_buffer('wide', torch.zeros(1, 3).expand(4, 3))
        self.register_buffer('empty', torch.zeros(0, 3))
        self.register_buffer('flags', torch.tensor([True, False]))
        self.waves = nn.Parameter(torch.ones(2, dtype=torch.complex64))


class Sparse(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer('graph', torch.eye(3).to_sparse())
        self.weight = nn.Parameter(torch.eye(2).to_sparse())
        self.bias = nn.Parameter(torch.ones(2))


def pruned_twice():
    from torch.nn.utils import prune
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(3, 2))
    prune.global_unstructured([(net[0], 'weight'), (net[1], 'weight'), (net[1], 'bias')], prune.L1Unstructured, amount=0.5)
    prune.random_structured(net[0], 'weight', amount=1, dim=0)
    return net


def tied_across():
    net = nn.ModuleDict({'encoder': nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), 'decoder': nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))})
    net['decoder'][0].weight = net['encoder'][0].weight
    net['decoder'][1].running_mean = net['encoder'][1].running_mean
    net['decoder'].register_parameter('alias', net['encoder'][0].bias)
    return net


def pre_hook(module, prefix, keep_vars): pass


def with_pre_hook():
    net = nn.Linear(2, 2)
    net.register_state_dict_pre_hook(pre_hook)
    return net


def compiled_in_place():
    net = nn.Linear(2, 2)
    net.compile()
    return net


def beside_optimizer():
    net = nn.Linear(2, 2)
    return {'epoch': 3, 'net': net, 'optimizer': torch.optim.SGD(net.parameters(), lr=0.1).state_dict()}


def norms_on_norms(norm): return norm(norm(nn.GRUCell(2, 3), 'weight_ih'), 'weight_hh')


KINDS = {
    'linear': lambda: nn.Linear(3, 2), 'bilinear': lambda: nn.Bilinear(2, 3, 4), 'no_bias': lambda: nn.Linear(3, 2, bias=False),
    'conv1d': lambda: nn.Conv1d(2, 4, 3), 'conv2d_grouped': lambda: nn.Conv2d(4, 4, 3, groups=2), 'conv3d': lambda: nn.Conv3d(1, 2, 2),
    'conv_transpose': lambda: nn.ConvTranspose2d(2, 3, 3), 'channels_last': lambda: nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last),
    'batch_norm': lambda: nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm2d(3), nn.BatchNorm3d(2)),
    'batch_norm_bare': lambda: nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.BatchNorm1d(2, track_running_stats=False)),
    'sync_batch_norm': lambda: nn.SyncBatchNorm(3), 'instance_norm': lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
    'group_norm': lambda: nn.GroupNorm(2, 4), 'layer_norm': lambda: nn.LayerNorm([2, 3]), 'embedding': lambda: nn.Embedding(5, 3, padding_idx=0),
    'embedding_bag': lambda: nn.EmbeddingBag(5, 3), 'rnn': lambda: nn.RNN(2, 3), 'gru': lambda: nn.GRU(2, 3, num_layers=2, bidirectional=True),
    'lstm_projected': lambda: nn.LSTM(2, 4, proj_size=2), 'lstm_cell': lambda: nn.LSTMCell(2, 3), 'attention': lambda: nn.MultiheadAttention(4, 2),
    'attention_split': lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True), 'transformer': lambda: nn.Transformer(4, 2, 1, 1, 8),
    'transformer_encoder': lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2), 'prelu': lambda: nn.PReLU(3),
    'sequential': lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)),
    'module_list': lambda: nn.ModuleList([nn.Linear(1, 2), nn.Identity(), nn.Linear(2, 1)]),
    'module_dict': lambda: nn.ModuleDict({'x': nn.Linear(1, 1), 'päth': nn.Linear(1, 2)}),
    'parameter_list': lambda: nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(1))]),
    'parameter_dict': lambda: nn.ParameterDict({'b': nn.Parameter(torch.ones(2)), 'a': nn.Parameter(torch.zeros(1))}),
    'data_parallel': lambda: nn.DataParallel(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))),
    'weight_norm': lambda: nn.utils.weight_norm(nn.Linear(3, 2)), 'spectral_norm': lambda: nn.Sequential(nn.utils.spectral_norm(nn.Linear(3, 2))),
    'pruned': pruned, 'tied': tied, 'shared_module': shared_module, 'custom': Custom, 'parent_cycle': Parent, 'hooked': Hooked,
    'graph_module': graph_module, 'compiled': lambda: torch.compile(nn.Sequential(nn.Linear(2, 2))), 'averaged': averaged,
    'distributed': distributed, 'loss': lambda: nn.CrossEntropyLoss(weight=torch.ones(3)), 'bce': lambda: nn.BCEWithLogitsLoss(pos_weight=torch.ones(2)),
    'set_again': deleted_and_set_again, 'lazy': lazy_made_whole, 'half': lambda: nn.Linear(2, 2).half(), 'double': lambda: nn.Linear(2, 2).double(),
    'frozen': lambda: nn.Linear(2, 2).requires_grad_(False), 'empty': lambda: nn.Sequential(nn.ReLU(), nn.Dropout()), 'adaptive': lambda:
    nn.AdaptiveLogSoftmaxWithLoss(4, 10, [4, 8]), 'upsample': lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 1)),
    'rnn_cell': lambda: nn.RNNCell(2, 3, bias=False), 'gru_cell': lambda: nn.GRUCell(2, 3),
    'lstm_all': lambda: nn.LSTM(2, 4, num_layers=2, bidirectional=True, proj_size=3, batch_first=True),
    'rnn_no_bias': lambda: nn.RNN(2, 3, bias=False, nonlinearity='relu'), 'rms_norm': lambda: nn.Sequential(nn.RMSNorm(3), nn.RMSNorm([2, 3], eps=1e-6)),
    'instance_norms': lambda: nn.Sequential(nn.InstanceNorm1d(2), nn.InstanceNorm3d(2, affine=True), nn.InstanceNorm2d(2, track_running_stats=True)),
    'transformer_decoder': lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2, nn.LayerNorm(4)),
    'odd_keys': lambda: nn.ModuleDict({' ': nn.Linear(1, 1), 'a/b': nn.Linear(1, 1), '0': nn.ReLU(), 'weight': nn.Linear(1, 1), 'ü"': nn.PReLU(),
                                       'x' * 150: nn.PReLU()}),
    'parameter_list_mixed': lambda: nn.ParameterList([nn.Parameter(torch.ones(2)), 3, torch.zeros(1), 'text', nn.Linear(1, 1), None]),
    'parameter_dict_mixed': lambda: nn.ParameterDict({'w': torch.ones(2), 'n': None, 'inner': nn.ParameterDict({'a': torch.zeros(1)})}),
    'no_children': lambda: nn.ModuleDict({'none': None, 'some': nn.Linear(1, 1)}), 'forgetful': Forgetful, 'views': Views, 'sparse': Sparse,
    'pruned_twice': pruned_twice, 'tied_across': tied_across, 'lazy_untouched': lambda: nn.Sequential(nn.LazyConv2d(3, 1), nn.LazyBatchNorm2d(), nn.Linear(1, 1)),
    'weight_norms': lambda: norms_on_norms(nn.utils.weight_norm), 'spectral_norms': lambda: norms_on_norms(nn.utils.spectral_norm),
    'weight_norm_whole': lambda: nn.utils.weight_norm(nn.Conv1d(1, 2, 3), dim=None),
    'norm_and_pruned': lambda: nn.utils.prune.random_unstructured(nn.utils.weight_norm(nn.Linear(3, 2)), 'weight_v', 0.5),
    'float8': lambda: nn.Linear(2, 2).to(torch.float8_e4m3fn), 'bfloat16': lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).bfloat16(),
    'meta': lambda: nn.Linear(2, 2, device='meta'), 'shared_memory': lambda: nn.Linear(2, 2).share_memory(), 'pre_hook': with_pre_hook,
    'compiled_child': lambda: nn.Sequential(nn.Linear(1, 2), torch.compile(nn.Linear(2, 2))), 'compiled_in_place': compiled_in_place,
    'copied': lambda: copy.deepcopy(shared_module()), 'channel_order': lambda: nn.Conv3d(2, 3, 2).to(memory_format=torch.channels_last_3d),
    'in_checkpoint': lambda: {'model': Custom(), 'epoch': 3, 'loss': [0.5]}, 'in_list': lambda: [nn.Linear(2, 1), 3],
    'in_tuple': lambda: ('resnet', nn.Sequential(nn.Linear(2, 1))), 'beside_optimizer': beside_optimizer,
}
