# SPDX-License-Identifier: MIT
"""More cases of test_load_state_dict.py: targets that are no plain memory — lazy modules."""
import collections
import warnings

import torch
import torch.nn as nn

from load_state_dict_cases import ALL, BOTH, case, edited, filled, pair

# A module of lazy parameters cannot be told from any other by names, but that does not matter.


def lazy_net():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return nn.Sequential(collections.OrderedDict([
            ('conv', nn.LazyConv2d(4, 3)), ('bn', nn.LazyBatchNorm2d()), ('body', nn.Sequential(nn.LazyLinear(5), nn.Linear(5, 2)))]))

def plain_net():
    return nn.Sequential(collections.OrderedDict([
        ('conv', nn.Conv2d(3, 4, 3)), ('bn', nn.BatchNorm2d(4)), ('body', nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2)))]))

def fill_known(model):
    with torch.no_grad():
        for t in list(model.parameters()) + list(model.buffers()):
            if not nn.parameter.is_lazy(t): t.fill_(3)
    return model

def lazy(**keys):
    """The lazy model, and a plain one's dict with keys replaced or (None) taken out."""
    return fill_known(lazy_net()), edited(plain_net, **keys)[1]


@case(*ALL)
def lazy_takes_all(): return lazy()

@case(*ALL)
def lazy_takes_other_shapes(): return lazy(conv__bias=torch.ones(3, 2), body__0__weight=torch.tensor(5.), bn__weight=torch.ones(0, 3))

@case(*ALL)
def lazy_missing_and_unexpected(): return lazy(conv__weight=None, bn__running_var=None, bn__weight=None, body__0__zz=torch.ones(2))

@case(*BOTH)
def lazy_keeps_its_dtype():
    _, state = lazy(body__0__weight=torch.ones(5, 4, dtype=torch.int32))
    return fill_known(lazy_net().half()), collections.OrderedDict((k, v.double() if 'bias' in k else v) for k, v in state.items())

@case({'assign': True, 'modern': 'no assign'})
def lazy_assigned_another_dtype(): return lazy(conv__bias=torch.ones(4, dtype=torch.float64), body__0__bias=torch.ones(5, dtype=torch.int32))

@case(*BOTH)
def lazy_takes_strides(): return lazy(conv__weight=torch.arange(12.).reshape(3, 4).t(), body__0__weight=torch.arange(3.).expand(4, 3))

@case(*BOTH)
def lazy_refuses_sparse(): return fill_known(nn.Sequential(nn.Linear(1, 1), nn.LazyLinear(3))), collections.OrderedDict([
    ('0.weight', torch.ones(1, 1)), ('0.bias', torch.ones(2)), ('1.weight', torch.ones(3, 2).to_sparse()), ('1.bias', torch.ones(3))])

for _value in (3, None, 'text', [1], {'a': 1}, True):
    def _make(value=_value): return fill_known(nn.Sequential(nn.LazyLinear(3))), collections.OrderedDict([
        ('0.weight', torch.ones(3, 1)), ('0.bias', value), ('a', torch.ones(1))])
    _make.__name__ = f'lazy_given_{_value!r}'
    if not isinstance(_value, (list, dict)): case({})(_make)   # brine takes a dict of such for no state dict

def uninitialised_dict():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return lazy_net().state_dict()

@case(*BOTH)
def lazy_given_lazy(): return fill_known(lazy_net()), uninitialised_dict()

@case(*BOTH)
def plain_given_lazy(): return pair(plain_net)[0], uninitialised_dict()

@case(*BOTH)
def lazy_norms():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        model = nn.Sequential(nn.LazyInstanceNorm2d(affine=True), nn.LazyBatchNorm1d(affine=False), nn.LazyInstanceNorm1d(track_running_stats=True))
    source = filled(nn.Sequential(nn.InstanceNorm2d(3, affine=True), nn.BatchNorm1d(3, affine=False), nn.InstanceNorm1d(3, track_running_stats=True)), 2)
    return fill_known(model), source.state_dict()

@case({'tree': True}, {'tree': True, 'strict': False})
def lazy_instance_norm_of_old():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        model = nn.Sequential(nn.LazyInstanceNorm2d(affine=True))
    return model, {'0.weight': torch.ones(3), '0.bias': torch.ones(3), '0.running_mean': torch.ones(3)}

@case(*ALL)
def lazy_of_every_kind():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        model = nn.Sequential(nn.LazyConv1d(2, 3), nn.LazyConvTranspose2d(2, 3, bias=False), nn.LazyConv3d(1, 1), nn.LazyConvTranspose1d(3, 2))
    source = nn.Sequential(nn.Conv1d(4, 2, 3), nn.ConvTranspose2d(3, 2, 3, bias=False), nn.Conv3d(2, 1, 1), nn.ConvTranspose1d(2, 3, 2))
    return model, filled(source, 1).state_dict()
