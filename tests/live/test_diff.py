# SPDX-License-Identifier: MIT
"""test_diff.py BRINE: `brine diff` on what PyTorch saves: a file equals itself and its copies, and any one thing that is changed is told, alone.

Needs PyTorch, numpy and the inert classes of the tests' own.
"""
import collections
import copy
import os
import sys
import tempfile
import warnings

import numpy as np
import torch
from torch import nn

from common import Tally, command, run
from diff_cases import cases


class Custom:
    def __init__(self, **kw): self.__dict__.update(kw)


def checkpoint():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    sum((p ** 2).sum() for p in model.parameters()).backward()
    optimizer.step()
    loop = [1]
    loop.append(loop)
    custom = Custom(a=1, b=[1, 2], tensor=torch.arange(3.))
    custom.itself = custom
    return {'model': model.state_dict(), 'optimizer': optimizer.state_dict(), 'epoch': 3, 'loss': float('nan'), 'none': None, 'array': np.arange(6.).reshape(2, 3),
            'objects': np.array(['a', None, 3], dtype=object), 'scalar': np.float32(1.5), 'set': {'a', 'b', 3}, 'frozen': frozenset([1, (2, 3)]), 'device': torch.device('cpu'),
            'dtype': torch.float32, 'complex': 3 + 4j, 'bytes': b'xyz', 'bytearray': bytearray(b'q'), 'big': 2 ** 100, 'size': torch.Size([1, 2]),
            'counter': collections.Counter('hello'), 'default': collections.defaultdict(list, {'x': [1]}), 'deque': collections.deque([1, 2, 3], 5),
            'parameter': nn.Parameter(torch.ones(2)), 'keys': {torch.float32: 1, ('a', torch.int8): 2, float('nan'): 3, None: 4, True: 5, 'k' * 200: 6},
            'loop': loop, 'custom': custom, 'shared': [loop, loop], 'text': 'word ' * 50, 'class': Custom, 'function': torch.add,
            'nan': torch.tensor([float('nan'), 1]), 'empty': torch.empty(0, 3), 'bf16': torch.ones(3).bfloat16(), 'complex_tensor': torch.tensor([1 + 2j])}


def set_at(c, path, value):
    *path, last = path
    for step in path: c = getattr(c, step) if isinstance(c, Custom) else c[step]
    if isinstance(c, Custom): setattr(c, last, value)
    else: c[last] = value


# (where, the value there, how the line with it begins)
CHANGES = [
    (('epoch',), 4, '~ epoch  3 -> 4'), (('epoch',), 3.0, '~ epoch  3 -> 3.0'), (('loss',), 0.5, '~ loss  nan -> 0.5'), (('none',), 0, '~ none  None -> 0'),
    (('array',), np.arange(6.).reshape(3, 2), '~ array'), (('array',), np.arange(6).reshape(2, 3), '~ array'), (('array',), np.arange(1., 7.).reshape(2, 3), '~ array'),
    (('objects',), np.array(['a', None, 4], dtype=object), '~ objects'), (('scalar',), np.float32(2.5), '~ scalar'), (('set',), {'a', 'b', 4}, '- set  the member 3'),
    (('frozen',), frozenset([1, (2, 4)]), '~ frozen'), (('device',), torch.device('meta'), '~ device'), (('dtype',), torch.float16, '~ dtype'), (('complex',), 3 + 5j, '~ complex'),
    (('bytes',), b'xya', '~ bytes'), (('bytearray',), bytearray(b'r'), '~ bytearray'), (('big',), 2 ** 100 + 1, '~ big'), (('size',), torch.Size([1, 3]), '~ size.1  2 -> 3'),
    (('size',), (1, 2), '~ size'), (('counter', 'h'), 7, '~ counter.h  1 -> 7'), (('default',), collections.defaultdict(set, {'x': [1]}), '~ default'),
    (('deque',), collections.deque([1, 2, 3], 6), '~ deque'), (('parameter',), torch.ones(2), '~ parameter'), (('parameter',), nn.Parameter(torch.ones(2), False), '~ parameter'),
    (('keys', torch.float32), 9, '~ keys'), (('keys', None), 9, '~ keys.None  4 -> 9'), (('keys', 'k' * 200), 9, '~ keys.kkk'), (('custom', 'a'), 2, '~ custom.a  1 -> 2'),
    (('custom', 'b', 1), 5, '~ custom.b.1  2 -> 5'), (('custom', 'tensor'), torch.zeros(3), '~ custom.tensor  largest difference 2'), (('custom', 'itself'), None, '~ custom.itself'),
    (('text',), 'word ' * 49 + 'other', '~ text'), (('class',), dict, '~ class'), (('function',), torch.sub, '~ function'), (('nan',), torch.tensor([float('nan'), 2]), '~ nan'),
    (('nan',), torch.tensor([1, float('nan')]), '~ nan  largest difference inf'), (('empty',), torch.empty(3, 0), '~ empty  [0, 3] -> [3, 0]'), (('bf16',), torch.ones(3).half(), '~ bf16'),
    (('complex_tensor',), torch.tensor([1 + 3j]), '~ complex_tensor  largest difference 1'), (('model', '0.bias'), torch.zeros(3), '~ 0.bias  largest difference'),
    (('model', 'new'), torch.ones(1), '+ new  float32 [1]'), (('optimizer', 'param_groups', 0, 'lr'), 0.5, '~ optimizer.param_groups.0.lr  0.001 -> 0.5'),
    (('optimizer', 'state', 0, 'step'), torch.tensor(9.), '~ optimizer.state.0.step  largest difference 8'), (('extra',), [1], '+ extra  list (1)'),
    (('optimizer', 'state', 0, 'exp_avg_sq'), torch.zeros(3, 4), '~ optimizer.state.0.exp_avg_sq'),
]


