# SPDX-License-Identifier: MIT
"""Tensors that are not plainly strided: every() is a dict of name → function that makes one, for the PyTorch this Python has."""
import torch
from torch import nn

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])


def numbers(*shape): return (torch.arange(float(torch.Size(shape).numel())).reshape(shape) - 5) / 3


def quantised():
    q = {}
    for dtype in (torch.quint8, torch.qint8, torch.qint32):
        name = str(dtype)[6:]
        q[f'{name} per tensor'] = lambda dtype=dtype: torch.quantize_per_tensor(numbers(3, 4), 0.1, 3, dtype)
        q[f'{name} odd scale'] = lambda dtype=dtype: torch.quantize_per_tensor(numbers(300), 0.123456789123, -1 if dtype != torch.quint8 else 7, dtype)
        q[f'{name} per channel'] = lambda dtype=dtype: torch.quantize_per_channel(numbers(3, 4), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 2]), 0, dtype)
        q[f'{name} per channel, axis 1'] = lambda dtype=dtype: torch.quantize_per_channel(numbers(2, 4, 3), torch.rand(4, generator=seeded()) + 0.01, torch.arange(4), 1, dtype)
    q['every uint8'] = lambda: torch._make_per_tensor_quantized_tensor(torch.arange(256, dtype=torch.uint8), 0.1 / 3, 13)
    q['every int8'] = lambda: torch._make_per_tensor_quantized_tensor(torch.arange(-128, 128, dtype=torch.int8), 1e-3 / 7, -3)
    q['random int32'] = lambda: torch._make_per_tensor_quantized_tensor(torch.randint(-2**31, 2**31 - 1, (1000,), generator=seeded(), dtype=torch.int32), 1.7e-9, 12345)
    q['int32 that overflow'] = lambda: torch._make_per_tensor_quantized_tensor(torch.tensor([-2**31, 2**31 - 1], dtype=torch.int32), 0.5, 7)
    q['0-d'] = lambda: torch.quantize_per_tensor(torch.tensor(1.5), 0.1, 3, torch.quint8)
    q['empty'] = lambda: torch.quantize_per_tensor(torch.zeros(0, 3), 0.1, 3, torch.quint8)
    q['a view'] = lambda: torch.quantize_per_tensor(numbers(4, 6), 0.1, 3, torch.qint8)[1:3, 2:]
    q['transposed'] = lambda: torch.quantize_per_tensor(numbers(4, 6), 0.1, 3, torch.qint8).t()
    q['channels last'] = lambda: torch.quantize_per_tensor(numbers(2, 3, 4, 5), 0.1, 3, torch.qint8).contiguous(memory_format=torch.channels_last)
    q['per channel, channels last'] = lambda: torch.quantize_per_channel(numbers(2, 3, 4, 5), torch.tensor([.1, .2, .3]), torch.zeros(3), 1, torch.qint8).contiguous(memory_format=torch.channels_last)
    q['float qparams'] = lambda: torch.quantize_per_channel(numbers(3, 4), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 1.5, 2.5]), 0, torch.quint8)
    q['two that share'] = lambda: (lambda t: [t, t[0]])(torch.quantize_per_tensor(numbers(4, 6), 0.1, 3, torch.qint8))
    q['a Parameter'] = lambda: nn.Parameter(torch.quantize_per_tensor(numbers(3), 0.1, 3, torch.qint8), requires_grad=False)
    for dtype, shapes in ((torch.quint4x2, [(3, 5), (2, 4), (3, 4, 3), (4,)]), (getattr(torch, 'quint2x4', None), [(3, 5), (2, 8), (3, 4, 3)])):
        for shape in shapes if dtype else ():
            q[f'{str(dtype)[6:]} {shape}'] = lambda dtype=dtype, shape=shape: torch.quantize_per_channel(
                numbers(*shape), torch.linspace(0.1, 0.7, shape[0]), torch.linspace(0, 1.5, shape[0]), 0, dtype)
    return q


def seeded(): return torch.Generator().manual_seed(7)


