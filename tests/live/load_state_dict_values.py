# SPDX-License-Identifier: MIT
"""More cases of test_load_state_dict.py: what becomes of the values — dtypes, strides, ties, and tensors that are not plain."""
import collections

import numpy
import torch
import torch.nn as nn

from load_state_dict_cases import ALL, BOTH, MODERN, case, edited, filled, pair


@case({'modern': 'any length is taken'}, {'modern': 'any length is taken', 'strict': False}, {'modern': 'no assign', 'assign': True})
def scalars():
    class Scalars(nn.Module):
        def __init__(self):
            super().__init__()
            for n in 'abcd': self.register_buffer(n, torch.tensor(1.0))
            self.one = nn.Parameter(torch.ones(1))
    model, state = pair(Scalars)
    state.update(a=torch.tensor([7.]), b=torch.tensor([1., 2.]), c=torch.tensor([[3.]]), d=torch.tensor(4), one=torch.tensor(5.))
    return model, state

@case(*BOTH)
def old_counter(): return edited(bn__num_batches_tracked=torch.tensor([77]))

def every_dtype():
    class Dtypes(nn.Module):
        def __init__(self):
            super().__init__()
            for i, d in enumerate(DTYPES): self.register_buffer(f'b{i}', torch.zeros(3, 4, dtype=torch.float32).to(d))
    return Dtypes()

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
          torch.bool, torch.complex64, torch.complex128]
if MODERN:
    NEWER = 'float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu uint16 uint32 uint64 complex32'
    DTYPES += [getattr(torch, n) for n in NEWER.split() if hasattr(torch, n)]
VALUES = {'float64': [1.5, 2.75, 0.1, 3.0, 75.7, 0.0, 5e-8, 1.00048828125, 90.0, 12.99, 2.5, 65.0],
          'int64': [0, 1, 2, 3, 5, 7, 11, 13, 100, 127, 64, 33]}

def _from_dtype(dtype):
    def make():
        model = every_dtype()
        kind = 'int64' if not (dtype.is_floating_point or dtype.is_complex) else 'float64'
        value = torch.tensor(VALUES[kind]).reshape(3, 4)
        if dtype.is_complex: value = torch.complex(value.double(), value.double().flip(0))
        return model, collections.OrderedDict((k, value.to(dtype)) for k in model.state_dict())
    make.__name__ = 'from_' + str(dtype).split('.')[1]
    return make

for _d in DTYPES: case({})(_from_dtype(_d))
case({'modern': 'no assign', 'assign': True})(_from_dtype(torch.float16))

@case()
def negative_integers_wrap():
    model = every_dtype()
    value = torch.tensor([-1, -128, 255, 256, -32769, 70000, 1 << 40, -(1 << 40), 0, 1, 2, 3]).reshape(3, 4)
    return model, collections.OrderedDict((k, value) for k, d in zip(model.state_dict(), DTYPES) if not d.is_floating_point)

class Strided(nn.Module):
    def __init__(self):
        super().__init__()
        base = torch.arange(200.)
        self.register_buffer('t', base[:12].clone().reshape(3, 4).t())
        self.register_buffer('s', torch.zeros(4, 10)[:, 1::3])
        self.register_buffer('c', torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last))
        self.register_buffer('h', torch.zeros(5, 6, dtype=torch.float16)[1:4, 2:5])
        self.register_buffer('n', torch.zeros(3, 2, dtype=torch.int8)[:, 0])
        self.register_buffer('z', torch.zeros(3, 2, dtype=torch.complex128)[:, 0])
        self.register_buffer('e', torch.zeros(0, 3))

@case(*BOTH)
def strided_targets():
    model = Strided()
    torch.manual_seed(4)
    return model, collections.OrderedDict((k, torch.randint(-9, 9, v.shape).float()) for k, v in model.state_dict().items())

@case({}, {'assign': True, 'modern': 'no assign'})
def strided_sources():
    model = nn.Module()
    for k, v in Strided().state_dict().items(): model.register_buffer(k, torch.zeros(v.shape))
    return model, filled(Strided(), 3).state_dict()

@case(*BOTH)
def expanded_targets():
    model = nn.Module()
    model.register_buffer('e', torch.zeros(3, 1).expand(3, 4))
    model.register_buffer('f', torch.zeros(3))
    model.register_buffer('one', torch.zeros(1).expand(1, 1))
    return model, collections.OrderedDict(e=torch.ones(3, 4), f=torch.ones(3), one=torch.ones(1, 1))

