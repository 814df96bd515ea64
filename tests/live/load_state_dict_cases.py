# SPDX-License-Identifier: MIT
"""The cases of test_load_state_dict.py: a model, a state dict, and how it is loaded. Each is a function that makes both anew."""
import collections

import torch
import torch.nn as nn

MODERN = tuple(int(n) for n in torch.__version__.split('+')[0].split('.')[:2]) >= (2, 1)
WHOLE = {'weights_only': False} if MODERN else {}     # how torch.load loads any object
CASES = []


class Case:
    def __init__(self, name, make, options):
        self.name, self.make = name, make
        self.strict = options.pop('strict', True)
        self.assign = options.pop('assign', False)
        self.skip = options.pop('skip', False)              # brine's skip_mismatched: PyTorch is given the dict without those keys
        self.validate = options.pop('validate', False)      # brine's validate_first: after an error the memory is as it was
        self.close = options.pop('close', None)             # computed: numbers of this dtype that are nearly PyTorch's
        self.tree = options.pop('tree', False)              # needs the description of the module tree
        self.modern = options.pop('modern', None)           # why it is for 2.x only: 1.13 does otherwise
        assert not options, options


def case(*variants):
    """Each variant is a dict of options; none is strict and copies."""
    def add(make):
        for options in variants or ({},):
            name = make.__name__ + ''.join(f' {k}={v}' for k, v in options.items() if k not in ('tree', 'modern', 'close'))
            CASES.append(Case(name, make, dict(options)))
        return make
    return add


BOTH = ({}, {'strict': False})
BOTH_TREE = ({'tree': True}, {'strict': False, 'tree': True})
BOTH_COUNTER = ({'modern': '1.13 sets the counter to 0'}, {'strict': False, 'modern': '1.13 sets the counter to 0'})
ALL = ({}, {'strict': False}, {'assign': True, 'modern': 'no assign'}, {'strict': False, 'assign': True, 'modern': 'no assign'})


