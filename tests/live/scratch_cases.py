# SPDX-License-Identifier: MIT
"""The objects of scratch_save.cpp, made in Python: every() is a dict of name → function(torch). Where Python's compiler would make one object of
two equal texts of a function, they are made at run time, as tree.hpp says."""
import collections
import math


def ramp(n, most=251):
    return bytearray(i % most for i in range(n))


def maker(torch):
    def tensor(shape, dtype=None):
        dtype = dtype or torch.float32
        count = math.prod(shape)
        if count == 0: return torch.empty(shape, dtype=dtype)
        size = torch.empty(0, dtype=dtype).element_size()
        data = torch.frombuffer(ramp(count * size, 2 if dtype == torch.bool else 251), dtype=torch.uint8)
        return data.view(dtype).view(shape)
    return tensor


def resnet_module(torch):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(4, 4, 3, bias=False), nn.BatchNorm2d(4)

    parts = collections.OrderedDict(conv1=nn.Conv2d(3, 4, 7, bias=False), bn1=nn.BatchNorm2d(4), relu=nn.ReLU())
    parts.update(layer1=nn.Sequential(Block(), Block()), fc=nn.Linear(4, 10))
    return filled(torch, nn.Sequential(parts))


def filled(torch, net):
    """The state dict with the bytes of ramp()."""
    state, tensor = net.state_dict(), maker(torch)
    for name in list(state): state[name] = tensor(tuple(state[name].shape), state[name].dtype)
    return state


def sequential(torch):
    return filled(torch, torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)))


def words(torch):
    net = torch.nn.Module()
    for name in ('version', 'storage', 'cpu_', 'w', 'conj'): net.register_buffer(name, torch.zeros(2))
    state = filled(torch, net)
    out = collections.OrderedDict((('cpu' if k == 'cpu_' else k), v) for k, v in state.items())
    out._metadata = state._metadata
    return out


def no_metadata(torch):
    tensor = maker(torch)
    return collections.OrderedDict([('w', tensor((2,))), ('w.1', tensor((2,)))])


def tied(torch):
    tensor = maker(torch)
    w, once = tensor((2, 3)), tensor((3,))
    return {'encoder.weight': w, 'decoder.weight': w.view(2, 3), 'a': once, 'b': once}


def views(torch):
    tensor = maker(torch)
    s, longs = tensor((24,)), tensor((8,), torch.int64)
    at = torch.as_strided
    return [at(s, (4, 6), (6, 1)), at(s, (6, 4), (1, 6)), at(s, (2,), (6,), 7), at(s, (3, 4), (0, 1), 2), at(s, (), (), 23), at(s, (0, 6), (6, 1), 12),
            at(longs, (4,), (2,), 1)]


def adam(torch):
    tensor = maker(torch)
    state = {i: {'step': tensor(()), 'exp_avg': tensor((2, 2)), 'exp_avg_sq': tensor((2, 2))} for i in range(2)}
    group = {'lr': 0.001, 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0, 'amsgrad': False, 'foreach': None, 'params': [0, 1]}
    optimizer = {'state': state, 'param_groups': [group]}
    return {'epoch': 3, 'global_step': 123456, 'state_dict': sequential(torch), 'optimizer': optimizer, 'best': 0.75, 'arch': 'resnet-18 (own)', 'log': ['epoch', 'state_dict', 'lr', '0', '']}


def keys(torch):
    d = {}
    for key in ('', 'a', 'é', 'ÿ', 'Ā', 'größe', '重み', '🙂', 'with space', '0', 'under_score'):
        interned = len(key) < 2 and key < 'Ā' or key.isascii() and key.isidentifier()
        d[key] = key if interned else key.encode().decode()
    d.update({0: 1, 1.5: 2, None: 3, True: 4, (1, 'a'): 5, bytes(b'xyz'): 6})
    d['a'] = 'again'
    return d


def ints(torch):
    out = [s * v for v in (0, 1, 255, 256, 65535, 65536) for s in (1, -1)]
    for bits in (7, 8, 15, 16, 23, 24, 31, 32, 39, 40, 47, 48, 55, 56, 62):
        for more in (-1, 0, 1): out += [(1 << bits) + more, -(1 << bits) + more]
    out += [2**63 - 1, -2**63, 2**63, -2**63 - 1, 2**64 - 1, 2**64, -2**64, 2**127 - 1, 2**127, -2**127]
    return out + [10**700, 42]


