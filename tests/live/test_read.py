# SPDX-License-Identifier: MIT
"""test_read.py BRINE [NAME…]: every kind of checkpoint, saved live by the PyTorch this runs with, read by brine and by PyTorch alike.

Each kind of kinds.py is saved as zip and as legacy stream, with pickle protocols 2 to 5; torch.load reads the file, oracle.py says what
is in it, and `brine ls --all --json --crc` and `brine ls --json --crc` must say the same. Where PyTorch cannot read its own file, the
object that was saved stands for it. Kinds marked `later` must be listed without an error. NAME: only the kinds whose names contain it.
"""
import os
import sys
import tempfile
import warnings

import torch

import kinds
import oracle
from common import Tally, command, in_parallel, listing_difference, run

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])
FORMS = [(container, protocol) for container in ('zip', 'legacy') for protocol in (2, 3, 4, 5)]


def save(obj, path, container, protocol):
    torch.save(obj, path, pickle_protocol=protocol, _use_new_zipfile_serialization=container == 'zip')


def cases(folder, wanted, tally):
    """Yields (label, path, expected listing or None for `later`), one file at a time."""
    for name, kind in kinds.every().items():
        if not any(w in name for w in wanted): continue
        if VERSION < kind.since:
            tally.skip(name, f'PyTorch {torch.__version__} has no such thing')
            continue
        torch.manual_seed(0)
        obj = kind.make(torch)
        for container, protocol in FORMS:
            label = f'{name} {container} {protocol}'
            path = os.path.join(folder, label.replace(' ', '-') + '.pth')
            try:
                save(obj, path, container, protocol)
            except Exception as e:
                tally.skip(label, f'PyTorch does not save it: {type(e).__name__}: {str(e).splitlines()[0][:120]}')
                continue
            if kind.later:
                yield label, path, None
                continue
            try:
                loaded, places = oracle.load(path)
            except Exception as e:
                print(f'note {label}: compared with what was saved, PyTorch does not read its own file: {str(e).splitlines()[0][:100]}')
                loaded, places = obj, {}
            yield label, path, dict(oracle.listing(loaded, places, protocol), format=container)


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')

    def compare(case):
        label, path, want = case
        if want is None:
            r = run(brine, 'ls', '--all', '--json', path)
            why = None if r.status == 0 else f'status {r.status}: {r.error().strip()[:300]}'
        else:
            why = listing_difference(brine, path, want)
        os.remove(path)
        return label, why

    with tempfile.TemporaryDirectory() as folder:
        for label, why in in_parallel(compare, cases(folder, sys.argv[2:] or [''], tally)):
            tally.check(label, why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
