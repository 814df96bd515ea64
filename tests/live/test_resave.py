# SPDX-License-Identifier: MIT
"""test_resave.py BRINE: every zip and legacy file of ../shared that brine reads, saved again.

--as-read gives the very bytes of a zip, but for the few of EXCEPTIONS. By default the new file lists as the source does, and saved once more it is
the same; today's PyTorch, where it reads the source with weights_only, reads the new file: plainly, mapped, and with computed offsets. A few files
go through every profile, protocol and --compact. PyTorch is never asked to unpickle a file without weights_only: they are strangers' files.
"""
import filecmp
import itertools
import json
import os
import sys
import tempfile
import warnings

from common import FIELDS, Tally, array_difference, command, difference, in_parallel, run, shared_folder

try:
    import torch
    TORCH = tuple(int(part) for part in torch.__version__.split('.')[:2]) >= (2, 7)
except ImportError:
    TORCH = False

NET = 'deflated, and pickled by a .NET library'
EXCEPTIONS = {f'corpus/shaltielshmid__TorchSharp.PyBridge/TorchSharp.PyBridge.Tests__pickled_{name}_save.bin': NET
              for name in ('modules__module', 'optimizers__Adagrad', 'optimizers__SGD')}
SPOT = 45  # every so-manieth file goes through all profiles and protocols
COMPACT_FIELDS = tuple(f for f in FIELDS if f not in ('storage_offset', 'stride'))


def entries(shared):
    """(file, format) of what brine reads of ../shared, by the expectations there."""
    with open(os.path.join(shared, 'EXPECTED.jsonl'), encoding='utf-8') as lines:
        for entry in map(json.loads, lines):
            if entry['format'] in ('zip', 'legacy') and 'error' not in entry: yield entry['file'], entry['format']


def listing(brine, path):
    r = run(brine, 'ls', '--all', '--json', '--crc', path)
    return r.json() if r.status == 0 else {'error': r.error().strip()[:300]}


def listings_differ(want, got, fields=FIELDS):
    if 'error' in got: return f'ls: {got["error"]}'
    return difference(want['tensors'], got['tensors'], fields) or array_difference(want.get('arrays', []), got.get('arrays', []))


def convert(brine, source, to, *flags):
    r = run(brine, 'convert', '--force', *flags, source, to)
    return None if r.status == 0 else r.error().strip()[:300] or f'status {r.status}'


def loads(path, **how):
    try:
        torch.load(path, weights_only=True, **how)
        return None
    except Exception as e:
        return f'{type(e).__name__}: {str(e)[:160]}'


def torch_refuses(source, new):
    """What PyTorch reads of the source it reads of the new file: None, or what is wrong."""
    if loads(source): return None
    for how in ({}, {'mmap': True}):
        if why := loads(new, **how): return f'torch.load({how}): {why}'
    from torch.utils.serialization import config
    config.load.calculate_storage_offsets = True
    try:
        why = loads(new, mmap=True)
    finally:
        config.load.calculate_storage_offsets = False
    return f'torch.load with calculate_storage_offsets: {why}' if why else None


def resave(brine, shared, folder, file, form):
    """Checks one file; yields (label, what is wrong)."""
    source = os.path.join(shared, file)
    name = os.path.splitext(os.path.basename(file))[0] or 'x'
    place = tempfile.mkdtemp(dir=folder)
    kept, new, again = (os.path.join(place, d, name + '.pth') for d in ('kept', 'new', 'again'))
    for path in (kept, new, again): os.mkdir(os.path.dirname(path))
    if form == 'zip' and file not in EXCEPTIONS:
        why = convert(brine, source, kept, '--as-read')
        yield file + ' --as-read', why or (None if filecmp.cmp(source, kept, shallow=False) else 'other bytes')
    why = convert(brine, source, new)
    if not why:
        why = listings_differ(listing(brine, source), listing(brine, new)) or convert(brine, new, again)
        if not why and not filecmp.cmp(new, again, shallow=False): why = 'saved once more it is another file'
        if not why and TORCH: why = torch_refuses(source, new)
    yield file, why
    for path in (kept, new, again):
        if os.path.exists(path): os.unlink(path)


def all_ways(brine, shared, folder, file):
    """Every profile, protocol and --compact for one file."""
    source, to = os.path.join(shared, file), os.path.join(tempfile.mkdtemp(dir=folder), 'x.pth')
    want = listing(brine, source)
    for profile, protocol, compact in itertools.product(('torch-1.6', 'torch-2.1', 'torch-2.7'), '12345', ([], ['--compact'])):
        flags = ['--profile', profile, '--protocol', protocol, *compact]
        why = convert(brine, source, to, *flags)
        if why and 'need protocol 2 or above' in why: continue  # objects that this protocol has no opcode for
        yield f'{file} {" ".join(flags)}', why or listings_differ(want, listing(brine, to), COMPACT_FIELDS if compact else FIELDS)


def main():
    brine, tally, shared = command(), Tally(), shared_folder()
    if not shared or not os.path.exists(os.path.join(shared, 'EXPECTED.jsonl')):
        tally.skip('saving again', '../shared is not there')
        return tally.close()
    warnings.simplefilter('ignore')
    files = list(entries(shared))
    for file, why in EXCEPTIONS.items(): tally.skip(file + ' --as-read', why)
    if not TORCH: tally.skip('reading what was saved', 'needs PyTorch 2.7')
    with tempfile.TemporaryDirectory() as folder:
        jobs = [lambda file=file, form=form: list(resave(brine, shared, folder, file, form)) for file, form in files]
        jobs += [lambda file=file: list(all_ways(brine, shared, folder, file)) for file, _ in files[::SPOT]]
        if TORCH: results = (job() for job in jobs)  # its switch for computed offsets is one for all threads
        else: results = in_parallel(lambda job: job(), jobs)
        for found in results:
            for label, why in found: tally.check(label, why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
