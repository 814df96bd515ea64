# SPDX-License-Identifier: MIT
"""More cases of test_load_state_dict.py: lazy modules, modules under two names, metadata that assigns."""
import collections

import torch
import torch.nn as nn

from load_state_dict_cases import ALL, BOTH, case, edited, filled, pair


def lazy_net():
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
def lazy_assigned_another_dtype():
    return lazy(conv__bias=torch.ones(4, dtype=torch.float64), body__0__bias=torch.ones(5, dtype=torch.int32))

@case(*BOTH)
def lazy_takes_strides(): return lazy(conv__weight=torch.arange(12.).reshape(3, 4).t(), body__0__weight=torch.arange(3.).expand(4, 3))

@case(*BOTH)
def lazy_refuses_sparse(): return fill_known(nn.Sequential(nn.Linear(1, 1), nn.LazyLinear(3))), collections.OrderedDict([
    ('0.weight', torch.ones(1, 1)), ('0.bias', torch.ones(2)), ('1.weight', torch.ones(3, 2).to_sparse()), ('1.bias', torch.ones(3))])

for _value in (3, None, 'text', True):     # a dict that holds lists or dicts is no state dict to brine
    def _make(value=_value): return fill_known(nn.Sequential(nn.LazyLinear(3))), collections.OrderedDict([
        ('0.weight', torch.ones(3, 1)), ('0.bias', value), ('a', torch.ones(1))])
    _make.__name__ = f'lazy_given_{_value!r}'
    case({})(_make)

@case(*BOTH)
def lazy_given_lazy(): return fill_known(lazy_net()), lazy_net().state_dict()

@case(*BOTH)
def plain_given_lazy(): return pair(plain_net)[0], lazy_net().state_dict()

@case(*BOTH)
def lazy_norms():
    model = [nn.LazyInstanceNorm2d(affine=True), nn.LazyBatchNorm1d(affine=False), nn.LazyInstanceNorm1d(track_running_stats=True)]
    source = [nn.InstanceNorm2d(3, affine=True), nn.BatchNorm1d(3, affine=False), nn.InstanceNorm1d(3, track_running_stats=True)]
    return fill_known(nn.Sequential(*model)), filled(nn.Sequential(*source), 2).state_dict()

@case({'tree': True}, {'tree': True, 'strict': False})
def lazy_instance_norm_of_old():
    model = nn.Sequential(nn.LazyInstanceNorm2d(affine=True))
    return model, {'0.weight': torch.ones(3), '0.bias': torch.ones(3), '0.running_mean': torch.ones(3)}

@case(*ALL)
def lazy_of_every_kind():
    model = nn.Sequential(nn.LazyConv1d(2, 3), nn.LazyConvTranspose2d(2, 3, bias=False), nn.LazyConv3d(1, 1), nn.LazyConvTranspose1d(3, 2))
    source = nn.Sequential(nn.Conv1d(4, 2, 3), nn.ConvTranspose2d(3, 2, 3, bias=False), nn.Conv3d(2, 1, 1), nn.ConvTranspose1d(2, 3, 2))
    return model, filled(source, 1).state_dict()


class Shared(nn.Module):
    """Modules under two names, one of them with children, between others."""
    def __init__(self):
        super().__init__()
        self.a = plain_net()
        self.b = nn.Linear(2, 2)
        self.c = self.a
        self.d = nn.Sequential(self.a.body, nn.Linear(1, 1), self.b)
        self.e = nn.Linear(1, 2)

SHARED = ({'tree': True}, {'tree': True, 'strict': False}, {'tree': True, 'assign': True, 'modern': 'no assign'},
          {'tree': True, 'strict': False, 'assign': True, 'modern': 'no assign'})

def numbered(state):
    """Every name with numbers of its own, what is shared too."""
    for i, k in enumerate(list(state)): state[k] = torch.full_like(state[k], i + 1)
    return state

@case(*SHARED)
def shared_modules():
    model, state = pair(Shared)
    return model, numbered(state)

@case(*SHARED)
def shared_modules_missing_and_unexpected():
    model, state = pair(Shared)
    numbered(state)
    for k in list(state)[1::3]: del state[k]
    state['c.zz'] = state['d.0.0.zz'] = torch.ones(1)
    state['c.body.0.bias'] = torch.ones(7)
    state['d.2.bias'] = 3
    return model, state

@case(*SHARED)
def shared_lazy_modules():          # the second name finds the shape taken
    make = lambda: (lambda l: nn.Sequential(l, nn.Linear(1, 1), l))(nn.LazyLinear(3))
    shapes = {'0.weight': (3, 2), '0.bias': (3,), '1.weight': (1, 1), '1.bias': (1,), '2.weight': (3, 2), '2.bias': (4,)}
    return make(), numbered({k: torch.ones(shape) for k, shape in shapes.items()})

@case(*SHARED)
def shared_norms():
    make = lambda: (lambda n: nn.Sequential(n, n))(nn.InstanceNorm2d(2, affine=True))
    return make(), {k: torch.ones(2) for k in ('0.weight', '0.bias', '0.running_mean', '1.running_var')}


SAVED = ({'modern': 'not read'}, {'modern': 'not read', 'strict': False})

def as_assigned(model, state, *modules):
    """The dict as it is after it was loaded with assign=True, or as if that had been done with some modules only."""
    for name in modules or state._metadata: state._metadata[name]['assign_to_params_buffers'] = True
    return model, state

@case(*SAVED)
def saved_with_assign():
    model, state = pair()
    return as_assigned(model, doubled(state))

def doubled(state):
    for k in list(state):
        if k.endswith('bias'): state[k] = state[k].double()
    return state

@case(*SAVED)
def saved_with_assign_of_a_module():
    model, state = pair()
    return as_assigned(model, doubled(state), 'body.0', 'bn')

@case(*SAVED)
def saved_with_assign_but_integers():
    pair = edited(body__0__bias=torch.ones(5, dtype=torch.int32), body__1__bias=torch.ones(2, dtype=torch.int32))
    return as_assigned(*pair, '', 'body.1')

@case({'modern': 'not read', 'tree': True})
def saved_with_assign_into_meta():
    model, state = pair()
    return as_assigned(model.to('meta'), state, 'body.1')

@case(*SAVED)
def saved_without_assign():
    model, state = pair()
    for info in state._metadata.values(): info['assign_to_params_buffers'] = False
    return model, doubled(state)
