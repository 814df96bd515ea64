#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/: small checkpoints written by PyTorch, and beside each NAME.expect.json, what PyTorch finds in it.

    PYTHON make_golden.py            write the files that this PyTorch is meant to write
    PYTHON make_golden.py --check    make them again elsewhere and compare with the ones that are there

PyTorch 2.13 writes most of them; PyTorch 1.13 writes those whose names end in _torch1.13. The expected listings come from PyTorch alone
(live/oracle.py), never from brine. Values are ranges, not random, and no path of the machine is in a file, so that zip files come out the
same byte for byte. Legacy streams do not: their storage keys are memory addresses, and these order the storages. There --check compares
the opcodes of the pickles but for the keys, and the listing.
"""
import argparse
import collections
import datetime
import json
import os
import pickletools
import re
import sys
import tempfile
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, 'golden')
sys.path.insert(0, os.path.join(HERE, 'live'))
import numpy as np
import torch
from torch import nn

import oracle

OLD = torch.__version__.startswith('1.')
MAKER = '1.13' if OLD else '2.13'
FILES = {}


def golden(maker='2.13', **save_options):
    """Registers a maker: the function's name is the file's name."""
    def register(make):
        FILES[make.__name__.rstrip('_') + ('.pth' if maker == '2.13' else f'_torch{maker}.pth')] = (maker, make, save_options)
        return make
    return register


def steps(shape, dtype=torch.float32, start=0, scale=0.25):
    """Distinct values that float16 and wider hold exactly."""
    n = int(np.prod(shape)) if shape else 1
    return (torch.arange(start, start + n, dtype=torch.float64) * scale - 1).reshape(shape).to(dtype)


def fill(module):
    """Gives each parameter and buffer of a module plain values."""
    for i, t in enumerate(list(module.parameters()) + list(module.buffers())):
        t.data.copy_(steps(tuple(t.shape), start=i))
    return module


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)


@golden()
def resnet():
    """A residual network's state dict with torchvision's names: 20 tensors."""
    net = nn.Module()
    net.conv1 = nn.Conv2d(3, 4, 3, bias=False)
    net.bn1 = nn.BatchNorm2d(4)
    net.layer1 = nn.Sequential(Block(4))
    net.fc = nn.Linear(4, 10)
    return fill(net).state_dict()


@golden()
def checkpoint_adam():
    """What a training script saves: the epoch, a model, Adam with its int keys, a scheduler, arguments."""
    model = fill(nn.Sequential(collections.OrderedDict(fc=nn.Linear(3, 2))))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for p in model.parameters(): p.grad = torch.ones_like(p)
    optimizer.step()
    fill(model)
    for i, state in enumerate(optimizer.state.values()):
        for t in state.values(): t.copy_(steps(tuple(t.shape), start=i))
    return {'epoch': 7, 'model_state_dict': model.state_dict(), 'optimizer_state_dict': optimizer.state_dict(),
            'best_acc': 0.875, 'args': argparse.Namespace(lr=0.001, name='run 7', layers=[3, 2])}


def small_model():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(2, 2, bias=False))
    model[0].register_buffer('scratch', torch.zeros(2), persistent=False)
    return fill(model)


@golden()
def whole_model():
    return small_model()


@golden('1.13')
def whole_model_():
    return small_model()


@golden(_use_new_zipfile_serialization=False)
def legacy():
    base = steps((4, 3))
    return collections.OrderedDict([('weight', base), ('view', base[1:3].t()), ('half', steps((3,), torch.float16)), ('scalar', steps(()))])


@golden(_use_new_zipfile_serialization=False)
def legacy_module():
    """A module in the legacy format: its classes are persistent ids with their source. Here the source is cut to its first line and the file's
    name to what follows site-packages, so that the file is small and the same on every machine."""
    return small_model()


@golden()
def views():
    base, square = steps((4, 6)), steps((2, 3, 4, 5))
    return {'base': base, 'row': base[2], 'column': base[:, 1], 'transposed': base.t(), 'block': base[1:3, 2:5], 'step': base[::2, ::3],
            'expanded': base[0:1].expand(3, 6), 'diagonal': base.diagonal(), 'scalar': base[3, 5], 'empty': base[4:],
            'zero_by_three': torch.zeros(0, 3), 'permuted': square.permute(3, 0, 2, 1),
            'channels_last': square.contiguous(memory_format=torch.channels_last), 'unfolded': steps((6,)).unfold(0, 3, 1),
            'one': steps((1, 1, 1)), 'conjugate': torch.complex(steps((3,)), steps((3,))).conj(),
            'negative': torch.complex(steps((3,)), steps((3,))).conj().imag}


@golden()
def dtypes():
    names = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool', 'complex64', 'complex128', 'complex32',
             'uint16', 'uint32', 'uint64', 'float8_e5m2', 'float8_e4m3fn', 'float8_e5m2fnuz', 'float8_e4m3fnuz', 'float8_e8m0fnu']
    raw = torch.arange(0, 96, dtype=torch.uint8)
    out = {}
    for name in names:
        dtype = getattr(torch, name)
        out[name] = (raw[:6] % 2 == 1) if name == 'bool' else raw.clone().view(dtype)[:6].clone().reshape(2, 3)
    return out


def tensor_kinds():
    sparse = torch.sparse_coo_tensor([[0, 1, 1], [2, 0, 0]], steps((3,)), (2, 3))
    return {'per_tensor': torch.quantize_per_tensor(steps((2, 3)), 0.25, 1, torch.qint8),
            'per_channel': torch.quantize_per_channel(steps((2, 3)), torch.tensor([0.25, 0.5]), torch.tensor([0, 1]), 0, torch.quint8),
            'packed': torch.quantize_per_channel(steps((2, 4)), torch.tensor([0.25, 0.5]), torch.tensor([0.5, 1]), 0, torch.quint4x2),
            'coo': sparse, 'coalesced': nn.Parameter(torch.sparse_coo_tensor([[0, 1], [2, 0]], steps((2,)), (2, 3)).coalesce()), 'csr': steps((2, 2)).to_sparse_csr(), 'bsc': steps((2, 4)).to_sparse_bsc((1, 2)),
            'meta': torch.empty(2, 3, device='meta')}


@golden()
def kinds():
    """Tensors that are not plainly strided."""
    return {**tensor_kinds(), 'nested': torch.nested.nested_tensor([steps((1, 2)), steps((3, 2))])}


@golden(_use_new_zipfile_serialization=False)
def kinds_legacy():
    return tensor_kinds()


@golden(pickle_protocol=4)
def protocol4():
    return {'weight': steps((2, 3)), 'bias': steps((2,), start=9), 'note': 'Grüße', 'tags': {1, 2}, 'blob': b'\x00\xff', 'big': 2 ** 80}


@golden()
def tied():
    """Two names for one parameter, as in language models, and the same tensor object twice."""
    net = nn.Module()
    net.embedding = nn.Embedding(5, 3)
    net.decoder = nn.Linear(3, 5)
    net.decoder.weight = net.embedding.weight
    state = fill(net).state_dict()
    state['again'] = state['again_too'] = steps((2,))
    return state


@golden()
def objects():
    """Weights among objects that are no weights, most of them unknown classes to a reader without Python."""
    return {'model': collections.OrderedDict([('w', steps((2, 2)))]), 'array': np.arange(6, dtype='<f4').reshape(2, 3),
            'big_endian': np.arange(3, dtype='>i2'), 'fortran': np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
            'scalar': np.float64(1.5), 'when': datetime.datetime(2024, 5, 6, 7, 8, 9), 'queue': collections.deque([steps((1,)), 2], 4),
            'counter': collections.Counter(a=2), 'by_key': collections.defaultdict(list, x=[steps((1,), start=3)]),
            'space': argparse.Namespace(inner=steps((2,), start=5)), 'size': torch.Size([2, 3]), 'device': torch.device('cpu'),
            (1, 'a'): steps((1,), start=8), 2.5: None, b'raw': steps((1,), start=9), True: 'yes', 'naïve\n': steps((1,), start=10)}


@golden('1.13')
def tiny():
    """The smallest: each bit of it is flipped by a test."""
    return {'w': steps((2, 2)), 'b': steps((2,), torch.int16)}


@golden('1.13', _use_new_zipfile_serialization=False)
def tiny_legacy():
    return {'w': steps((2, 2)), 'b': steps((2,), torch.int16)}


def first_line_of_source(wanted):
    import inspect
    file = inspect.getsourcefile(wanted)
    lines, number = inspect.getsourcelines(wanted)
    return lines[:1], number, file.split('-packages' + os.sep)[-1]


def make(name, folder):
    """Writes one file and its listing."""
    _, function, options = FILES[name]
    path = os.path.join(folder, name)
    if 'legacy' in name: torch.serialization.get_source_lines_and_file = first_line_of_source
    torch.save(function(), path, **options)
    obj, places = oracle.load(path)
    found = oracle.listing(obj, places, options.get('pickle_protocol', 2))
    head = {'file': name, 'made_by': f'PyTorch {MAKER}', 'format': 'legacy' if 'legacy' in name else 'zip', 'state_dict_at': found['state_dict_at'],
            'state_dict': None if found['state_dict'] is None else [t['name'] for t in found['state_dict']]}
    text = json.dumps(head)[:-1]
    for key in ('tensors', 'arrays'):
        rows = ',\n  '.join(json.dumps(row) for row in found[key])
        text += f',\n "{key}": [' + (f'\n  {rows}' if rows else '') + ']'
    with open(path[:-4] + '.expect.json', 'w', encoding='ascii') as f: f.write(text + '}\n')


def opcodes(path):
    """The pickles of a legacy stream as opcodes, with keys (decimal addresses) masked and the list of keys left out."""
    with open(path, 'rb') as f:
        return [(op.name, re.sub(r'^\d{7,}$', 'KEY', arg) if isinstance(arg, str) else arg)
                for _ in range(4) for op, arg, _ in pickletools.genops(f)]


def same(name, made, there):
    """None, or how the newly made file differs from the one in the repository."""
    read = lambda path: open(path, 'rb').read()
    if 'legacy' in name:
        if opcodes(made) != opcodes(there): return 'other opcodes'
        if os.path.getsize(made) != os.path.getsize(there): print(f'{name}: keys of another length')
    elif read(made) != read(there): return 'other bytes'
    expect = lambda path: read(path[:-4] + '.expect.json')
    return None if expect(made) == expect(there) else 'another listing'


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    mine = [name for name, (maker, _, _) in FILES.items() if maker == MAKER and torch.__version__.startswith(maker)]
    if '--check' not in sys.argv:
        os.makedirs(GOLDEN, exist_ok=True)
        for name in mine: make(name, GOLDEN); print(name, os.path.getsize(os.path.join(GOLDEN, name)))
        sys.exit(0)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in mine:
            make(name, folder)
            why = same(name, os.path.join(folder, name), os.path.join(GOLDEN, name))
            if why: print(f'FAIL {name}: {why}'); failed += 1
    for name, (maker, _, _) in FILES.items():
        if name not in mine: print(f'skipped: {name}: made by PyTorch {maker}')
    print(f'{len(mine) - failed} passed, {failed} failed, {len(FILES) - len(mine)} skipped')
    sys.exit(1 if failed else 0)
