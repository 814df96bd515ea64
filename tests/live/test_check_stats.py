# SPDX-License-Identifier: MIT
"""test_check_stats.py BRINE: `brine check` finds a damaged byte and names every class; `brine stats` gives what numpy gives."""
import os
import pickletools
import sys
import tempfile
import warnings
import zipfile

import numpy as np
import torch
from torch import nn

from common import GOLDEN, Tally, command, run


def globals_of(path):
    """As pickletools sees them: GLOBAL and INST have both names, STACK_GLOBAL the two strings before it (through the memo)."""
    with zipfile.ZipFile(path) as z: data = z.read(next(n for n in z.namelist() if n.endswith('/data.pkl')))
    found, strings, memo = [], [], {}
    for op, arg, _ in pickletools.genops(data):
        if op.name in ('GLOBAL', 'INST'): found.append(tuple(arg.split(' ', 1)))
        elif op.name == 'STACK_GLOBAL': found.append(tuple(strings[-2:]))
        elif op.name in ('PUT', 'BINPUT', 'LONG_BINPUT'): memo[arg] = strings[-1] if strings else None
        elif op.name == 'MEMOIZE': memo[len(memo)] = strings[-1] if strings else None
        elif 'GET' in op.name: strings.append(memo.get(arg))
        elif isinstance(arg, str): strings.append(arg)
    return found


def check_check(brine, folder, tally):
    model = nn.Sequential(nn.Linear(20, 30), nn.BatchNorm1d(30))
    path = os.path.join(folder, 'whole.pt')
    torch.save(model, path)
    for name in (path, os.path.join(GOLDEN, 'resnet.pth')):
        r = run(brine, 'check', name, '--json')
        want, got = globals_of(name), r.json()
        uses = {(g['module'], g['name']): g['uses'] for g in got['globals']}
        mapped = [('builtins' if m == '__builtin__' else m, n) for m, n in want]
        tally.check(f'check {os.path.basename(name)}', None if r.status == 0 and got['whole'] and got['faults'] == [] and uses == {g: mapped.count(g) for g in mapped} else
                    f'{r.status}: {uses}, expected {want}')
        with zipfile.ZipFile(name) as z:
            tally.check('its records', None if got['records'] == len(z.namelist()) and got['bytes'] == sum(i.file_size for i in z.infolist()) else r.text()[:300])
        allowed = {f"{g['module']}.{g['name']}" for g in got['globals'] if g['weights_only']}
        tally.check('what weights_only allows', None if 'torch._utils._rebuild_tensor_v2' in allowed and 'torch.nn.modules.linear.Linear' not in allowed else str(allowed))
    text = run(brine, 'check', path).text()
    tally.check('as text', None if 'every CRC is right' in text and 'refused  other  torch.nn.modules.linear.Linear' in text and 'allowed  known  collections.OrderedDict' in text else text)

    with zipfile.ZipFile(path) as z: info = next(i for i in z.infolist() if i.filename.endswith('/data/0'))
    data = bytearray(open(path, 'rb').read())
    at = data.index(model[0].weight.detach().numpy().tobytes()[:64]) + 100
    data[at] ^= 1
    damaged = os.path.join(folder, 'damaged.pt')
    with open(damaged, 'wb') as f: f.write(data)
    r = run(brine, 'check', damaged)
    tally.check('one bit', None if r.status == 1 and 'damaged: ' in r.text() and info.filename.split('/', 1)[1] in r.text() and '1 damaged' in r.text() else r.text())
    r = run(brine, 'check', damaged, '--json')
    tally.check('one bit, JSON', None if r.status == 1 and r.json()['damaged'] == 1 and r.json()['faults'][0]['code'] == 'zip_crc' else r.text()[:300])
    tally.check('ls does not read it', None if run(brine, 'ls', damaged).status == 0 else 'ls refuses it')

    packed = os.path.join(folder, 'packed.pt')
    with zipfile.ZipFile(path) as z, zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as out:
        for i in z.infolist(): out.writestr(i.filename, z.read(i))
    r = run(brine, 'check', packed)
    tally.check('deflated', None if r.status == 0 and 'every CRC is right' in r.text() else r.text() + r.error())
    legacy = os.path.join(folder, 'legacy.pt')
    torch.save(model.state_dict(), legacy, _use_new_zipfile_serialization=False)
    r = run(brine, 'check', legacy)
    tally.check('legacy', None if r.status == 0 and 'this form has no CRCs' in r.text() else r.text() + r.error())
    with open(legacy, 'ab') as f: f.write(b'more')
    r = run(brine, 'check', legacy)
    tally.check('bytes behind', None if r.status == 0 and 'note: 4 bytes follow' in r.text() else r.text())
    with open(legacy, 'r+b') as f: f.truncate(500)
    tally.check('cut short', run(brine, 'check', legacy).refused())


