#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_tensor_objects.py BRINE [NAME…]: jagged tensors, DTensors, wrapper subclasses and the rest of tensor_objects.py are to brine what they are here.

Each is saved under a name beside a plain tensor, as zip and as legacy stream. kinds_check must tell the same of it as Python does: the components of a
jagged one, the local tensor of a DTensor and its placements, the tensors of a wrapper subclass by attribute, bit for bit. `convert --as-read` gives the
same bytes, of zips; what `convert` writes loads here and is the same; `diff` finds it equal; `ls` lists it as a tensor where it is one, `cat` prints it.
"""
import json
import os
import sys
import tempfile
import warnings

import torch
from torch import nn

from common import Tally, built, command, run
from tensor_objects import VERSION, every, shards
from test_tensor_kinds import LOADS, first_difference, run_check, sizes, told

WHOLE = ('Shard', '_StridedShard', 'Replicate')


def is_dtensor(v): return type(v).__name__ == 'DTensor'
def is_wrapper(v): return type(v).__name__ == 'Two'


def local(t): return t.detach()._local_tensor if hasattr(t, '_local_tensor') else t


def is_whole(d): return d._local_tensor.shape == d.shape and (d.device_mesh.size() == 1 or all(type(p).__name__ in WHOLE for p in d.placements))


def lines_of(name, v):
    """As `kinds_check FILE values` prints them."""
    out, attributes = [], {}
    if is_dtensor(v):
        out.append(f'{name}\t{"whole" if is_whole(v) else "shard"} {sizes(v.shape)} {" ".join(repr(p) for p in v.placements)}\t{told(local(v))}')
        attributes = {'_local_tensor': local(v)}
        out.append(f'{name}\t{told(local(v))}' if is_whole(v) else f'{name}\twrong_kind torch._utils._rebuild_wrapper_subclass')
    elif is_wrapper(v):
        out.append(f'{name}\twrong_kind torch._utils._rebuild_wrapper_subclass')
        attributes = {'a': v.a, 'b': v.b}
    elif nn.parameter.is_lazy(v): out.append(f'{name}\twrong_kind torch.nn.parameter.{type(v).__name__}')
    elif isinstance(v, torch.Generator): out.append(f'{name}\twrong_kind torch._C.Generator')
    else:
        out.append(f'{name}\t{told(v)}')
        if hasattr(v, 'extra') and VERSION >= (2, 0): attributes = {'extra': v.extra}  # 1.13 does not save them
    return out + [f'{name}.{k}\t{told(t)}' for k, t in attributes.items()]


def all_lines(values): return [line for name, v in values.items() for line in lines_of(name, v)]


def listed(v):
    """What `ls --json` says of it: (dtype, shape, layout), or None where it is no tensor."""
    if is_wrapper(v) or isinstance(v, torch.Generator) or nn.parameter.is_lazy(v) or (is_dtensor(v) and not is_whole(v)): return None
    nested = v.is_nested
    t = local(v)
    return str(t.dtype)[6:], None if nested else list(t.shape), 'nested' if nested else None


def check(brine, program, folder, path, values, container):
    """Of one file: everything above, the first that is wrong."""
    v = values['w']
    if why := first_difference(all_lines(values), run_check(program, 'values', path)): return why
    out = os.path.join(folder, 'out.pt')
    for options in ([], ['--as-read']) if container == 'zip' and VERSION >= (2, 1) else ([] if VERSION < (2, 1) else ([],)):
        r = run(brine, 'convert', '--force', *options, path, out)
        if r.status != 0: return f'convert {options}: {r.error().strip()}'
        if options and open(path, 'rb').read() != open(out, 'rb').read(): return 'convert --as-read wrote other bytes'
        if run(brine, 'diff', path, out).status != 0: return f'diff does not find it equal to what convert {options} wrote'
        if why := first_difference(all_lines(values), run_check(program, 'values', out)): return f'convert {options}: {why}'
        if why := first_difference(all_lines(values), all_lines(torch.load(out, **LOADS))): return f'convert {options}, loaded by PyTorch: {why}'
    r = run(brine, 'ls', '--json', path)
    if r.status != 0: return f'ls: {r.error().strip()}'
    row = next(((t['dtype'], t['shape'], t.get('layout')) for t in json.loads(r.text())['tensors'] if t['name'] == 'w'), None)
    if row != listed(v): return f'ls says {row}, not {listed(v)}'
    r = run(brine, 'cat', path, 'w')
    if (r.status == 0) != (row is not None): return f'cat ends with {r.status}: {r.error().strip()}'
    return None


def one(brine, program, folder, tally, name, make):
    try: value = make()
    except Exception as e: return tally.skip(name, f'cannot be made here: {str(e).splitlines()[0][:100]}')
    for container in ('zip', 'legacy'):
        path = os.path.join(folder, f'{container}.pt')
        try:
            torch.save({'w': value, 'n': torch.ones(2)}, path, _use_new_zipfile_serialization=container == 'zip')
            values = torch.load(path, **LOADS)
        except Exception as e:
            tally.skip(f'{name}, {container}', f'PyTorch does not save and load it: {str(e).splitlines()[0][:100]}')
            continue
        try: why = check(brine, program, folder, path, values, container)
        except Exception as e: why = f'{type(e).__name__}: {e}'
        tally.check(f'{name}, {container}', why)


def main():
    brine, tally = command(), Tally()
    program = built(brine, 'kinds_check')
    warnings.simplefilter('ignore')
    wanted = sys.argv[2:] or ['']
    with tempfile.TemporaryDirectory() as folder:
        for kinds in (every, shards if VERSION >= (2, 6) else dict):
            for name, make in kinds().items():
                if any(w in name for w in wanted): one(brine, program, folder, tally, name, make)
    sys.exit(tally.close())


if __name__ == '__main__': main()