def scalars(torch):
    def data(n): return bytes(ramp(n))
    return (None, True, False, 0.0, -0.0, 1.5, float(torch.tensor(0.1)), math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308,
            complex(1.5, -0.0), data(0), data(1), data(255), data(256), torch.Size(()), torch.Size((2, 3, 70000)), torch.float32, torch.int64,
            torch.float32, 'x' * 255 + '-', 'y' * 70000 + '-', (), (1,), (1, 2, 3, 4), [], {}, collections.OrderedDict(), set(), {1, 2, 3}, complex(0, 0))


def parameters(torch):
    tensor = maker(torch)
    shared = tensor((3,))
    p, frozen = torch.nn.Parameter(shared), torch.nn.Parameter(tensor((2, 2)), requires_grad=False)
    return {'p': p, 'again': p, 'frozen': frozen, 'data': shared}


def quantised(torch):
    tensor = maker(torch)
    whole, other = torch._make_per_tensor_quantized_tensor(tensor((2, 3), torch.uint8), .1, 3), torch._make_per_tensor_quantized_tensor(tensor((4,), torch.int8), .25, -1)
    scales, zeros = torch.tensor([.5, .25], dtype=torch.float64), torch.tensor([0, 1])
    one, two = (torch._make_per_channel_quantized_tensor(tensor((2, 3), torch.int8), scales, zeros, 0) for _ in range(2))
    return {'whole': whole, 'again': whole, 'other': other, 'channels': one, 'more channels': two, 'tensor': tensor((2,))}


def sparse(torch):
    indices, values, rows, columns = torch.tensor([[0, 2], [1, 1]]), maker(torch)((2,)), torch.tensor([0, 1, 2]), torch.tensor([1, 0])
    coo, larger = (torch.sparse_coo_tensor(indices, values, size) for size in ((3, 2), (4, 4)))
    one, two = (torch.sparse_csr_tensor(rows, columns, values, (2, 2)) for _ in range(2))
    return {'coo': coo, 'again': coo, 'indices': indices, 'larger': larger, 'csr': one, 'another': two, 'size': torch.Size((3, 2))}


def identity(torch):
    one, text, recursive, d = [1], 'not an identifier', [], {}
    pair = (one, 'x y')
    d['self'] = d
    recursive.append((recursive, 1))
    return [one, one, pair, pair, d, text, text, 'word', 'word', bytes(ramp(3)), recursive, (recursive,)]


def empties(torch):
    tensor = maker(torch)
    return [tensor((0,)), tensor(()), tensor((2, 0, 3)), tensor((0, 2)), tensor((), torch.bool), tensor((1, 1, 1)), tensor((0,), torch.int64)]


def compact(torch):
    cut = maker(torch)((100,))[20:30].clone()
    return [cut, torch.as_strided(cut, (5, 2), (1, 5))]


def nested(torch):
    out = []
    for _ in range(400): out = [out]
    return out


def of_dtype(dtype):
    def make(torch):
        tensor, kind = maker(torch), getattr(torch, dtype)
        strided = torch.as_strided(tensor((8,), kind), (3,), (2,), 1)
        full, scalar, empty = (tensor(shape, kind) for shape in ((2, 3), (), (0, 4)))
        return {'full': full, 'scalar': scalar, 'empty': empty, 'strided': strided, 'dtype': kind}
    return make


DTYPES = ('uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128 bool bfloat16 bits1x8 bits2x4 bits4x2 bits8 bits16 '
          'float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz uint16 uint32 uint64 float8_e8m0fnu float4_e2m1fn_x2').split()


def every():
    named = (sequential, words, no_metadata, tied, views, adam, keys, ints, scalars, parameters, quantised, sparse, identity, empties, compact, nested)
    all = {f.__name__.replace('_', '-'): f for f in named}
    all['resnet'] = resnet_module
    all['resnet-in-tree'] = lambda torch: {'state_dict': resnet_module(torch), 'version': 1}
    all['tensor'] = lambda torch: maker(torch)((2,))
    for n in (0, 1, 2, 255, 256, 257, 999, 1000, 1001, 1999, 2000, 2001, 3000):
        all[f'list-{n}'] = lambda torch, n=n: list(range(n))
        all[f'dict-{n}'] = lambda torch, n=n: {f'k{i}': i for i in range(n)}
        all[f'ordered-{n}'] = lambda torch, n=n: collections.OrderedDict((f'k{i}', i) for i in range(n))
        all[f'tensors-{n}'] = lambda torch, n=n: {f't.{i}': maker(torch)((1,)) for i in range(n)}
    for dtype in DTYPES: all['dtype-' + dtype] = of_dtype(dtype)
    return all