def tensors():
    torch.manual_seed(0)
    out = {f'{dtype}': torch.randn(1000).to(dtype) for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16)}
    out.update({f'{dtype}': torch.randint(0, 100, (7, 9)).to(dtype) for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)})
    out['large'] = torch.tensor([2 ** 62 + 1, -2 ** 62 - 3])
    out['odd'] = torch.tensor([float('nan'), float('inf'), -float('inf'), 1, 2, float('nan')])
    out['nothing finite'] = torch.tensor([float('nan')])
    out['empty'] = torch.empty(0, 3)
    out['scalar'] = torch.tensor(2.5)
    out['view'] = torch.arange(24.).view(4, 6).t()[1:4, ::2]
    out['expanded'] = torch.tensor([1., float('nan')]).expand(5, 2)
    out['giant'] = torch.tensor([3.]).expand(2 ** 40)
    out['conj'] = torch.tensor([3 + 4j, 1j]).conj()
    out['neg'] = torch.tensor([3 + 4j, 5 - 1j]).conj().imag
    out['many'] = torch.full((1_000_000,), 0.1)
    return out


def check_stats(brine, folder, tally):
    path = os.path.join(folder, 'stats.pt')
    state = tensors()
    torch.save(state, path)
    state = torch.load(path)      # 1.13 forgets that a tensor is negated
    r = run(brine, 'stats', path, '--json')
    if r.status != 0: return tally.fail('stats', r.error())
    got = {t['name']: t for t in r.json()['tensors']}
    for name, t in state.items():
        s, each = got[name], 1
        if name == 'giant': t, each = t[:1], 2 ** 40
        t = t.resolve_conj().resolve_neg()
        if t.is_complex(): t = t.abs()
        a = t.contiguous().to(torch.float64 if t.is_floating_point() else torch.int64).numpy()
        finite = a[np.isfinite(a)]
        want = {'min': finite.min().item(), 'max': finite.max().item(), 'mean': finite.astype(np.float64).mean().item()} if finite.size else {'min': None, 'max': None, 'mean': None}
        want['nan'], want['inf'] = int(np.isnan(a).sum()) * each, int(np.isinf(a).sum()) * each
        if name == 'large': want['mean'] = -1   # a double does not hold the elements
        near = lambda x, y: x == y or (x is not None and y is not None and abs(x - y) <= 1e-12 * max(abs(x), abs(y), 1))
        why = [f'{k}: {s[k]}, expected {v}' for k, v in want.items() if not (near(s[k], v) if k == 'mean' else s[k] == v)]
        tally.check(f'stats of {name}', '; '.join(why))
    text = run(brine, 'stats', path, 'odd', 'large').text()
    tally.check('as text', None if '4611686018427387905' in text and '2 NaN and 2 Inf in 1 tensor' in text and '2 tensors, 8 elements' in text else text)
    tally.check('no such name', run(brine, 'stats', path, 'nowhere*').refused())
    torch.save({'state': {0: {'exp_avg': torch.ones(3)}}, 'lr': 0.1}, path)
    tally.check('no weights', run(brine, 'stats', path, '--at', 'lr').refused())
    r = run(brine, 'stats', path, '--all', '--json')
    tally.check('--all', None if r.status == 0 and [t['name'] for t in r.json()['tensors']] == ['state.0.exp_avg'] else r.text() + r.error())


