# SPDX-License-Identifier: MIT
"""test_taken_out.py BRINE [NAME…]: every zip file and legacy stream of ../shared/golden, saved again: whole, and after its tensors were taken out by the API.

taken_out puts them into a dict by their paths (flat), or makes dicts, lists and tuples anew as they stand (tree).
A zip: --as-read, and the tree saved as it was read, are the very bytes of the file. A legacy stream: every line of `ls --all --json --crc` is the same after
convert but the file's name, its format and the storages' keys, and the second save equals the first: of convert, flat and tree.
Both: flat is what torch.save writes of such a dict of the tensors that torch.load gives, byte for byte; so is the tree, where it holds nothing but containers,
plain values and tensors. PyTorch itself made these files for such tests: it loads them with weights_only=False. NAME: only files whose names contain it.
"""
import collections
import json
import os
import sys
import tempfile
import warnings
import zipfile

import torch

from common import Tally, built, command, run, shared_folder
from oracle import walk
from test_save import PROFILE, VERSION, first_difference

OLD = PROFILE[1] == 'torch-1.6'
PLAIN = (dict, collections.OrderedDict, list, tuple, str, bytes, bytearray, bool, int, float, complex, type(None), torch.dtype, torch.device, torch.Size)
NO_CHECKPOINT = ('jit.pt', 'trace.pt', '.ptl', 'mm.pth', 'tr.pth', 'off.pth')  # TorchScript; hand-made ones that are damaged or begin elsewhere
OTHERWISE = {  # what torch.save writes after loading is not what the file holds
    'made-old/view': 'loading parts the storage that two views of the file share', 'n_jagged': 'a jagged tensor is an object to brine, whose parts are tensors',
    'o_generator': 'the state of a Generator is a tensor in the file, and none in Python',
    **({} if VERSION >= (2, 0) else {'2.6/t_tensor_state': 'this PyTorch drops the attributes of a tensor when it saves it'})}


class MyT(torch.Tensor):
    """Of t_subclass."""


def bytes_differ(a, b): return None if open(a, 'rb').read() == open(b, 'rb').read() else first_difference(a, b)


def listing(brine, path):
    """The whole of it, but for what may differ: storages by number of first appearance."""
    r = run(brine, 'ls', '--all', '--json', '--crc', path)
    if r.status != 0: return {'error': r.error()}
    out, seen = r.json(), {}
    for key in 'file', 'format': del out[key]
    for t in out['tensors']:
        if 'storage' in t: t['storage'] = seen.setdefault(t['storage'], len(seen))
    return out


def listings_differ(want, got): return None if json.dumps(want) == json.dumps(got) else f'lists {json.dumps(got)[:300]}, expected {json.dumps(want)[:300]}'


def remade(o, met):
    """As taken_out does it: containers anew; what is one object stays one."""
    if id(o) in met: return met[id(o)][0]
    new = o
    if type(o) in (dict, collections.OrderedDict) and not getattr(o, '__dict__', None):
        new = type(o)()
        met[id(o)] = new, o
        for k, v in o.items(): new[remade(k, met)] = remade(v, met)
    elif type(o) is list:
        met[id(o)] = new, o = [], o
        new.extend(remade(v, met) for v in o)
    elif type(o) is tuple: new = tuple([remade(v, met) for v in o])
    met[id(o)] = new, o
    return new


def is_plain(o): return torch.is_tensor(o) or type(o) in PLAIN


class File:
    """One file, and what is made of it: a folder for each making, so that the names, which are in the files, are the same."""
    def __init__(self, brine, program, folder, path):
        self.brine, self.program, self.folder, self.path = brine, program, folder, path
        self.name, self.loaded = os.path.splitext(os.path.basename(path))[0] + '.pth', None
        self.why = next((why for part, why in OTHERWISE.items() if part in path), None)
        if self.why: return
        try: self.loaded = [torch.load(path, **({} if VERSION < (2, 0) else {'weights_only': False}))]
        except Exception as e: self.why = f'PyTorch {torch.__version__} does not load it: {str(e).splitlines()[0].split(" on <")[0]}'

    def place(self, how):
        os.makedirs(os.path.join(self.folder, how), exist_ok=True)
        return os.path.join(self.folder, how, self.name)

    def made(self, how, source, command):
        out = self.place(how)
        r = run(*command, source or self.path, out)
        if r.status != 0: raise RuntimeError(f'{how}: {r.error().strip()[:300]}')
        return out

    def convert(self, how, *options, source=None): return self.made(how, source, [self.brine, 'convert', '--force', *options])
    def taken_out(self, how, shape, options, source=None): return self.made(how, source, [self.program, shape, options])

    def saved(self, how, value):
        torch.save(value, self.place(how))
        return self.place(how)


def as_it_was(f):
    """Of a zip: (label, what is wrong)."""
    yield '--as-read', bytes_differ(f.path, f.convert('kept', '--as-read'))
    yield 'taken out, as it was read', bytes_differ(f.path, f.taken_out('kept_tree', 'tree', 'as-read'))


def of_a_stream(f):
    new = f.convert('new')
    yield 'convert', listings_differ(listing(f.brine, f.path), listing(f.brine, new))
    yield 'the second convert', bytes_differ(new, f.convert('again', source=new))


def taken_out(f, options):
    source = listing(f.brine, f.path)
    for shape in 'flat', 'tree':
        new = f.taken_out(shape, shape, options)
        got, keys = listing(f.brine, new), ['tensors'] if shape == 'flat' else list(source)
        yield f'{shape} lists', listings_differ([source[k] for k in keys], [got.get(k) for k in keys])
        yield f'{shape} once more', bytes_differ(new, f.taken_out(shape + '_again', shape, options, source=new))


def as_torch_saves(f):
    value = f.loaded[0]
    tensors = {path: t for path, t in walk(value) if torch.is_tensor(t)}
    yield 'flat, by torch.save', bytes_differ(f.saved('theirs', tensors), f.place('flat'))
    if all(is_plain(o) for _, o in walk(value)):
        yield 'tree, by torch.save', bytes_differ(f.saved('their_tree', remade(value, {})), f.place('tree'))


def checks(f, kind):
    yield from as_it_was(f) if kind == 'zip' else of_a_stream(f)
    yield from taken_out(f, 'old' if OLD else 'today')
    if f.loaded: yield from as_torch_saves(f)


def files(shared):
    """(path, zip or legacy) of what are checkpoints in these formats."""
    for folder, _, names in sorted(os.walk(os.path.join(shared, 'golden'))):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(NO_CHECKPOINT) or not any(w in path for w in sys.argv[2:] or ['']): continue
            if zipfile.is_zipfile(path): yield path, 'zip'
            elif name.endswith(('.legacy', '.pth')): yield path, 'legacy'


def main():
    brine, tally, shared = command(), Tally(), shared_folder()
    program = built(brine, 'taken_out')
    if not shared or not os.path.isdir(os.path.join(shared, 'golden')):
        tally.skip('files taken apart', '../shared/golden is not there')
        return tally.close()
    warnings.simplefilter('ignore')
    without_judge = collections.defaultdict(list)
    for path, kind in files(shared):
        label = os.path.relpath(path, shared)
        with tempfile.TemporaryDirectory() as folder:
            f = File(brine, program, folder, path)
            if not f.loaded: without_judge[f.why].append(label)
            try:
                for what, why in checks(f, kind): tally.check(f'{label}: {what}', why)
            except RuntimeError as e:
                tally.fail(label, e)
    for why, labels in without_judge.items(): tally.skip(f'torch.save of {", ".join(labels[:2])}{" …" if labels[2:] else ""} ({len(labels)})', why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