def main():
    warnings.simplefilter('ignore')
    brine, tally = command(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        def save(name, value, **options):
            path = os.path.join(folder, name)
            if hasattr(value, 'data') and isinstance(value.data(), bytes):
                with open(path, 'wb') as f: f.write(value.data())
            else: torch.save(value, path, **options)
            return path

        def check(what, args, status, *lines, last=None):
            r = run(brine, 'diff', *args)
            said = r.text() + r.error()
            why = f'status {r.status}' if r.status != status else next((f'no {line!r}' for line in lines if line not in said), None)
            if not why and last and not said.splitlines()[-1].startswith(last): why = f'the last line does not begin with {last!r}'
            tally.check(what, why and f'{why}: {said[-500:]}')

        c = checkpoint()
        a, legacy = save('a.pt', c), save('legacy.pt', c, _use_new_zipfile_serialization=False)
        check('a file and itself', [a, a], 0, 'names in both: equal', 'other values in both: equal')
        check('the two formats', [a, legacy], 0)
        check('made anew', [a, save('again.pt', checkpoint())], 0)
        for path, value, line in CHANGES:
            other = checkpoint()
            set_at(other, path, value)
            b = save('b.pt', other)
            name = '.'.join(str(p)[:20] for p in path) + f' = {value!r}'[:40]
            check(name, [a, b], 1, line, last='differs: ')
            r = run(brine, 'diff', '--json', b, a)
            found = r.json()
            n = sum(len(found['weights'][k]) for k in ('only_in_a', 'only_in_b', 'differing', 'attributes', 'versions')) + found['rest']['differing']
            tally.check(name + ', JSON', None if r.status == 1 and not found['equal'] and n >= 1 and n <= 5 else f'{r.status}, {n} differences: {r.text()[:400]}')
            check(name + ' and itself', [b, b], 0)
        other = checkpoint()
        other['shared'][1] = copy.deepcopy(other['loop'])
        check('one object or two', [a, save('b.pt', other)], 1, '~ shared.1  one list in several places', last='differs: shared.1')
        del other['none']
        check('a key less', [save('b.pt', other), a], 1, '+ none  None')
        other = checkpoint()
        other['model']._metadata['1']['version'] = 1
        b = save('b.pt', other)
        check('versions', [a, b], 1, 'model._metadata.1.version  2 -> 1')
        check('versions of the weights', [a, b, '--state-dict'], 1, '~ _metadata of 1  version: 2 -> 1')

        optimizer = save('optimizer.pt', c['optimizer'])
        check('no weights at all', [optimizer, optimizer], 0, 'values in both: equal')
        check('a place', [a, b, '--at', 'epoch'], 0, 'value in both: equal')
        check('no such place', [a, b, '--at', 'nowhere'], 1, 'nowhere')
        weights = save('weights.pt', c['model'])
        check('a part of the other', [a, weights], 1, 'names in both: equal', '- epoch  3', '- optimizer', last='differs: model, optimizer, epoch')
        check('the weights alone', [a, weights, '--state-dict'], 0, 'names in both: equal')
        kept = dict(c['model'])
        kept['_extra_state'] = {'scale': 1.0, 'amax': [1, 2]}
        x = save('x.pt', kept)
        kept['_extra_state'] = {'scale': 1.0, 'amax': [1, 3]}
        check('kept values', [x, save('y.pt', kept)], 1, '~ _extra_state  amax.1: 2 -> 3', last='differs: _extra_state')

        arrays = [save(f'arrays{i}.pt', {f'a{k}': np.full(250_000, k + i, 'f4') for k in range(100)}) for i in (0, 1)]
        check('many large arrays', arrays, 1, last='differs: a0, a1, a2, a3, a4 and 95 more')
        held = torch.arange(4_000_000.)
        views = [save(f'views{i}.pt', {f'v{k}': t[k:3_999_000 + k] for k in range(40)}) for i, t in enumerate((held, held + 1))]
        check('views that overlap are not read without end', views, 1, 'over and over')
        check('their names are', [*views, '--names'], 0, 'the same dtypes and shapes')

        model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Conv2d(1, 2, 3))
        whole, state = save('whole.pt', model), save('state.pt', model.state_dict())
        check('a whole model and itself', [whole, whole], 0, 'names in both: equal')
        check('a whole model and its weights', [whole, state], 1, 'names in both: equal', last='not compared: all of the model but its weights')
        check('the weights of both', [whole, state, '--state-dict'], 0, 'equal')
        other = copy.deepcopy(model)
        other[2].padding = (1, 1)
        other[1].momentum = 0.5
        check('a module\'s settings', [whole, save('b.pt', other)], 1, '~ _modules.1.momentum  0.1 -> 0.5', '~ _modules.2.padding.0  0 -> 1')
        other = copy.deepcopy(model)
        other[0].weight.data[0, 0] += 1
        other[0].bias.requires_grad_(False)
        check('a module\'s parameters', [whole, save('b.pt', other)], 1, '~ 0.weight  largest difference 1, 1 of 12 elements', '~ _modules.0._parameters.bias  requires_grad')

        for what, x, y, said in cases():
            a, b = save('a.pt', x), save('b.pt', y)
            said = [said] if isinstance(said, str) else said
            check(what, [a, b], 1 if said else 0, *said, last='differs: ' if said else None)
            check(what + ', itself', [a, a], 0)
            r = run(brine, 'diff', '--json', b, a)
            tally.check(what + ', the other way round', None if r.json()['equal'] == (not said) == (r.status == 0) else r.text()[:400])

        sd, near = {'w': torch.ones(2)}, {'f': 1 + 1e-9, 'c': complex(1, 1e-9), 'array': np.ones(3) + 1e-9, 'scalar': np.float64(1 + 1e-9), 'f4': np.float32(1.0000001), 'w': torch.ones(2) + 1e-6}
        exact = {'f': 1., 'c': 1 + 0j, 'array': np.ones(3), 'scalar': np.float64(1), 'f4': np.float32(1), 'w': torch.ones(2)}
        a, b = save('a.pt', {'model': sd, **exact}), save('b.pt', {'model': sd, **near})
        check('nothing is near without a tolerance', [a, b], 1, *(f'~ {k}' for k in near), last='differs: ')
        check('a tolerance is for every kind of number', [a, b, '--tolerance', '1e-3'], 0, 'equal within the tolerance')
        check('a tolerance that is too small', [a, b, '--tolerance', '1e-10'], 1, *(f'~ {k}' for k in near))
        for what, number, nan in (('a tensor', torch.ones(1), torch.tensor([float('nan')])), ('a float', 1., float('nan')), ('an array', np.ones(1), np.array([np.nan])),
                                  ('a complex number', 1 + 1j, complex(1, float('nan'))), ('a weight', {'w': torch.ones(1)}, {'w': torch.tensor([float('nan')])})):
            a, b = save('a.pt', [number]), save('b.pt', [nan])
            check(f'no tolerance makes NaN {what}', [a, b, '--tolerance', 'inf'], 1, last='differs: ')
            check(f'NaN is NaN in {what}', [b, b, '--tolerance', '0'], 0)
        for bad in ('nan', '-1', '-nan', 'x'): check(f'--tolerance {bad}', [a, b, '--tolerance', bad], 2, bad)
        a, b = save('a.pt', {'model': sd, 'x': 1}), save('b.pt', {'state_dict': dict(sd), 'x': 2})
        check('places do not count among weights alone', [a, b, '--state-dict'], 0, '1 name in both: equal')
        tied, untied = save('a.pt', {'a': sd['w'], 'b': sd['w']}), save('b.pt', {'a': sd['w'], 'b': sd['w'].clone()})
        check('nor does what they share', [tied, untied, '--weights'], 0, '2 names in both: equal')
        same_sharing = [e['same_sharing'] for e in run(brine, 'diff', '--json', tied, untied).json()['weights']['attributes']]
        tally.check('what they share, JSON', None if same_sharing == [False] else same_sharing)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