def check_what_is_not_told_by_tensors(brine, folder, tally):
    """Of kinds of tensors that stats cannot look at; of arrays beside the weights; of a key that is empty; of a dataset."""
    path = os.path.join(folder, 'odd.pt')
    def text(*words): return run(brine, *words).text()
    torch.save({'w': torch.ones(2), 'sp': torch.eye(3).to_sparse(), 'q': torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.quint8), 'm': torch.empty(2, device='meta'), 'n': 3, 'ø': None}, path)
    got = text('stats', path).splitlines()
    tally.check('kinds are named', None if got[-4:] == ['3 tensors, 14 elements: all finite', 'not looked at: m (meta)', 'of sparse tensors: the values that they name', 'of quantised tensors: the numbers that their integers stand for'] else f'{got}')
    got = run(brine, 'stats', path, '--json').json()
    tally.check('kinds, JSON', None if got.get('not_looked_at') == [{'name': 'm', 'kind': 'meta'}] and got['tensors'][1]['layout'] == 'sparse_coo' and got['tensors'][2]['max'] == 1 else f'{got}')
    got = text('stats', path, 'm*').splitlines()
    tally.check('one of them alone', None if got[-2:] == ['0 tensors, 0 elements', 'not looked at: m (meta)'] else f'{got}')
    torch.save({'': torch.ones(2), '.x': torch.ones(1)}, path)
    for words in ('ls', path), ('ls', path, '--all'), ('stats', path), ('stats', path, '--all'), ('ls', path, '--by-prefix'):
        got = text(*words)
        tally.check(f'an empty key: {words[0]} {words[2:]}', None if "\n''" in '\n' + got and 'root' not in got else f'{got}')
    torch.save(torch.ones(2), path)
    for verb in 'ls', 'stats': tally.check(f'{verb}: the root', None if text(verb, path, '--all').find('(the root)') >= 0 else text(verb, path, '--all'))
    for value in '0', '-1', 'x', '00', '99999999999999999999': tally.check(f'--by-prefix={value}', None if run(brine, 'ls', path, '--all', f'--by-prefix={value}').status == 2 else 'taken')
    tally.check('--by-prefix=2', None if run(brine, 'ls', path, '--all', '--by-prefix=2').status == 0 else 'refused')

    def notes(file, *words): return [line for line in text('ls', file, *words).splitlines() if line.startswith('note: ')]
    torch.save({'model': {'w': torch.ones(1)}, 'obs': np.zeros(3), 'rms': [np.ones(2)]}, path)
    tally.check('arrays outside', None if notes(path) == ["note: 2 numpy arrays outside 'model': arrays() or --all lists them"] else f'{notes(path)}')
    torch.save({'model': {'w': torch.ones(1)}, 'obs': np.zeros(3), 'opt': [torch.ones(2)]}, path)
    tally.check('both outside', None if notes(path) == ["note: 1 more tensor and 1 numpy array outside 'model': tensors(), arrays() or --all lists them"] else f'{notes(path)}')

    class Own(torch.nn.Module):
        def __init__(self, n): super().__init__(); self.kept = [torch.ones(n)]
        def state_dict(self, *args, **kwargs): return {'w': self.kept[0]}
    globals()['Own'], Own.__qualname__ = Own, 'Own'
    torch.save(Own(1), path)
    torch.save(Own(2), path + '2')
    for words in ('ls', path), ('stats', path), ('stats', path, '--json'), ('diff', '--state-dict', path, path + '2'), ('match', path, path), ('convert', path, path + '3', '--only', '*'), ('convert', path, path + '3', '--state-dict'):
        r = run(brine, *words)
        tally.check(f'code alone could tell the weights: {words[0]}', None if r.status == 1 and 'has neither parameters nor buffers' in r.error() else f'{r.status}: {r.text()} {r.error()}')
    tally.check('and nothing was written', None if not os.path.exists(path + '3') else 'it was')
    tally.check('--all does', None if 'kept.0' in text('ls', path, '--all') else text('ls', path, '--all'))
    model = torch.nn.Linear(2, 2)
    model.extra = torch.ones(3)
    model.register_buffer('buf', torch.ones(4), persistent=False)
    w = torch.nn.Parameter(torch.ones(2))
    w.scale = torch.ones(1)
    for what, value, count in (('a module', model, 2), ('a part', {'model': model}, 2), ('an attribute of a Parameter', {'w': w}, 1)):
        torch.save(value, path)
        got = notes(path)
        if what == 'an attribute of a Parameter' and not torch.__version__.startswith('2'): continue  # older ones do not save it
        tally.check(f'hidden tensors: {what}', None if len(got) == 1 and got[0].startswith(f'note: {count} more tensor') and 'brine ls --all lists' in got[0] else f'{got}')

    data, slices = {'x': torch.ones(5, 2), 'edge_index': torch.zeros(2, 4, dtype=torch.int64)}, {'x': torch.tensor([0, 2, 5]), 'edge_index': torch.tensor([0, 1, 4])}
    for form in (data, slices), (data, slices, dict):
        torch.save(form, path)
        r = run(brine, 'ls', path)
        tally.check('a dataset', None if r.refused() is None and '0, 1 (the data and the slices of a PyTorch Geometric dataset, not weights)' in r.error() else r.error())
        for at, what in ('1', "these are the slices of a PyTorch Geometric dataset, not weights; its data is at '0'"), ('0', "this is the data of a PyTorch Geometric dataset, not weights; its slices are at '1'"):
            tally.check(f'a dataset, {at}', None if 'note: ' + what in notes(path, '--at', at) else f"{notes(path, '--at', at)}")
    torch.save((data, {'other': torch.ones(1)}), path)
    tally.check('no dataset', None if 'Geometric' not in run(brine, 'ls', path).error() else run(brine, 'ls', path).error())


def main():
    warnings.simplefilter('ignore')
    brine, tally = command(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        check_check(brine, folder, tally)
        check_stats(brine, folder, tally)
        check_what_is_not_told_by_tensors(brine, folder, tally)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
