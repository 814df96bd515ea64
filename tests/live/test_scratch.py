# SPDX-License-Identifier: MIT
"""test_scratch.py BRINE [NAME…]: objects made by hand in C++ (scratch_save.cpp) are saved as torch.save saves those of scratch_cases.py.

Byte for byte, with the profile of the PyTorch that runs; and torch.load reads them. NAME: only the cases whose names contain it.
"""
import os
import sys
import tempfile
import warnings

import torch

import scratch_cases
from common import Tally, built, command, in_parallel, run
from test_save import PROFILE, VERSION, first_difference, loads


def first_opcode(brine, theirs, ours):
    """Where the pickles part, as `brine pickle` shows them."""
    a, b = (run(brine, 'pickle', path).text().splitlines() for path in (theirs, ours))
    for x, y in zip(a, b):
        if x != y: return f'torch.save {x.strip()!r}, brine {y.strip()!r}'
    return f'{len(a)} and {len(b)} opcodes' if len(a) != len(b) else 'the pickles are the same'


def main():
    brine, tally = command(), Tally()
    program = built(brine, 'scratch_save')
    warnings.simplefilter('ignore')

    def cases(folder):
        for name, make in scratch_cases.every().items():
            if not any(w in name for w in sys.argv[2:] or ['']): continue
            theirs = os.path.join(folder, name + '.pth')
            if name.startswith('dtype-') and not hasattr(torch, name[6:]):
                tally.skip(name, f'PyTorch {torch.__version__} has no such dtype')
                continue
            try:
                torch.save(make(torch), theirs)
            except Exception as e:
                tally.skip(name, f'PyTorch {torch.__version__} does not save it: {type(e).__name__}: {str(e).splitlines()[0][:120]}')
                continue
            yield name, theirs, os.path.join(folder, 'ours', name + '.pth')

    def check(case):
        name, theirs, ours = case
        r = run(program, PROFILE[1], name, ours)
        if r.status != 0: return name, f'status {r.status}: {r.error().strip()[:300]}'
        if open(theirs, 'rb').read() != open(ours, 'rb').read():
            return name, f'{first_difference(theirs, ours)}; {first_opcode(brine, theirs, ours)}'
        for how in [{}] if VERSION < (2, 6) else [{}, {'weights_only': False}]:
            if loads(theirs, **how) is None and (why := loads(ours, **how)): return name, f'torch.load({how}) does not read it: {why}'
        return name, None

    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, 'ours'))
        for name, why in in_parallel(check, cases(folder)): tally.check(name, why)
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
