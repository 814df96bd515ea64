# SPDX-License-Identifier: MIT
"""test_modules.py BRINE [NAME…]: whole pickled modules of every kind give the state dict that PyTorch's own state_dict() gives.

Each module of the table is saved whole, as zip and as legacy stream. `brine ls --json --crc` must list the names, order, shapes and values of
model.state_dict(); and `brine convert --state-dict` must write the bytes that torch.save(model.state_dict()) writes under the same file name,
`_metadata` included. NAME: only kinds whose names contain it.
"""
import json
import os
import sys
import tempfile
import warnings
import zlib

import torch
from torch import nn

import module_code
from common import Tally, command, in_parallel, run
from module_kinds import KINDS, SINCE, VERSION

PROFILE = 'torch-2.7' if VERSION >= (2, 7) else 'torch-2.1' if VERSION >= (2, 1) else 'torch-1.6'


def a_cycle_is_an_error(brine, folder):
    """A module that is its own child loads in PyTorch, but state_dict() raises RecursionError there."""
    net = nn.Sequential(nn.Linear(1, 1))
    net._modules['again'] = net
    path = os.path.join(folder, 'cycle.pth')
    torch.save(net, path)
    r = run(brine, 'ls', path)
    why = r.refused()
    return why or (None if 'contains itself' in r.error() else r.error())


def crc(t):
    if t.layout != torch.strided or t.device.type == 'meta' or t.dtype in (torch.quint4x2, getattr(torch, 'quint2x4', None)): return None
    if t.is_quantized: t = t.int_repr()
    return '%08x' % zlib.crc32(t.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())


def is_plain(t):
    """A tensor to brine; the uninitialised are values of another sort."""
    return isinstance(t, torch.Tensor) and not hasattr(t, 'cls_to_become')


def module_in(loaded):
    """The module, which may lie in a dict, list or tuple."""
    if isinstance(loaded, nn.Module): return loaded
    return next(m for m in (loaded.values() if isinstance(loaded, dict) else loaded) if isinstance(m, nn.Module))


def others_are_shown(brine, tally, folder):
    path = os.path.join(folder, 'lazy.pth')
    torch.save(nn.LazyLinear(3), path)
    want = 'other values: weight (torch.nn.parameter.UninitializedParameter), bias (torch.nn.parameter.UninitializedParameter)'
    r = run(brine, 'ls', path)
    tally.check('ls names the values that are no tensors', None if want in r.text().splitlines() else r.text() + r.error())


def what_code_adds(brine, tally, folder):
    """Of state dicts that are made by code which brine does not run: refused, noted, or (get_extra_state) nothing is known."""
    def listed(make):
        path = os.path.join(folder, 'code.pth')
        torch.save(make(), path)
        return run(brine, 'ls', '--json', path)
    for name, make in module_code.REFUSED.items():
        r = listed(make)
        why = r.refused() or (None if r.kind() == 'unsupported' and 'in a form of its own' in r.error() else r.error())
        tally.check(f'a form of its own: {name}', why)
    notes = listed(module_code.with_hook).json().get('notes', [])
    tally.check('a hook is noted', None if [n['code'] for n in notes] == ['state_dict_hook'] and 'module_code.hook' in notes[0]['text'] else notes)
    names = [t['name'] for t in listed(lambda: module_code.Extra(1, 1)).json()['tensors']]
    tally.check('extra state of the class', None if names == ['weight', 'bias'] else names)


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')

    def check(case):
        label, whole, weights, state = case
        r = run(brine, 'ls', '--json', '--crc', whole)
        if r.status != 0: return label, r.error().strip()[:200]
        got = json.loads(r.out)
        want = [(n, str(t.dtype).replace('torch.', ''), list(t.shape), list(t.stride()) if t.layout == torch.strided else None, crc(t)) for n, t in state.items() if is_plain(t)]
        have = [(t['name'], t['dtype'], t['shape'], t.get('stride'), t['crc32']) for t in got['tensors']]
        if want != have: return label, f'lists {[h for h in have if h not in want][:2]}, PyTorch has {[w for w in want if w not in have][:2]}'
        others = [n for n, t in state.items() if not is_plain(t)]
        if others != got.get('others', []): return label, f'other values are {got.get("others")}, PyTorch has {others}'
        named, at = {t.get('storage') for t in got['tensors']}, got['at'] and got['at'] + '.'
        hidden = [t for t in run(brine, 'ls', '--all', '--json', whole).json()['tensors'] if t['name'].startswith(at) and t.get('storage') not in named]
        notes = [n['text'] for n in got.get('notes', [])]
        if not others and len(notes) != bool(hidden) or (hidden and not others and not notes[0].startswith(f'{len(hidden)} more tensor')): return label, f'{notes}, hidden are {[t["name"] for t in hidden]}'
        ours = os.path.join(os.path.dirname(weights), 'ours', os.path.basename(weights))
        r = run(brine, 'convert', '--state-dict', '--profile', PROFILE, '--force', whole, ours)
        if r.status != 0: return label, r.error().strip()[:200]
        a, b = open(weights, 'rb').read(), open(ours, 'rb').read()
        return label, None if a == b else f'convert --state-dict: {len(b)} bytes, torch.save wrote {len(a)}'

    def cases(folder):
        os.makedirs(os.path.join(folder, 'ours'))
        for name, make in KINDS.items():
            if not any(w in name for w in sys.argv[2:] or ['']): continue
            if VERSION < SINCE.get(name, (0,)):
                tally.skip(name, f'PyTorch {torch.__version__} has no such thing')
                continue
            torch.manual_seed(0)
            try:
                model = make()
            except Exception as e:
                tally.skip(name, f'cannot be made here: {str(e).splitlines()[0][:100]}')
                continue
            for container in ('zip', 'legacy'):
                whole, weights = (os.path.join(folder, f'{name}_{container}{end}.pth') for end in ('_whole', ''))
                try:
                    torch.save(model, whole, _use_new_zipfile_serialization=container == 'zip')
                    loaded = torch.load(whole, **({} if VERSION < (2, 0) else {'weights_only': False}))
                except Exception as e:
                    tally.skip(f'{name} {container}', f'PyTorch does not save and load it: {str(e).splitlines()[0][:100]}')
                    continue
                state = module_in(loaded).state_dict()
                torch.save(state, weights)
                yield f'{name} {container}', whole, weights, state

    with tempfile.TemporaryDirectory() as folder:
        tally.check('a cycle of modules', a_cycle_is_an_error(brine, folder))
        what_code_adds(brine, tally, folder)
        others_are_shown(brine, tally, folder)
        for label, why in in_parallel(check, cases(folder)): tally.check(label, why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