def filled(model, seed):
    """Known numbers everywhere, exact in float16 too."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for t in list(model.parameters()) + list(model.buffers()):
            if not t.is_meta: t.copy_(torch.randint(-40, 40, t.shape))
    return model


def net():
    return nn.Sequential(collections.OrderedDict([
        ('conv', nn.Conv2d(3, 4, 3, bias=False)), ('bn', nn.BatchNorm2d(4)), ('act', nn.ReLU()),
        ('body', nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2)))]))


def pair(make=net):
    return filled(make(), 1), filled(make(), 2).state_dict()


def edited(make=net, **keys):
    """The dict with keys replaced, added, or (None) taken out; metadata kept."""
    model, state = pair(make)
    for key, value in keys.items():
        if value is None: del state[key.replace('__', '.')]
        else: state[key.replace('__', '.')] = value
    return model, state


def renamed(state, rule):
    out = type(state)((rule(k), v) for k, v in state.items())
    if hasattr(state, '_metadata'): out._metadata = state._metadata
    return out


@case(*ALL)
def everything_matches(): return pair()

@case(*ALL)
def plain_dict():
    model, state = pair()
    return model, dict(state)

@case(*ALL)
def some_missing(): return edited(conv__weight=None, body__1__bias=None)

@case(*ALL)
def some_unexpected(): return edited(zz=torch.ones(2), body__0__extra=torch.ones(2), conv__bias=torch.ones(4))

@case(*ALL)
def missing_and_unexpected(): return edited(body__1__bias=None, body__1__offset=torch.ones(2), bn__weight=None)

@case(*ALL)
def size_mismatch(): return edited(body__0__weight=torch.ones(3, 4), bn__bias=torch.ones(5))

@case({}, {'strict': False}, {'validate': True}, {'strict': False, 'validate': True})
def everything_wrong(): return edited(body__0__weight=torch.ones(3, 4), bn__bias=None, more=torch.ones(1))

@case({'skip': True, 'strict': False}, {'skip': True})
def skipping(): return edited(body__0__weight=torch.ones(3, 4), bn__bias=torch.ones(5))

@case({'validate': True}, {'validate': True, 'strict': False})
def validated(): return pair()

@case(*BOTH)
def other_order():
    model, state = pair()
    return model, collections.OrderedDict(reversed(list(state.items())))

@case(*BOTH)
def prefixed():
    model, state = pair()
    return model, renamed(state, lambda k: 'module.' + k)

@case(*BOTH_COUNTER)
def prefix_lost():
    model = filled(nn.Sequential(collections.OrderedDict(module=net())), 1)
    return model, pair()[1]

@case(*BOTH)
def empty_dict():
    model, state = pair()
    for k in list(state): del state[k]
    return model, state

@case(*BOTH)
def no_broadcast(): return edited(bn__weight=torch.ones(1), body__0__bias=torch.ones(5, 1), conv__weight=torch.ones(1, 4, 3, 3, 3))

@case(*BOTH)
def quotes_in_keys():
    model, state = pair()
    state["it's"] = state['say "x"'] = state['both \' and "'] = state['back\\slash'] = state['new\nline\ttab'] = torch.ones(1)
    state['ümläut\u200b\x7f'] = torch.ones(1)
    return model, state


# ---- where a key is unexpected, and in which order

@case({'modern': 'child names pass', 'tree': True}, {'modern': 'child names pass', 'strict': False, 'tree': True})
def odd_unexpected(): return edited(body=torch.ones(1), conv__weight__x=torch.ones(1), bn__running_mean__y=torch.ones(1))

@case(*BOTH_TREE)
def unexpected_below_a_child_without_parameters(): return edited(act__w=torch.ones(1), act__deep__w=torch.ones(1), aaa=torch.ones(1))

@case(*BOTH)
def empty_steps():
    model, state = pair()
    for k in ('', '.', 'bn.', '.bn', 'bn..weight', 'body.0.'): state[k] = torch.ones(1)
    return model, state

class WithNone(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_parameter('nothing', None)
        self.register_buffer('absent', None)
        self.register_buffer('hidden', torch.ones(2), persistent=False)
        self.register_buffer('shown', torch.ones(2))
        self.add_module('e', None)
        self.d = None
        self.w = nn.Parameter(torch.ones(3))

@case(*BOTH_TREE)
def none_and_hidden():
    model, state = pair(WithNone)
    for k in ('nothing', 'absent', 'hidden', 'd.w', 'e.w', 'e.x.y'): state[k] = torch.ones(2)
    return model, state

class Late(nn.Module):
    """Buffers before parameters, children between: the order is PyTorch's, not ours."""
    def __init__(self):
        super().__init__()
        self.register_buffer('b1', torch.ones(2))
        self.child = nn.Linear(2, 2)
        self.p1 = nn.Parameter(torch.ones(2))
        self.other = nn.ModuleDict({'x.y'.replace('.', '_'): nn.Linear(2, 1), 'a': nn.Linear(1, 2)})
        self.register_buffer('b2', torch.ones(2))
        self.p2 = nn.Parameter(torch.ones(2))

@case(*BOTH_TREE)
def order_of_missing():
    model, state = pair(Late)
    for k in list(state)[::2]: del state[k]
    for k in ('other.a.q', 'b9', 'child.q', 'other.q', 'p9'): state[k] = torch.ones(1)
    return model, state

@case(*BOTH_TREE)
def nothing_fits():
    model, _ = pair(Late)
    return model, pair(net)[1]

@case(*BOTH)
def similar_prefixes():
    make = lambda: nn.Sequential(collections.OrderedDict(a=nn.Linear(1, 1), ab=nn.Linear(1, 1)))
    model, state = pair(make)
    del state['a.bias']
    state['abc.bias'] = state['a.b.bias'] = torch.ones(1)
    return model, state

@case(*ALL)
def parameter_lists():
    class Lists(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.ParameterList([nn.Parameter(torch.ones(n)) for n in (1, 2, 3)])
            self.d = nn.ParameterDict({'z': nn.Parameter(torch.ones(2)), 'a': nn.Parameter(torch.ones(1))})
    model, state = pair(Lists)
    del state['l.1'], state['d.z']
    state['l.7'] = torch.ones(1)
    return model, state

@case(*ALL)
def transformer():
    model, state = pair(lambda: nn.TransformerEncoderLayer(4, 2, 8))
    del state['self_attn.in_proj_weight']
    state['norm1.bias'] = torch.ones(3)
    return model, state

@case(*ALL)
def recurrent():
    model, state = pair(lambda: nn.LSTM(2, 3, 2))
    del state['bias_hh_l1']
    return model, state


# ---- modules with rules of their own

def without_counter(make, metadata):
    model, state = pair(make)
    for k in list(state):
        if k.endswith('num_batches_tracked'): del state[k]
    if metadata == 'none': state = dict(state)
    elif isinstance(metadata, int):
        for info in state._metadata.values(): info['version'] = metadata
    return model, state

for _how in ('none', 1, 2):
    for _cls in (nn.BatchNorm1d, nn.BatchNorm3d, nn.SyncBatchNorm):
        def _make(how=_how, cls=_cls): return without_counter(lambda: nn.Sequential(nn.Linear(2, 3), cls(3)), how)
        _make.__name__ = f'{_cls.__name__}_without_counter_version_{_how}'
        case({'modern': '1.13 sets the counter to 0'} if _how != 2 else {})(_make)

@case(*BOTH_COUNTER)
def batch_norm_as_root(): return without_counter(lambda: nn.BatchNorm2d(3), 'none')

@case(*BOTH_TREE)
def batch_norm_without_statistics():
    model, state = pair(lambda: nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False)))
    state['0.running_mean'] = state['0.num_batches_tracked'] = torch.ones(3)
    return model, dict(state)

