# SPDX-License-Identifier: MIT
"""Kinds of checkpoints: whole modules, pickled as objects, alone and among other things."""
import torch
from torch import nn

from kinds import kind, small_resnet


class Net(nn.Module):
    """A custom module: own parameters, buffers of both sorts, a None parameter, plain attributes, a shared child, a cycle."""
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.register_parameter('nothing', None)
        self.register_buffer('mean', torch.arange(3.))
        self.register_buffer('cache', torch.zeros(2), persistent=False)
        self.register_buffer('no_buffer', None)
        self.body = nn.Sequential(nn.Linear(3, 3), nn.Dropout(), nn.Conv1d(3, 2, 1))
        self.tied = self.body[0]
        self.empty_child = None
        self.add_module('none_child', None)
        self.plain = {'a': torch.ones(1), 'b': [1, 2]}
        object.__setattr__(self, 'owner', [self])


def net(module):
    """Registers a whole module."""
    def register(make):
        def whole(torch): return make()
        whole.__name__ = make.__name__
        kind()(whole)
        return make
    return register(module)


@net
def module_linear(): return nn.Linear(3, 2)


@net
def module_linear_without_bias(): return nn.Linear(3, 2, bias=False)


@net
def module_sequential(): return nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.Linear(2, 1)))


@net
def module_resnet(): return small_resnet(torch)


@net
def module_batchnorm(): return nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm1d(2, affine=False),
    nn.InstanceNorm2d(2, track_running_stats=True))


@net
def module_dict_and_list(): return nn.ModuleDict({'a': nn.ModuleList([nn.Linear(1, 2), nn.PReLU()]), 'b': nn.Identity()})


@net
def module_parameter_list(): return nn.Sequential(nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(1))]))


@net
def module_parameter_dict(): return nn.Sequential(nn.ParameterDict({'x': nn.Parameter(torch.ones(2)), 'y': nn.Parameter(torch.zeros(1))}))


@net
def module_data_parallel(): return nn.DataParallel(nn.Linear(2, 2))


@net
def module_lstm(): return nn.LSTM(3, 4, bidirectional=True)


@net
def module_transformer(): return nn.Transformer(8, 2, 1, 1, 8)


@net
def module_embedding_bag(): return nn.ModuleList([nn.EmbeddingBag(4, 2), nn.LayerNorm(3), nn.MultiheadAttention(4, 2),
    nn.Bilinear(1, 2, 3)])


@net
def module_custom(): return Net()


@net
def module_frozen(): return nn.Linear(2, 2).requires_grad_(False)


@net
def module_of_halves(): return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).half().to(memory_format=torch.channels_last)


@net
def module_in_checkpoint(): return {'epoch': 1, 'model': Net(), 'loss': nn.CrossEntropyLoss(weight=torch.ones(3))}


@net
def two_modules(): return {'generator': nn.Linear(1, 1), 'discriminator': nn.Linear(1, 1)}


@net
def module_in_list(): return [1, nn.Linear(2, 1), 'x']


@net
def module_weight_norm(): return nn.utils.weight_norm(nn.Linear(3, 2))


@net
def module_without_weights(): return nn.Sequential(nn.ReLU(), nn.Flatten())


@net
def module_beside_its_state():
    model = nn.Linear(2, 2)
    return {'state_dict': model.state_dict(), 'model': model, 'again': model}


@kind()
def whole_optimizer(torch):
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    for p in model.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    return {'model': model, 'optimizer': optimizer}
