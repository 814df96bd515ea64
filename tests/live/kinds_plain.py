# SPDX-License-Identifier: MIT
"""Kinds of checkpoints: tensors among plain Python values, with every sort of key and number, deep, long and cyclic."""
import collections
from collections import OrderedDict

from kinds import kind


@kind()
def odd_keys(torch):
    t = lambda n: torch.full((2,), n)
    return {0: t(0), -3: t(1), 2 ** 40: t(2), 2 ** 70: t(3), None: t(4), True: t(5), 2.5: t(6), 1e16: t(7), 1e-5: t(8),
            float('inf'): t(9), 0.1: t(10),
            b'bytes\x00"\'': t(11), (1, 'a', None, (2.0, b'')): t(12), (): t(13), ('one',): t(14), 1 + 2j: t(15), frozenset([1]): t(16),
            str: t(17), b'it\'s': t(18), -0.0 + 5: t(19)}


@kind()
def keys_with_texts(torch):
    texts = ['', "it's", '"', "both ' and \"", 'back\\slash', 'line\n\r\t', '\x1b[0m', '\x7f', '\x00', '\x85', 'é', '键', '🔥']
    floats = [1e15, 123456789.125, 1e-4, 9.9e-5, 5e-324, 1.7976931348623157e308, -1e22, 1 / 3, float('-inf')]
    keys = [(s,) for s in texts] + [(s.encode(), 1) for s in texts] + floats + [(f,) for f in floats] + [((('deep',),),),
        (True, None, -2 ** 65, (1 + 0j).real)]
    return {k: torch.full((1,), i) for i, k in enumerate(keys)}


@kind()
def odd_names(torch):
    names = ['', ' ', '.', 'a.b', '"quoted"', 'back\\slash', 'tab\t', 'line\nfeed', '\x1b[31mred', '\x00', '\x7f\x85', 'ключ', '键',
        '🔥', 'é', 'e\u0301', '\u202e', '/', 'x' * 300, '\ufeff']
    return {'nested': {n: torch.full((1,), i) for i, n in enumerate(names)}, **{n: torch.full((2,), i) for i, n in enumerate(names)}}


@kind()
def lone_surrogate(torch):
    return {'\ud800x': torch.ones(1), 'plain': torch.ones(1)}


@kind()
def nested(torch):
    t = torch.arange(3)
    return {'list': [t, [t + 1, (t + 2, {'deep': [t + 3]})]], 'tuple': (t + 4, (), ((t + 5,),)), 'set': {1, 2},
            'frozen': frozenset(['x']), 'one': {t + 6}, 'frozen one': frozenset([t + 7])}


@kind()
def collections_kinds(torch):
    t = torch.arange(3)
    return {'deque': collections.deque([t, 1]), 'bounded': collections.deque([t + 1], 3),
            'default': collections.defaultdict(list, a=[t + 2]), 'default none': collections.defaultdict(None, a=t),
            'counter': collections.Counter('abca'), 'counts': collections.Counter({'t': t + 3}),
            'ordered': OrderedDict([(2, t + 4), ('x', {'y': t + 5})])}


@kind()
def scalars_beside_tensors(torch):
    return {'w': torch.ones(2), 'epoch': 3, 'lr': 1e-3, 'name': 'run', 'flag': True, 'none': None, 'bytes': b'\x00\xff', 'empty': b'',
            'array': bytearray(b'abc'), 'no array': bytearray(),
            'c': 1 - 2j, 'ints': (255, 256, 65536, -1, 2 ** 31, -2 ** 31 - 1, 2 ** 63, -2 ** 200, 10 ** 400),
            'floats': (0.0, -0.0, 1e308, float('nan'))}


@kind()
def long_texts(torch):
    return {'long': 'x' * 70000, 'unicode': 'ж' * 40000, 'b': bytes(range(256)) * 300, 'w' * 300: torch.ones(1),
            'array': bytearray(70000), 'after': torch.arange(3)}


@kind()
def three_thousand(torch):
    return {f'layer.{i}': torch.full((1,), i) for i in range(3000)}


@kind()
def multiples_of_1000(torch):
    base = torch.arange(4)
    return {'dict': {i: base[i % 4] for i in range(1000)}, 'ordered': OrderedDict((str(i), base[i % 4]) for i in range(1001)),
            'list': [base[i % 4] for i in range(2000)],
            'last': [base] * 2001, 'set': set(range(1000)), 'deque': collections.deque(range(1001))}


@kind()
def deep(torch):
    o = torch.arange(2)
    for i in range(200): o = [o] if i % 2 else {'k': o}
    return o


@kind()
def cycles(torch):
    loop, d = [torch.ones(1)], {'t': torch.zeros(2)}
    loop.append(loop), d.update(me=d, other=loop)
    inner = [torch.arange(2)]
    inner.append((inner, torch.arange(3)))
    return {'list': loop, 'dict': d, 'through tuple': inner, 'again': loop}


@kind()
def shared_dict_twice(torch):
    d = {'w': torch.ones(2)}
    return {'first': d, 'second': d, 'list': [d, d], 't': d['w']}


@kind()
def torch_values(torch):
    return {'size': torch.Size([2, 3]), 'device': torch.device('cpu'), 'cuda': torch.device('cuda', 1), 'dtype': torch.float32,
            'dtypes': [torch.int64, torch.bfloat16],
            'layout': torch.strided, 'shape': torch.ones(2, 3).shape, 'w': torch.ones(1)}