@case()
def expanded_sources():
    model = nn.Linear(3, 4)
    return model, collections.OrderedDict(weight=torch.arange(3.).expand(4, 3), bias=torch.tensor(2.).expand(4))

@case({}, {'assign': True, 'modern': 'no assign'})
def conjugated():
    model = nn.Module()
    model.register_buffer('c', torch.zeros(3, dtype=torch.complex64))
    model.register_buffer('r', torch.zeros(3))
    c = torch.tensor([1 + 2j, 3 - 4j, 5j])
    return model, collections.OrderedDict(c=c.conj(), r=c.clone().conj().imag)

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.b = nn.Linear(2, 3)
        self.b.weight = self.a.weight
        self.c = self.a

@case({'assign': True, 'modern': 'no assign'})
def ties_break():
    model, state = pair(lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)))
    model[1].weight = model[0].weight
    return model, state

@case(*BOTH, {'assign': True, 'modern': 'no assign', 'tree': True})
def tied_last_wins():
    model, state = pair(Tied)
    state['a.weight'] = torch.full((3, 2), 1.)
    state['b.weight'] = torch.full((3, 2), 2.)
    state['c.bias'] = torch.full((3,), 3.)
    return model, state

@case(*BOTH, {'assign': True, 'modern': 'no assign', 'tree': True})
def tied_one_missing():
    model, state = pair(Tied)
    del state['b.weight'], state['c.bias']
    return model, state

@case(*ALL)
def no_tensors():
    model, state = pair()
    state['conv.weight'] = 3
    state['bn.weight'] = None
    state['bn.bias'] = 'text'
    state['bn.running_mean'] = torch.Size([2, 3])
    state['bn.running_var'] = numpy.ones(4)
    state['body.0.weight'] = 2.5
    state['body.0.bias'] = (1, 2)
    state['body.1.weight'] = torch.float32
    state['body.1.bias'] = numpy.float32(1)
    state['number'] = 7
    return model, state

@case(*BOTH)
def other_kinds_of_tensor():
    model = filled(nn.ParameterList([nn.Parameter(torch.ones(2, 3)) for _ in range(4)]), 1)
    state = collections.OrderedDict(zip('0123', (torch.ones(2, 3).to_sparse(),
                                                 torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.quint8),
                                                 torch.ones(2, 3, device='meta'), torch.ones(2, 3))))
    return model, state

@case({'modern': 'other texts for compressed layouts'})
def sparse_into_every_dtype():
    model = every_dtype()
    sources = [torch.ones(3, 4, dtype=d).to_sparse() for d in (torch.float32, torch.bool, torch.complex64, torch.bfloat16)]
    sources.append(torch.ones(3, 4).to_sparse_csr())
    return model, collections.OrderedDict(zip(model.state_dict(), [torch.ones(3, 4)] + sources * 9))

@case(*BOTH)
def other_kinds_of_another_shape():
    model = filled(nn.ParameterList([nn.Parameter(torch.ones(2, 3)) for _ in range(3)]), 1)
    state = collections.OrderedDict(zip('012', (torch.ones(3, 2).to_sparse(), torch.quantize_per_tensor(torch.ones(6), 0.1, 0, torch.qint8),
                                                torch.ones(1, 3, device='meta'))))
    state['3'] = torch.ones(1)
    return model, state

@case({'modern': 'no assign', 'assign': True})
def integers_for_a_parameter():
    return edited(body__0__bias=torch.ones(5, dtype=torch.int32), bn__running_mean=torch.ones(4, dtype=torch.int64))

@case({'modern': 'no assign', 'assign': True})
def frozen_takes_integers():
    model, state = edited(body__0__bias=torch.ones(5, dtype=torch.int32))
    model.body[0].bias.requires_grad_(False)
    return model, state

@case({'tree': True, 'modern': 'no meta modules'}, {'tree': True, 'modern': 'no assign', 'assign': True})
def meta_model():
    model, state = pair()
    return model.to('meta'), state

@case(*BOTH)
def parameters_in_the_file():
    model, state = pair()
    return model, collections.OrderedDict((k, nn.Parameter(v) if v.is_floating_point() else v) for k, v in state.items())
