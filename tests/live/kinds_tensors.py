# SPDX-License-Identifier: MIT
"""Kinds of checkpoints: tensors as views, of every dtype, with gradients and attributes."""
from kinds import kind


def each_dtype(torch, names):
    """One tensor of each dtype, its bytes distinct."""
    raw = torch.arange(0, 240).to(torch.uint8)
    return {n: raw[:15] % 2 == 1 if n == 'bool' else raw.clone().view(getattr(torch, n))[:15].clone().reshape(3, 5) for n in names}


# views and layouts of memory

@kind()
def views(torch):
    x = torch.arange(60.).reshape(3, 4, 5)
    return {'x': x, 'slice': x[1:], 'item': x[2, 3, 4], 'column': x[:, :, 2], 't': x.transpose(0, 2), 'permute': x.permute(2, 0, 1),
            'step': x[::2, 1::2, ::3], 'flat': x.view(-1)[7:], 'diagonal': x[0].diagonal(), 'narrow': x.narrow(1, 1, 2)}


@kind()
def expanded(torch):
    row = torch.arange(3.)
    return {'expand': row.expand(1000, 3), 'scalar': torch.tensor(5.).expand(20, 20), 'unsqueezed': row[:, None].expand(3, 4),
            'huge': torch.zeros(1).expand(0, 2 ** 40)}


@kind()
def overlapping(torch):
    x = torch.arange(10)
    return [x.unfold(0, 4, 1), torch.as_strided(x, (2, 3, 2), (1, 2, 3), 1), torch.as_strided(x, (2, 2), (0, 0), 8)]


@kind()
def channels_last(torch):
    x = torch.arange(120.).reshape(2, 3, 4, 5)
    y = torch.arange(48).reshape(1, 2, 2, 3, 4)
    return {'nhwc': x.to(memory_format=torch.channels_last), 'ndhwc': y.to(memory_format=torch.channels_last_3d)}


@kind()
def non_contiguous(torch):
    return {'t': torch.arange(12).reshape(3, 4).t(), 'half': torch.arange(20).half()[::3],
            'flags': (torch.arange(12) % 3 == 0).reshape(4, 3).t()}


@kind()
def zero_dimensional(torch):
    return {'f': torch.tensor(1.5), 'i': torch.tensor(-7), 'b': torch.tensor(True), 'c': torch.tensor(1 + 2j)}


@kind()
def empties(torch):
    return {'0': torch.empty(0), '0x3': torch.empty(0, 3), '3x0x2': torch.empty(3, 0, 2, dtype=torch.int8), 'end': torch.arange(4)[4:],
            'view': torch.arange(6).reshape(2, 3)[:, 3:]}


@kind()
def many_dimensions(torch):
    return {'d20': torch.arange(2 ** 10).reshape((2, 1) * 10), 'ones': torch.ones((1,) * 30),
            't': torch.arange(16).reshape(2, 2, 2, 2).permute(3, 1, 0, 2)}


@kind()
def shared_storages(torch):
    a, b = torch.arange(10.), torch.arange(10)
    return {'a': a, 'b': b, 'a_again': a, 'a_view': a.view(2, 5), 'b_tail': b[5:], 'a_detached': a.detach(), 'copy': a.clone()}


@kind()
def big_enough(torch):
    return {'mebibyte': torch.arange(2 ** 18, dtype=torch.float32), 'uneven': torch.arange(1000001, dtype=torch.int8).fill_(3)}


# dtypes

@kind()
def old_dtypes(torch):
    names = 'float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128'
    return each_dtype(torch, names.split())


@kind((2, 4))
def complex_half(torch):
    return each_dtype(torch, ['complex32'])


@kind((2, 4))
def unsigned(torch):
    return each_dtype(torch, ['uint16', 'uint32', 'uint64'])


@kind((2, 4))
def float8(torch):
    return each_dtype(torch, ['float8_e5m2', 'float8_e4m3fn', 'float8_e5m2fnuz', 'float8_e4m3fnuz'])


@kind((2, 9))
def float8_e8m0(torch):
    return each_dtype(torch, ['float8_e8m0fnu'])


@kind((2, 4))
def float8_views(torch):
    x = torch.arange(24).to(torch.uint8).view(torch.float8_e4m3fn).reshape(4, 6)
    return {'x': x, 't': x.t(), 'tail': x[1:, 2:4], 'u': torch.arange(9).to(torch.uint16)[4:]}


@kind()
def special_numbers(torch):
    return {'f': torch.tensor([float('inf'), -float('inf'), float('nan'), -0.0, 1e-45]), 'i': torch.tensor([2 ** 63 - 1, -2 ** 63]),
            'h': torch.tensor([65504., 6e-8]).half()}


@kind()
def conjugate_views(torch):
    z = torch.complex(torch.arange(6.), -torch.arange(6.)).reshape(2, 3)
    return {'z': z, 'conj': z.conj(), 'conj_t': z.conj().t(), 'mH': z[:, 1:].conj(), 'double': z.to(torch.complex128).conj()}


@kind()
def negative_views(torch):
    z = torch.complex(torch.arange(6.), torch.arange(6.) + 1)
    return {'imag': z.conj().imag, 'tail': torch.complex(torch.arange(4.), torch.ones(4)).conj().imag[1:]}


@kind((2, 0))
def conjugate_and_negative(torch):
    return {'both': torch._neg_view(torch.complex(torch.arange(3.), torch.ones(3)).conj()), 'neg': torch._neg_view(torch.arange(4.))}


# gradients, parameters, attributes

@kind()
def requires_grad(torch):
    return {'leaf': torch.ones(2, requires_grad=True), 'computed': torch.ones(2, requires_grad=True) * 2, 'plain': torch.ones(2)}


@kind()
def parameters(torch):
    P = torch.nn.Parameter
    return {'p': P(torch.arange(4.)), 'frozen': P(torch.arange(4.), requires_grad=False), 'int': P(torch.arange(3), requires_grad=False),
            'view': P(torch.arange(6.).view(2, 3).t())}


@kind()
def parameter_with_attributes(torch):
    p = torch.nn.Parameter(torch.arange(4.))
    p.tag, p.extra = 'decay', {'other': torch.zeros(2)}
    return {'p': p, 'q': torch.ones(1)}


@kind()
def tensor_with_attributes(torch):
    t = torch.arange(5)
    t.names_of_rows, t.inner = ['a', 'b'], torch.zeros(3)
    return {'t': t, 'after': torch.ones(2)}


@kind()
def bare_parameter(torch):
    return torch.nn.Parameter(torch.ones(3))