def sparse():
    s = {}
    index = torch.tensor([[0, 1, 1, 2], [2, 0, 0, 3]])
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool, torch.complex64, torch.complex128):
        values = torch.tensor([1, 3, 2, 0]) if not dtype.is_complex else torch.tensor([1 + 2j, 3, -1j, 0])
        s[f'coo {str(dtype)[6:]}'] = lambda dtype=dtype, values=values: torch.sparse_coo_tensor(index, values.to(dtype), (3, 4))
    s['coo coalesced'] = lambda: torch.sparse_coo_tensor(index, numbers(4), (3, 4)).coalesce()
    s['coo hybrid'] = lambda: torch.sparse_coo_tensor(index, numbers(4, 2, 3), (3, 4, 2, 3))
    s['coo hybrid coalesced'] = lambda: torch.sparse_coo_tensor(index, numbers(4, 2), (3, 4, 2)).coalesce()
    s['coo sums'] = lambda: torch.sparse_coo_tensor(torch.tensor([[1] * 50]), (numbers(50) * 1e3 + 0.1).to(torch.float16), (3,))
    s['coo float sums'] = lambda: torch.sparse_coo_tensor(torch.randint(0, 5, (1, 400), generator=seeded()), torch.rand(400, generator=seeded()) * 1e4, (5,))
    s['coo of nothing'] = lambda: torch.sparse_coo_tensor(torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0), (3, 4))
    s['coo of one'] = lambda: torch.sparse_coo_tensor(torch.tensor([[1]]), torch.tensor([-0.0]), (3,))
    s['coo without sparse dimensions'] = lambda: torch.sparse_coo_tensor(torch.zeros(0, 2, dtype=torch.int64), numbers(2, 3), (3,))
    s['coo expanded values'] = lambda: torch.sparse_coo_tensor(index, torch.tensor(2.5).expand(4), (3, 4))
    s['coo transposed'] = lambda: torch.sparse_coo_tensor(index, numbers(4), (3, 4)).coalesce().t()
    s['coo odd values'] = lambda: torch.sparse_coo_tensor(torch.tensor([[0, 1, 2, 3]]), torch.tensor([float('nan'), float('inf'), -0.0, 1e-45]), (5,)).coalesce()
    s['coo Parameter'] = lambda: nn.Parameter(torch.sparse_coo_tensor(index, numbers(4), (3, 4)))
    s['coo that wants gradients'] = lambda: torch.sparse_coo_tensor(index, numbers(4), (3, 4), requires_grad=True)
    s['csr that wants gradients'] = lambda: torch.sparse_csr_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.tensor([1.5]), (1, 2), requires_grad=True)
    s['csr'] = lambda: numbers(3, 4).round().to_sparse_csr()
    s['csr Parameter'] = lambda: nn.Parameter(numbers(3, 4).round().to_sparse_csr())
    s['csr int32'] = lambda: torch.sparse_csr_tensor(torch.tensor([0, 1, 3], dtype=torch.int32), torch.tensor([1, 0, 2], dtype=torch.int32), numbers(3), (2, 3))
    s['csr float64'] = lambda: numbers(3, 4).double().to_sparse_csr()
    s['csr of nothing'] = lambda: torch.zeros(3, 4).to_sparse_csr()
    s['csr odd values'] = lambda: torch.sparse_csr_tensor(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 0]), torch.tensor([float('nan'), -0.0, 1e-45]), (2, 2))
    if VERSION >= (2, 0):
        s['csr float16'] = lambda: torch.sparse_csr_tensor(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 0]), numbers(3).half(), (2, 2))
        s['csr batch'] = lambda: torch.stack([numbers(3, 4) + 9, numbers(3, 4) + 7]).to_sparse_csr()
        s['csr dense'] = lambda: torch.sparse_csr_tensor(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 0]), numbers(3, 5), (2, 2, 5))
        s['csc'] = lambda: numbers(3, 4).round().to_sparse_csc()
        s['csc batch'] = lambda: torch.stack([numbers(3, 4) + 9, numbers(3, 4) + 7]).to_sparse_csc()
        s['bsr'] = lambda: numbers(4, 6).to_sparse_bsr((2, 3))
        s['bsr batch'] = lambda: torch.stack([numbers(4, 6), numbers(4, 6) + 7]).to_sparse_bsr((2, 3))
        s['bsr dense'] = lambda: torch.sparse_bsr_tensor(torch.tensor([0, 1, 2]), torch.tensor([1, 0]), numbers(2, 2, 3, 2), (4, 6, 2))
        s['bsc'] = lambda: numbers(4, 6).to_sparse_bsc((2, 3))
        s['two layouts of each'] = lambda: [numbers(2, 3).to_sparse_csr(), numbers(2, 3).to_sparse_csc(), numbers(3, 2).to_sparse_csr(), numbers(3, 2).to_sparse(), numbers(1, 2).to_sparse()]
    return s


def others():
    o = {'meta': lambda: torch.empty(2, 3, device='meta'), 'meta bfloat16': lambda: torch.empty(4, dtype=torch.bfloat16, device='meta'),
         'meta transposed': lambda: torch.empty(2, 3, device='meta').t(), 'meta Parameter': lambda: nn.Parameter(torch.empty(2, 3, device='meta')),
         'meta 0-d': lambda: torch.empty((), dtype=torch.int64, device='meta')}
    if VERSION >= (2, 1):
        o['nested'] = lambda: torch.nested.nested_tensor([numbers(2, 3), numbers(4, 3)])
        o['nested that wants gradients'] = lambda: torch.nested.nested_tensor([numbers(2, 3), numbers(4, 3)], requires_grad=True)
        o['nested 1-d'] = lambda: torch.nested.nested_tensor([numbers(2), numbers(5), numbers(0)])
        o['nested of nothing'] = lambda: torch.nested.nested_tensor([])
        o['nested float16'] = lambda: torch.nested.nested_tensor([numbers(2, 3).half(), numbers(1, 3).half()])
        o['nested transposed'] = lambda: torch.nested.nested_tensor([numbers(2, 3), numbers(4, 3)]).transpose(1, 2)
    return o


def every(): return {**quantised(), **sparse(), **others()}
