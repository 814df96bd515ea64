# SPDX-License-Identifier: MIT
"""More cases of test_load_state_dict.py: load pre-hooks — old spectral_norm, parametrizations.weight_norm."""
import collections

import torch
import torch.nn as nn

from load_state_dict_cases import BOTH, case, filled

TREE = ({'tree': True}, {'strict': False, 'tree': True})
COMPUTED = ({'tree': True, 'close': torch.float32}, {'tree': True, 'close': torch.float32, 'assign': True, 'modern': 'no assign'})


def spectral(make=lambda: nn.Linear(3, 5), **options):
    """A model with old spectral_norm, its dict as it is saved today, and a dict as before its version 1."""
    make_one = lambda: nn.Sequential(collections.OrderedDict(first=nn.Linear(2, 3), n=nn.utils.spectral_norm(make(), **options)))
    torch.manual_seed(3)
    model, source = make_one(), make_one()
    source.n(torch.ones(2, *([3] if make().weight.dim() == 2 else [make().in_channels, 4, 4])))
    state = source.state_dict()
    old = collections.OrderedDict((k, v.clone()) for k, v in state.items() if k != 'n.weight_v')
    old['n.weight'] = source.n.weight.detach().clone()
    return model, state, old


def with_metadata(state, versions):
    state._metadata = collections.OrderedDict({'': {'version': 1}, 'first': {'version': 1}, 'n': {'version': 1, **versions}})
    return state


@case(*TREE)
def spectral_norm_of_today(): return spectral()[:2]

@case(*TREE)
def spectral_norm_without_metadata():
    model, state, _ = spectral()
    return model, dict(state)

@case(*COMPUTED)
def old_spectral_norm():
    model, _, old = spectral()
    return model, old

@case(*COMPUTED)
def old_spectral_norm_with_metadata():
    model, _, old = spectral()
    return model, with_metadata(old, {})

@case(*COMPUTED)
def old_spectral_norm_version_0():
    model, _, old = spectral()
    return model, with_metadata(old, {'spectral_norm': {'weight.version': 0, 'other.version': 1}})

@case(*COMPUTED)
def old_spectral_norm_that_has_a_v():       # which the computed one replaces
    model, _, old = spectral()
    old['n.weight_v'] = torch.ones(3)
    return model, old

@case(*COMPUTED)
def old_spectral_norm_of_convolutions():
    model, _, old = spectral(lambda: nn.Conv2d(2, 9, 2))
    return model, old

@case(*COMPUTED)
def old_spectral_norm_transposed():
    model, _, old = spectral(lambda: nn.ConvTranspose2d(2, 9, 2))
    return model, old

@case(*COMPUTED)
def old_spectral_norm_dimension_1():
    model, _, old = spectral(lambda: nn.Linear(3, 2), dim=1)
    return model, old

@case({'tree': True, 'close': torch.float64})
def old_spectral_norm_of_more_columns():    # in float32 PyTorch's v is not near any solution: its pseudo-inverse is of rounding errors
    model, _, old = spectral(lambda: nn.Linear(3, 2))
    return model.double(), collections.OrderedDict((k, v.double()) for k, v in old.items())

@case(*COMPUTED)
def old_spectral_norm_of_zeros():           # 0 / 0: all of it is NaN
    model, _, old = spectral()
    old['n.weight_orig'][0, 0] = old['n.weight'][0, 0] = 0
    return model, old

@case(*COMPUTED)
def old_spectral_norm_for_another_model():
    model, _, old = spectral()
    model.n = nn.utils.spectral_norm(nn.Linear(3, 4))
    return model, old

for _drop in (('_orig',), ('',), ('_u',), ('_orig', ''), ('', '_u', 'bias'), ('_orig', '', '_u', 'bias')):
    def _make(drop=_drop):
        model, _, old = spectral()
        for key in drop: del old['n.bias' if key == 'bias' else 'n.weight' + key]
        return model, old
    _make.__name__ = 'old_spectral_norm_without' + ''.join(key or '_weight' for key in _drop)
    case(*TREE)(_make)

@case(*TREE)
def spectral_norm_given_plain_weights():
    model = spectral()[0]
    return model, filled(nn.Sequential(collections.OrderedDict(first=nn.Linear(2, 3), n=nn.Linear(3, 5))), 2).state_dict()

@case(*TREE)
def spectral_norm_of_version_1_without_v():
    model, state, _ = spectral()
    del state['n.weight_v']
    return model, state

@case(*TREE)
def two_spectral_norms():
    model = nn.utils.spectral_norm(nn.utils.spectral_norm(nn.GRUCell(2, 3), 'weight_ih'), 'weight_hh')
    return model, filled(nn.GRUCell(2, 3), 2).state_dict()


NORMED = ({'modern': 'no parametrizations.weight_norm'}, {'strict': False, 'modern': 'no parametrizations.weight_norm'})

def weight_normed():
    """A model with parametrizations.weight_norm, and a dict of the same model with the older one."""
    make = lambda norm: nn.Sequential(collections.OrderedDict(
        a=norm(nn.Linear(2, 3)), b=nn.Sequential(norm(nn.Conv1d(2, 3, 2)), nn.ReLU())))
    return filled(make(nn.utils.parametrizations.weight_norm), 1), filled(make(nn.utils.weight_norm), 2).state_dict()

@case(*NORMED, {'assign': True, 'modern': 'no assign'})
def weight_norm_from_the_older(): return weight_normed()

@case(*NORMED)
def weight_norm_from_its_own():
    model = weight_normed()[0]
    return model, filled(weight_normed()[0], 3).state_dict()

@case(*NORMED)
def weight_norm_without_g():
    model, state = weight_normed()
    del state['a.weight_g']
    return model, state

@case(*NORMED)
def weight_norm_without_v():
    model, state = weight_normed()
    del state['b.0.weight_v']
    return model, dict(state)

@case(*NORMED)
def weight_norm_of_both_kinds():        # the older ones win
    model, state = weight_normed()
    state.update(filled(weight_normed()[0], 3).state_dict())
    return model, state

@case(*NORMED)
def weight_norm_of_another_shape():
    model, state = weight_normed()
    state['a.weight_g'], state['b.0.weight_v'] = torch.ones(4, 1), 7
    state['a.weight_zz'] = torch.ones(1)
    return model, state

@case(*NORMED)
def weight_norm_of_two_parameters():
    def make(norm): return norm(norm(nn.GRUCell(2, 3), 'weight_ih'), 'weight_hh', dim=None)
    return filled(make(nn.utils.parametrizations.weight_norm), 1), filled(make(nn.utils.weight_norm), 2).state_dict()

@case(*BOTH)
def parametrized_spectral_norm():
    return nn.utils.parametrizations.spectral_norm(nn.Linear(2, 3)), nn.utils.spectral_norm(nn.Linear(2, 3)).state_dict()

@case(*BOTH)
def parametrized_orthogonal():
    make = lambda: nn.Sequential(nn.utils.parametrizations.orthogonal(nn.Linear(2, 3)))
    return make(), make().state_dict()
