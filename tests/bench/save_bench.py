#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Saving, beside torch.save, safetensors and a plain write() of the same bytes: save_bench.py SAVE_BENCH [--folder F] [--runs N].

Files a and c of files.py; each measurement a fresh process, the rows in another order every round. The new file is removed each time.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys

import files

PEER = """
import sys, time, torch
what, source, out = sys.argv[1:]
state = dict(torch.load(source))
if what == 'torch.save': save = lambda: torch.save(state, out)
else:
    from safetensors.torch import save_file
    save = lambda: save_file(state, out)
torch.save({'w': torch.zeros(1)}, out)  # what a first call imports
start = time.perf_counter()
save()
print('total', (time.perf_counter() - start) * 1e3)
"""
ROWS = ('brine', 'plain write', 'torch.save', 'safetensors')


def measure(program, row, source, out):
    how = {'brine': [program, 'save'], 'plain write': [program, 'write']}.get(row, [sys.executable, '-c', PEER, row])
    run = subprocess.run([*how, source, out], capture_output=True, text=True)
    if run.returncode: sys.exit(f'{row} {source}: {run.stderr.strip()}')
    os.unlink(out)
    return float(run.stdout.split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('save_bench', help='the program, build/tests/bench/save_bench')
    parser.add_argument('--folder', default='build-bench')
    parser.add_argument('--runs', type=int, default=7)
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    found, order = {}, random.Random(1)
    jobs = [(file, row, files.make(arguments.folder, file)[0]) for file in 'ac' for row in ROWS]
    for _ in range(arguments.runs):
        order.shuffle(jobs)
        for file, row, source in jobs:
            ms = measure(arguments.save_bench, row, source, os.path.join(arguments.folder, 'saved-' + file + '.pth'))
            found.setdefault((file, row), []).append(ms)
    median = {key: statistics.median(values) for key, values in found.items()}
    for file in 'ac':
        print(f'{file}: {files.FILES[file][1]}')
        for row in ROWS:
            print(f'  {row:<14}{median[file, row]:>10.1f} ms, least {min(found[file, row]):.1f}, {median[file, row] / median[file, "brine"]:.2f} of brine')
    kept = [('a: saves twice as fast as torch.save', median['a', 'torch.save'] >= 2 * median['a', 'brine']),
            ('a: at most 1.3 of a plain write', median['a', 'brine'] <= 1.3 * median['a', 'plain write']),
            ('c: saves 50 times as fast as torch.save', median['c', 'torch.save'] >= 50 * median['c', 'brine'])]
    for text, ok in kept: print('kept  ' if ok else 'MISSED', text)
    return 0 if all(ok for _, ok in kept) else 1


if __name__ == '__main__':
    sys.exit(main())
