# SPDX-License-Identifier: MIT
"""Tensors that Python classes put together: every() is a dict of name → function that makes one, for the PyTorch this Python has."""
import os
import warnings

import numpy as np
import torch
from torch import nn

from tensor_kinds import VERSION, numbers


class Two(torch.Tensor):
    """A wrapper subclass, as torchao's are: no data of its own, but two tensors in attributes."""
    @staticmethod
    def __new__(cls, a, b): return torch.Tensor._make_wrapper_subclass(cls, a.shape, dtype=a.dtype, requires_grad=False)
    def __init__(self, a, b): self.a, self.b = a, b
    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if 'detach' in str(func): return Two(args[0].a, args[0].b)
        raise NotImplementedError(str(func))
    def __repr__(self, **kwargs): return 'Two'


class OfDevice:
    """Pickles as a tensor of a backend without shared memory does; on the CPU, so that every PyTorch can load it."""
    def __init__(self, name, *args): self.name, self.args = name, args
    def __reduce__(self): return getattr(torch._utils, self.name), self.args


def with_attributes(tensor, **attributes):
    for name, value in attributes.items(): setattr(tensor, name, value)
    return tensor


def jagged():
    from torch.nested import narrow, nested_tensor, nested_tensor_from_jagged
    some = lambda *dtype, **options: nested_tensor([numbers(2, 3).to(*dtype), numbers(4, 3).to(*dtype)], layout=torch.jagged, **options)
    j = {str(dtype)[6:]: lambda dtype=dtype: some(dtype) for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.complex64)}
    j['that wants gradients'] = lambda: some(torch.float32, requires_grad=True)
    j['Parameter'] = lambda: nn.Parameter(some(torch.float32))
    j['transposed'] = lambda: some(torch.float32).transpose(1, 2)
    j['one dimension, an empty one'] = lambda: nested_tensor([numbers(2), numbers(0), numbers(5)], layout=torch.jagged)
    j['four dimensions'] = lambda: nested_tensor([numbers(2, 3, 4), numbers(1, 3, 4)], layout=torch.jagged)
    j['four dimensions, transposed'] = lambda: nested_tensor([numbers(2, 3, 4), numbers(1, 3, 4)], layout=torch.jagged).transpose(1, 2)
    j['of one'] = lambda: nested_tensor([numbers(7, 2)], layout=torch.jagged)
    j['with lengths'] = lambda: narrow(numbers(3, 10, 2), 1, torch.tensor([0, 2, 4]), torch.tensor([3, 1, 5]), layout=torch.jagged)
    j['of a view'] = lambda: nested_tensor_from_jagged(numbers(9, 4)[2:8, 1:3], torch.tensor([0, 1, 1, 6]))
    j['from values and lengths'] = lambda: nested_tensor_from_jagged(numbers(6, 2), torch.tensor([0, 4, 6]), lengths=torch.tensor([2, 1]))
    j['int32 offsets'] = lambda: nested_tensor_from_jagged(numbers(6, 2), torch.tensor([0, 4, 6], dtype=torch.int32))
    return {f'jagged {name}': make for name, make in j.items()}


def one_process():
    """A mesh of one process, by gloo."""
    import torch.distributed as dist
    if not dist.is_initialized():
        os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT='0')
        dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
    from torch.distributed.tensor import init_device_mesh
    return lambda *shape: init_device_mesh('cpu', shape)


def distributed():
    from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
    mesh = one_process()
    d = {'Shard(0)': lambda: distribute_tensor(numbers(3, 4), mesh(1), [Shard(0)]), 'Shard(1), bfloat16': lambda: distribute_tensor(numbers(3, 4).bfloat16(), mesh(1), [Shard(1)]),
         'Replicate': lambda: distribute_tensor(numbers(3, 4), mesh(1), [Replicate()]), 'Partial': lambda: DTensor.from_local(numbers(3, 4), mesh(1), [Partial()]),
         'two dimensions': lambda: distribute_tensor(numbers(3, 4), mesh(1, 1), [Replicate(), Shard(1)]), '0-d': lambda: distribute_tensor(torch.tensor(2.5), mesh(1), [Replicate()]),
         'Parameter': lambda: nn.Parameter(distribute_tensor(numbers(3, 4), mesh(1), [Shard(0)])), 'transposed': lambda: distribute_tensor(numbers(3, 4).t(), mesh(1), [Shard(0)])}
    return {f'DTensor {name}': make for name, make in d.items()}


def shards():
    """The first of two processes' parts; the second is not there. Call it last: it ends the other group."""
    import torch.distributed as dist
    from torch.testing._internal.distributed.fake_pg import FakeStore
    from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, init_device_mesh
    if dist.is_initialized(): dist.destroy_process_group()
    dist.init_process_group('fake', store=FakeStore(), rank=0, world_size=2)
    mesh = init_device_mesh('cpu', (2,))
    made = {'Shard(0)': [Shard(0)], 'Shard(1)': [Shard(1)], 'Replicate': [Replicate()], 'Partial': [Partial()], 'Partial(max)': [Partial('max')]}
    return {f'DTensor of two, {name}': lambda placements=placements: DTensor.from_local(numbers(3, 4), mesh, placements, run_check=False) for name, placements in made.items()}


def anywhere():
    a = {'wrapper subclass': lambda: Two(numbers(3), numbers(2, 2).double()), 'wrapper subclass of sparse': lambda: Two(numbers(3), numbers(2, 2).to_sparse()),
         'a tensor with attributes': lambda: with_attributes(numbers(3), extra=numbers(2), tag='x'), 'a Parameter with attributes': lambda: with_attributes(nn.Parameter(numbers(3)), extra=numbers(2), tag='x'),
         'lazy Parameter': lambda: nn.UninitializedParameter(), 'lazy buffer': lambda: nn.parameter.UninitializedBuffer(), 'Generator': lambda: torch.Generator().manual_seed(7)}
    for dtype, to in ((np.float32, torch.float32), (np.float32, torch.bfloat16), (np.float64, torch.float64), (np.int64, torch.int64), (np.bool_, torch.bool), (np.complex64, torch.complex64), (np.float32, torch.float16)):
        for name in ('_rebuild_device_tensor_from_numpy', '_rebuild_xla_tensor'):
            a[f'{name} {dtype.__name__} as {str(to)[6:]}'] = lambda name=name, dtype=dtype, to=to: OfDevice(name, np.arange(6).reshape(2, 3).astype(dtype), to, 'cpu', to.is_floating_point)
    a['_rebuild_device_tensor_from_numpy, columns'] = lambda: OfDevice('_rebuild_device_tensor_from_numpy', np.asfortranarray(np.arange(6.).reshape(2, 3)), torch.float32, 'cpu', False)
    a['_rebuild_device_tensor_from_numpy, 0-d'] = lambda: OfDevice('_rebuild_device_tensor_from_numpy', np.array(2.5), torch.float64, 'cpu', True)
    a['_rebuild_device_tensor_from_numpy, empty'] = lambda: OfDevice('_rebuild_device_tensor_from_numpy', np.zeros((0, 3), np.int16), torch.int16, 'cpu', False)
    if VERSION >= (2, 6): a['_rebuild_device_tensor_from_cpu_tensor'] = lambda: OfDevice('_rebuild_device_tensor_from_cpu_tensor', numbers(2, 3), torch.float32, 'cpu', True)
    return a


def every():
    warnings.simplefilter('ignore')
    out = anywhere()
    if VERSION >= (2, 6): out = {**out, **jagged(), **distributed()}
    return out
