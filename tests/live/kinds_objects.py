# SPDX-License-Identifier: MIT
"""Kinds of checkpoints: instances of classes, values of classes, numpy arrays, and what is opaque for now.

The classes are at module level, for PyTorch must find them when it loads the file again.
"""
import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import uuid

import numpy as np
import torch
from torch import nn

from kinds import kind

Point = collections.namedtuple('Point', 'x y')


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Config:
    layers: int
    weight: object
    names: list = dataclasses.field(default_factory=list)


class Slots:
    __slots__ = ('first', 'second')


class SlotsAndMore(Slots):
    pass


class Stateful:
    """Pickles a state that is no dict."""
    def __init__(self, t): self.t = t
    def __getstate__(self): return [1, self.t]
    def __setstate__(self, state): self.t = state[1]


class Reduced:
    def __init__(self, t, n): self.t, self.n = t, n
    def __reduce__(self): return Reduced, (self.t, self.n), {'t': self.t, 'n': self.n, 'more': None}


class Keywords:
    def __new__(cls, *args, **kwargs): return object.__new__(cls)
    def __init__(self, t=None, **more): self.t, self.more = t, more
    def __getnewargs_ex__(self): return (7,), {'t': self.t}


def set_attributes(instance, state): instance.__dict__.update(state)


class SetByCall:
    """Its state is set by a call made for its effect (POP behind REDUCE), as cloudpickle's functions are."""
    def __init__(self, t=None): self.t = t
    def __reduce__(self): return SetByCall, (), dict(self.__dict__), None, None, set_attributes


class Collected(dict):
    """All six parts that a __reduce__ can have: call, state, items that are appended, items that are set, and who sets the state."""
    def append(self, v): self.__dict__.setdefault('appended', []).append(v)
    def extend(self, vs): self.__dict__.setdefault('appended', []).extend(vs)
    def __reduce__(self): return Collected, (), {'t': self.t}, iter(self.appended), iter(self.items()), set_attributes


class AttributeDict(dict):
    __getattr__ = dict.__getitem__


class NamedList(list):
    pass


class Subclass(torch.Tensor):
    pass


@kind()
def instances(torch):
    t = lambda n: torch.full((2,), n)
    slots, more = Slots(), SlotsAndMore()
    slots.first, slots.second, more.first, more.other = t(0), 1, t(1), t(2)
    return {'namedtuple': Point(t(3), 1), 'dataclass': Config(2, t(4), ['a']), 'namespace': argparse.Namespace(w=t(5), n=[t(6)]),
            'slots': slots, 'slots and more': more,
            'stateful': Stateful(t(7)), 'reduced': Reduced(t(8), 2), 'keywords': Keywords(t(9), z=t(10)),
            'attribute dict': AttributeDict(a=t(11), b={'c': t(12)}),
            'named list': NamedList([t(13), 2]), 'simple': types_namespace(t(14)),
            'partial': functools.partial(torch.add, t(15), other=t(16))}


def types_namespace(t):
    import types
    return types.SimpleNamespace(t=t)


@kind()
def calls_for_effect(torch):
    one, cycle, all_parts = SetByCall(torch.ones(2)), SetByCall(), Collected(a=torch.zeros(1), b=2)
    cycle.me, cycle.others = cycle, [one, all_parts]
    all_parts.t, all_parts.appended = torch.full((2,), 3.), [1, one, *range(1002)]
    return {'one': one, 'cycle': cycle, 'all': all_parts, 'again': one, 'w': one.t}


