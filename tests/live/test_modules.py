# SPDX-License-Identifier: MIT
"""test_modules.py BRINE [NAME…]: whole pickled modules of every kind give the state dict that PyTorch's own state_dict() gives.

Each module of the table is saved whole, as zip and as legacy stream. `brine ls --json --crc` must list the names, order, shapes and values of
model.state_dict(); and `brine convert --state-dict` must write the bytes that torch.save(model.state_dict()) writes under the same file name,
`_metadata` included. NAME: only kinds whose names contain it.
"""
import json
import os
import sys
import tempfile
import warnings
import zlib

import torch
from torch import nn

from common import Tally, command, in_parallel, run

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])
PROFILE = 'torch-2.7' if VERSION >= (2, 7) else 'torch-2.1' if VERSION >= (2, 1) else 'torch-1.6'
SINCE = {'compiled': (2, 0), 'graph_module': (1, 13)}


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
}


def a_cycle_is_an_error(brine, folder):
    """A module that is its own child loads in PyTorch, but state_dict() raises RecursionError there."""
    net = nn.Sequential(nn.Linear(1, 1))
    net._modules['again'] = net
    path = os.path.join(folder, 'cycle.pth')
    torch.save(net, path)
    r = run(brine, 'ls', path)
    why = r.refused()
    return why or (None if 'contains itself' in r.error() else r.error())


def crc(t):
    return '%08x' % zlib.crc32(t.detach().contiguous().view(-1).numpy().tobytes())


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')

    def check(case):
        label, whole, weights, state = case
        r = run(brine, 'ls', '--json', '--crc', whole)
        if r.status != 0: return label, r.error().strip()[:200]
        got = json.loads(r.out)
        want = [(n, str(t.dtype).replace('torch.', ''), list(t.shape), list(t.stride()), crc(t)) for n, t in state.items()]
        have = [(t['name'], t['dtype'], t['shape'], t['stride'], t['crc32']) for t in got['tensors']]
        if want != have: return label, f'lists {[h for h in have if h not in want][:2]}, PyTorch has {[w for w in want if w not in have][:2]}'
        ours = os.path.join(os.path.dirname(weights), 'ours', os.path.basename(weights))
        r = run(brine, 'convert', '--state-dict', '--profile', PROFILE, '--force', whole, ours)
        if r.status != 0: return label, r.error().strip()[:200]
        a, b = open(weights, 'rb').read(), open(ours, 'rb').read()
        return label, None if a == b else f'convert --state-dict: {len(b)} bytes, torch.save wrote {len(a)}'

    def cases(folder):
        os.makedirs(os.path.join(folder, 'ours'))
        for name, make in KINDS.items():
            if not any(w in name for w in sys.argv[2:] or ['']): continue
            if VERSION < SINCE.get(name, (0,)):
                tally.skip(name, f'PyTorch {torch.__version__} has no such thing')
                continue
            torch.manual_seed(0)
            try:
                model = make()
            except Exception as e:
                tally.skip(name, f'cannot be made here: {str(e).splitlines()[0][:100]}')
                continue
            for container in ('zip', 'legacy'):
                whole, weights = (os.path.join(folder, f'{name}_{container}{end}.pth') for end in ('_whole', ''))
                try:
                    torch.save(model, whole, _use_new_zipfile_serialization=container == 'zip')
                    loaded = torch.load(whole, **({} if VERSION < (2, 0) else {'weights_only': False}))
                except Exception as e:
                    tally.skip(f'{name} {container}', f'PyTorch does not save and load it: {str(e).splitlines()[0][:100]}')
                    continue
                state = loaded.state_dict()
                torch.save(state, weights)
                yield f'{name} {container}', whole, weights, state

    with tempfile.TemporaryDirectory() as folder:
        tally.check('a cycle of modules', a_cycle_is_an_error(brine, folder))
        for label, why in in_parallel(check, cases(folder)): tally.check(label, why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
