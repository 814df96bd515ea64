#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_tensor_kinds.py BRINE [NAME…]: quantised, sparse, nested and meta tensors are to brine what they are to this PyTorch.

Each of tensor_kinds.py is saved as zip and as legacy stream, alone and in a dict. kinds_check must tell the same of it as Python does here: parts, parameters,
integers, dequantised and dense elements, bit for bit. `convert --as-read` gives the same bytes, of zips; what `convert` and the API write loads here and
is the same; `diff` finds a file equal to itself and to what was written, and not to another. NAME: only those whose names contain it.
"""
import os
import subprocess
import sys
import tempfile
import warnings

import torch
from torch import nn

from common import Tally, built, command, run
from tensor_kinds import VERSION, every

PROFILE = [] if VERSION >= (2, 1) else ['--profile', 'torch-1.6']
LOADS = {} if VERSION < (2, 0) else {'weights_only': False}


def fnv(data):
    h = 0xCBF29CE484222325
    for b in data: h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f'{h:016x}'


def dtype_of(t): return str(t.dtype).replace('torch.', '')
def sizes(values): return '[' + ','.join(str(v) for v in values) + ']'


def elements(t):
    t = t.detach().resolve_conj().contiguous()
    if t.numel() == 0: return fnv(b'')
    return fnv(t.reshape(-1).view(torch.uint8).numpy().tobytes())


def plain(t): return dtype_of(t) + sizes(t.shape) + elements(t)


def told(t):
    nested = getattr(t, 'is_nested', False)
    out = f'{dtype_of(t)} ' + ('nested' if nested else str(t.layout).replace('torch.', '')) + (' Parameter' if isinstance(t, nn.Parameter) else '') + (' grad' if t.requires_grad else '')
    t = t.detach()
    if t.device.type == 'meta': return f'{out} meta {sizes(t.shape)}{sizes(t.stride())}'
    if nested: return ' '.join([out] + [plain(c) for c in t.unbind()])
    out += ' ' + sizes(t.shape)
    if t.is_quantized:
        out += f' {str(t.qscheme()).replace("torch.", "")}{sizes(t.stride())}'
        if t.qscheme() == torch.per_tensor_affine: out += ' %.17g %d' % (t.q_scale(), t.q_zero_point())
        else: out += f' {plain(t.q_per_channel_scales())} {plain(t.q_per_channel_zero_points())} {t.q_per_channel_axis()}'
        numbers = t.dequantize().contiguous()
        return f'{out} {plain(t.int_repr())} {elements(numbers)} {elements(numbers.half())}'
    if t.layout == torch.strided: return f'{out} {elements(t)}'
    if t.layout == torch.sparse_coo:
        parts = [('indices', t._indices()), ('values', t._values())]
        if t.is_coalesced(): out += ' coalesced'
    elif t.layout in (torch.sparse_csr, getattr(torch, 'sparse_bsr', None)):
        parts = [('crow_indices', t.crow_indices()), ('col_indices', t.col_indices()), ('values', t.values())]
    else:
        parts = [('ccol_indices', t.ccol_indices()), ('row_indices', t.row_indices()), ('values', t.values())]
    return ' '.join([out] + [f'{n} {plain(p)}' for n, p in parts] + [elements(t.to_dense())])


def lines_of(value):
    """As kinds_check prints them, of a tensor, a list or a dict of tensors."""
    items = {'': value} if isinstance(value, torch.Tensor) else dict(enumerate(value)) if isinstance(value, list) else value
    return [f'{n}\t{told(t)}' for n, t in items.items()]


def run_check(check, *args):
    r = subprocess.run([check, *args], capture_output=True, text=True)
    return r.stdout.splitlines() if r.returncode == 0 else [r.stderr.strip()]


def first_difference(want, got): return next((f'{g[:300]!r}, PyTorch has {w[:300]!r}' for w, g in zip(want, got) if w != g), None) or (None if len(want) == len(got) else f'{len(got)} tensors, not {len(want)}')


def check(brine, program, folder, path, value, container):
    """Of one file: everything above, the first that is wrong."""
    want, got = lines_of(value), run_check(program, path)
    if why := first_difference(want, got): return why
    out = os.path.join(folder, 'out', os.path.basename(path))
    for options in (PROFILE, ['--as-read']) if container == 'zip' else (PROFILE,):
        r = run(brine, 'convert', '--force', *options, path, out)
        if r.status != 0: return f'convert {options}: {r.error().strip()}'
        if options == ['--as-read'] and open(path, 'rb').read() != open(out, 'rb').read(): return 'convert --as-read wrote other bytes'
        if why := first_difference(want, run_check(program, out)): return f'convert {options}: {why}'
        if run(brine, 'diff', path, out).status != 0: return f'diff does not find it equal to what convert {options} wrote'
        if why := first_difference(want, lines_of(torch.load(out, **LOADS))): return f'convert {options}, loaded by PyTorch: {why}'
    if container == 'legacy':  # what convert wrote is its own fixed point
        again = os.path.join(folder, 'out', 'again.pt')
        run(brine, 'convert', '--force', '--as-read', out, again)
        if open(out, 'rb').read() != open(again, 'rb').read(): return 'the second save is another'
    taken = os.path.join(folder, 'taken.pt')
    if problem := run_check(program, path, taken, *PROFILE[:1]): return f'taken out and saved: {problem}'
    items = {'': value} if isinstance(value, torch.Tensor) else {str(i): t for i, t in enumerate(value)} if isinstance(value, list) else value
    if why := first_difference(lines_of(items), lines_of(torch.load(taken, **LOADS))): return f'taken out, loaded by PyTorch: {why}'
    return None


def main():
    brine, tally = command(), Tally()
    program = built(brine, 'kinds_check')
    warnings.simplefilter('ignore')
    wanted = sys.argv[2:] or ['']
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, 'out'))
        before = None
        for name, make in every().items():
            if not any(w in name for w in wanted): continue
            try: value = make()
            except Exception as e:
                tally.skip(name, f'cannot be made here: {str(e).splitlines()[0][:100]}')
                continue
            for container in ('zip', 'legacy'):
                label = f'{name}, {container}'
                path = os.path.join(folder, f'{container}.pt')
                try:
                    torch.save(value, path, _use_new_zipfile_serialization=container == 'zip')
                    value = torch.load(path, **LOADS)  # before 2.1 a file does not say what is coalesced
                    whole = {'first': value if isinstance(value, torch.Tensor) else value[0], 'n': torch.ones(2)}
                    state = os.path.join(folder, f'state_{container}.pt')
                    torch.save(whole, state, _use_new_zipfile_serialization=container == 'zip')
                    whole = torch.load(state, **LOADS)
                except Exception as e:
                    tally.skip(label, f'PyTorch does not save and load it: {str(e).splitlines()[0][:100]}')
                    continue
                tally.check(label, check(brine, program, folder, path, value, container))
                tally.check(label + ', in a state dict', check(brine, program, folder, state, whole, container))
                if container == 'zip':
                    if before: tally.check(f'{name} is not {before[1]}', None if run(brine, 'diff', before[0], state).status == 1 else 'diff finds them equal')
                    kept = os.path.join(folder, f'before{len(os.listdir(folder))}.pt')
                    os.replace(state, kept)
                    before = kept, name
    sys.exit(tally.close())


if __name__ == '__main__': main()