@kind()
def values_of_classes(torch):
    return {'w': torch.ones(1), 'slice': slice(1, None, 2), 'range': range(0, 9, 2), 'enum': Colour.RED, 'level': Level.HIGH,
            'path': pathlib.PurePosixPath('/a/b'),
            'datetime': datetime.datetime(2024, 1, 2, 3), 'date': datetime.date(2024, 1, 2), 'delta': datetime.timedelta(1),
            'zone': datetime.timezone.utc,
            'decimal': decimal.Decimal('1.5'), 'fraction': fractions.Fraction(1, 3), 'uuid': uuid.UUID(int=5),
            'error': ValueError('x', 1), 'ellipsis': ..., 'notimplemented': NotImplemented,
            'type': int, 'class': Config, 'function': torch.relu, 'builtin': len, 'method': str.upper, 'none type': type(None)}


@kind()
def numpy_arrays(torch):
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    return {'w': torch.ones(2), 'array': a, 'fortran': np.asfortranarray(a), 'slice': a[:, 1], 'empty': np.zeros((0, 3)),
            'scalar array': np.array(2.5), 'scalar': np.float64(1.5), 'int': np.int64(3),
            'big': np.arange(4, dtype='>i4'), 'bool': np.array([True, False]), 'complex': np.array([1j]), 'text': np.array(['ab', 'c']),
            'bytes': np.array([b'ab']),
            'dtype': np.dtype('f2'),
            'dates': np.array(['2024-01-01'], dtype='datetime64[D]'),
            'half': np.float16([1, 2]), 'twice': [a, a], 'rng': np.random.RandomState(0).get_state()[1]}


@kind(later=True)
def object_array(torch):
    return {'objects': np.array([1, 'x', None, np.arange(3), torch.ones(3)], dtype=object), 'w': torch.ones(1)}


@kind()
def numpy_root(torch):
    return np.arange(10)


@kind()
def structured_array(torch):
    return {'record': np.array([(1, 2.0)], dtype=[('a', 'i4'), ('b', 'f8')]), 'w': torch.ones(1)}


@kind()
def bare_storages(torch):
    t = torch.arange(4.)
    return {'typed': t.storage(), 't': t, 'storages': [torch.arange(3).storage()], 'tail': t[2:]}


@kind((2, 0))
def untyped_storages(torch):
    return {'untyped': torch.arange(4, dtype=torch.uint8).untyped_storage(), 'w': torch.ones(1)}


@kind()
def tensor_subclass(torch):
    plain, more = torch.arange(3.).as_subclass(Subclass), torch.arange(4.).as_subclass(Subclass)
    more.note, more.inner = 'x', torch.ones(2)
    return {'plain': plain, 'with attributes': more, 'view': torch.arange(6).as_subclass(Subclass)[2:]}


@kind((2, 5))
def buffer_class(torch):
    m = nn.Module()
    m.a, m.b = nn.Buffer(torch.ones(2)), nn.Buffer(torch.zeros(1), persistent=False)
    return m


# opaque for now

@kind()
def sparse_coo(torch):
    return {'s': torch.eye(3).to_sparse(), 'w': torch.ones(1)}


@kind()
def sparse_csr(torch):
    return {'s': torch.eye(3).to_sparse_csr(), 'w': torch.ones(1)}


@kind(later=True)
def uninitialised(torch):
    return {'lazy': nn.LazyLinear(3), 'w': torch.ones(1)}


@kind()
def meta(torch):
    return {'m': torch.empty(2, 3, device='meta'), 'w': torch.ones(1)}


@kind()
def quantised(torch):
    x = torch.arange(6.).reshape(2, 3)
    return {'tensor': torch.quantize_per_tensor(x, 0.1, 10, torch.quint8), 'w': x,
            'channel': torch.quantize_per_channel(x, torch.tensor([0.1, 0.2]), torch.tensor([0, 1]), 0, torch.qint8)}


@kind((2, 1))
def nested_tensor(torch):
    return {'n': torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), 'w': torch.ones(1)}


@kind((2, 6), later=True)
def generator(torch):
    return {'g': torch.Generator(), 'w': torch.ones(1)}


@kind((2, 0), later=True)
def memory_format(torch):
    return {'format': torch.channels_last, 'w': torch.ones(1)}
