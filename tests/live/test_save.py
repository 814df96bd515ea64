# SPDX-License-Identifier: MIT
"""test_save.py BRINE [NAME…]: what brine saves, `cmp` cannot tell from what this PyTorch saved, and PyTorch reads it.

Each kind of kinds.py is saved by torch.save with pickle protocols 1 to 5; `brine convert` saves the loaded value under the same name, with this
PyTorch's profile and once more --as-read: both files must be the same bytes. The file is then read by torch.load as it reads its own.
A legacy stream of the same object must become, with --profile, a zip that PyTorch reads. NAME: only the kinds whose names contain it.
"""
import filecmp
import os
import sys
import tempfile
import warnings

import torch

import kinds
from common import Tally, command, in_parallel, run

VERSION = tuple(int(part) for part in torch.__version__.split('.')[:2])
PROFILE = ['--profile', 'torch-2.7' if VERSION >= (2, 7) else 'torch-2.1' if VERSION >= (2, 1) else 'torch-1.6']


def first_difference(a, b):
    x, y = open(a, 'rb').read(), open(b, 'rb').read()
    at = next((i for i in range(min(len(x), len(y))) if x[i] != y[i]), min(len(x), len(y)))
    return f'differs at byte {at} ({len(x)} and {len(y)} bytes)'


def loads(path, **how):
    try:
        torch.load(path, **how)
        return None
    except Exception as e:
        return f'{type(e).__name__}: {str(e).splitlines()[0][:120] if str(e) else ""}'


def main():
    brine, tally = command(), Tally()
    warnings.simplefilter('ignore')

    def check(case):
        label, theirs, ours, legacy, protocol = case
        os.makedirs(os.path.dirname(ours), exist_ok=True)
        for name, flags in (('', PROFILE + ['--protocol', str(protocol)]), (' --as-read', ['--as-read'])):
            r = run(brine, 'convert', *flags, '--force', theirs, ours)
            if r.status != 0: return label + name, r.error().strip()[:300]
            if not legacy and not filecmp.cmp(theirs, ours, shallow=False): return label + name, first_difference(theirs, ours)
        modes = [{}] if VERSION < (2, 6) else [{}, {'weights_only': False}, {'weights_only': False, 'mmap': True}]
        for how in modes:
            want = loads(theirs, **({k: v for k, v in how.items() if k != 'mmap'} if legacy else how))
            got = loads(ours, **how)
            if want is None and got is not None: return label, f'torch.load({how}) of what brine wrote: {got}'
        return label, None

    def cases(folder):
        for name, kind in kinds.every().items():
            if not any(w in name for w in sys.argv[2:] or ['']): continue
            if VERSION < kind.since:
                tally.skip(name, f'PyTorch {torch.__version__} has no such thing')
                continue
            torch.manual_seed(0)
            obj = kind.make(torch)
            for protocol, legacy in [(p, False) for p in (1, 2, 3, 4, 5)] + [(2, True)]:
                label = f'{name} {"legacy" if legacy else "zip"} {protocol}'
                theirs = os.path.join(folder, label.replace(' ', '-') + '.pth')
                try:
                    torch.save(obj, theirs, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
                except Exception as e:
                    tally.skip(label, f'PyTorch does not save it: {type(e).__name__}: {str(e).splitlines()[0][:120]}')
                    continue
                yield label, theirs, os.path.join(folder, 'ours', os.path.basename(theirs)), legacy, protocol

    with tempfile.TemporaryDirectory() as folder:
        for label, why in in_parallel(check, cases(folder)):
            tally.check(label, why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