@case(*BOTH_TREE)
def batch_norm_whose_counter_is_none():
    model, state = pair(lambda: nn.Sequential(nn.BatchNorm2d(3)))
    model[0].num_batches_tracked = None
    state = dict(state)
    del state['0.num_batches_tracked']
    return model, state

@case({'modern': 'no assign', 'assign': True, 'tree': True}, {'modern': 'no assign', 'assign': True, 'tree': True, 'strict': False})
def meta_counter():                 # which is then a new one
    model, state = without_counter(net, 'none')
    return model.to('meta'), state

@case(*BOTH_COUNTER)
def metadata_forgets_a_module():
    model, state = without_counter(net, 2)
    del state._metadata['bn']
    return model, state

def instance_norm(track, cls, keys, plain):
    model, state = pair(lambda: nn.Sequential(nn.Linear(2, 2), cls(3, affine=True, track_running_stats=track)))
    for k in keys: state['1.' + k] = torch.ones(3)
    return model, dict(state) if plain else state

class OwnNorm(nn.InstanceNorm2d):
    pass

for _name, _args in {'old_statistics': (False, nn.InstanceNorm2d, ('running_mean', 'running_var', 'num_batches_tracked'), True),
                     'old_statistics_turned': (False, nn.InstanceNorm1d, ('running_var', 'running_mean'), True),
                     'old_mean_only': (False, nn.InstanceNorm3d, ('running_mean',), True),
                     'statistics_of_today': (False, nn.InstanceNorm2d, ('running_mean', 'running_var'), False),
                     'own_class': (False, OwnNorm, ('running_var', 'extra'), True),
                     'with_statistics': (True, nn.InstanceNorm2d, (), True)}.items():
    def _make(args=_args): return instance_norm(*args)
    _make.__name__ = 'instance_norm_' + _name
    case(*BOTH_TREE)(_make)

@case({'modern': '1.13 sets the counter to 0', 'tree': True})
def instance_norm_lenient(): return without_counter(lambda: nn.Sequential(nn.InstanceNorm2d(3, track_running_stats=True)), 'none')

class Extra(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))
        self.inner = nn.Linear(1, 1)
    def get_extra_state(self): return 5
    def set_extra_state(self, state): pass

@case(*BOTH_TREE)
def extra_state(): return pair(lambda: nn.Sequential(Extra(), nn.Linear(1, 1)))

@case(*BOTH_TREE)
def extra_state_missing():
    model, state = pair(lambda: nn.Sequential(Extra(), nn.Linear(1, 1)))
    del state['0._extra_state'], state['0.w']
    return model, state

@case(*BOTH_TREE)
def extra_state_unexpected():
    model, state = pair(lambda: nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)))
    state['1.zz'] = torch.ones(1)
    state['1._extra_state'] = 3
    state['_extra_state'] = torch.ones(2)
    state['0.more._extra_state'] = 4
    return model, state

@case(*BOTH)
def weight_norm():
    model = filled(nn.Sequential(nn.utils.weight_norm(nn.Linear(2, 3))), 1)
    return model, filled(nn.Sequential(nn.Linear(2, 3)), 2).state_dict()

@case(*BOTH_COUNTER)
def data_parallel():
    model, state = filled(nn.DataParallel(net()), 1), filled(net(), 2).state_dict()
    return model, state

@case(*BOTH)
def thousand_layers():
    model, state = pair(lambda: nn.Sequential(*[nn.Linear(1, 1) for _ in range(1000)]))
    for i in range(0, 1000, 7): del state[f'{i}.bias']
    return model, state
