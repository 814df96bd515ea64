# SPDX-License-Identifier: MIT
"""test_random_trees.py BRINE [COUNT [SEED]]: random trees, made and saved by brine, are read by this PyTorch as what they are.

torch.load reads each file of random_trees.cpp, torch.save writes what it found over it, and brine, which test_read.py holds against PyTorch, finds the
first tree again: the same values, tensors and sharing. A new seed each time; it is printed.
"""
import os
import random
import subprocess
import sys
import tempfile
import warnings

import torch

from common import Tally, built, command

LATER = ('float4_e2m1fn_x2', 'float8_e5m2', 'uint16', 'uint64', 'bits8', '_rebuild_tensor_v3', 'UntypedStorage')  # not in older PyTorch


def main():
    brine, tally = command(), Tally()
    program = built(brine, 'random_trees')
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 40)
    print(f'seed {seed}')
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as folder:
        def lines(what):
            r = subprocess.run([program, what, str(seed), str(count), folder], capture_output=True, text=True, errors='replace')
            if r.returncode: sys.exit(f'random_trees {what}: status {r.returncode}: {r.stderr.strip()}')
            return [line.split(' ', 1) for line in r.stdout.split('\n') if line[:1].isdigit() and ' ' in line]

        read, refused, later = set(), 0, 0
        for number, protocol in lines('save'):
            if protocol == 'refused':
                refused += 1
                continue
            path = os.path.join(folder, number + '.pth')
            try:
                torch.save(torch.load(path, **({} if torch.__version__ < '2' else {'weights_only': False})), path, pickle_protocol=int(protocol))
                read.add(number)
            except Exception as e:
                text = f'{type(e).__name__}: {str(e).splitlines()[0][:200] if str(e) else ""}'
                if torch.__version__ < '2' and any(name in text for name in LATER): later += 1
                else: tally.check(f'tree {number}', f'seed {seed}: PyTorch: {text}')
        for number, difference in lines('compare'):
            if number in read: tally.check(f'tree {number}', f'seed {seed}: {difference}' if difference else None)
    if later: tally.skip(f'{later} trees', f'PyTorch {torch.__version__} lacks a dtype of theirs')
    if refused: tally.skip(f'{refused} trees', 'two dtypes over one storage, which PyTorch does not save')
    return tally.close()


if __name__ == '__main__':
    sys.exit(main())
